/* In: bytes and carrier from lines. Out: bytes for sessions, and the wish that they look. */
#include "cp/terminal/terminal.h"

#include <string.h>

#include "cp/terminal/sitter.h"

static struct terminal terminals[TERMINALS];
static unsigned count;

/* ---- what a line tells ------------------------------------------------------------------------------------------- */

static void take_input(struct line *line, uint8_t byte)
{
    struct terminal *t = line->owner;
    sitter_wanted();
    if (ring_room(&t->input))
        ring_put(&t->input, byte);
}

static uint32_t input_room(struct line *line)
{
    const struct terminal *t = line->owner;
    return ring_room(&t->input);
}

static void give_room(struct line *line)
{
    struct terminal *t = line->owner;
    sitter_wanted();
    sitter_room(t->session);
}

static void take_carrier(struct line *line, bool there)
{
    struct terminal *t = line->owner;
    sitter_wanted();
    terminal_forget(t);
    t->away = !there;
    t->left |= !there;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

struct terminal *terminal_add(struct line *line, struct session *s)
{
    struct terminal *t = &terminals[count];
    if (count == TERMINALS)
        return NULL;
    memset(t, 0, sizeof *t);
    t->input = (struct ring){.bytes = t->bytes, .size = TERMINAL_INPUT};
    t->line = line;
    t->number = ++count;
    t->session = s;
    line->input = take_input;
    line->ready = input_room;
    line->room = give_room;
    line->carrier = take_carrier;
    line->owner = t;
    return t;
}

struct terminal *terminal_next(struct terminal *at)
{
    at = at ? at + 1 : terminals;
    return at < terminals + count ? at : NULL;
}

/* ---- typed bytes ------------------------------------------------------------------------------------------------- */

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

void terminal_forget(struct terminal *t)
{
    t->input.tail = t->input.head;
    memset(t->bytes, 0, sizeof t->bytes);
}
