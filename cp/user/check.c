#include "cp/user/check.h"

#include "cp/command/command.h"
#include "cp/user/diagnose.h"
#include "cp/user/logon.h"

void check_begin(struct session *s, const struct session_wish *wish, const char *setting, const char *password,
                 size_t length, bool machine_asks)
{
    s->wish = *wish;
    sha512_crypt_begin(&s->crypt, setting, password, length);
    session_rest(s, SESSION_CHECK, machine_asks);
    session_soon();
}

static void go_on(struct session *s)
{
    s->state = s->before_rest;
    if (s->asked.waits)
        diagnose_go_on(s);
    else
        command_link_checked(s, &(struct response){.session = s});
    if (!session_rests(s))
        session_wake(s);
}

bool check_poll(struct session *s)
{
    if (s->state != SESSION_CHECK || s->deed)
        return false;
    if (sha512_crypt_step(&s->crypt, LOGON_ROUNDS))
        go_on(s);
    return true;
}
