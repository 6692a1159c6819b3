/* In: a terminal at which nothing is typed any more. Out: commands finished, a user logged off, CP shut down. */
#include "cp/session/last.h"

#include "cp/session/deed.h"
#include "cp/session/dial.h"
#include "cp/session/life.h"
#include "cp/session/session.h"
#include "cp/session/shutdown.h"
#include "cp/terminal/terminal.h"

enum { CONTROL_C = 3 };

/* The machine that reads has read all that was typed, shown all it had to say, and waits for an interrupt that only a
 * key could bring. */
static bool waits_for_input(const struct session *s)
{
    const struct vm *vm = s->dial.to ? stack_first(s->dial.to) : s->vm;
    unsigned uart;
    const struct uart *console = &dial_reader(s, &uart)->uart[uart];
    return vm->state == VM_WAITING && !vm_is_busy(vm) && !uart_must_look(console) &&
           !console->receive.count && !console->transmit.count && !s->output.machine_waits && !s->typing.machine_full;
}

static bool others_work(void)
{
    for (struct session *s = NULL; (s = session_next(s));)
        if (s->deed.noted || (s->user && s->vm->state != VM_STOPPED && !waits_for_input(s)))
            return true;
    return false;
}

/* Nobody is logged on here. */
static bool end_of_cp(struct terminal *t)
{
    bool only = t == terminal_next(NULL) && !terminal_next(t);
    if (!only) {
        if (t->dialled)
            session_leave(t->session, false);
        return false;
    }
    if (others_work())
        return true;
    output_say(&t->session->output, "SYSTEM SHUTDOWN STARTED AT THE END OF INPUT");
    shutdown_begin();
    return false;
}

/* The end of input ends a line that was begun; of a question without an answer nothing comes. */
static bool end_line(struct session *s)
{
    const struct edited_line *l = &s->typing.editor.keys.line;
    typing_take(s, l->length || l->excess ? '\r' : CONTROL_C);
    return true;
}

static void end_use(struct session *s)
{
    if (s->user)
        deed_note_logoff(s, NULL, false);
    else
        deed_note(s, DEED_DROP);
}

static bool end_of_machine(struct session *s)
{
    struct attention *a = &s->typing.attention;
    if (s->typing.machine_full) { /* whose end was typed already, perhaps */
        typing_offer_held(s);
    } else if (!s->ended && (a->held || a->typed)) {
        typing_take(s, '\r');
    } else if (a->held) {
        attention_release(a);
        typing_offer_held(s);
    } else if (waits_for_input(s)) {
        end_use(s);
    }
    return true;
}

/* SLEEP without a time lasts until Enter, which nobody will press; what was typed behind it comes when it is over. */
static bool sleeps_for_ever(const struct session *s)
{
    return session_states[s->state].reads == READS_ENTER && !s->timer.armed && !s->timer_ended;
}

bool last_follow(struct terminal *t)
{
    struct session *s = t->session;
    if (!t->ended || session_closed)
        return false;
    if (sleeps_for_ever(s))
        typing_take(s, '\r');
    if (ring_used(&t->input) || s->deed.noted || s->typing.next_command)
        return true;
    switch (session_states[s->state].reads) {
    case READS_NOTHING:
    case READS_ENTER: return true;
    case READS_AWAY: return end_of_cp(t);
    case READS_COMMAND:
    case READS_SECRET: return end_line(s);
    case READS_MACHINE: return end_of_machine(s);
    case READS_LINES: break;
    }
    if (s->typing.editor.keys.line.length)
        return end_line(s);
    if (!s->user)
        return end_of_cp(t);
    deed_note_logoff(s, NULL, false);
    return true;
}
