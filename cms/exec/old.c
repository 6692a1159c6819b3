/* In: a file of lines. Out: what they have CMS do, and a return code. */
#include "cms/exec/old.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/exec/words.h"
#include "cms/kernel/heap.h"
#include "lib/format.h"

enum told { TOLD_NOTHING, TOLD_FAILED, TOLD_ALL };
enum problem { PROBLEM_READ, PROBLEM_ARGUMENTS, PROBLEM_SYNTAX, PROBLEM_ERROR_ACTION, PROBLEM_LONG, PROBLEM_WORD };

/* Return codes and words are CMS'. */
static const struct {
    int return_code;
    const char *text;
} problems[] = {
    [PROBLEM_READ] = {806, "it cannot be read"},
    [PROBLEM_ARGUMENTS] = {804, "too many arguments"},
    [PROBLEM_SYNTAX] = {807, "invalid syntax"},
    [PROBLEM_ERROR_ACTION] = {811, "error in &ERROR action"},
    [PROBLEM_LONG] = {813, "too many tokens in statement"},
    [PROBLEM_WORD] = {816, "invalid control word"},
};

struct exec {
    const struct file_found *found;
    struct exec_old_values values;
    enum told told;
    bool exits_on_error, ended;
    int return_code, error_code; /* of the EXEC; of &ERROR &EXIT: what it then is, -1: that of the command */
    uint32_t line;
    char text[COMMAND_LINE_MAX + 1];
};

/* Ends the EXEC. */
static void fail(struct exec *e, enum problem p)
{
    cms_message("EXT", MESSAGE_EXEC_ERROR, e->found->facts.name, e->line, problems[p].text);
    e->return_code = problems[p].return_code;
    e->ended = true;
}

/* ---- control words ----------------------------------------------------------------------------------------------- */

static void type(struct exec *e, struct words *rest)
{
    cms_line(rest->at, strlen(rest->at));
    (void)e;
}

/* A return code, or nothing. False: what stands there is neither. */
static bool read_code(struct words *rest, int *code)
{
    char word[16];
    uint32_t value;
    if (!words_next(rest, word, sizeof word, false))
        return true;
    bool negative = *word == '-';
    if (*rest->at || !words_number(word + negative, &value) || value > INT32_MAX)
        return false;
    *code = negative ? -(int)value : (int)value;
    return true;
}

static void leave(struct exec *e, struct words *rest)
{
    if (!read_code(rest, &e->return_code))
        fail(e, PROBLEM_SYNTAX);
    e->ended = true;
}

/* What it shows beyond commands and their time is not shown in any case. */
static void control(struct exec *e, struct words *rest)
{
    static const struct {
        const char *name;
        bool shows;
        enum told told;
    } words[] = {{"OFF", true, TOLD_NOTHING}, {"ERROR", true, TOLD_FAILED}, {"CMS", true, TOLD_ALL},
                 {"ALL", true, TOLD_ALL},     {"PACK", false, 0},           {"NOPACK", false, 0},
                 {"TIME", false, 0},          {"NOTIME", false, 0},         {"MSG", false, 0},
                 {"NOMSG", false, 0}};
    char word[16];
    while (words_next(rest, word, sizeof word, true)) {
        size_t i = 0;
        while (i < sizeof words / sizeof *words && strcmp(words[i].name, word))
            i++;
        if (i == sizeof words / sizeof *words) {
            fail(e, PROBLEM_SYNTAX);
            return;
        }
        e->told = words[i].shows ? words[i].told : e->told;
    }
}

static void on_error(struct exec *e, struct words *rest)
{
    char word[16];
    words_next(rest, word, sizeof word, true);
    e->exits_on_error = !strcmp(word, "&EXIT");
    e->error_code = -1;
    if (e->exits_on_error ? !read_code(rest, &e->error_code) : strcmp(word, "&CONTINUE") || *rest->at)
        fail(e, PROBLEM_ERROR_ACTION);
}

static void go_on(struct exec *e, struct words *rest)
{
    (void)e, (void)rest;
}

static const struct {
    const char *name;
    void (*obey)(struct exec *, struct words *rest);
} controls[] = {{"&TYPE", type}, {"&EXIT", leave}, {"&CONTROL", control}, {"&ERROR", on_error}, {"&CONTINUE", go_on}};

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static void obey_command(struct exec *e)
{
    char failed[32];
    if (!*e->text)
        return;
    if (e->told == TOLD_ALL)
        cms_line(e->text, strlen(e->text));
    int rc = cms_obey(e->text);
    e->values.return_code = rc;
    if (rc == COMMAND_HALTED || cms_halted()) {
        e->return_code = COMMAND_HALTED;
        e->ended = true;
        return;
    }
    if (!rc)
        return;
    if (e->told == TOLD_FAILED)
        cms_line(e->text, strlen(e->text));
    if (e->told != TOLD_NOTHING)
        cms_line(failed, format_text(failed, sizeof failed, "+++ R(%05d) +++", rc));
    if (e->exits_on_error) {
        e->return_code = e->error_code == -1 ? rc : e->error_code;
        e->ended = true;
    }
}

/* Where &1 is nothing, what is behind it is the command. */
static void obey_line(struct exec *e, const char *line, size_t length)
{
    struct words words;
    char word[16];
    size_t at = 0;
    while (at < length && line[at] == ' ')
        at++;
    if (at == length || line[at] == '*')
        return;
    if (!exec_old_substitute(&e->values, line, length, e->text, sizeof e->text)) {
        fail(e, PROBLEM_LONG);
        return;
    }
    if (*e->text != '&') {
        obey_command(e);
        return;
    }
    words_begin(&words, e->text);
    words_next(&words, word, sizeof word, true);
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
        if (!strcmp(controls[i].name, word)) {
            controls[i].obey(e, &words);
            return;
        }
    fail(e, PROBLEM_WORD);
}

static enum edf_status obey_lines(struct exec *e, struct edf_reader *reader, char *record)
{
    enum edf_status status = EDF_OK;
    uint32_t length;
    while (!e->ended && !(status = edf_read(reader, record, e->found->facts.lrecl, &length))) {
        e->line++;
        obey_line(e, record, length);
    }
    return status;
}

enum edf_status cms_exec_is_old(const struct file_found *found, bool *old)
{
    char first[64];
    uint32_t length, at;
    bool known = false;
    struct edf_reader *reader;
    enum edf_status status = edf_open(found->mode->disk, found->facts.name, found->facts.type, &reader);
    *old = false;
    if (status)
        return status;
    while (!known && !(status = edf_read(reader, first, sizeof first, &length))) {
        length = length < sizeof first ? length : sizeof first;
        for (at = 0; at < length && first[at] == ' ';)
            at++;
        known = at < length;
        *old = known && (first[at] == '&' || first[at] == '*');
    }
    edf_close(reader);
    return status == EDF_END ? EDF_OK : status;
}

static void run(struct exec *e, struct edf_reader *reader, char *record, const char *argument)
{
    if (!exec_old_arguments(&e->values, e->found->facts.name, argument))
        fail(e, PROBLEM_ARGUMENTS);
    else if (obey_lines(e, reader, record) > EDF_END)
        fail(e, PROBLEM_READ);
}

int cms_exec_old(const struct file_found *found, const char *argument)
{
    struct edf_reader *reader = NULL;
    struct exec *e = cms_heap_allocate(sizeof *e);
    char *record = cms_heap_allocate(found->facts.lrecl + 1), text[FILE_ID_MAX];
    int rc = e && record ? 0 : cms_message("EXC", MESSAGE_VIRTUAL_STORAGE);
    enum edf_status status = rc ? EDF_OK : edf_open(found->mode->disk, found->facts.name, found->facts.type, &reader);
    if (status) {
        cms_file_found_text(found, text);
        rc = cms_file_failed("EXC", status, found->mode, text);
    }
    if (!rc) {
        *e = (struct exec){.found = found, .told = TOLD_ALL, .error_code = -1};
        run(e, reader, record, argument);
        rc = e->return_code;
        edf_close(reader);
    }
    cms_heap_free(record);
    cms_heap_free(e);
    return rc;
}
