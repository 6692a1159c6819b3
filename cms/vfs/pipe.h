#pragma once
#include "cms/vfs/file.h"

/* Bytes a pipe holds, as F_GETPIPE_SZ tells; -EBADF: it is none. It is the same for all: F_SETPIPE_SZ of no more is
 * answered with it. */
int64_t pipe_size(const struct file *);
