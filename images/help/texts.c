/* From the tables to HELP files. */
#include "images/help/texts.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/messages.h"
#include "cms/help/help.h"
#include "cms/pipe/pipe.h"

struct text {
    char *bytes;
    size_t length;
    FILE *file;
};

static void begin(struct text *t)
{
    t->file = open_memstream(&t->bytes, &t->length);
    if (!t->file)
        abort();
}

static void give(struct text *t, const char *what, const char *type, help_file_taker *take, void *context)
{
    char name[9];
    if (fclose(t->file))
        abort();
    cms_help_name(what, name);
    take(context, name, type, t->bytes);
    free(t->bytes);
}

static void abbreviation(struct text *t, const char *name, unsigned least)
{
    if (least < strlen(name))
        fprintf(t->file, "May be abbreviated to %.*s.\n", (int)least, name);
}

static void command(const struct command *c, help_file_taker *take, void *context)
{
    struct text t;
    begin(&t);
    fprintf(t.file, "%s\n\n%s", c->synopsis, c->help);
    abbreviation(&t, c->name, c->abbreviation);
    give(&t, c->name, HELP_CMS, take, context);
}

static void stage(const struct stage_kind *kind, help_file_taker *take, void *context)
{
    struct text t;
    begin(&t);
    fprintf(t.file, "%s\n\n%s", kind->format, kind->help);
    abbreviation(&t, kind->name, kind->abbreviation);
    give(&t, kind->name, HELP_PIPE, take, context);
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

/* The text with ... for what varies. */
static void message(struct text *t, const struct cms_message_row *m)
{
    fprintf(t->file, "DMS%s%03d%c ", m->module ? m->module : "mmm", m->number, m->severity);
    for (const char *p = m->text; *p; p++) {
        bool varies = *p == '%';
        if (varies)
            p += strcspn(p, "cdsuxX");
        fprintf(t->file, "%.*s", varies ? 3 : 1, varies ? "..." : p);
    }
    fprintf(t->file, "\nReturn code %d.\n%s", m->return_code, m->help);
}

static bool has_name(const struct cms_message_row *m, const struct cms_message_row *other)
{
    return m->number == other->number && m->severity == other->severity;
}

/* One file of all messages that have the number and the severity of this, which is the first. */
static void messages(const struct cms_message_row *first, help_file_taker *take, void *context)
{
    struct text t;
    char name[32];
    begin(&t);
    for (const struct cms_message_row *m = first; m < cms_message_rows + MESSAGES; m++)
        if (has_name(m, first))
            message(&t, m);
    snprintf(name, sizeof name, "DMS%03d%c", first->number, first->severity);
    give(&t, name, HELP_MSG, take, context);
}

static bool is_first(const struct cms_message_row *m)
{
    const struct cms_message_row *other = cms_message_rows;
    while (!has_name(other, m))
        other++;
    return other == m;
}

/* ---- the menu ---------------------------------------------------------------------------------------------------- */

enum { MENU_COLUMNS = 6, MENU_WIDTH = 12 };

/* The command whose name comes next in the alphabet after `name`. */
static const struct command *next_by_name(const char *name)
{
    const struct command *c, *next = NULL;
    for (size_t i = 0; (c = cms_command_at(i)); i++)
        if (strcmp(c->name, name) > 0 && (!next || strcmp(c->name, next->name) < 0))
            next = c;
    return next;
}

static void menu(help_file_taker *take, void *context)
{
    struct text t;
    unsigned column = 0;
    begin(&t);
    fputs("HELP command tells what a command does; HELP DMSxxxnnns explains a message.\n"
          "Capital letters are the least you must type.  Other commands go to CP,\n"
          "and so does HELP for them and for messages HCPxxxnnns: CP HELP lists CP's.\n"
          "\n", t.file);
    for (const struct command *c = next_by_name(""); c; c = next_by_name(c->name)) {
        char name[MENU_WIDTH + 1];
        snprintf(name, sizeof name, "%-*s", MENU_WIDTH, c->name);
        for (size_t i = c->abbreviation; c->name[i]; i++)
            name[i] |= 0x20;
        fprintf(t.file, "%s%s", name, ++column % MENU_COLUMNS ? "" : "\n");
    }
    fprintf(t.file, "%s\nWhile a command runs: HX ends it, HT ends its typing, RT resumes it.\n",
            column % MENU_COLUMNS ? "\n" : "");
    give(&t, "CMS", HELP_MENU, take, context);
}

void help_texts(help_file_taker *take, void *context)
{
    const struct command *c;
    menu(take, context);
    for (size_t i = 0; (c = cms_command_at(i)); i++)
        command(c, take, context);
    for (size_t i = 0; cms_pipe_stages[i]; i++)
        stage(cms_pipe_stages[i], take, context);
    for (const struct cms_message_row *m = cms_message_rows; m < cms_message_rows + MESSAGES; m++)
        if (is_first(m))
            messages(m, take, context);
}
