/* MESSAGE WARNING: words from one user to another. */
#include "cp/command/families.h"
#include "cp/dispatch/timer.h"
#include "cp/user/clock_text.h"

const char command_message_help[] =
    "MESSAGE {userid | * | OPERATOR | ALL} text\n"
    "Shows the text on another user's console. ALL (everybody) is for classes A and B.\n";
const char command_warning_help[] = "WARNING {userid | ALL} text\n"
                                    "Like MESSAGE, but shown also to users who have SET MSG OFF.\n";

static const char *obstacle(const struct session *to, uint8_t setting)
{
    return !to->terminal ? "disconnected" : to->settings & setting ? NULL : setting == SET_MSG ? "MSG OFF" : "WNG OFF";
}

static void deliver(struct session *from, struct session *to, const char *kind, const char *text)
{
    char now[CLOCK_TEXT];
    session_say(to, "%s  * %s FROM %-8s: %s", clock_text_time(now, clock_unix_us()), kind,
                from->user ? from->user->id : "LOGON", text);
}

static unsigned send_all(struct call *c, uint8_t setting, const char *kind, const char *text)
{
    for (struct session *to = NULL; (to = session_next(to));)
        if (to->user && !obstacle(to, setting))
            deliver(c->session, to, kind, text);
    return 0;
}

static unsigned send(struct call *c, uint8_t setting, const char *kind)
{
    char id[DIRECTORY_NAME + 1];
    unsigned failed = call_userid(c, "MFS", id);
    if (failed)
        return failed;
    const char *text = call_remainder(c);
    if (!*text)
        return FAIL(c, "MFS", 26, "");
    const struct user *mine = c->session->user;
    if (mine && (mine->classes & (CLASS('A') | CLASS('B') | CLASS('C'))) && word_is((struct word){id, 3}, "ALL", 3) &&
        !id[3])
        return send_all(c, setting, kind, text);
    struct session *to = session_find(id);
    if (!to)
        return FAIL(c, "MFS", 45, id);
    const char *why = obstacle(to, setting);
    if (why)
        return FAIL(c, "MFS", 57, id, why);
    deliver(c->session, to, kind, text);
    return 0;
}

unsigned command_message(struct call *c) { return send(c, SET_MSG, "MSG"); }
unsigned command_warning(struct call *c) { return send(c, SET_WNG, "WNG"); }
