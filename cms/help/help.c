/* HELP: the menu, a command, a message, what a component of one's own has. */
#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/settings.h"
#include "cms/console/output.h"
#include "cms/console/pager.h"
#include "cms/file/file.h"
#include "cms/help/help.h"
#include "cms/kernel/cp.h"
#include "lib/format.h"

enum { CODE_PREFIX = 3, CODE_LETTERS = 6, WORD_MAX = 16 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* "DMS002E HELPMSG" */
static bool show_message(const char *prefix, int number, char severity, const char *module, int *rc)
{
    char name[WORD_MAX];
    format_text(name, sizeof name, "%.3s%03d%c", prefix, number, severity);
    return cms_help_show(name, HELP_MSG, module, rc);
}

/* All of that number, where no severity was typed. */
static bool show_messages(const char *prefix, int number, const char *module, int *rc)
{
    bool found = false;
    for (const char *severity = "IWESRT"; *severity && (!found || !*rc); severity++)
        found |= show_message(prefix, number, *severity, module, rc);
    return found;
}

/* DMSxxxnnns, nnns, nnn, where nnn may have any number of digits; other components have three letters of their own. */
static bool message_help(const struct word *w, int *rc)
{
    char text[WORD_MAX], prefix[] = "DMS", module[CODE_PREFIX + 1] = "";
    int number = 0;
    size_t letters = 0;

    if (w->raw_length >= sizeof text)
        return false;
    format_text(text, sizeof text, "%s", cms_typed(w));
    while (is_letter(text[letters]))
        letters++;
    if (letters)
        memcpy(prefix, text, CODE_PREFIX);
    if (letters == CODE_LETTERS)
        memcpy(module, text + CODE_PREFIX, CODE_PREFIX);
    const char *p = text + letters;
    if ((letters && letters != CODE_PREFIX && letters != CODE_LETTERS) || !is_digit(*p))
        return false;
    for (; is_digit(*p) && number < 100000; p++)
        number = number * 10 + (*p - '0');
    if (*p && p[1])
        return false;
    return *p ? show_message(prefix, number, *p, *module ? module : NULL, rc)
              : show_messages(prefix, number, *module ? module : NULL, rc);
}

/* What follows a command's name, as in HELP QUERY DISK, is explained with it. */
static int help_about(const struct word *w, bool cms, bool cp)
{
    const struct command *c = cms ? cms_command_of(w, true) : NULL;
    int rc;

    if (cms && (c || w->raw_length < sizeof w->text) && cms_help_show(c ? c->name : w->text, HELP_CMS, NULL, &rc))
        return rc;
    if (!c && cms && message_help(w, &rc))
        return rc;
    if (!c && cp && cms_cp_help(w, &rc))
        return rc;
    return cms_help_missing(cms_typed(w));
}

static int message_help_of(const struct word *w)
{
    int rc;
    if (message_help(w, &rc))
        return rc;
    return cms_cp_help(w, &rc) ? rc : cms_help_missing(cms_typed(w));
}

static int menu(void)
{
    int rc;
    return cms_help_show("CMS", HELP_MENU, NULL, &rc) ? rc : cms_help_missing("MENU");
}

/* HELP MENU, HELP CMS MENU, HELP CP MENU: all commands of a component. */
static int menu_of(bool cp)
{
    return cp && cms_cp_present() ? cms_cp_line("HELP") : menu();
}

/* HELP component MENU, HELP component name: files of whoever has such. */
static bool component_help(const struct word *component, const struct word *name, int *rc)
{
    char type[9];
    if (component->raw_length >= sizeof component->text || name->raw_length >= sizeof name->text)
        return false;
    if (cms_word_is(name, "MENU", 4))
        return cms_help_show(component->text, HELP_MENU, NULL, rc);
    format_text(type, sizeof type, "HELP%.4s", component->text);
    return edf_name_valid(type) && cms_help_show(name->text, type, NULL, rc);
}

static int show(const struct arguments *a)
{
    const struct word *first = &a->operand[0], *last = a->count ? &a->operand[a->count - 1] : NULL;
    char stage[20];
    bool cp = a->count && cms_word_is(first, "CP", 2), cms = a->count && cms_word_is(first, "CMS", 3);
    bool component = cp || cms, named = a->count > 1;
    int rc;

    if (!a->count || (cms && !named))
        return menu();
    if (named && cms_word_is(first, "PIPE", 4) && !cms_word_is(first + 1, "MENU", 4)) {
        format_text(stage, sizeof stage, "%s", cms_typed(first + 1));
        return cms_pipe_explain(stage);
    }
    if (cms_word_is(last, "MENU", 4) && a->count == 1 + component)
        return menu_of(cp);
    if (named && (cms_word_is(first, "MESSAGE", 7) || cms_word_is(first, "MSG", 3)))
        return message_help_of(first + 1);
    if (named && component)
        return help_about(first + 1, cms, cp);
    if (named && component_help(first, first + 1, &rc))
        return rc;
    return help_about(first, true, true);
}

/* Looks first whether there is anything to show: that there is not is said in a line. */
static int look(const struct arguments *a)
{
    struct output_sink before = cms_redirect(cms_output_none);
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
