/* Stages that obey: CMS, COMMAND, CP, RUNPIPE. The lines that a command shows are held until it has ended. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/stages.h"

struct obeyed {
    struct scan text;
    bool begun; /* the command at hand has been obeyed: what is held is of it */
    struct hold shown;
    int rc; /* of holding what is shown */
};

static int obeyed_prepare(struct stage *stage, struct scan *operands)
{
    cms_pipe_take_text(operands, &((struct obeyed *)stage->state)->text);
    return 0;
}

static void shown(void *context, const char *data, size_t length)
{
    struct obeyed *o = context;
    struct output_sink mine = cms_redirect((struct output_sink){0});
    if (!o->rc)
        o->rc = cms_hold_add(&o->shown, data, length);
    cms_redirect(mine);
}

static int obey(struct obeyed *o, const char *prefix, const uint8_t *data, size_t length)
{
    size_t n = strlen(prefix);
    if (n + length > COMMAND_LINE_MAX)
        return cms_message("PIP", MESSAGE_PIPE_LONG, length);
    char *line = cms_heap_allocate(n + length + 1);
    if (!line)
        return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
    memcpy(line, prefix, n);
    memcpy(line + n, data, length);
    line[n + length] = 0;
    o->rc = 0;
    struct output_sink before = cms_redirect((struct output_sink){.line = shown, .context = o});
    int rc = cms_obey(line);
    cms_redirect(before);
    cms_heap_free(line);
    return rc == COMMAND_HALTED ? rc : o->rc;
}

/* The prefix is what makes the record a command. A stage whose name stands for CMS has none. */
static const char *prefix(const struct stage *stage)
{
    return stage->kind == &cms_stage_cp ? "CP " : stage->kind == &cms_stage_runpipe ? "PIPE " : "";
}

static int obeyed_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct obeyed *o = stage->state;
    int rc = o->begun ? 0 : obey(o, prefix(stage), data, length);
    o->begun = true;
    if (!rc)
        rc = cms_pipe_put_held(stage, &o->shown);
    o->begun = rc != 0;
    return rc;
}

static int obeyed_begin(struct stage *stage)
{
    const struct scan *text = &((struct obeyed *)stage->state)->text;
    return text->at == text->end ? 0 : obeyed_record(stage, (const uint8_t *)text->at, (size_t)(text->end - text->at));
}

static void obeyed_close(struct stage *stage)
{
    cms_hold_free(&((struct obeyed *)stage->state)->shown);
}

#define OBEYED(NAME, LEAST, FORMAT, HELP) \
    {.name = NAME, .abbreviation = LEAST, .keeps_on = true, .size = sizeof(struct obeyed), \
     .format = FORMAT, .help = HELP_TEXT(HELP), .prepare = obeyed_prepare, .begin = obeyed_begin, \
     .record = obeyed_record, .close = obeyed_close}

const struct stage_kind cms_stage_cms = OBEYED(
    "CMS", 3, "CMS [command]",
    "The lines that the command shows, and those that the input's records show,\n"
    "obeyed as commands.\n");
const struct stage_kind cms_stage_command = OBEYED(
    "COMMAND", 7, "COMMAND [command]", "As CMS.\n");
const struct stage_kind cms_stage_cp = OBEYED(
    "CP", 2, "CP [command]",
    "What CP answers to the command, and to the input's records.\n");
const struct stage_kind cms_stage_runpipe = {
    .name = "RUNPIPE", .abbreviation = 7, .place = PLACE_LATER, .keeps_on = true, .size = sizeof(struct obeyed),
    .format = "RUNPIPE",
    .help = HELP_TEXT("Each record is obeyed as what follows PIPE; the lines it shows are put.\n"),
    .record = obeyed_record, .close = obeyed_close};
