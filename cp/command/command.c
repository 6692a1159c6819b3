/* The table of CP's commands, and how a line finds its row. */
#include "cp/command/command.h"

#include <string.h>

#include "cp/command/families.h"
#include "cp/session/record.h"
#include "lib/format.h"

enum { ON = WHEN_LOGGED_ON, OFF = WHEN_LOGGED_OFF, DIALED = WHEN_DIALED, ALWAYS = ON | OFF | DIALED };

#define ROW(name, least, classes, when, family)                                                                        \
    {                                                                                                                  \
        name, least, classes, when, command_##family, command_##family##_help                                          \
    }

static const struct command table[] = {
    ROW("*", 1, CLASS_ANY, ALWAYS, comment),
    ROW("BEGIN", 1, CLASS('G'), ON, begin),
    ROW("CHANGE", 2, CLASS('D') | CLASS('G'), ON, change),
    ROW("CLOSE", 1, CLASS('G'), ON, close),
    ROW("COUPLE", 3, CLASS('G'), ON, couple),
    ROW("DEFINE", 3, CLASS('G'), ON, define),
    ROW("DEFSYS", 6, CLASS('E'), ON, defsys),
    ROW("DETACH", 3, CLASS('G'), ON, detach),
    ROW("DIAL", 4, CLASS_ANY, OFF, dial),
    ROW("DIRECTORY", 3, CLASS('B'), ON, directory),
    ROW("DISCONNECT", 4, CLASS_ANY, ON, disconnect),
    ROW("DISPLAY", 1, CLASS('G'), ON, display),
    ROW("FORCE", 5, CLASS('A'), ON, force),
    ROW("HELP", 1, CLASS_ANY, ALWAYS, help),
    ROW("INDICATE", 3, CLASS('B') | CLASS('C') | CLASS('E') | CLASS('G'), ON, indicate),
    ROW("IPL", 1, CLASS('G'), ON, ipl),
    ROW("LINK", 4, CLASS('G'), ON, link),
    ROW("LOGON", 1, CLASS_ANY, ON | OFF, logon),
    ROW("LOGIN", 4, CLASS_ANY, ON | OFF, logon),
    ROW("LOGOFF", 3, CLASS_ANY, ON | OFF, logoff),
    ROW("LOGOUT", 4, CLASS_ANY, ON | OFF, logoff),
    ROW("MESSAGE", 1, CLASS_ANY, ALWAYS, message),
    ROW("MSG", 2, CLASS_ANY, ALWAYS, message),
    ROW("MSGNOH", 6, CLASS('B'), ON, msgnoh),
    ROW("ORDER", 3, CLASS('D') | CLASS('G'), ON, order),
    ROW("PURGE", 2, CLASS('D') | CLASS('G'), ON, purge),
    ROW("QUERY", 1, CLASS_ANY, ON, query),
    ROW("RESET", 5, CLASS('G'), ON, reset),
    ROW("SAVESYS", 7, CLASS('E'), ON, savesys),
    ROW("SEND", 3, CLASS('C'), ON, send),
    ROW("SET", 3, CLASS('G'), ON, set),
    ROW("SHUTDOWN", 8, CLASS('A'), ON, shutdown),
    ROW("SLEEP", 2, CLASS_ANY, ON, sleep),
    ROW("SMSG", 2, CLASS_ANY, ON, smsg),
    ROW("SNAPSHOT", 4, CLASS('G'), ON, snapshot),
    ROW("SPOOL", 2, CLASS('G'), ON, spool),
    ROW("STOP", 4, CLASS('G'), ON, stop),
    ROW("STORE", 2, CLASS('G'), ON, store),
    ROW("SYSTEM", 3, CLASS('G'), ON, system),
    ROW("TAG", 3, CLASS('G'), ON, tag),
    ROW("TERMINAL", 4, CLASS_ANY, ON, terminal),
    ROW("TRACE", 2, CLASS('G'), ON, trace),
    ROW("TRANSFER", 4, CLASS('D') | CLASS('G'), ON, transfer),
    ROW("UNCOUPLE", 5, CLASS('G'), ON, uncouple),
    ROW("UNDIAL", 6, CLASS_ANY, DIALED, undial),
    ROW("WARNING", 1, CLASS('A') | CLASS('B') | CLASS('C'), ON, warning),
    ROW("WNG", 3, CLASS('A') | CLASS('B') | CLASS('C'), ON, warning),
    ROW("XAUTOLOG", 5, CLASS('A') | CLASS('B') | CLASS('G'), ON, xautolog),
};
static const struct command *const end = table + sizeof table / sizeof *table;

bool command_may_use(const struct session *s, const struct command *c)
{
    if (!s->user)
        return c->when & (s->dial.to ? WHEN_DIALED : WHEN_LOGGED_OFF);
    return (c->when & WHEN_LOGGED_ON) && (!c->classes || (c->classes & s->user->classes));
}

const struct command *command_next(const struct session *s, const struct command *at)
{
    for (at = at ? at + 1 : table; at < end; at++)
        if (command_may_use(s, at))
            return at;
    return NULL;
}

const struct command *command_listed_next(const struct session *s, const struct command *at)
{
    for (at = at ? at + 1 : table; at < end; at++)
        if (command_may_use(s, at) || (!s->user && at->when == WHEN_DIALED))
            return at;
    return NULL;
}

const struct command *command_named(struct word name)
{
    for (const struct command *c = table; c < end; c++)
        if (word_is(name, c->name, c->least))
            return c;
    return NULL;
}

const char *command_classes(char text[CLASSES_TEXT], uint8_t classes)
{
    size_t at = 0;
    format_text(text, CLASSES_TEXT, "any");
    for (unsigned i = 0; i < 8; i++) {
        if (!(classes >> i & 1))
            continue;
        const char *join = !at ? "" : classes >> i == 1 ? " or " : ", ";
        at += format_text(text + at, CLASSES_TEXT - at, "%s%c", join, (char)('A' + i));
    }
    return text;
}

/* For others than every user. */
static bool is_privileged(const struct command *c) { return c->classes && !(c->classes & CLASS('G')); }

/* NULL: the command is for somebody who is logged on, or for another class. */
static const char *why_not_now(const struct session *s, const struct command *c)
{
    if (s->dial.to)
        return "the terminal is dialed to another machine";
    if (c->when == WHEN_DIALED)
        return "the terminal is not dialed to a machine";
    return s->user && !(c->when & WHEN_LOGGED_ON) ? "you are logged on" : NULL;
}

static unsigned refuse(struct call *call, const struct command *c, struct word name)
{
    char text[32], classes[CLASSES_TEXT];
    word_upper(name, text, sizeof text);
    if (!c)
        return FAIL(call, "CMD", 1, text);
    const char *why = why_not_now(call->session, c);
    if (why)
        return FAIL(call, "CFC", 9029, c->name, why);
    if (!call->session->user)
        return FAIL(call, "CFC", 15, text);
    record_vain(call->session, "%s REFUSED", c->name);
    return FAIL(call, "CMD", 9016, c->name, command_classes(classes, c->classes));
}

bool command_name(struct call *call, struct word *name)
{
    do {
        if (!call_next(call, name))
            return false;
    } while (word_is(*name, "#CP", 3) || word_is(*name, "CP", 2));
    return true;
}

unsigned command_run(struct session *s, struct response *response, const char *line)
{
    struct call call = {.session = s, .response = response, .unread = line};
    struct word name;
    if (!command_name(&call, &name))
        return 0;
    if (*name.text == '*')
        name.length = 1;
    const struct command *c = command_named(name);
    if (!c || !command_may_use(s, c))
        return refuse(&call, c, name);
    const char *operands = call.unread;
    unsigned code = c->run(&call);
    if (is_privileged(c))
        record_command(s, c->name, operands, call.untold ? (size_t)(call.untold - operands) : strlen(operands),
                       call.vain, code);
    return code;
}
