/* SET SHARE and QUERY SHARE: what of the processor a user gets while others want it too. */
#include "cp/command/share.h"

#include "cp/dispatch/scheduler.h"
#include "cp/session/record.h"

unsigned command_set_share(struct call *c)
{
    char id[DIRECTORY_NAME + 1];
    if (!(c->session->user->classes & CLASS('A')))
        return FAIL(c, "SHR", 9016, "SET SHARE", "A");
    unsigned failed = call_userid(c, "SHR", id);
    if (failed)
        return failed;
    struct session *s = session_find(id);
    if (!s)
        return FAIL(c, "SHR", 45, id);
    const char *asked = call_remainder(c);
    struct call value = {.unread = asked};
    struct word initial;
    struct share share;
    if (call_next(&value, &initial) && word_is(initial, "INITIAL", 3) && !call_peek(&value).length)
        share = s->user->machine.share;
    else if (!*asked)
        return FAIL(c, "SHR", 26, "");
    else if (!share_parse(asked, &share))
        return FAIL(c, "SHR", 2, asked);
    char text[SHARE_TEXT];
    bool same = s->vm->share.absolute == share.absolute && share_parts(s->vm->share) == share_parts(share);
    scheduler_share(s->vm, share);
    (same ? record_vain : record)(c->session, "SET SHARE %s: %s", s->user->id, share_text(share, text));
    return 0;
}

unsigned command_query_share(struct call *c)
{
    struct session *s;
    char text[SHARE_TEXT];
    unsigned failed = call_session(c, "SHR", CLASS('A') | CLASS('E'), "QUERY SHARE for another user", &s);
    if (!failed && !(failed = call_end(c, "CQR")))
        response_line(c->response, "USER %-8s: %s", s->user->id, share_text(s->vm->share, text));
    return failed;
}
