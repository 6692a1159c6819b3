/* SHUTDOWN HELP: the end, and help on everything. */
#include <string.h>

#include "cp/command/families.h"
#include "cp/message/message.h"
#include "cp/session/shutdown.h"
#include "cp/session/task.h"
#include "cp/time/work.h"
#include "lib/format.h"

const char command_shutdown_help[] =
    "SHUTDOWN\n"
    "Logs everybody off, lets the disks finish, and switches the machine off.\n";
const char command_help_help[] =
    "HELP [command | message number]\n"
    "Lists the commands you may use, or explains one, or a message such as\n"
    "HCPLNM104E, 104E or 104. In CMS, which has a HELP of its own, CP HELP asks CP.\n"
    "At CP's prompt Tab completes the name of a command and the words in capitals of\n"
    "its format; twice, it lists what could stand there.\n";
const char command_comment_help[] =
    "* text\n"
    "A comment: nothing is done.\n";

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

/* The first form of a command, and whether its help has more. */
static void show_form(struct response *response, const char *help)
{
    const char *end = strchr(help, '\n');
    size_t name = strcspn(help, " \n") + 1;
    response_line(response, "  %.*s%s", (int)(end - help), help, strncmp(end + 1, help, name) ? "" : " ...");
}

/* The next rows of the menu. False: there are more, and no time for them now. */
static bool menu_on(struct session *s, struct response *response, unsigned *code)
{
    const struct command **last = &((struct menu *)task_kept(s))->last, *row;
    *code = 0;
    while ((row = command_listed_next(s, *last))) {
        if (!*last || (*last)->run != row->run) /* a second name for the same */
            show_form(response, row->help);
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

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* "HCPLNM104E", "HCP104E", "104E", "104": 104; 0 for anything else. */
static unsigned message_number(struct word w)
{
    uint64_t number;
    if (w.length > 3 && word_is((struct word){w.text, 3}, "HCP", 3)) {
        unsigned head = is_digit(w.text[3]) ? 3 : 6;
        if (w.length <= head)
            return 0;
        w.text += head, w.length -= head;
    }
    if (w.length && !is_digit(w.text[w.length - 1]))
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

static unsigned explain_command(struct call *c, const struct command *row)
{
    const struct user *user = c->session->user;
    char its[CLASSES_TEXT], yours[CLASSES_TEXT];
    response_text(c->response, row->help, strlen(row->help));
    if (row->least < strlen(row->name))
        response_line(c->response, "May be abbreviated to %.*s.", (int)row->least, row->name);
    command_classes(its, row->classes);
    if (user && row->classes && !(row->classes & user->classes))
        response_line(c->response, "Privilege class: %s, which you have not; yours: %s.", its,
                      command_classes(yours, user->classes));
    else
        response_line(c->response, "Privilege class: %s.", its);
    return 0;
}

/* What follows the command's name, as in HELP QUERY NAMES, is explained with it. */
unsigned command_help(struct call *c)
{
    struct word w;
    char text[32];
    if (!call_next(c, &w))
        return show_menu(c);
    const struct command *row = command_named(w);
    if (row)
        return explain_command(c, row);
    unsigned failed = call_end(c, "HLP");
    if (failed)
        return failed;
    const struct message *m = message_lookup(message_number(w));
    word_upper(w, text, sizeof text);
    return m ? explain(c, m) : FAIL(c, "HLP", 9026, text);
}

unsigned command_comment(struct call *c)
{
    (void)c;
    return 0;
}
