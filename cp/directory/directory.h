/* The directory: who the users are, and what machine each one gets. A flattened device tree in (images/directory.dts
 * shows every property), plain arrays out. It is judged as a whole: every fault is told by path and reason, and one
 * fault is enough to refuse it all. The blob may be hostile; it must stay where it is as long as the directory that
 * points into it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/device/machine_config.h"
#include "lib/userid.h"

enum {
    DIRECTORY_IDLE_LEAST = 2,
    DIRECTORY_IDLE_MOST = 10080,
    DIRECTORY_USERS = 10240,
    USERS_AT_ONCE = 1280, /* logged on */
    DIRECTORY_DISKS = 256, /* minidisks of all users together */
    DIRECTORY_LINKS = 1536, /* of all users together; a pool has those of one */
    DIRECTORY_LANS = 32,
    DIRECTORY_UPLINKS = 4, /* NICs of the machine CP runs on that LANs may have */
    DIRECTORY_LANS_OF_A_USER = 4, /* that they may define themselves */
    DIRECTORY_RATE_MOST = 1 << 20, /* KiB a second */
    DIRECTORY_NAME = USERID_MOST,
    POOL_PREFIX = 3,       /* of one that ends in five digits */
    DIRECTORY_USER_DISKS = MACHINE_DISKS, /* minidisks and links of one user */
    DIRECTORY_SNAPSHOTS_LEAST = 3, /* blocks of an area for snapshots */
    DIRECTORY_SNAPSHOTS_MOST = 1 << 17,
    DIRECTORY_SNAPSHOT_DISK = 1 << 19, /* blocks of a minidisk that may have one, at most */
};

/* Privilege classes A to H, one bit each. */
enum { CLASS_ANY = 0 };
#define CLASS(letter) (1u << ((letter) - 'A'))

/* What LINK may ask for, and what a minidisk is given to its owner with. */
enum link_mode { LINK_R, LINK_RR, LINK_W, LINK_WR, LINK_M, LINK_MR, LINK_MW, LINK_MODES };
bool link_mode_parse(const char *text, size_t length, enum link_mode *mode);

enum { PASSWORD_READ, PASSWORD_WRITE, PASSWORD_MULTIPLE, PASSWORDS };

struct directory_range {
    uint32_t start, blocks; /* of 4 KiB on the CP volume; blocks 0: there is none */
};

struct directory_disk {
    uint16_t vdev;
    uint16_t user;          /* index of its owner */
    uint32_t start, blocks; /* of 4 KiB on the CP volume */
    struct directory_range snapshots; /* where what it was is kept */
    enum link_mode mode;    /* how its owner gets it at logon */
    bool overlap;           /* declared: may share blocks with other minidisks */
    /* for other users' LINK: NULL = nobody by password, "ALL" = everybody, else a sha512-crypt string */
    const char *password[PASSWORDS];
};

struct directory_link {
    uint16_t vdev;       /* as what the user gets it */
    uint16_t user, disk; /* indices: who links, which minidisk */
    enum link_mode mode;
    const char *owner; /* the same minidisk as the source names it */
    uint16_t owner_vdev;
};

/* A LAN of the system's. */
struct directory_lan {
    char name[DIRECTORY_NAME + 1];
    bool uplink, isolated; /* there is one; its users reach that, and not each other */
    uint8_t number;        /* the uplink's: which of the real machine's NICs it is, from 0 */
    uint16_t native;       /* the VLAN of frames without a tag there */
};

/* What is remembered of a user, logged on or not, whatever directory is in force, as long as it has the name. */
struct user_kept {
    unsigned refused;       /* passwords since the last good one */
    unsigned links_refused; /* passwords of minidisks since the user last gave their own at LOGON; being logged on by
                               another does not forgive them */
    uint64_t records_due;   /* host TSC: when as many audit records would have been made at the gentle pace */
    uint64_t message_due;   /* host TSC: when as many messages would have been sent at theirs (talk.c) */
    uint32_t records_left_out, vain_left_out; /* the latter of what changed nothing */
    unsigned named; /* the naming (next.h) that found it in use last */
};

struct user {
    char id[DIRECTORY_NAME + 1];
    struct user_kept *kept; /* of who is in the directory in force; else NULL */
    const char *password; /* sha512-crypt string; "NOLOG" = nobody logs on to it, others may XAUTOLOG it */
    uint8_t classes;
    const char *ipl;  /* named system, NULL: none */
    const char *parm; /* handed to it, never NULL */
    struct machine_config machine;
    const char *xautolog; /* string list of the users who may XAUTOLOG this one ("ANY": all) */
    unsigned xautolog_bytes;
    const char *ssh_keys; /* string list of OpenSSH public keys whose owners log on without a password; NULL: none */
    unsigned ssh_keys_bytes;
    unsigned idle; /* minutes without a key before they are disconnected, 2 at least; 0: no limit */
    uint32_t pool[2]; /* of a row that stands for many: the lowest and the highest number; 0 0: one user */
    bool pooled;      /* one of a pool, as the first of it but for the ID */
    uint16_t disk, disks, link, links; /* the first of each, and how many; those of a pool have the same links */
    uint16_t same_hash; /* the next in directory_rows.named, and 1; 0: no more */
    uint16_t stand_in;  /* of the users up to this one: the last who has a verifier, and 1; 0: none */
    const char *group;      /* name, NULL: none */
    const char *spool_from; /* string list of users who may send files besides those of the group ("ANY": all) */
    unsigned spool_from_bytes;
    uint8_t lans; /* that the user may define */
    const char *nic_lans[MACHINE_NICS]; /* string list, for each NIC: "OWNER NAME" of those it may be coupled to */
    unsigned nic_lans_bytes[MACHINE_NICS];
    bool nic_has_mac[MACHINE_NICS]; /* the directory says which; else it follows from whose it is */
    const char *namesave; /* string list of restricted systems the user may IPL ("ANY": all); NULL: none */
    unsigned namesave_bytes;
};

/* Ranges of the volume that are CP's own, whose contents only CP's code for them knows. */
enum directory_area { AREA_SPOOL, AREA_AUDIT, AREA_NSS, AREAS };
extern const char *const directory_area_names[AREAS]; /* as the source names them: "spool" */

enum {
    DIRECTORY_BLOCK = 4096 / sizeof(struct user), /* rows of users that are made at a time */
    DIRECTORY_BLOCKS = (DIRECTORY_USERS + DIRECTORY_BLOCK - 1) / DIRECTORY_BLOCK,
    DIRECTORY_HASHES = 4096,
};

/* As many as there may be; those of users are made when they are wanted. */
struct directory_rows {
    struct user *block[DIRECTORY_BLOCKS];
    uint16_t named[DIRECTORY_HASHES]; /* the first user of each hash of names, and 1; 0: there is none */
    struct directory_disk disk[DIRECTORY_DISKS];
    struct directory_link link[DIRECTORY_LINKS];
    struct directory_lan lan[DIRECTORY_LANS];
};

struct directory {
    struct directory_rows *rows;
    struct directory_disk *disk;
    struct directory_link *link;
    struct directory_lan *lan;
    unsigned users, disks, links, lans;
    const char *secret; /* a verifier, which is the first user's who has one; NULL: nobody has */
    struct directory_range area[AREAS];
    char volid[7];
};

/* Told once for every fault. `path` as in the source (/users/ALICE/mdisk@191), printable whatever the blob held. */
typedef void directory_fault(void *context, const char *path, const char *reason);

/* Reads and judges all of `blob`. `first_block` and `volume_blocks`: minidisks and areas must lie in
 * [first_block, volume_blocks). Returns the number of faults, each of them told to `fault`; 0: *directory is good. Else
 * it must not be used.
 * @pre blob is 8-byte aligned and readable for `bytes` */
unsigned directory_parse(struct directory *directory, const void *blob, size_t bytes, uint32_t first_block,
                         uint32_t volume_blocks, directory_fault *fault, void *context);

#define DIRECTORY_IN(at) {.rows = &(at), .disk = (at).disk, .link = (at).link, .lan = (at).lan} /* an empty one */

/* Nobody, and nothing. */
void directory_clear(struct directory *);

/* Storage for DIRECTORY_BLOCK rows; NULL: there is none. Whoever holds directories has this
 * function: CP takes a frame. */
struct user *directory_block(void);

/* A row behind the others, of zeros; NULL: there is no storage, or there are DIRECTORY_USERS. */
struct user *directory_add(struct directory *);
/* From here on directory_find() finds the user, and directory_verifier_for() their verifier; users are entered in the
 * order of their rows. False: another has that name, and is found. The row
 * has its ID and password. */
bool directory_enter(struct directory *, unsigned index);

static inline struct user *directory_user(const struct directory *d, unsigned index)
{
    return &d->rows->block[index / DIRECTORY_BLOCK][index % DIRECTORY_BLOCK];
}

/* The directory of last resort: OPERATOR (password as in the sample directory), classes A B C E G, no minidisks. */
void directory_builtin(struct directory *directory);

/* What of a user's machine follows from the rest of the row: userid, frame limit and
 * rank. The row stays where it is. */
void directory_machine(struct user *);

/* What of the row lasts as long as the user is logged on, whatever comes of the row and of what it points to: ID,
 * classes, machine, idle and what is kept. Whatever else is asked of them is asked of the directory in force. */
void directory_take(struct user *, const struct user *row);

/* NULL when there is none. Case counts: user IDs are upper case. It takes as long whether there is one or not: so many
 * steps as users share the hash of the name. */
const struct user *directory_find(const struct directory *, const char *id);
const struct directory_disk *directory_find_disk(const struct directory *, const struct user *owner, unsigned vdev);
/* Whether a password is asked of whoever logs on as the user. */
bool directory_has_verifier(const struct user *);
/* The verifier of some user who has one, the same for the same number; NULL: nobody has. One step. */
const char *directory_verifier_for(const struct directory *, uint32_t number);
bool directory_may_autolog(const struct user *target, const char *by);
/* NULL: the system has no LAN of that name. */
const struct directory_lan *directory_find_lan(const struct directory *, const char *name);
/* Whether the NIC may be coupled to that LAN. */
bool directory_may_couple(const struct user *, unsigned nic, const char *owner, const char *name);
/* Owner and name of such an entry, apart. False: it is none. */
bool directory_lan_name(const char *text, char owner[DIRECTORY_NAME + 1], char name[DIRECTORY_NAME + 1]);
/* Whether the user may IPL a saved system that is restricted. */
bool directory_may_ipl(const struct user *, const char *system);
/* Whether files may go into a user's reader: from those of the same group and those the user names; from everybody
 * where it has neither. */
bool directory_may_send(const struct user *from, const struct user *to);
/* As a user ID (lib/userid.h) */
bool directory_name_valid(const char *name, size_t length);
