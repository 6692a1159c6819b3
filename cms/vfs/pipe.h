#pragma once
#include "cms/vfs/file.h"

/* Bytes a pipe holds, as F_GETPIPE_SZ tells; -EBADF: it is none. It is the same for all: F_SETPIPE_SZ of no more is
 * answered with it. */
int64_t pipe_size(const struct file *);
/* Makes a file just opened one more of the pipe's, at the end its flags say. -ENXIO: that is no pipe. */
int pipe_open_again(const struct file *pipe, struct file *);
