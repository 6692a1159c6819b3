/* What of a session's queue is an editor's, for the fuzzer of users: the linker puts the functions here in place of
 * output_begin and output_echo (WRAP in the Makefile). A control character that reaches a line is one of these bytes,
 * and of a sequence that a line being typed needs. */
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cp/session/session.h"
#include "tests/unit/session_fake_vm.h"

#define require(holds) \
    do { \
        if (!(holds)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds); \
            abort(); \
        } \
    } while (0)

static bool echo_watched; /* the scene stands: before, each of the table's rows has a queue */

/* Which bytes of a session's queue are an editor's. A byte has a number: how many were put before it since the queue
 * was begun, and how often that happened. */
static struct echoed {
    const struct ring *queue;
    uint64_t begun; /* how often */
    uint64_t number[OUTPUT_QUEUE];
} echoed[8];

static struct echoed *echoed_of(const struct ring *queue)
{
    struct echoed *e = echoed;

    while (e < echoed + sizeof echoed / sizeof *echoed - 1 && e->queue && e->queue != queue)
        e++;
    require(!e->queue || e->queue == queue);
    e->queue = queue;
    return e;
}

static uint64_t number_in(const struct echoed *e, uint32_t at) { return (e->begun + 1) << 32 | at; }

static bool is_echoed(const struct ring *ring, uint32_t at)
{
    const struct echoed *e = echoed_of(ring);
    return e->number[at % OUTPUT_QUEUE] == number_in(e, at);
}

static void note_echoed(const struct ring *ring, uint32_t begin, uint32_t end, bool is)
{
    struct echoed *e = echoed_of(ring);

    for (uint32_t at = begin; at != end; at++)
        e->number[at % OUTPUT_QUEUE] = is ? number_in(e, at) : 0;
}

static bool is_plain(const char *text, unsigned length)
{
    for (unsigned i = 0; i < length; i++)
        if ((uint8_t)text[i] < ' ' || text[i] == 0x7F)
            return false;
    return true;
}

/* ESC [ n A, B, C: a cursor moved. */
static bool is_move(const char *text, unsigned length)
{
    if (length < 4 || length > 6 || text[0] != '\033' || text[1] != '[' || text[2] == '0')
        return false;
    for (unsigned i = 2; i < length - 1; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return text[length - 1] >= 'A' && text[length - 1] <= 'C';
}

/* All that a line being typed does to a terminal (lib/edit.c). */
static bool is_known(const char *text, unsigned length)
{
    static const char *const known[] = {"\r", "\n", "\r\n", " \r", "\a", "\b \b", "\033[J", "#CP\n"};

    for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
        if (length == strlen(known[i]) && !memcmp(text, known[i], length))
            return true;
    return is_plain(text, length) || is_move(text, length);
}

void __real_output_begin(struct output *, uint8_t *queue, uint32_t bytes);
void __wrap_output_begin(struct output *, uint8_t *queue, uint32_t bytes);
void __real_output_echo(struct output *, const char *text, unsigned length);
void __wrap_output_echo(struct output *, const char *text, unsigned length);

/* The linker puts these in place of output_begin and output_echo, for all that call them. */
void __wrap_output_begin(struct output *o, uint8_t *queue, uint32_t bytes)
{
    if (echo_watched)
        echoed_of(&o->ring)->begun++;
    __real_output_begin(o, queue, bytes);
}

/* What goes by it is known, and is queued whole or not at all. */
void __wrap_output_echo(struct output *o, const char *text, unsigned length)
{
    const struct ring *ring = &o->ring;
    uint32_t begin = ring->head, most = begin + 2 * length; /* \n becomes two */

    require(is_known(text, length));
    note_echoed(ring, begin, most, true); /* some are written before it returns */
    __real_output_echo(o, text, length);
    require(ring->head == begin || ring->head - begin >= length);
    note_echoed(ring, ring->head, most, false);
}

/* Control characters of others never reach a line: a queue's byte is none, or it is an editor's. */
static void echo_only_controls(const struct fake_line *f, const uint8_t *bytes, uint32_t count)
{
    const struct output *o = &((const struct terminal *)f->line.owner)->session->output;
    const struct ring *ring = &o->ring;

    require(bytes == ring->bytes + ring->tail % ring->size && count <= ring_used(ring));
    for (uint32_t i = 0; i < count; i++)
        if (bytes[i] < ' ' && bytes[i] != '\r' && bytes[i] != '\n')
            require(is_echoed(ring, ring->tail + i));
}
