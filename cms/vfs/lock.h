/* Locks that programs put on files: fcntl(2), "Advisory record locking", and flock(2). They bind only who asks for
 * them too. Those of a process belong to its table of descriptors, and go when it closes any descriptor of the file;
 * those of an open file go with it. */
#pragma once
#include <stdbool.h>

#include "cms/vfs/file.h"
#include "cms/vfs/lock_list.h"

/* Gives what is wanted, or takes it back (LOCK_NONE). 0; -EAGAIN: another has it, and `wait` is not set; -EDEADLK: it
 * waits for what the caller has, of those of processes; -EINTR, -ENOLCK. A lock of LOCK_OF_WHOLE that becomes another
 * is lost first, so that others may come between. @pre the file is held */
int lock_set(struct file *, const struct lock *want, bool wait);
/* What stands in the way of it now; NULL: nothing. Valid until the caller next sleeps. */
const struct lock *lock_conflict(const struct file *, const struct lock *want);
/* A descriptor of that table is closed. */
void lock_descriptor_closed(const struct file *, const struct files *);
void lock_file_closed(const struct file *); /* the last of its descriptors */
void lock_forget_all(void);                 /* after an abend: the storage of it is gone */
