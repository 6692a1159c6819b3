/* See vmn-buffer.h. */
#include "scripts/vmn-buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 256 /* what a terminal that polls as writable takes without blocking */ };

size_t buffer_length(const struct buffer *b) { return b->end - b->start; }

static void make_room(struct buffer *b, size_t n)
{
    if (b->start)
        memmove(b->bytes, b->bytes + b->start, buffer_length(b));
    b->end -= b->start;
    b->start = 0;
    if (b->end + n <= b->size)
        return;
    b->size = 2 * (b->end + n);
    b->bytes = realloc(b->bytes, b->size);
    if (!b->bytes)
        abort();
}

void buffer_add(struct buffer *b, const void *bytes, size_t n)
{
    if (b->end + n > b->size)
        make_room(b, n);
    memcpy(b->bytes + b->end, bytes, n);
    b->end += n;
}

void buffer_keep_last(struct buffer *b, size_t most)
{
    if (buffer_length(b) > most)
        b->start = b->end - most;
}

bool buffer_write(struct buffer *b, int fd)
{
    size_t n = fd != STDOUT_FILENO || buffer_length(b) < CHUNK ? buffer_length(b) : CHUNK;
    ssize_t done = write(fd, b->bytes + b->start, n);
    if (done < 0)
        return errno == EAGAIN || errno == EINTR;
    b->start += (size_t)done;
    return true;
}
