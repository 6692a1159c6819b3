/* In: commands that take time. Out: their steps, and sessions that are awake again. */
#include "cp/session/rest.h"

#include "cp/session/obey.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"

void rest_begin(struct session *s, enum session_state how, bool machine_asks)
{
    s->rest.then = s->state;
    s->rest.machine_asked = machine_asks;
    s->rest.machine_stopped |= s->vm->state != VM_STOPPED;
    s->timer_ended = false;
    session_enter(s, how);
}

/* Of a command from the terminal, whose code nobody asks for. True: it was the last. */
static bool step(struct session *s)
{
    unsigned ignored = 0;
    return s->task.step(s, &(struct response){.session = s}, &ignored);
}

void rest_go_on(struct session *s)
{
    enum session_state how = s->state;
    s->task.waits = false;
    s->state = s->rest.then; /* for what comes after the last step, which may have them rest again */
    bool last = s->rest.machine_asked ? diagnose_go_on(s) : step(s);
    if (!last)
        s->state = how;
    if (!session_rests(s))
        rest_end(s);
}

/* What is noted by now stops the machine anyway, but for DISCONNECT. */
void rest_end(struct session *s)
{
    s->state = s->rest.then;
    s->output.owes = true;
    timer_cancel(&s->timer);
    if (s->rest.machine_stopped && (!s->deed.noted || s->deed.noted == DEED_DISCONNECT))
        vm_begin(s->vm);
    s->rest.machine_stopped = false;
    if (!s->rest.machine_asked && typing_go_on(s)) /* else what is being typed goes on */
        turn_soon();
}
