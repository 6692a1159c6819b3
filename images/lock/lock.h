/* One image, one writer: cmsdisk, mkimage and scripts/vmn hold a lock (flock) on the file while they work with it,
 * shared to read it and exclusive to write to it. QEMU's own locks, of one that was started by hand, count too. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Takes the lock until the file is closed; never waits. False: others use it, in a way that forbids this. */
bool image_lock(int fd, bool exclusive);

/* "vmn-relay (process 1234)": one who holds a lock on the file, or "another process" where /proc shows none to this
 * user. `text` of `size` bytes is filled, and returned. */
const char *image_holder(int fd, char *text, size_t size);
