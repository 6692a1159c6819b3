/* File modes: which letter stands for which mounted EDF disk.  Search order is A to Z. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cms/edf/edf.h"

struct mode {
    char letter;           /* 'A'..'Z' */
    char parent;           /* letter of the disk it is a read-only extension of (ACCESS 19E Y/S), or its own */
    bool read_only;        /* the device or the mode is read-only: MESSAGE_READ_ONLY before any change */
    uint16_t vdev;         /* virtual device number, 0x191 */
    uint32_t generation;   /* another each time a disk is accessed */
    struct edf_disk *disk; /* mounted; NULL: this letter is not accessed */
};

/* The mode of a letter ('a' is 'A'), or NULL if it is not accessed or no letter. */
struct mode *cms_mode_find(char letter);
/* Accessed modes in search order: the first for NULL, the next one after `mode`, NULL at the end. */
struct mode *cms_mode_next(const struct mode *mode);
/* The first mode a device is accessed as, or NULL. */
struct mode *cms_mode_of_device(uint16_t vdev);

struct mode_problem {
    bool not_attached;       /* there is no such device */
    enum edf_status status;  /* else what the file system said */
    struct edf_reason reason;
};

/* Accesses a device as `letter` ('A'..'Z'), read-only if it is an extension (`parent` is not `letter`) or the caller
 * wants it so.  What the letter stood for before is released only when the new disk could be accessed.
 * False: *problem says why. */
bool cms_mode_access(uint16_t vdev, char letter, char parent, bool read_only, struct mode_problem *problem);
/* Releases a letter; nothing happens if it is not accessed. */
void cms_mode_release(char letter);
/* Writes an empty file system on a device that is not accessed. */
bool cms_mode_format(uint16_t vdev, uint32_t block_size, const char *volid, struct mode_problem *problem);
/* False: the device it stands for has gone, or is another. Cheap. */
bool cms_mode_is_there(const struct mode *);
/* What programs have of disks; whoever gives them files says so once. */
struct mode_users {
    unsigned (*open)(const struct mode *);
    void (*save)(const struct mode *); /* what they wrote, before the disk is released or another access reads it */
};
void cms_mode_set_users(const struct mode_users *);
unsigned cms_mode_open_files(const struct mode *);
/* Reads every accessed disk afresh: after an abend what was in storage is not to be trusted.  A disk that cannot be
 * accessed any more is released. */
void cms_mode_recover(void);
