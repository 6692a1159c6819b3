/* Who has which minidisk: the table of links, and z/VM's rules about who may share with whom. Users have them, each of
 * whom is logged on once at most. */
#pragma once
#include "cp/device/machine.h"
#include "cp/directory/directory.h"
#include "cp/minidisk/minidisk.h"

enum { LINKS = USERS_AT_ONCE * MACHINE_DISKS }; /* at most: one user's never take another's */

struct link {
    struct link *next;       /* of all rows */
    const struct user *user; /* who has it, the session's own row; NULL: free row */
    char owner[DIRECTORY_NAME + 1]; /* whose minidisk, as the directory had it then */
    uint16_t owner_vdev;
    struct directory_range extent;
    uint16_t vdev; /* as what */
    bool write;
    uint32_t view; /* of its snapshots; SNAPSHOT_LIVE: it is the minidisk */
    struct directory_range snapshots;
    struct minidisk minidisk;
};

enum link_result {
    LINK_OK,
    LINK_FORCED_READ, /* given, but read-only: others have it */
    LINK_REFUSED,     /* others have it: see link_others */
    LINK_VDEV_IN_USE, /* the machine has such a device */
    LINK_NO_ROOM,     /* the machine or CP's table is full */
    LINK_NO_VOLUME,   /* no disk that carries it */
};

/* What others have of a minidisk (the same extent under any name counts). */
struct link_others {
    unsigned readers, writers;
    const char *reader, *writer; /* user ID of one of them, or NULL */
};
struct link_others link_others(const struct directory_disk *, const struct user *but); /* NULL: all count */

/* z/VM "LINK": R RR W WR M MR MW against what others have: may it be, and for writing? Pure, a table. */
enum link_result link_decide(enum link_mode, struct link_others, bool *write);

/* Links, and attaches to the user's machine. */
enum link_result link_make(const struct user *, struct machine *, const struct directory_disk *, unsigned vdev,
                           enum link_mode);
/* The same of a view of the minidisk's snapshots, which nobody else has a part in. @pre the view is an answer's */
enum link_result link_make_view(const struct user *, struct machine *, const struct directory_disk *, unsigned vdev,
                                uint32_t view);
/* False: no such device. */
bool link_detach(const struct user *, struct machine *, unsigned vdev);
void link_forget(const struct user *); /* all their links, in the table only: their machine is gone */

struct link *link_find(const struct user *, unsigned vdev);
/* Walks the table: the row after `at` (NULL: the first) that is in use, NULL at the end. */
struct link *link_next(struct link *at);

extern struct disk *link_volume; /* the CP volume, NULL: none */
