#pragma once
#include "cms/vfs/file.h"

/* Bytes a pipe holds, as F_GETPIPE_SZ tells; -EBADF: it is none. It is the same for all: F_SETPIPE_SZ of no more is
 * answered with it. */
int64_t pipe_size(const struct file *);
/* Makes a file just opened one more of the pipe's, at the end its flags say. -ENXIO: that is no pipe. */
int pipe_open_again(const struct file *pipe, struct file *);

/* For splice(2), tee(2) and vmsplice(2), all of files that are pipes. */
bool pipe_is_same(const struct file *, const struct file *); /* two ends of one */
/* Waits, if it may, until there is something to read, or room to write: *bytes is then no more than that. 1; 0: there
 * is nothing and nobody writes any more, or it was waited for room, so that all else is to be asked again; -EAGAIN,
 * -EINTR, -EPIPE. */
int pipe_await_bytes(struct file *, bool waits, uint64_t *bytes);
int pipe_await_room(struct file *, bool waits, uint64_t *bytes);
/* Bytes that stay where they are read, as many as are there and have room. */
int64_t pipe_copy(struct file *from, struct file *to, uint64_t bytes);
