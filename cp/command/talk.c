/* MESSAGE WARNING SMSG: words from one user to another, or to the program in its machine. */
#include <string.h>

#include "cp/command/families.h"
#include "cp/directory/load.h"
#include "cp/time/clock_text.h"
#include "cp/time/timer.h"

const char command_message_help[] =
    "MESSAGE {userid | * | OPERATOR | ALL} text\n"
    "Shows the text on another user's console: what is no character to be seen\n"
    "becomes a ?. ALL (everybody) is for classes A, B and C. Before LOGON only\n"
    "OPERATOR can be reached. Others than those classes send ten a second, or forty\n"
    "at once, and none to a terminal that is behind.\n";
const char command_warning_help[] =
    "WARNING {userid | ALL} text\n"
    "Like MESSAGE, but shown also to users who have SET MSG OFF.\n";

const char command_msgnoh_help[] =
    "MSGNOH {userid | ALL} text\n"
    "Like MESSAGE, without the head of the line that says when and from whom: for\n"
    "programs that answer users.\n";

const char command_smsg_help[] =
    "SMSG userid text\n"
    "A special message: not for the user's console, but for the program in the\n"
    "machine, if that has said SET SMSG ON and takes it (PIPE STARMSG in CMS). It\n"
    "waits until then; there is room for eight of the longest.\n";

enum {
    A_SECOND = 10, AT_ONCE = 40, /* messages of one user, however often they log on; of all who are not logged on */
    BEHIND = 1024,               /* bytes its terminal has not shown yet: less than keeps its machine waiting */
};

/* Their words are not held back. */
static bool is_staff(const struct session *s)
{
    return s->user && s->user->classes & CLASSES_STAFF;
}

static const char *obstacle(const struct session *to, uint8_t setting)
{
    return !to->output.terminal     ? "disconnected"
           : to->settings & setting ? NULL
           : setting == SET_MSG     ? "MSG OFF"
                                    : "WNG OFF";
}

/* Whoever floods keeps neither the receiver's machine nor CP's answers from the receiver's terminal. */
static const char *too_many(struct session *from)
{
    static uint64_t nobodys;
    uint64_t *due = from->user ? &from->user->kept->message_due : &nobodys;
    uint64_t now = clock_now(), each = clock_hz / A_SECOND;
    if (is_staff(from))
        return NULL;
    if (*due < now)
        *due = now;
    if (*due - now > (AT_ONCE - 1) * each)
        return "too many messages";
    *due += each;
    return NULL;
}

/* `kind` "": without a head. */
static void deliver(struct session *from, struct session *to, const char *kind, const char *text)
{
    char now[CLOCK_TEXT];
    if (*kind)
        output_say(&to->output, "%s  * %s FROM %-8s: %s", clock_text_time(now, clock_unix_us()), kind,
                   from->user ? from->user->id : "LOGON", text);
    else
        output_say(&to->output, "%s", text);
}

static unsigned send_all(struct call *c, uint8_t setting, const char *kind, const char *text)
{
    for (struct session *to = NULL; (to = session_next(to));)
        if (to->user && !obstacle(to, setting))
            deliver(c->session, to, kind, text);
    return 0;
}

/* OP, OPER and so on are OPERATOR, where nobody is called so. */
static void name_operator(char id[DIRECTORY_NAME + 1])
{
    static const char name[] = "OPERATOR";
    if (strlen(id) >= 2 && !strncmp(name, id, strlen(id)) && !directory_find(&directory, id))
        memcpy(id, name, sizeof name);
}

static unsigned send(struct call *c, uint8_t setting, const char *kind)
{
    char id[DIRECTORY_NAME + 1], classes[CLASSES_TEXT];
    unsigned failed = call_userid(c, "MFS", id);
    if (failed)
        return failed;
    name_operator(id);
    const char *text = call_remainder(c);
    if (!*text)
        return FAIL(c, "MFS", 26, "");
    if (is_staff(c->session) && !strcmp(id, "ALL"))
        return send_all(c, setting, kind, text);
    if (!c->session->user && strcmp(id, "OPERATOR")) /* or it would tell who is there */
        return FAIL(c, "MFS", 15, kind);
    struct session *to = session_find(id);
    if (!to && !strcmp(id, "ALL"))
        return FAIL(c, "MFS", 9016, "MESSAGE ALL", command_classes(classes, CLASSES_STAFF));
    if (!to)
        return FAIL(c, "MFS", 45, id);
    const char *why = obstacle(to, setting);
    if (!why && ring_used(&to->output.ring) >= BEHIND && !is_staff(c->session))
        why = "terminal behind";
    if (why || (why = too_many(c->session)))
        return FAIL(c, "MFS", 57, id, why);
    deliver(c->session, to, kind, text);
    return 0;
}

unsigned command_message(struct call *c) { return send(c, SET_MSG, "MSG"); }

unsigned command_msgnoh(struct call *c)
{
    c->vain = true;
    return send(c, SET_MSG, "");
}

unsigned command_warning(struct call *c)
{
    c->vain = true;
    return send(c, SET_WNG, "WNG");
}

unsigned command_smsg(struct call *c)
{
    char id[DIRECTORY_NAME + 1];
    unsigned failed = call_userid(c, "MFS", id);
    if (failed)
        return failed;
    const char *text = call_remainder(c);
    if (!*text)
        return FAIL(c, "MFS", 26, "");
    struct session *to = session_find(id);
    if (!to)
        return FAIL(c, "MFS", 45, id);
    const char *why = to->settings & SET_SMSG ? too_many(c->session) : "SMSG OFF";
    if (!why && !special_put(&to->special, c->session->user->id, text))
        why = "others wait";
    if (why)
        return FAIL(c, "MFS", 57, id, why);
    machine_ring(&to->vm->machine, 0);
    return 0;
}
