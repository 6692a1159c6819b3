#include "cp/user/terminal.h"

#include <string.h>

static struct terminal terminals[TERMINALS];
static unsigned count;

/* ---- what a line tells ------------------------------------------------------------------------------------------- */

static void take_input(struct line *line, uint8_t byte)
{
    struct terminal *t = line->owner;
    session_wanted = true;
    if (ring_room(&t->input))
        ring_put(&t->input, byte);
    else
        t->lost++;
}

static uint32_t input_room(struct line *line)
{
    const struct terminal *t = line->owner;
    return ring_room(&t->input);
}

static void give_room(struct line *line)
{
    struct terminal *t = line->owner;
    session_wanted = true;
    if (t->session)
        session_pump(t->session);
}

static void take_carrier(struct line *line, bool there)
{
    struct terminal *t = line->owner;
    session_wanted = true;
    t->input.tail = t->input.head; /* what was typed by who left is nobody's */
    t->away = !there;
    t->left |= !there;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

struct session *terminal_add(struct line *line)
{
    struct terminal *t = &terminals[count];
    struct session *s = count < TERMINALS ? session_create() : NULL;
    if (!s)
        return NULL;
    memset(t, 0, sizeof *t);
    t->input = (struct ring){.bytes = t->bytes, .size = TERMINAL_INPUT};
    t->line = line;
    t->number = ++count;
    t->session = s;
    s->terminal = t;
    line->input = take_input;
    line->ready = input_room;
    line->room = give_room;
    line->carrier = take_carrier;
    line->owner = t;
    return s;
}

struct terminal *terminal_next(struct terminal *at)
{
    at = at ? at + 1 : terminals;
    return at < terminals + count ? at : NULL;
}

bool terminal_input_waits(void)
{
    for (struct terminal *t = NULL; (t = terminal_next(t));)
        if (ring_used(&t->input) && t->session->state != SESSION_RUN)
            return true;
    return false;
}

bool terminal_words_are_out(void)
{
    for (struct terminal *t = NULL; (t = terminal_next(t));)
        if (ring_used(&t->session->output.ring))
            return false;
    return true;
}

/* ---- what follows ------------------------------------------------------------------------------------------------ */

bool terminal_poll(struct terminal *t, unsigned most)
{
    for (; most && ring_used(&t->input) && session_take(t->session, ring_peek(&t->input)); most--)
        t->input.tail++;
    if (t->line->held && ring_room(&t->input) >= TERMINAL_INPUT / 2)
        line_resume(t->line);
    return !most;
}

/* A logon that is under way when its line drops is waited for, or whoever comes next would be in it. */
void terminal_follow(struct terminal *t)
{
    struct session *s = t->session;
    if (!t->left || session_closed || s->ended)
        return;
    if (s->user) {
        bool done = session_disconnect(s); /* and shows the prompt */
        t->left = t->away || !done;
        return;
    }
    if (t->away || (s->state != SESSION_LOGON && s->state != SESSION_PASSWORD))
        return;
    t->left = false;
    session_welcome(s);
}
