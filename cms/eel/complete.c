/* Tab for EEL. */
#include "cms/command/complete.h"

#include <string.h>

#include "cms/eel/eel.h"

static void environments(struct candidates *c)
{
    const struct eel_environment *e;
    for (size_t i = 0; (e = cms_eel_environment(i)); i++)
        candidate_offer(c, e->name);
}

static void rules(enum eel_by by, struct candidates *c)
{
    const struct eel_rule *r;
    for (size_t i = 0; (r = cms_eel_rule(i)); i++)
        if (r->by == by)
            candidate_offer(c, r->name);
}

static void reset(const struct arguments *typed, struct candidates *c)
{
    static const char *const what[] = {"ENVIRON", "MAGIC", "TYPE", NULL};
    const struct word *word = &typed->operand[1];
    if (typed->count == 1)
        candidates_offer_all(c, what);
    else if (typed->count == 2 && cms_word_is(word, "ENVIRON", 3))
        environments(c);
    else if (typed->count == 2)
        rules(cms_word_is(word, "MAGIC", 3) ? EEL_BY_MAGIC : EEL_BY_TYPE, c);
}

static void set(const struct arguments *typed, struct candidates *c)
{
    static const char *const what[] = {"MAGIC", "POLICY", "TYPE", NULL};
    static const char *const policies[] = {"ASK", "SILENT", "TELL", NULL};
    const struct word *word = &typed->operand[1];
    if (typed->count == 1)
        candidates_offer_all(c, what);
    else if (cms_word_is(word, "POLICY", 3) && typed->count == 2)
        candidates_offer_all(c, policies);
    else if (typed->count == 2)
        rules(cms_word_is(word, "MAGIC", 3) ? EEL_BY_MAGIC : EEL_BY_TYPE, c);
    else if (typed->count == 3)
        environments(c);
}

static void eel(const struct arguments *typed, struct candidates *c)
{
    static const char *const functions[] = {"DEFINE", "QUERY", "RESET", "SET", NULL};
    if (!typed->count)
        candidates_offer_all(c, functions);
    else if (cms_word_is(&typed->operand[0], "QUERY", 1))
        cms_file_complete(typed->operand + 1, typed->count - 1, c);
    else if (cms_word_is(&typed->operand[0], "SET", 3))
        set(typed, c);
    else if (cms_word_is(&typed->operand[0], "RESET", 5))
        reset(typed, c);
    else if (cms_word_is(&typed->operand[0], "DEFINE", 3) && typed->count == 1)
        environments(c);
}

const struct command_completion eel_completions[] = {{"EEL", eel, NULL}, {0}};
