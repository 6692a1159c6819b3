/* See record.h. */
#include "cms/pipe/record.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"

static bool make_room(struct buffer *b, size_t length, int *rc)
{
    if (length > PIPE_RECORD_MAX || b->length > PIPE_RECORD_MAX - length) {
        *rc = cms_message("PIP", MESSAGE_PIPE_LONG, b->length + length);
        return false;
    }
    if (b->length + length <= b->room)
        return true;
    size_t room = 2 * b->room > b->length + length ? 2 * b->room : b->length + length + 128;
    uint8_t *grown = b->data ? cms_heap_resize(b->data, room) : cms_heap_allocate(room);
    if (!grown) {
        *rc = cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
        return false;
    }
    b->data = grown;
    b->room = room;
    return true;
}

bool cms_buffer_add(struct buffer *b, const void *data, size_t length, int *rc)
{
    if (!make_room(b, length, rc))
        return false;
    if (length)
        memcpy(b->data + b->length, data, length);
    b->length += length;
    return true;
}

bool cms_buffer_fill(struct buffer *b, uint8_t byte, size_t length, int *rc)
{
    if (length <= b->length)
        return true;
    if (!make_room(b, length - b->length, rc))
        return false;
    memset(b->data + b->length, byte, length - b->length);
    b->length = length;
    return true;
}

void cms_buffer_free(struct buffer *b)
{
    cms_heap_free(b->data);
    *b = (struct buffer){0};
}

int cms_hold_add(struct hold *hold, const void *data, size_t length)
{
    struct held *held = cms_heap_allocate(sizeof *held + length);
    if (!held)
        return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
    held->next = NULL;
    held->length = length;
    if (length)
        memcpy(held->data, data, length);
    if (!hold->last)
        hold->last = &hold->first;
    *hold->last = held;
    hold->last = &held->next;
    hold->count++;
    return 0;
}

struct held *cms_hold_take(struct hold *hold)
{
    struct held *held = hold->first;
    if (!held)
        return NULL;
    hold->first = held->next;
    hold->count--;
    if (!hold->first)
        hold->last = &hold->first;
    return held;
}

void cms_hold_free(struct hold *hold)
{
    for (struct held *held; (held = cms_hold_take(hold));)
        cms_heap_free(held);
}
