/* What fcntl(2) does with struct flock in the caller's storage. */
#pragma once
#include "cms/syscall/syscall.h"
#include "cms/vfs/lock.h"

/* F_GETLK, or with `opening` F_OFD_GETLK. */
int64_t lock_tell(struct file *, uint64_t address, bool opening);
/* F_SETLK, F_SETLKW and those of open files. The call is that of fcntl(2). */
int64_t lock_control(struct file *, const struct call *, bool opening, bool wait);
