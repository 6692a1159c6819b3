/* Records in storage: buffers that grow, and records held back. All of it is on the command's heap. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PIPE_RECORD_MAX = 1 << 20 };

struct buffer {
    uint8_t *data;
    size_t length, room;
};
/* False, and message 109S or 078E given in *rc, when storage is short or the buffer would exceed PIPE_RECORD_MAX. */
bool cms_buffer_add(struct buffer *buffer, const void *data, size_t length, int *rc);
/* The same of one byte until the buffer has `length`; nothing if it is longer. */
bool cms_buffer_fill(struct buffer *buffer, uint8_t byte, size_t length, int *rc);
void cms_buffer_free(struct buffer *buffer);

/* Records held back, in the order they came. */
struct held {
    struct held *next;
    size_t length;
    uint8_t data[];
};
struct hold {
    struct held *first, **last;
    size_t count;
};
/* 0, or the return code of message 109S. */
int cms_hold_add(struct hold *hold, const void *data, size_t length);
/* Takes the first one off; the caller frees it. NULL: none left. */
struct held *cms_hold_take(struct hold *hold);
void cms_hold_free(struct hold *hold);
