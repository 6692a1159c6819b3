/* SET SHARE and QUERY SHARE: what of the processor a user gets while others want it too. */
#include "cp/command/share.h"

#include "cp/dispatch/scheduler.h"
#include "cp/session/record.h"

static bool has_class(const struct call *c, uint8_t classes) { return c->session->user->classes & classes; }

/* The user named, who is logged on. */
static unsigned find(struct call *c, const char *module, struct session **found)
{
    char id[DIRECTORY_NAME + 1];
    unsigned failed = call_userid(c, module, id);
    if (failed)
        return failed;
    *found = session_find(id);
    return *found ? 0 : FAIL(c, module, 45, id);
}

unsigned command_set_share(struct call *c)
{
    struct session *s;
    if (!has_class(c, CLASS('A')))
        return FAIL(c, "SHR", 9016, "SET SHARE", "A");
    unsigned failed = find(c, "SHR", &s);
    if (failed)
        return failed;
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
    scheduler_share(s->vm, share);
    record(c->session, "SET SHARE %s: %s", s->user->id, share_text(share, text));
    return 0;
}

unsigned command_query_share(struct call *c)
{
    struct session *s = c->session;
    char text[SHARE_TEXT];
    unsigned failed = call_peek(c).length ? find(c, "SHR", &s) : 0;
    if (failed)
        return failed;
    if (s != c->session && !has_class(c, CLASS('A') | CLASS('E')))
        return FAIL(c, "SHR", 9016, "QUERY SHARE for another user", "A or E");
    response_line(c->response, "USER %-8s: %s", s->user->id, share_text(s->vm->share, text));
    return 0;
}
