/* NICs of users' machines and the LANs they are coupled to. What is allowed is asked of the directory in force; a LAN
 * of the system's is made when its first port comes, with the uplink the directory gives it, and ends with the last. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/network/table.h"

struct session;

enum nic_result {
    NIC_OK,
    NIC_NONE,        /* the machine has no such NIC */
    NIC_NOT_ALLOWED, /* the directory does not say that it may */
    NIC_NO_LAN,
    NIC_COUPLED,     /* to a LAN already */
    NIC_FULL,        /* the LAN has no place left */
    NIC_ADDRESS,     /* somebody has its address there */
    NIC_LOOP,        /* another trunk of the same machine is there: frames would go round */
};

/* The machine gets those that the directory gives it, each coupled to its first LAN. */
void nic_logon(struct session *);
void nic_logoff(struct session *); /* its NICs leave their LANs, and the LANs its user defined end */
enum nic_result nic_couple(struct session *, unsigned vdev, const char *owner, const char *name);
/* From which is said. NIC_COUPLED: it was to none. */
enum nic_result nic_uncouple(struct session *, unsigned vdev, char owner[LAN_NAME + 1], char name[LAN_NAME + 1]);

/* The port of the n-th NIC of the session's machine; NULL: no more. */
struct virtio_net *nic_at(const struct session *, unsigned n);

/* A LAN of the user's own. NULL: done; else why not. */
const char *nic_define_lan(struct session *, const char *name);
bool nic_end_lan(struct session *, const char *name); /* false: there is none of theirs */
/* Whether it is for the user to know of. */
bool nic_may_see(const struct session *, const char *owner, const char *name);

/* Of those that are reasons: in words. */
const char *nic_reason(enum nic_result);

/* There is another directory: uplinks go where it says. Its LANs that nobody is coupled to any more end. */
void nic_follow_directory(void);
