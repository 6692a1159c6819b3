/* Minidisks as other tools write them: valid, but filled to the last block, with a directory whose own block count
 * nobody kept up, with files that have no records. None of the file system's code is used. */
#pragma once
#include "tests/unit/fake/minidisk.h"

struct foreign {
    uint32_t block_size, blocks; /* block size times 8 blocks at most */
    uint32_t files;              /* F0 FILE, F1 FILE, ...; at least 1 */
    uint32_t each;               /* data blocks of each but the last, which takes what is left; 0: no records */
};

/* Opens `disk` with such files on it: F, one record a block; record r of file n is all bytes n + r. False if they do
 * not fit in this form: nothing was opened then. */
bool foreign_open(struct minidisk *disk, const struct foreign *made);
