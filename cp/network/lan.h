/* A virtual LAN: ports, and the Ethernet frames that go from one to another. Pure: what a frame comes from, and who
 * takes it out of a port's queue, are devices and drivers.
 *
 *   access   a port of one machine: one MAC address, which is its owner's and the only one it may send from; frames of
 *            one VLAN, without tags
 *   trunk    a port behind which there are others: any source but those of access ports; every VLAN, with tags as of
 *            IEEE 802.1Q but for its native one. So are uplinks, and machines whose CP has users of its own
 *
 * A frame to an access port's address goes there and nowhere else; to one that is nobody's, to the trunk behind which
 * it was seen last, or to all of them; to a group, to every port of the VLAN. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/network/queue.h"

enum {
    LAN_NAME = 8,
    LAN_PORTS = 128,    /* of one LAN: a frame to a group is copied to each at once */
    LAN_LEARNED = 160,  /* addresses behind trunks that are remembered */
    VLAN_NATIVE = 0,    /* frames without a tag */
    VLAN_LAST = 4094,
    MAC = 6,
};

struct port_count {
    uint64_t frames, bytes;
    uint64_t discarded; /* nobody read the queue in time, or there was no storage */
    uint64_t errors;    /* no frame that may be there: its length, its source, its tag */
};

struct lan;
struct port {
    uint8_t mac[MAC];
    uint16_t vlan;       /* an access port's; of a trunk, the one that has no tag on it */
    bool trunk;
    bool uplink;         /* a trunk of no machine: `mac` is not a station of the LAN */
    bool isolated;       /* an access port that reaches trunks only */
    bool takes_checksum, takes_segments; /* its reader does these offloads; the latter not without the former */
    uint32_t rate;       /* KiB a second that it may send; 0: any number */
    uint64_t paid_until; /* ticks: what it sent so far would have taken till then */
    struct lan *lan;     /* NULL: none */
    struct port *next;   /* of the LAN */
    struct frame_queue queue; /* to it */
    struct port_count sent, received;
    void (*arrived)(struct port *); /* a frame is in the queue, which was empty */
    void (*coupled)(struct port *); /* it has got a LAN, or lost it; NULL: nobody wants to know */
    void *owner;                    /* for both */
};

struct lan {
    struct lan *next; /* of all */
    char owner[LAN_NAME + 1], name[LAN_NAME + 1];
    struct port *port;
    unsigned ports;
    struct lan_learned {
        uint8_t mac[MAC];
        uint16_t vlan;
        struct port *port; /* NULL: an empty place */
    } learned[LAN_LEARNED];
};

/* The port gets that LAN. 0, -ENOSPC: it has no place left, -EEXIST: the address is another port's there.
 * @pre it has none, and address, VLAN and account are set */
int lan_join(struct lan *, struct port *);
void lan_leave(struct port *); /* nothing to do when it has none; what waits in the queue is dropped */

/* A frame from that port to whoever it is for, with its tag if it has one. False: it was none that the port may
 * send. */
bool lan_send(struct port *, const uint8_t *frame, unsigned bytes);
/* The same of a frame to which something is still to be done. */
bool lan_send_offloaded(struct port *, const uint8_t *frame, unsigned bytes, const struct offload *);

/* The tick from which on the port may send its next frame; in the past: now. What is sent is paid for afterwards, and a
 * burst of LAN_BURST bytes beforehand. */
enum { LAN_BURST = 16384 };
uint64_t port_sends_from(const struct port *);
void port_pay(struct port *, unsigned bytes, uint64_t now);

/* "02-56-4D-00-00-01", with - or :, to bytes. False: it is no address of one station. */
bool mac_parse(const char *text, uint8_t mac[MAC]);
enum { MAC_TEXT = 18 };
const char *mac_text(const uint8_t mac[MAC], char text[MAC_TEXT]);
/* The address of a user's NIC to whom the directory gives none: always the same for both, and hardly another's. */
void mac_of(const char *userid, unsigned vdev, uint8_t mac[MAC]);
