/* Stages to and from the user, CMS and CP: LITERAL, CONSOLE, CMS, CP, STARMSG; and HOLE. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/file/file.h"
#include "cms/kernel/cp.h"
#include "cms/pipe/stages.h"

struct text {
    struct scan scan;
};

static int pass(struct stage *stage, const uint8_t *data, size_t length)
{
    return cms_pipe_put(stage, data, length);
}

/* One blank after the name is not part of the text. */
static int take_text(struct stage *stage, struct scan *operands)
{
    struct text *t = stage->state;
    t->scan = *operands;
    if (t->scan.at < t->scan.end && *t->scan.at == ' ')
        t->scan.at++;
    return 0;
}

static int put_text(struct stage *stage)
{
    const struct text *t = stage->state;
    return cms_pipe_put(stage, t->scan.at, (size_t)(t->scan.end - t->scan.at));
}

const struct stage_kind cms_stage_literal = {
    "LITERAL", 3, PLACE_ANY, false, sizeof(struct text), take_text, put_text, pass, NULL, NULL};

/* ---- CONSOLE ----------------------------------------------------------------------------------------------------- */

static int console_start(struct stage *stage)
{
    char line[COMMAND_LINE_MAX + 1];
    int length, rc = 0;
    if (stage->number > 1)
        return 0;
    while (!rc && (length = cms_read(line, sizeof line)) > 0)
        rc = cms_pipe_put(stage, line, (size_t)length);
    return rc ? rc : length < 0 ? COMMAND_HALTED : 0;
}

static int console_record(struct stage *stage, const uint8_t *data, size_t length)
{
    cms_file_show(data, length);
    return cms_pipe_put(stage, data, length);
}

const struct stage_kind cms_stage_console = {
    "CONSOLE", 4, PLACE_ANY, true, 0, NULL, console_start, console_record, NULL, NULL};

/* ---- commands ---------------------------------------------------------------------------------------------------- */

struct capture {
    struct text text; /* first, so that take_text fills it */
    struct output_sink before;
    struct stage *stage;
    int rc; /* of the stages behind */
};

/* What the stages behind show must not come back here, so the console is theirs while they have the record. */
static void captured(void *context, const char *data, size_t length)
{
    struct capture *c = context;
    struct output_sink mine = cms_redirect(c->before);
    if (!c->rc)
        c->rc = cms_pipe_put(c->stage, data, length);
    cms_redirect(mine);
}

static int obey(struct stage *stage, const char *prefix, const uint8_t *data, size_t length)
{
    struct capture *c = stage->state;
    char line[COMMAND_LINE_MAX + 1];
    size_t n = strlen(prefix);
    if (n + length > COMMAND_LINE_MAX)
        return cms_message("PIP", MESSAGE_PIPE_LONG, length);
    memcpy(line, prefix, n);
    memcpy(line + n, data, length);
    line[n + length] = 0;
    c->stage = stage;
    c->rc = 0;
    c->before = cms_redirect((struct output_sink){captured, c});
    int rc = cms_obey(line);
    cms_redirect(c->before);
    return rc == COMMAND_HALTED ? rc : c->rc;
}

static int obey_text(struct stage *stage, const char *prefix)
{
    const struct capture *c = stage->state;
    const struct scan *text = &c->text.scan;
    return text->at == text->end ? 0 : obey(stage, prefix, (const uint8_t *)text->at, (size_t)(text->end - text->at));
}

static int command_start(struct stage *stage)
{
    return obey_text(stage, "");
}

static int command_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return obey(stage, "", data, length);
}

static int cp_start(struct stage *stage)
{
    return obey_text(stage, "CP ");
}

static int cp_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return obey(stage, "CP ", data, length);
}

const struct stage_kind cms_stage_command = {
    "CMS", 3, PLACE_ANY, true, sizeof(struct capture), take_text, command_start, command_record, NULL, NULL};
const struct stage_kind cms_stage_cp = {
    "CP", 2, PLACE_ANY, true, sizeof(struct capture), take_text, cp_start, cp_record, NULL, NULL};

/* ---- STARMSG ----------------------------------------------------------------------------------------------------- */

/* Before who sent it and the text stands what kind of message it is, as CMS Pipelines has it. */
static int starmsg_start(struct stage *stage)
{
    static const char class[] = "00000004";
    enum { CLASS = sizeof class - 1 };
    char record[CLASS + CMS_CP_SPECIAL_MAX];
    size_t length;
    int rc = 0;
    memcpy(record, class, CLASS);
    while (!rc && (length = cms_cp_special(record + CLASS)))
        rc = cms_pipe_put(stage, record, CLASS + length);
    return rc;
}

const struct stage_kind cms_stage_starmsg = {
    "STARMSG", 7, PLACE_FIRST, false, 0, NULL, starmsg_start, NULL, NULL, NULL};

/* ---- HOLE -------------------------------------------------------------------------------------------------------- */

static int swallow(struct stage *stage, const uint8_t *data, size_t length)
{
    (void)stage;
    (void)data;
    (void)length;
    return 0;
}

const struct stage_kind cms_stage_hole = {"HOLE", 4, PLACE_ANY, false, 0, NULL, NULL, swallow, NULL, NULL};
