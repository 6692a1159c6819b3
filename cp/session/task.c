#include "cp/session/task.h"

#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"
#include "cp/session/verify.h"
#include "cp/spool/spool.h"

void *task_kept(struct session *s) { return s->task.kept; }

void task_wait(struct session *s)
{
    s->task.waits = true;
    s->task.news = spool_news;
}

bool task_waits(const struct session *s) { return s->task.waits && s->task.news == spool_news; }

static void rest(struct session *s, bool machine_asks)
{
    rest_begin(s, SESSION_TASK, machine_asks);
    turn_soon();
}

void task_begin(struct session *s, task_step *step, bool machine_asks)
{
    s->task.step = step;
    rest(s, machine_asks);
}

unsigned task_run(struct session *s, struct response *response, task_step *step)
{
    unsigned code = 0;
    s->task.waits = false;
    s->task.step = step; /* which may name another one to follow it */
    if (!step(s, response, &code))
        rest(s, response->machine_asks);
    return code;
}

void task_begin_hashed(struct session *s, task_step *step, bool machine_asks, const char *setting, const char *password,
                       size_t length)
{
    s->task.step = step;
    rest_begin(s, SESSION_CHECK, machine_asks);
    verify_begin(s, setting, password, length);
}
