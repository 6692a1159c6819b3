/* One transfer of a file operation: where bytes go to or come from, whoever owns it (a program's iovecs, a buffer). */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct io {
    /* Moves up to `bytes` between the kernel's buffer and the caller's next place; 0 or -EFAULT. */
    int (*put)(struct io *, const void *from, size_t bytes);
    int (*take)(struct io *, void *to, size_t bytes);
    size_t left; /* bytes still wanted or offered; put and take count it down */
};

/* Over a buffer of the kernel's own. */
struct io_buffer {
    struct io io;
    char *at;
};
void io_buffer_begin(struct io_buffer *, void *buffer, size_t bytes);
