/* Tab in a pipeline: stages, the fileids of those that have one, the command of CMS, and the keywords of the others,
 * which are the words in capitals of their format. */
#include <string.h>

#include "cms/command/complete.h"
#include "cms/file/file.h"
#include "cms/pipe/stages.h"

static void offer_stages(struct candidates *c)
{
    for (size_t i = 0; cms_pipe_stages[i]; i++)
        candidate_offer(c, cms_pipe_stages[i]->name);
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* A word with a small letter in it stands for something else. */
static void offer_keywords(const struct stage_kind *kind, struct candidates *c)
{
    const char *at = kind->format + strlen(kind->name);
    char word[20];
    while (*at) {
        size_t n = 0;
        while (is_capital(at[n]))
            n++;
        bool whole = !(at[n] >= 'a' && at[n] <= 'z') && !(at[n] >= '0' && at[n] <= '9');
        if (n > 1 && n < sizeof word && whole) {
            memcpy(word, at, n);
            word[n] = 0;
            candidate_offer(c, word);
        }
        at += n ? n : 1;
    }
}

/* ---- where the user is ------------------------------------------------------------------------------------------- */

/* What the options say is between stages, or between rows of them. */
static char option_value(const char *options, const char *end, const char *name, size_t least, char otherwise)
{
    struct scan s = {options, end};
    char word[20], value[4];
    while (cms_scan_upper(&s, word, sizeof word))
        if (cms_abbreviates(word, name, least) && cms_scan_upper(&s, value, sizeof value) && !value[1])
            return *value;
    return otherwise;
}

static const char *behind_last(const char *text, char c)
{
    const char *last = c ? strrchr(text, c) : NULL;
    return last ? last + 1 : text;
}

static const char *skip_blanks(const char *text)
{
    while (*text == ' ')
        text++;
    return text;
}

/* The text of the stage that is being typed: what stands behind the last separator, PIPE's own options, labels. */
static const char *last_stage(const char *text)
{
    const char *options = skip_blanks(text);
    const char *close = *options == '(' ? strchr(options, ')') : NULL;
    char separator = '|', end = 0;
    if (close) {
        separator = option_value(options + 1, close, "STAGESEP", 8, separator);
        end = option_value(options + 1, close, "ENDCHAR", 3, 0);
        text = close + 1;
    }
    text = behind_last(behind_last(text, separator), end);
    const char *word = skip_blanks(text), *colon = strpbrk(word, " :");
    return colon && *colon == ':' ? colon + 1 : text;
}

static void complete_stage(const char *text, struct candidates *c)
{
    struct arguments stage;
    const struct stage_kind *kind;
    char name[20];
    do { /* behind APPEND and NOT comes another stage */
        struct scan typed = {text, text + strlen(text)};
        if (!cms_scan_upper(&typed, name, sizeof name))
            return offer_stages(c);
        text = typed.at;
        kind = cms_pipe_kind(name);
    } while (kind && (kind->takes_stage || kind == &cms_stage_not));
    if (!kind || !cms_parse(text - strlen(name), &stage))
        return;
    if (kind == &cms_stage_help)
        offer_stages(c);
    else if (kind == &cms_stage_cms || kind == &cms_stage_command)
        cms_command_complete(stage.rest, strlen(stage.rest), c);
    else if (kind == &cms_stage_read || kind == &cms_stage_state || (kind->keeps_on && *kind->name == '>'))
        cms_file_complete(stage.operand, stage.count, c);
    else
        offer_keywords(kind, c);
}

static void stage_or_operand(const struct arguments *typed, struct candidates *c)
{
    complete_stage(last_stage(typed->rest), c);
}

const struct command_completion pipe_completions[] = {{"PIPE", stage_or_operand, stage_or_operand}, {0}};
