/* The Enhanced Read-Only File System (EROFS), uncompressed: the root image that all users share.
 *
 * In: a disk (cms/kernel/disk.h) of 4 KiB blocks; nothing on it is believed. Out: nodes (cms/vfs/node.h). Blocks that
 * were read stay in frames, which are given up when storage is short, and are what files' mappings show. */
#pragma once
#include "cms/vfs/node.h"

enum { EROFS_DISK = 0x19f };

/* The top of the image on disk 19F, with one user more; NULL: there is none, or it is no image that can be read.
 * Another disk that has come in its place is seen here. For vfs_set_root. */
struct node *erofs_top(void);
/* Why there was none: NULL where there is no disk. */
const char *erofs_problem(void);
/* Forgets everything, without giving anything back: the heap was started anew. */
void erofs_reset(void);
