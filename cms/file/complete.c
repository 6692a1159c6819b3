/* Tab: fileids of what there is on the accessed disks, and the options of the file commands. */
#include <string.h>

#include "cms/command/complete.h"
#include "cms/file/file.h"

/* Only names that CMS allows: others may hold what commands a terminal, and no command takes them. */
void cms_file_complete(const struct word *words, int count, struct candidates *c)
{
    struct edf_file_facts facts;
    for (struct mode *m = NULL; count < 3 && (m = cms_mode_next(m));) {
        const char *name = count > 0 ? words[0].text : NULL, *type = count > 1 ? words[1].text : NULL;
        const char letter[] = {m->letter, 0};
        for (uint32_t position = 0; edf_next(m->disk, &position, name, type, &facts) == EDF_OK;)
            if (edf_name_valid(facts.name) && edf_name_valid(facts.type))
                candidate_offer(c, count == 0 ? facts.name : count == 1 ? facts.type : letter);
    }
}

static void one_file(const struct arguments *typed, struct candidates *c)
{
    cms_file_complete(typed->operand, typed->count, c);
}

static void many_files(const struct arguments *typed, struct candidates *c)
{
    int at = typed->count - typed->count % 3;
    cms_file_complete(typed->operand + at, typed->count - at, c);
}

static void tape_operand(const struct arguments *typed, struct candidates *c)
{
    const char *function;
    if (typed->count)
        cms_file_complete(typed->operand + 1, typed->count - 1, c);
    for (size_t i = 0; !typed->count && (function = cms_file_tape_function(i)); i++)
        candidate_offer(c, function);
}

static void ddr_operand(const struct arguments *typed, struct candidates *c)
{
    static const char *const functions[] = {"COPY", "DUMP", "RESTORE"};
    for (size_t i = 0; !typed->count && i < sizeof functions / sizeof *functions; i++)
        candidate_offer(c, functions[i]);
    if (typed->count == 2 && !strcmp(typed->operand[0].text, "COPY"))
        candidate_offer(c, "TO");
}

void cms_file_complete_type(const char *type, struct candidates *c)
{
    struct edf_file_facts facts;
    for (struct mode *m = NULL; (m = cms_mode_next(m));)
        for (uint32_t position = 0; edf_next(m->disk, &position, NULL, type, &facts) == EDF_OK;)
            if (edf_name_valid(facts.name))
                candidate_offer(c, facts.name);
}

static void synonym_operand(const struct arguments *typed, struct candidates *c)
{
    if (typed->count)
        cms_file_complete(typed->operand, typed->count, c);
    else
        cms_file_complete_type("SYNONYM", c);
}

static void snapshot_operand(const struct arguments *typed, struct candidates *c)
{
    static const char *const functions[] = {"DELETE", "LINK", "LIST", "ROLLBACK", "TAKE"};
    const char *function = typed->count ? typed->operand[0].text : "";
    for (size_t i = 0; !typed->count && i < sizeof functions / sizeof *functions; i++)
        candidate_offer(c, functions[i]);
    if (typed->count == 2 && !strcmp(function, "ROLLBACK"))
        candidate_offer(c, "EDITED");
    if (typed->count == 2 && !strcmp(function, "DELETE"))
        candidate_offer(c, "ALL");
    if (typed->count == 3 && !strcmp(function, "LINK"))
        candidate_offer(c, "AS");
    if (typed->count >= 4 && typed->count <= 5 && !strcmp(function, "LINK"))
        candidate_offer(c, "EDIT");
}

static void snapshot_option(const struct arguments *typed, struct candidates *c)
{
    if (!typed->option_count)
        candidate_offer(c, "KEEP");
    else
        cms_file_complete(typed->option + 1 + (typed->option_count - 1) / 2 * 2, (typed->option_count - 1) % 2, c);
}

static void filedef_operand(const struct arguments *typed, struct candidates *c)
{
    if (typed->count == 1) {
        candidate_offer(c, "CLEAR");
        candidate_offer(c, "DISK");
    } else if (typed->count) {
        cms_file_complete(typed->operand + 2, typed->count - 2, c);
    }
}

/* Nothing where an option's value is wanted. */
static void offer_options(const struct file_option *table, const struct arguments *typed, struct candidates *c)
{
    const struct word *last = typed->option_count ? &typed->option[typed->option_count - 1] : NULL;
    for (int i = 0; last && table[i].name; i++)
        if (table[i].value && cms_abbreviates(last->text, table[i].name, table[i].abbreviation))
            return;
    for (int i = 0; table[i].name; i++)
        candidate_offer(c, table[i].name);
}

#define OPTIONS(command)                                                                  \
    static void command##_option(const struct arguments *typed, struct candidates *c)     \
    {                                                                                     \
        offer_options(cms_file_##command##_options, typed, c);                            \
    }
OPTIONS(compare)
OPTIONS(copyfile)
OPTIONS(erase)
OPTIONS(listfile)
OPTIONS(rename)
OPTIONS(synonym)
OPTIONS(tape)
OPTIONS(type)

const struct command_completion file_completions[] = {
    {"COMPARE", many_files, compare_option},{"COPYFILE", many_files, copyfile_option},
    {"ERASE", one_file, erase_option},      {"LISTFILE", one_file, listfile_option},
    {"DDR", ddr_operand, NULL},
    {"FILEDEF", filedef_operand, NULL},     {"RENAME", many_files, rename_option},
    {"SNAPSHOT", snapshot_operand, snapshot_option}, {"SORT", many_files, NULL},
    {"STATE", one_file, NULL},              {"STATEW", one_file, NULL},
    {"SYNONYM", synonym_operand, synonym_option},
    {"TAPE", tape_operand, tape_option},    {"TYPE", one_file, type_option},
    {0},
};
