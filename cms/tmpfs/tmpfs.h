/* Files in storage: /tmp, /run, /var and the like. They stay until CMS is IPLed again, and have half of the frames
 * there are at most. */
#pragma once
#include "cms/vfs/node.h"

/* Mounts /tmp /run /var /home /root, and /dev/shm; once. */
void tmpfs_start(void);
/* A directory of its own, with one user, that no path leads to but what the caller makes of it; NULL: no storage. Its
 * nodes say that they are of `system`; NULL: of storage's own. */
struct node *tmpfs_directory(const struct node_system *system, uint32_t mode);
bool tmpfs_is(const struct node *); /* one of these nodes? */
/* Forgets all of it, without giving anything back: the heap was started anew. */
void tmpfs_reset(void);
/* A file without a name (memfd). */
int tmpfs_unnamed(struct node **);
