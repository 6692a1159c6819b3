/* From a name typed to what runs. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/line.h"
#include "cms/eel/eel.h"
#include "cms/eel/policy.h"
#include "cms/exec/exec.h"
#include "cms/kernel/heap.h"

bool cms_eel_find_file(const char *name, struct file_found *found)
{
    const struct eel_rule *rule;
    size_t length = strlen(name);
    if (length > EDF_NAME_MAX || !edf_name_valid(name))
        return false;
    for (size_t i = 0; (rule = cms_eel_rule(i)); i++) {
        struct file_search search = {.id = {.letter = '*'}};
        if (rule->by != EEL_BY_TYPE || !strcmp(rule->name, "EXEC"))
            continue;
        memcpy(search.id.name, name, length + 1);
        memcpy(search.id.type, rule->name, sizeof search.id.type);
        if (cms_file_next(&search, found))
            return true;
    }
    return false;
}

static bool says_yes(const char *answer)
{
    return !strcmp(answer, "1") || ((*answer | 0x20) == 'y' && (!answer[1] || !strcmp(answer + 1, "es") ||
                                                                !strcmp(answer + 1, "ES")));
}

/* 0, or the return code of having refused. */
static int consent(const char *text, const struct eel_verdict *v)
{
    char answer[LINE_TEXT_MAX + 1];
    if (v->disagree && cms_eel_policy == POLICY_ASK) {
        cms_message("EEL", MESSAGE_EEL_DISAGREE, text, v->by_type->name, v->environment->name, v->magic,
                    v->environment->name);
        if (cms_read(answer, sizeof answer) < 0)
            return COMMAND_HALTED;
        return says_yes(answer) ? 0 : cms_message("EEL", MESSAGE_EEL_REFUSED, text);
    }
    if (cms_eel_policy == POLICY_TELL)
        cms_message("EEL", MESSAGE_EEL_TELL, text, v->environment->name,
                    v->by == EEL_BY_MAGIC ? "first bytes" : "filetype");
    return 0;
}

static int run_program(const struct eel_environment *e, const char *path, const char *argument)
{
    struct eel_line *line = cms_heap_allocate(sizeof *line);
    if (!line)
        return cms_message("EEL", MESSAGE_VIRTUAL_STORAGE);
    line->count = 0, line->used = 0;
    bool fits = e->kind == EEL_NATIVE ? cms_eel_add_word(line, path) : cms_eel_add_template(line, e, path);
    fits = fits && cms_eel_add_words(line, argument);
    int rc = fits ? cms_program_start(e->kind == EEL_NATIVE ? path : e->path, line->word)
                  : cms_message("EEL", MESSAGE_EEL_WORDS);
    cms_heap_free(line);
    return rc;
}

int cms_eel_verdict(const struct file_found *found, struct eel_verdict *verdict)
{
    char text[FILE_ID_MAX];
    uint8_t *first = cms_heap_allocate(EEL_MAGIC_BYTES);
    if (!first)
        return cms_message("EEL", MESSAGE_VIRTUAL_STORAGE);
    int got = cms_program_peek(found, first, EEL_MAGIC_BYTES);
    if (got >= 0)
        *verdict = cms_eel_judge(first, (size_t)got, found->facts.type);
    cms_heap_free(first);
    cms_file_found_text(found, text);
    return got < 0 ? cms_message("EEL", MESSAGE_EEL_UNREADABLE, text, -got) : 0;
}

int cms_eel_run(const struct file_found *found, const char *argument)
{
    char text[FILE_ID_MAX], path[PROGRAM_PATH];
    struct eel_verdict v;
    int rc = cms_file_refuse_packed("EEL", found);
    if (!rc)
        rc = cms_eel_verdict(found, &v);
    cms_file_found_text(found, text);
    if (rc)
        return rc;
    if (!v.environment)
        return cms_message("EEL", MESSAGE_EEL_NOTHING, text);
    if (v.environment->forbidden)
        return cms_message("EEL", MESSAGE_EEL_FORBIDDEN, v.environment->name);
    if ((rc = consent(text, &v)))
        return rc;
    cms_program_path(found, path);
    switch (v.environment->kind) {
    case EEL_REXX: return cms_exec_run(found, argument);
    case EEL_MACHINE: return cms_program_machine(found, argument);
    default: return run_program(v.environment, path, argument);
    }
}
