/* Two open files that are connected: what one end writes the other reads. socketpair(2) of AF_UNIX, SOCK_STREAM. */
#pragma once
#include "cms/vfs/file.h"

int vfs_pair(struct file *ends[2], uint32_t flags); /* ABI_O_NONBLOCK; -ENOMEM */
bool pair_is_end(const struct file *);
/* shutdown(2) */
void pair_shut(struct file *, bool reading, bool writing);
/* The other end reads no more, or this one writes no more: a write would be EPIPE. */
bool pair_is_broken(const struct file *);
