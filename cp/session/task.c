#include "cp/session/task.h"

#include "cp/diagnose/diagnose.h"
#include "cp/session/response.h"

void task_begin(struct session *s, task_step *step, bool machine_asks)
{
    s->task.step = step;
    session_rest(s, SESSION_TASK, machine_asks);
    session_soon();
}

unsigned task_run(struct session *s, struct response *response, task_step *step)
{
    unsigned code = 0;
    if (!step(s, response, &code))
        task_begin(s, step, response->machine_asks);
    return code;
}

/* A step of a command from the terminal. */
static void go_on(struct session *s)
{
    unsigned ignored = 0;
    if (s->task.step(s, &(struct response){.session = s}, &ignored))
        s->state = s->before_rest;
}

bool task_poll(struct session *s)
{
    if (s->state != SESSION_TASK || s->deed)
        return false;
    if (s->asked.waits)
        diagnose_go_on(s);
    else
        go_on(s);
    if (!session_rests(s))
        session_wake(s);
    return true;
}
