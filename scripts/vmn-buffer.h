/* Bytes on their way, as many as come. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct buffer {
    unsigned char *bytes;
    size_t start, end, size;
};

size_t buffer_length(const struct buffer *);
void buffer_add(struct buffer *, const void *bytes, size_t n);
void buffer_keep_last(struct buffer *, size_t most);
/* What is not taken stays. Standard output, which others may have too and so blocks, gets small pieces. False on a dead
 * end. */
bool buffer_write(struct buffer *, int fd);
