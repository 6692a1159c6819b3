/* EEL QUERY, SET, DEFINE, RESET. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/eel/eel.h"
#include "cms/eel/policy.h"

enum eel_policy cms_eel_policy;
static const char *const policies[] = {[POLICY_ASK] = "ASK", [POLICY_TELL] = "TELL", [POLICY_SILENT] = "SILENT"};
enum { POLICIES = sizeof policies / sizeof *policies };

static const char *how(const struct eel_environment *e)
{
    static const char *const kinds[] = {[EEL_REXX] = "REXX, in CMS", [EEL_NATIVE] = "a program itself",
                                        [EEL_PROGRAM] = "", [EEL_MACHINE] = "a machine of its own"};
    return e->kind == EEL_PROGRAM ? e->path : kinds[e->kind];
}

static void show_tables(void)
{
    const struct eel_environment *e;
    const struct eel_rule *r;
    cms_text("%-8s   = %s", "POLICY", policies[cms_eel_policy]);
    for (size_t i = 0; (e = cms_eel_environment(i)); i++)
        cms_text("ENVIRON  %-8s %s%s%s%s%s", e->name, how(e), *e->arguments ? " " : "", e->arguments,
                 e->own ? " (own)" : "", e->forbidden ? " (forbidden)" : "");
    for (size_t i = 0; (r = cms_eel_rule(i)); i++)
        cms_text("%-8s %-8s %s%s", r->by == EEL_BY_MAGIC ? "MAGIC" : "TYPE", r->name, r->environment,
                 r->own ? " (own)" : "");
}

static int show_file(const struct arguments *a)
{
    char text[FILE_ID_MAX];
    struct file_found found;
    struct eel_verdict v;
    struct file_id id;
    int rc = a->count > 4 ? cms_message("EEL", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[4]))
                          : cms_file_id_read("EEL", a->operand + 1, a->count - 1, '*', false, &id);
    if (!rc)
        rc = cms_file_find("EEL", &id, &found);
    if (!rc)
        rc = cms_eel_verdict(&found, &v);
    if (rc)
        return rc;
    cms_file_found_text(&found, text);
    if (!v.environment)
        return cms_message("EEL", MESSAGE_EEL_NOTHING, text);
    cms_text("%s: %s (%s), by its %s %s%s", text, v.environment->name, how(v.environment),
             v.by == EEL_BY_MAGIC ? "first bytes," : "filetype,", v.by == EEL_BY_MAGIC ? v.magic : found.facts.type,
             v.environment->forbidden ? "; forbidden" : "");
    if (v.disagree)
        cms_text("%s by its filetype, %s", v.by_type->name, found.facts.type);
    return 0;
}

static int query(const struct arguments *a)
{
    if (a->count > 1)
        return show_file(a);
    show_tables();
    return 0;
}

static int set_policy(const struct arguments *a)
{
    for (int i = 0; i < POLICIES; i++)
        if (cms_word_is(&a->operand[2], policies[i], strlen(policies[i]))) {
            cms_eel_policy = (enum eel_policy)i;
            return 0;
        }
    return cms_message("EEL", MESSAGE_INVALID_PARAMETER, cms_typed(&a->operand[2]));
}

static bool is_magic(const char *name)
{
    const char *known;
    for (size_t i = 0; (known = cms_eel_magic_name(i)); i++)
        if (!strcmp(known, name))
            return true;
    return false;
}

/* SET MAGIC|TYPE name environment */
static int set_rule(const struct arguments *a, enum eel_by by)
{
    const struct word *name = &a->operand[2], *environment = &a->operand[3];
    if (a->count < 4)
        return cms_message("EEL", MESSAGE_PARAMETER_MISSING, cms_typed(name));
    if (name->raw_length > EEL_NAME || !edf_name_valid(name->text) || (by == EEL_BY_MAGIC && !is_magic(name->text)))
        return cms_message("EEL", MESSAGE_INVALID_PARAMETER, cms_typed(name));
    if (environment->raw_length > EEL_NAME || !cms_eel_find(environment->text))
        return cms_message("EEL", MESSAGE_INVALID_PARAMETER, cms_typed(environment));
    return cms_eel_set_rule(by, name->text, environment->text) ? 0 : cms_message("EEL", MESSAGE_EEL_FULL);
}

static int set(const struct arguments *a)
{
    if (a->count < 3)
        return cms_message("EEL", MESSAGE_PARAMETER_MISSING, cms_typed(&a->operand[a->count - 1]));
    if (a->count > 4)
        return cms_message("EEL", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[4]));
    if (cms_word_is(&a->operand[1], "POLICY", 3))
        return a->count > 3 ? cms_message("EEL", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[3])) : set_policy(a);
    if (cms_word_is(&a->operand[1], "MAGIC", 3))
        return set_rule(a, EEL_BY_MAGIC);
    if (cms_word_is(&a->operand[1], "TYPE", 3))
        return set_rule(a, EEL_BY_TYPE);
    return cms_message("EEL", MESSAGE_INVALID_PARAMETER, cms_typed(&a->operand[1]));
}

/* DEFINE environment path [words], of which those behind the name are taken as typed. */
static int define(const struct arguments *a)
{
    char path[EEL_PATH + 1];
    const struct word *name = &a->operand[1], *program = &a->operand[2];
    if (a->count < 3)
        return cms_message("EEL", MESSAGE_PARAMETER_MISSING, cms_typed(&a->operand[a->count - 1]));
    if (name->raw_length > EEL_NAME || !edf_name_valid(name->text))
        return cms_message("EEL", MESSAGE_INVALID_PARAMETER, cms_typed(name));
    const char *arguments = program->raw + program->raw_length;
    while (*arguments == ' ')
        arguments++;
    if (program->raw_length > EEL_PATH || *program->raw != '/' || strlen(arguments) > EEL_ARGUMENTS)
        return cms_message("EEL", MESSAGE_INVALID_PARAMETER, cms_typed(program));
    memcpy(path, program->raw, program->raw_length);
    path[program->raw_length] = 0;
    return cms_eel_define(name->text, path, arguments) ? 0 : cms_message("EEL", MESSAGE_EEL_FULL);
}

static bool reset_magic(const char *name) { return cms_eel_reset_rule(EEL_BY_MAGIC, name); }
static bool reset_type(const char *name) { return cms_eel_reset_rule(EEL_BY_TYPE, name); }

/* RESET ENVIRON|MAGIC|TYPE name */
static int reset_one(const struct arguments *a)
{
    static const struct {
        const char *name;
        bool (*reset)(const char *name);
    } kinds[] = {{"ENVIRON", cms_eel_reset_environment}, {"MAGIC", reset_magic}, {"TYPE", reset_type}};
    const struct word *name = &a->operand[2];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!cms_word_is(&a->operand[1], kinds[i].name, 3))
            continue;
        if (a->count < 3)
            return cms_message("EEL", MESSAGE_PARAMETER_MISSING, kinds[i].name);
        bool own = name->raw_length <= EEL_NAME && kinds[i].reset(name->text);
        return own ? 0 : cms_message("EEL", MESSAGE_EEL_NOT_OWN, kinds[i].name, cms_typed(name));
    }
    return cms_message("EEL", MESSAGE_INVALID_PARAMETER, cms_typed(&a->operand[1]));
}

static int reset(const struct arguments *a)
{
    if (a->count > 3)
        return cms_message("EEL", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[3]));
    if (a->count > 1)
        return reset_one(a);
    cms_eel_reset();
    cms_eel_policy = POLICY_ASK;
    return 0;
}

int cms_eel(const struct arguments *a)
{
    static const struct {
        const char *name;
        uint8_t least;
        int (*run)(const struct arguments *);
    } functions[] = {{"QUERY", 1, query}, {"SET", 3, set}, {"DEFINE", 3, define}, {"RESET", 5, reset}};
    if (!a->count)
        return query(a);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (cms_word_is(&a->operand[0], functions[i].name, functions[i].least))
            return functions[i].run(a);
    return cms_message("EEL", MESSAGE_INVALID_PARAMETER, cms_typed(&a->operand[0]));
}

const struct command eel_commands[] = {
    {"EEL", 3, cms_eel, HELP_TEXT("EEL QUERY [fn ft [fm]]\n"
                                  "EEL SET POLICY ASK|TELL|SILENT\n"
                                  "EEL SET MAGIC|TYPE name environment\n"
                                  "EEL DEFINE environment path [word ...]\n"
                                  "EEL RESET [ENVIRON|MAGIC|TYPE name]"),
     HELP_TEXT("What runs a file whose name is typed.  Rules go by its first bytes (MAGIC),\n"
               "else by its filetype (TYPE).  QUERY shows them, or what runs one file, and why.\n"
               "SET POLICY ASK asks first where both say different things, TELL says each time\n"
               "what is run.  DEFINE names a program that runs files, or shows them: %f among\n"
               "the words is the file's path.  RESET takes back what you have set: all of it,\n"
               "or one name's, which is then as CMS brings it, or not there.  With an\n"
               "environment that you have defined go your rules that name it.\n"
               "Put into PROFILE EXEC what is to be so in each session.\n"), READS_WORDS},
    {0},
};
