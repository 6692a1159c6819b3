/* SHUTDOWN HELP: the end, and help on everything. */
#include <string.h>

#include "cp/command/families.h"
#include "cp/message/message.h"
#include "cp/session/shutdown.h"
#include "cp/session/task.h"
#include "cp/time/work.h"
#include "lib/format.h"

const char command_shutdown_help[] = "SHUTDOWN\n"
                                     "Logs everybody off, lets the disks finish, and switches the machine off.\n";
const char command_help_help[] = "HELP [command | message number]\n"
                                 "Lists the commands you may use, or explains one, or a message such as HCPLNM104E.\n";

unsigned command_shutdown(struct call *c)
{
    unsigned failed = call_end(c, "SHU");
    if (failed)
        return failed;
    for (struct session *s = NULL; (s = session_next(s));)
        output_say(&s->output, "SYSTEM SHUTDOWN STARTED BY %s", c->session->user->id);
    shutdown_begin();
    return 0;
}

struct menu {
    const struct command *last; /* of those shown; NULL: none yet */
};
_Static_assert(sizeof(struct menu) <= TASK_KEEPS, "kept from step to step");

/* The next rows of the menu. False: there are more, and no time for them now. */
static bool menu_on(struct session *s, struct response *response, unsigned *code)
{
    const struct command **last = &((struct menu *)task_kept(s))->last, *row;
    *code = 0;
    while ((row = command_next(s, *last))) {
        const char *end = strchr(row->help, '\n');
        if (!*last || (*last)->run != row->run) /* a second name for the same */
            response_line(response, "  %.*s", (int)(end - row->help), row->help);
        *last = row;
        if (s->vm && work_over()) /* nobody may use many before LOGON */
            return false;
    }
    return true;
}

static unsigned show_menu(struct call *c)
{
    response_line(c->response, "CP commands (HELP command tells more):");
    *(struct menu *)task_kept(c->session) = (struct menu){NULL};
    return task_run(c->session, c->response, menu_on);
}

/* "HCPLNM104E", "104E", "104": 104; 0 for anything else. */
static unsigned message_number(struct word w)
{
    uint64_t number;
    if (w.length > 6 && word_is((struct word){w.text, 3}, "HCP", 3))
        w.text += 6, w.length -= 6;
    if (w.length && (w.text[w.length - 1] < '0' || w.text[w.length - 1] > '9'))
        w.length--;
    return word_number(w, 9999, &number) ? number : 0;
}

static unsigned explain(struct call *c, const struct message *m)
{
    char text[MESSAGE_BYTES];
    message_text(text, sizeof text, m, NULL);
    response_line(c->response, "HCP...%03u%c %s", m->number, m->severity, text);
    response_text(c->response, m->help, strlen(m->help)); /* may be of several lines */
    response_text(c->response, "\n", 1);
    return 0;
}

unsigned command_help(struct call *c)
{
    struct word w;
    char text[32];
    if (!call_next(c, &w))
        return show_menu(c);
    unsigned failed = call_end(c, "HLP");
    if (failed)
        return failed;
    const struct command *row = command_find(c->session, w);
    if (row) {
        response_text(c->response, row->help, strlen(row->help));
        return 0;
    }
    const struct message *m = message_lookup(message_number(w));
    word_upper(w, text, sizeof text);
    return m ? explain(c, m) : FAIL(c, "HLP", 9026, text);
}
