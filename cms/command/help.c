/* HELP: the menu, a command, a message. */
#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/messages.h"
#include "cms/command/settings.h"
#include "cms/console/output.h"
#include "cms/console/pager.h"
#include "cms/kernel/cp.h"
#include "lib/format.h"

enum { MENU_COLUMNS = 6, MENU_WIDTH = 12, CODE_LETTERS = 6 };

/* The command whose name comes next in the alphabet after `name`. */
static const struct command *next_by_name(const char *name)
{
    const struct command *c, *next = NULL;
    for (size_t i = 0; (c = cms_command_at(i)); i++)
        if (strcmp(c->name, name) > 0 && (!next || strcmp(c->name, next->name) < 0))
            next = c;
    return next;
}

static int menu(void)
{
    char line[MENU_COLUMNS * MENU_WIDTH + 1];
    size_t column = 0;

    cms_text("HELP command tells what a command does; HELP DMSxxxnnns explains a message.");
    cms_text("Capital letters are the least you must type.  Other commands go to CP,");
    cms_text("and so does HELP for them and for messages HCPxxxnnns: CP HELP lists CP's.");
    cms_text("%s", "");
    for (const struct command *c = next_by_name(""); c; c = next_by_name(c->name)) {
        size_t n = column * MENU_WIDTH;
        format_text(line + n, sizeof line - n, "%-*s", MENU_WIDTH, c->name);
        for (size_t j = c->abbreviation; c->name[j]; j++)
            line[n + j] |= 0x20;
        if (++column == MENU_COLUMNS) {
            cms_text("%s", line);
            column = 0;
        }
    }
    if (column)
        cms_text("%s", line);
    cms_text("%s", "");
    cms_text("While a command runs: HX ends it, HT ends its typing, RT resumes it.");
    return 0;
}

static void lines(const char *indent, const char *text)
{
    while (*text) {
        const char *end = strchr(text, '\n');
        int n = end ? (int)(end - text) : (int)strlen(text);
        cms_text("%s%.*s", indent, n, text);
        text += n + (end != NULL);
    }
}

static int command_help(const struct command *c)
{
    lines("", c->synopsis);
    cms_text("%s", "");
    lines("", c->help);
    if (c->abbreviation < strlen(c->name))
        cms_text("May be abbreviated to %.*s.", c->abbreviation, c->name);
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* DMSxxxnnns, nnns, nnn, where nnn may have any number of digits */
static bool message_help(const struct word *w)
{
    char text[16], module[4] = "";
    int number = 0;
    size_t n = w->raw_length < sizeof text ? w->raw_length : 0;

    for (size_t i = 0; i < n; i++)
        text[i] = w->raw[i] >= 'a' && w->raw[i] <= 'z' ? (char)(w->raw[i] - 32) : w->raw[i];
    text[n] = 0;
    const char *p = text;
    if (!strncmp(text, "DMS", 3) && n > CODE_LETTERS) {
        memcpy(module, text + 3, 3);
        p = text + CODE_LETTERS;
    }
    if (!is_digit(*p))
        return false;
    for (; is_digit(*p) && number < 100000; p++)
        number = number * 10 + (*p - '0');
    return (!*p || !p[1]) && cms_message_help(*module ? module : NULL, number, *p);
}

/* What follows a command's name, as in HELP QUERY DISK, is explained with it. */
static int help_about(const struct word *w, bool cms, bool cp)
{
    const struct command *c = cms ? cms_command_of(w, true) : NULL;
    int rc;

    if (c)
        return command_help(c);
    if (cms && message_help(w))
        return 0;
    if (cp && cms_cp_help(w, &rc))
        return rc;
    return cms_message("HLP", MESSAGE_NO_HELP, cms_typed(w));
}

static int message_help_of(const struct word *w)
{
    int rc;
    if (message_help(w))
        return 0;
    return cms_cp_help(w, &rc) ? rc : cms_message("HLP", MESSAGE_NO_HELP, cms_typed(w));
}

/* HELP MENU, HELP CMS MENU, HELP CP MENU: all commands of a component. */
static int menu_of(bool cp)
{
    return cp && cms_cp_present() ? cms_cp_line("HELP") : menu();
}

static int show(const struct arguments *a)
{
    const struct word *first = &a->operand[0], *last = a->count ? &a->operand[a->count - 1] : NULL;
    char stage[20];
    bool cp = a->count && cms_word_is(first, "CP", 2), cms = a->count && cms_word_is(first, "CMS", 3);
    bool component = cp || cms, named = a->count > 1;

    if (!a->count || (cms && !named))
        return menu();
    if (a->count > 1 && cms_word_is(first, "PIPE", 4)) {
        format_text(stage, sizeof stage, "%s", cms_typed(first + 1));
        return cms_pipe_explain(stage);
    }
    if (cms_word_is(last, "MENU", 4) && a->count == 1 + component)
        return menu_of(cp);
    if (named && (cms_word_is(first, "MESSAGE", 7) || cms_word_is(first, "MSG", 3)))
        return message_help_of(first + 1);
    if (named && component)
        return help_about(first + 1, cms, cp);
    return help_about(first, true, true);
}

static void show_nothing(void *context, const char *data, size_t length)
{
    (void)context;
    (void)data;
    (void)length;
}

/* Looks first whether there is anything to show: that there is not is said in a line. */
static int look(const struct arguments *a)
{
    struct output_sink before = cms_redirect((struct output_sink){.line = show_nothing});
    int rc = show(a);
    cms_redirect(before);
    return rc;
}

int cms_help(const struct arguments *a)
{
    struct pager pager;
    int rc;
    if (cms_settings.fullscreen == SWITCH_OFF)
        return show(a);
    if (cms_has_full_screen() && !look(a) && cms_full_screen("browse", a->line, &rc))
        return rc;
    cms_pager_begin(&pager, false);
    rc = show(a);
    cms_pager_end(&pager, false);
    return rc;
}
