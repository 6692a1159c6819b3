#include "cms/vfs/io.h"

#include <string.h>

static int buffer_put(struct io *io, const void *from, size_t bytes)
{
    struct io_buffer *b = (struct io_buffer *)io;
    memcpy(b->at, from, bytes);
    b->at += bytes;
    io->left -= bytes;
    return 0;
}

static int buffer_take(struct io *io, void *to, size_t bytes)
{
    struct io_buffer *b = (struct io_buffer *)io;
    memcpy(to, b->at, bytes);
    b->at += bytes;
    io->left -= bytes;
    return 0;
}

void io_buffer_begin(struct io_buffer *b, void *buffer, size_t bytes)
{
    *b = (struct io_buffer){{buffer_put, buffer_take, bytes}, buffer};
}
