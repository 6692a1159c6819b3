/* In: bytes and carrier from lines. Out: bytes for sessions, and the wish that they look. */
#include "cp/terminal/terminal.h"

#include <string.h>

#include "cp/terminal/sitter.h"

static struct terminal terminals[TERMINALS];
static unsigned count;

/* ---- what a line tells ------------------------------------------------------------------------------------------- */

static void put(struct terminal *t, uint8_t byte)
{
    t->typed = true;
    if (ring_room(&t->input))
        ring_put(&t->input, byte);
}

/* Held bytes are typed ones: but the last may begin a mark. */
static void give(struct terminal *t, uint8_t last)
{
    struct mark *m = &t->mark;
    unsigned typed = m->held > 1 && last == MARK_BEGINS ? m->held - 1u : m->held;
    for (unsigned i = 0; i < typed; i++)
        put(t, m->bytes[i]);
    m->bytes[0] = last;
    m->held -= typed;
}

static void take_carrier(struct line *line, bool there)
{
    struct terminal *t = line->owner;
    sitter_wanted();
    terminal_forget(t);
    t->mark.held = 0;
    t->columns = t->rows = 0; /* who comes may have another terminal */
    t->ended = t->dialled = t->arrives = t->served = false;
    t->known[0] = 0;
    t->away = !there;
    t->left |= !there;
}

static void take_size(struct line *line, unsigned columns, unsigned rows)
{
    struct terminal *t = line->owner;
    sitter_wanted();
    t->resized |= t->columns != columns || t->rows != rows;
    t->columns = columns;
    t->rows = rows;
}

static void take_input(struct line *line, uint8_t byte)
{
    struct terminal *t = line->owner;
    sitter_wanted();
    switch (mark_take(&t->mark, byte)) {
    case MARK_HOLDING: break;
    case MARK_GIVE: give(t, byte); break;
    case MARK_TYPED: put(t, MARK_BEGINS); break;
    case MARK_END: t->ended = true; break;
    case MARK_SIZE: take_size(line, t->mark.columns, t->mark.rows); break;
    case MARK_CAME:
        if (t->away)
            take_carrier(line, true);
        t->dialled = true;
        break;
    case MARK_USER:
        memcpy(t->known, t->mark.name, sizeof t->known);
        t->arrives = *t->known;
        break;
    case MARK_GONE:
        take_carrier(line, false);
        t->parting = true;
        break;
    }
}

/* What is held back as a mark may have to go into the ring with the next byte. */
static uint32_t input_room(struct line *line)
{
    const struct terminal *t = line->owner;
    uint32_t room = ring_room(&t->input);
    return room > t->mark.held ? room - t->mark.held : 0;
}

static void give_room(struct line *line)
{
    struct terminal *t = line->owner;
    sitter_wanted();
    sitter_room(t->session);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static char trusted[MARK_TOKEN + 1];

void terminal_trust(const char *token, unsigned length)
{
    if (length > MARK_TOKEN)
        length = 0;
    memcpy(trusted, token, length);
    trusted[length] = 0;
}

struct terminal *terminal_add(struct line *line, struct session *s)
{
    struct terminal *t = &terminals[count];
    if (count == TERMINALS)
        return NULL;
    memset(t, 0, sizeof *t);
    t->input = (struct ring){.bytes = t->bytes, .size = TERMINAL_INPUT};
    t->line = line;
    t->mark.token = *trusted ? trusted : NULL;
    t->number = ++count;
    t->session = s;
    line->input = take_input;
    line->ready = input_room;
    line->room = give_room;
    line->carrier = take_carrier;
    line->size = take_size;
    line->owner = t;
    return t;
}

struct terminal *terminal_next(struct terminal *at)
{
    at = at ? at + 1 : terminals;
    return at < terminals + count ? at : NULL;
}

/* ---- typed bytes ------------------------------------------------------------------------------------------------- */

bool terminal_hang_up(struct terminal *t)
{
    if (!t->dialled && !line_hang_up(t->line))
        return false;
    t->dialled = false;
    t->away = true;
    t->unwelcomed = true;
    return true;
}

bool terminal_is_left(const struct terminal *t) { return t->left && sitter_leaves(t->session); }

/* The oldest byte. False: there is none, or nobody takes it now. */
static bool hand_on(struct terminal *t)
{
    if (!ring_used(&t->input) || !sitter_take(t->session, ring_peek(&t->input)))
        return false;
    t->bytes[t->input.tail++ % TERMINAL_INPUT] = 0; /* it may have been a password */
    return true;
}

bool terminal_poll(struct terminal *t, unsigned most)
{
    for (; most && !terminal_is_left(t) && hand_on(t); most--) {}
    if (t->line->held && ring_room(&t->input) >= TERMINAL_INPUT / 2)
        line_resume(t->line);
    return !most;
}

void terminal_take_out(struct terminal *t, uint32_t start, uint32_t length, uint8_t *to, uint32_t most)
{
    struct ring *r = &t->input;
    for (uint32_t i = 0; i < length && i < most; i++)
        to[i] = ring_at(r, start + i);
    for (uint32_t i = start; i--;)
        r->bytes[(r->tail + length + i) & (r->size - 1)] = ring_at(r, i);
    terminal_drop(t, length);
}

void terminal_drop(struct terminal *t, uint32_t bytes)
{
    while (bytes--)
        t->bytes[t->input.tail++ % TERMINAL_INPUT] = 0;
}

void terminal_look(void)
{
    for (struct terminal *t = terminals; t < terminals + count; t++)
        line_look(t->line);
}

void terminal_forget(struct terminal *t)
{
    t->input.tail = t->input.head;
    memset(t->bytes, 0, sizeof t->bytes);
}
