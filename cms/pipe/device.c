/* Stages to and from the user and what waits for him: LITERAL, STRLITERAL, CONSOLE, STARMSG, HOLE, QUERY. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/command/version.h"
#include "cms/file/file.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/stages.h"

static int pass(struct stage *stage, const uint8_t *data, size_t length)
{
    return cms_pipe_put(stage, 0, data, length);
}

static int put_string(struct stage *stage, const char *text)
{
    return cms_pipe_put(stage, 0, text, strlen(text));
}

/* ---- LITERAL, STRLITERAL ----------------------------------------------------------------------------------------- */

struct text {
    struct scan scan;
    struct string string;
    bool append;
};

void cms_pipe_take_text(struct scan *operands, struct scan *text)
{
    *text = *operands;
    if (text->at < text->end && *text->at == ' ')
        text->at++;
    operands->at = operands->end;
}

static int literal_prepare(struct stage *stage, struct scan *operands)
{
    cms_pipe_take_text(operands, &((struct text *)stage->state)->scan);
    return 0;
}

static int literal_begin(struct stage *stage)
{
    const struct text *t = stage->state;
    return cms_pipe_put(stage, 0, t->scan.at, (size_t)(t->scan.end - t->scan.at));
}

const struct stage_kind cms_stage_literal = {
    .name = "LITERAL", .abbreviation = 3, .size = sizeof(struct text),
    .format = "LITERAL text",
    .help = HELP_TEXT("One record, then the input.\n"),
    .prepare = literal_prepare, .begin = literal_begin, .record = pass};

static int strliteral_prepare(struct stage *stage, struct scan *operands)
{
    struct text *t = stage->state;
    t->append = cms_scan_keyword(operands, "APPEND", 6);
    if (!t->append && !cms_scan_keyword(operands, "PREFACE", 7))
        cms_scan_keyword(operands, "PREFIX", 6);
    int rc = cms_scan_string(operands, &t->string);
    return rc ? rc : cms_scan_end(operands);
}

static int strliteral_begin(struct stage *stage)
{
    const struct text *t = stage->state;
    return t->append ? 0 : cms_pipe_put(stage, 0, t->string.data, t->string.length);
}

static int strliteral_end(struct stage *stage)
{
    struct text *t = stage->state;
    if (!t->append)
        return 0;
    t->append = false;
    int rc = cms_pipe_put(stage, 0, t->string.data, t->string.length);
    return rc ? rc : PIPE_AGAIN;
}

const struct stage_kind cms_stage_strliteral = {
    .name = "STRLITERAL", .abbreviation = 6, .size = sizeof(struct text),
    .format = "STRLITERAL [PREFACE|APPEND] /text/",
    .help = HELP_TEXT("One record before the input or behind it.\n"),
    .prepare = strliteral_prepare, .begin = strliteral_begin, .record = pass, .end = strliteral_end};

/* ---- CONSOLE ----------------------------------------------------------------------------------------------------- */

struct console {
    char *line;
};

static int console_start(struct stage *stage)
{
    struct console *c = stage->state;
    if (stage->stream[0].in)
        return 0;
    c->line = cms_heap_allocate(COMMAND_LINE_MAX + 1);
    return c->line ? 0 : cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
}

static int console_begin(struct stage *stage)
{
    struct console *c = stage->state;
    if (c->line && stage->stream[0].out && !cms_pipe_wanted(stage, 0))
        return PIPE_ENOUGH;
    int length = c->line ? cms_read(c->line, COMMAND_LINE_MAX + 1) : 0;
    if (length <= 0)
        return length < 0 ? COMMAND_HALTED : 0;
    int rc = cms_pipe_put(stage, 0, c->line, (size_t)length);
    return rc ? rc : PIPE_AGAIN;
}

static int console_record(struct stage *stage, const uint8_t *data, size_t length)
{
    cms_file_show(data, length);
    return cms_pipe_put(stage, 0, data, length);
}

static void console_close(struct stage *stage)
{
    cms_heap_free(((struct console *)stage->state)->line);
}

#define CONSOLE_HELP \
    "As the first stage what you type, until a null line; else it shows the records,\n" \
    "which pass on.\n"

const struct stage_kind cms_stage_console = {
    .name = "CONSOLE", .abbreviation = 4, .keeps_on = true, .size = sizeof(struct console),
    .format = "CONSOLE", .help = HELP_TEXT(CONSOLE_HELP),
    .start = console_start, .begin = console_begin, .record = console_record,
    .close = console_close};
const struct stage_kind cms_stage_terminal = {
    .name = "TERMINAL", .abbreviation = 4, .keeps_on = true, .size = sizeof(struct console),
    .format = "TERMINAL", .help = HELP_TEXT(CONSOLE_HELP),
    .start = console_start, .begin = console_begin, .record = console_record,
    .close = console_close};

/* ---- STARMSG ----------------------------------------------------------------------------------------------------- */

/* Before who sent it and the text stands what kind of message it is, as CMS Pipelines has it. */
static int starmsg_begin(struct stage *stage)
{
    static const char class[] = "00000004";
    enum { CLASS = sizeof class - 1 };
    char record[CLASS + CMS_CP_SPECIAL_MAX];
    memcpy(record, class, CLASS);
    size_t length = cms_cp_special(record + CLASS);
    if (!length)
        return 0;
    int rc = cms_pipe_put(stage, 0, record, CLASS + length);
    return rc ? rc : PIPE_AGAIN;
}

const struct stage_kind cms_stage_starmsg = {
    .name = "STARMSG", .abbreviation = 7, .place = PLACE_FIRST,
    .format = "STARMSG",
    .help = HELP_TEXT("Special messages (see CP) that wait: 8 characters of kind, 8 of who sent it,\n"
                      "and the text.\n"),
    .begin = starmsg_begin};

/* ---- HOLE, QUERY ------------------------------------------------------------------------------------------------- */

static int swallow(struct stage *stage, const uint8_t *data, size_t length)
{
    (void)stage;
    (void)data;
    (void)length;
    return 0;
}

const struct stage_kind cms_stage_hole = {
    .name = "HOLE", .abbreviation = 4, .keeps_on = true,
    .format = "HOLE",
    .help = HELP_TEXT("Nothing, whatever comes.\n"),
    .record = swallow};

static int query_prepare(struct stage *stage, struct scan *operands)
{
    (void)stage;
    if (!cms_scan_keyword(operands, "VERSION", 7))
        cms_scan_keyword(operands, "LEVEL", 5);
    return cms_scan_end(operands);
}

static int query_begin(struct stage *stage)
{
    return put_string(stage, "CMS Pipelines of " CMS_VERSION);
}

const struct stage_kind cms_stage_query = {
    .name = "QUERY", .abbreviation = 5, .place = PLACE_FIRST,
    .format = "QUERY [VERSION|LEVEL]",
    .help = HELP_TEXT("Which CMS it is.\n"),
    .prepare = query_prepare, .begin = query_begin};
