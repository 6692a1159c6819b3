/* Tab: names of commands, and the operands and options of this room's. */
#include "cms/command/complete.h"

#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/settings.h"
#include "cms/kernel/mode.h"
#include "lib/format.h"

/* ---- what is offered --------------------------------------------------------------------------------------------- */

static void offer_commands(struct candidates *c)
{
    const struct command *command;
    for (size_t i = 0; (command = cms_command_at(i)); i++)
        candidate_offer(c, command->name);
}

static void offer_names(struct candidates *c, const char *(*name)(size_t index))
{
    for (size_t i = 0; name(i); i++)
        candidate_offer(c, name(i));
}

static void offer_modes(struct candidates *c)
{
    for (struct mode *m = NULL; (m = cms_mode_next(m));)
        candidate_offer(c, (const char[]){m->letter, 0});
}

static void offer_disks(struct candidates *c)
{
    char vdev[8];
    for (struct mode *m = NULL; (m = cms_mode_next(m));) {
        format_text(vdev, sizeof vdev, "%X", m->vdev);
        candidate_offer(c, vdev);
    }
}

/* ---- the commands of this room ----------------------------------------------------------------------------------- */

static void access_option(const struct arguments *typed, struct candidates *c)
{
    (void)typed;
    candidate_offer(c, "FORCERO");
}

static void format_operand(const struct arguments *typed, struct candidates *c)
{
    if (typed->count == 1)
        offer_modes(c);
}

static void format_option(const struct arguments *typed, struct candidates *c)
{
    static const char *const sizes[] = {"512", "1K", "2K", "4K"};
    if (!typed->option_count)
        candidate_offer(c, "BLKSIZE");
    for (size_t i = 0; typed->option_count == 1 && i < sizeof sizes / sizeof *sizes; i++)
        candidate_offer(c, sizes[i]);
}

static void help_operand(const struct arguments *typed, struct candidates *c)
{
    if (!typed->count)
        offer_commands(c);
}

static void identify_option(const struct arguments *typed, struct candidates *c)
{
    static const char *const words[] = {"FIFO", "FULLDATE", "ISODATE", "LIFO", "SHORTDATE", "STACK", NULL};
    (void)typed;
    candidates_offer_all(c, words);
}

static void query_option(const struct arguments *typed, struct candidates *c)
{
    static const char *const words[] = {"FIFO", "LIFO", "STACK", NULL};
    (void)typed;
    candidates_offer_all(c, words);
}

static void query_operand(const struct arguments *typed, struct candidates *c)
{
    static const char *const synonyms[] = {"ALL", "SYSTEM", "USER", NULL};
    if (typed->count == 1 && cms_abbreviates(typed->operand[0].text, "SYNONYM", 3))
        candidates_offer_all(c, synonyms);
    if (typed->count == 1 && cms_abbreviates(typed->operand[0].text, "DISK", 4))
        candidate_offer(c, "R/W");
    if (typed->count == 1 && (cms_abbreviates(typed->operand[0].text, "DISK", 4) ||
                              cms_abbreviates(typed->operand[0].text, "ACCESSED", 2)))
        offer_modes(c);
    if (typed->count)
        return;
    offer_names(c, cms_query_name);
    offer_names(c, cms_setting_name);
}

static void release_operand(const struct arguments *typed, struct candidates *c)
{
    if (typed->count)
        return;
    offer_modes(c);
    offer_disks(c);
}

static void release_option(const struct arguments *typed, struct candidates *c)
{
    (void)typed;
    candidate_offer(c, "DET");
}

static void set_operand(const struct arguments *typed, struct candidates *c)
{
    const char *value;
    if (!typed->count)
        offer_names(c, cms_setting_name);
    for (size_t i = 0; typed->count == 1 && (value = cms_setting_value(typed->operand[0].text, i)); i++)
        candidate_offer(c, value);
}

static const struct command_completion builtin_completions[] = {
    {"ACCESS", NULL, access_option},   {"FORMAT", format_operand, format_option},
    {"HELP", help_operand, NULL},      {"IDENTIFY", NULL, identify_option},
    {"QUERY", query_operand, query_option},
    {"RELEASE", release_operand, release_option}, {"SET", set_operand, NULL},
    {0},
};

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static const struct command_completion *const tables[] = {builtin_completions, file_completions, pipe_completions,
                                                        spool_completions, directory_completions, exec_completions,
                                                        eel_completions, xedit_completions};

const struct command_completion *cms_completion_find(const char *command)
{
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const struct command_completion *row = tables[t]; row->command; row++)
            if (!strcmp(row->command, command))
                return row;
    return NULL;
}

static command_completer *completer(const struct arguments *typed)
{
    const struct command *command = cms_command_find(typed->name.text, cms_settings.abbrev == SWITCH_ON);
    const struct command_completion *row = command ? cms_completion_find(command->name) : NULL;
    return !row ? NULL : typed->has_options ? row->option : row->operand;
}

void cms_command_complete(const char *line, size_t length, struct candidates *c)
{
    static char before[LINE_TEXT_MAX + 1]; /* `line` may be part of it */
    struct arguments typed;
    length = cms_last_word(line, length);
    memmove(before, line, length);
    before[length] = 0;
    if (!cms_parse(before, &typed))
        return offer_commands(c);
    command_completer *complete = completer(&typed);
    if (complete)
        complete(&typed, c);
}
