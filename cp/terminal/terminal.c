#include "cp/terminal/terminal.h"

#include <string.h>

#include "cp/session/logon.h"

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
    terminal_forget(t);
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

void terminal_forget(struct terminal *t)
{
    t->input.tail = t->input.head;
    memset(t->bytes, 0, sizeof t->bytes);
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
    for (; most && !terminal_is_left(t) && ring_used(&t->input) && session_take(t->session, ring_peek(&t->input)); most--)
        t->bytes[t->input.tail++ % TERMINAL_INPUT] = 0; /* it may have been a password */
    if (t->line->held && ring_room(&t->input) >= TERMINAL_INPUT / 2)
        line_resume(t->line);
    return !most;
}

/* One turn may see somebody leave and somebody else come. Whoever comes finds the prompt of a new session, or waits for
 * it where a wrong password was typed. */
void terminal_follow(struct terminal *t)
{
    if (t->session->state == SESSION_LOADING)
        return;
    if (terminal_is_left(t)) {
        if (t->session->user && !session_disconnect(t->session))
            return;
        logon_forsake(t->session);
        t->left = false;
        t->unwelcomed = true;
    }
    if (t->unwelcomed && !t->away && t->session->state == SESSION_LOGON)
        session_welcome(t->session);
}
