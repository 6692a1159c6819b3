/* In: what terminals tell of their lines. Out: sessions that begin and are left. */
#include "cp/session/seat.h"

#include "cp/session/carrier.h"
#include "cp/session/dial.h"
#include "cp/session/idle.h"
#include "cp/session/life.h"
#include "cp/session/session.h"
#include "cp/session/session_vm.h"
#include "cp/session/turn.h"
#include "cp/terminal/sitter.h"
#include "cp/terminal/terminal.h"

void sitter_wanted(void) { turn_wanted = true; }

void sitter_room(struct session *s) { session_pump(s); }

bool sitter_take(struct session *s, uint8_t byte) { return typing_take(s, byte); }

/* Where CP ends with the session nobody comes any more. */
bool sitter_leaves(const struct session *s) { return !session_closed && !s->ended; }

struct session *seat_add(struct line *line)
{
    struct session *s = session_create();
    if (s && !(s->output.terminal = terminal_add(line, s))) {
        session_free(s);
        return NULL;
    }
    return s;
}

/* What terminals make of a line they have in several rows when they become wider differs: it is drawn anew below. */
static void resize(struct terminal *t)
{
    struct session *s = t->session;
    t->resized = false;
    if (session_states[s->state].prompt && s->typing.editor.keys.line.length)
        output_break(&s->output);
    else
        s->typing.editor.keys.line.width = session_line_size(s);
    dial_tell_size(s);
}

/* What was for who left is nobody's. */
static void part(struct terminal *t)
{
    t->parting = false;
    line_cut(t->line, 0);
    carrier_parted(t->number);
}

/* One turn may see somebody leave and somebody else come. Whoever comes finds the prompt of a new session, or waits for
 * it where a wrong password was typed. */
void seat_follow(struct terminal *t)
{
    if (t->session->state == SESSION_LOADING)
        return;
    if (t->resized)
        resize(t);
    if (terminal_is_left(t)) {
        if (t->session->user && !session_disconnect(t->session, true))
            return;
        dial_forsake(t->session);
        logon_forsake(t->session);
        t->left = false;
        t->unwelcomed = true;
        if (!t->parting)
            carrier_parted(t->number);
    }
    if (t->parting)
        part(t);
    if (t->unwelcomed && !t->away && t->session->state == SESSION_LOGON)
        session_welcome(t->session);
    if (t->arrives && !t->away && t->session->state == SESSION_LOGON)
        logon_known(t->session);
    idle_follow(t);
}

bool seat_input_waits(void)
{
    for (struct terminal *t = NULL; (t = terminal_next(t));)
        if (ring_used(&t->input) && session_states[t->session->state].reads != READS_MACHINE)
            return true;
    return false;
}

bool seat_words_are_out(void)
{
    for (struct terminal *t = NULL; (t = terminal_next(t));)
        if (ring_used(&t->session->output.ring))
            return false;
    return true;
}
