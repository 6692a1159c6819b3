/* Stages from and to spooled devices: READER, PUNCH, PRINTER. Records have no carriage control. */
#include "cms/command/messages.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/stages.h"
#include "cms/spool/spool.h"

/* ---- READER ------------------------------------------------------------------------------------------------------ */

struct reading {
    uint32_t spoolid; /* 0: the first */
    bool keep, open, done;
    struct spool_source source;
};

static int reader_prepare(struct stage *stage, struct scan *operands)
{
    struct reading *r = stage->state;
    int rc = cms_scan_keyword(operands, "FILE", 4) ? cms_scan_number(operands, &r->spoolid) : 0;
    r->keep = cms_scan_keyword(operands, "KEEP", 4) || cms_scan_keyword(operands, "HOLD", 4);
    return rc ? rc : cms_scan_end(operands);
}

static int reader_start(struct stage *stage)
{
    struct reading *r = stage->state;
    struct cms_spool_file file;
    enum cms_spool_status status = cms_spool_file(CMS_READER, r->spoolid, &file);
    return status ? cms_spool_failed("PIP", status) : 0;
}

static int reader_begin(struct stage *stage)
{
    struct reading *r = stage->state;
    const uint8_t *record = NULL;
    size_t length = 0;
    int rc = r->open ? 0 : cms_spool_open(&r->source, "PIP", r->spoolid);
    r->open = true;
    if (!rc)
        rc = cms_spool_next(&r->source, &record, &length);
    r->done = !rc && !record;
    if (rc || !record)
        return rc;
    rc = cms_pipe_put(stage, 0, record, length);
    return rc ? rc : PIPE_AGAIN;
}

static int close_reader(struct reading *r, bool keep)
{
    int rc = r->open && r->source.records ? cms_spool_command(keep ? "CLOSE RDR KEEP" : "CLOSE RDR") : 0;
    cms_heap_free(r->source.records);
    r->source.records = NULL;
    return rc;
}

static int reader_finish(struct stage *stage)
{
    struct reading *r = stage->state;
    return close_reader(r, r->keep || !r->done);
}

static void reader_close(struct stage *stage)
{
    close_reader(stage->state, true);
}

const struct stage_kind cms_stage_reader = {
    .name = "READER", .abbreviation = 6, .place = PLACE_FIRST, .size = sizeof(struct reading),
    .format = "READER [FILE spoolid] [KEEP]",
    .help = HELP_TEXT("The records of a file in your reader, of the first if none is named.  Read to\n"
                      "the end it is gone, if the command ends well; with KEEP it stays.\n"),
    .prepare = reader_prepare, .start = reader_start, .begin = reader_begin, .finish = reader_finish,
    .close = reader_close};

/* ---- PUNCH, PRINTER ---------------------------------------------------------------------------------------------- */

struct writing {
    struct spool_sink sink;
};

static bool is_punch(const struct stage *stage)
{
    return stage->kind == &cms_stage_punch;
}

static int device_start(struct stage *stage)
{
    struct writing *w = stage->state;
    return cms_spool_begin(&w->sink, "PIP", is_punch(stage) ? CMS_PUNCH : CMS_PRINTER);
}

static int device_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct writing *w = stage->state;
    if (length > (is_punch(stage) ? CARD : CMS_SPOOL_RECORD))
        return cms_message("PIP", MESSAGE_PIPE_LONG, length);
    int rc = cms_spool_put(&w->sink, data, length, is_punch(stage) ? CARD : 1);
    return rc ? rc : cms_pipe_put(stage, 0, data, length);
}

static int device_finish(struct stage *stage)
{
    struct spool_sink sink = ((struct writing *)stage->state)->sink;
    ((struct writing *)stage->state)->sink.records = NULL;
    return cms_spool_end(&sink, 0, "NAME PIPE OUTPUT");
}

static void device_close(struct stage *stage)
{
    struct writing *w = stage->state;
    if (w->sink.records)
        cms_spool_end(&w->sink, COMMAND_HALTED, "");
}

const struct stage_kind cms_stage_punch = {
    .name = "PUNCH", .abbreviation = 5, .place = PLACE_LATER, .keeps_on = true, .size = sizeof(struct writing),
    .format = "PUNCH",
    .help = HELP_TEXT("Punches records, of at most 80 characters, as a file that goes where CP was\n"
                      "told to spool the punch.  The records pass on.\n"),
    .start = device_start, .record = device_record, .finish = device_finish, .close = device_close};
const struct stage_kind cms_stage_printer = {
    .name = "PRINTER", .abbreviation = 5, .place = PLACE_LATER, .keeps_on = true, .size = sizeof(struct writing),
    .format = "PRINTER",
    .help = HELP_TEXT("Prints records, as a file of the printer.  The records pass on.\n"),
    .start = device_start, .record = device_record, .finish = device_finish, .close = device_close};
