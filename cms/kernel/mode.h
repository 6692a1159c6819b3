/* File modes: which letter stands for which mounted EDF disk.  Search order is A to Z. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct edf_disk; /* cms/edf/edf.h */

struct mode {
    char letter;           /* 'A'..'Z' */
    char parent;           /* letter of the disk it is a read-only extension of (ACCESS 19E Y/S), or its own */
    bool read_only;        /* the device or the mode is read-only: MESSAGE_READ_ONLY before any change */
    uint16_t vdev;         /* virtual device number, 0x191 */
    struct edf_disk *disk; /* mounted; NULL: this letter is not accessed */
};

/* The mode of a letter ('a' is 'A'), or NULL if it is not accessed or no letter. */
struct mode *cms_mode_find(char letter);
/* Accessed modes in search order: the first for NULL, the next one after `mode`, NULL at the end. */
struct mode *cms_mode_next(const struct mode *mode);
