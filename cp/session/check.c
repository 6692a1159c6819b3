#include "cp/session/check.h"

#include "cp/command/command.h"
#include "cp/diagnose/diagnose.h"
#include "cp/session/verify.h"

void check_begin(struct session *s, const struct session_wish *wish, const char *setting, const char *password,
                 size_t length, bool machine_asks)
{
    s->wish = *wish;
    s->asked.waits &= machine_asks; /* what a machine asked that was stopped meanwhile nobody waits for */
    session_rest(s, SESSION_CHECK, machine_asks);
    verify_begin(s, setting, password, length);
}

/* What is left for the machine that asked, as a task of one step. */
static bool linked(struct session *s, struct response *response, unsigned *code)
{
    *code = command_link_checked(s, response);
    return true;
}

void check_verified(struct session *s)
{
    s->state = s->before_rest;
    s->task.step = linked;
    if (s->asked.waits)
        diagnose_go_on(s);
    else
        command_link_checked(s, &(struct response){.session = s});
    if (!session_rests(s))
        session_wake(s);
}
