/* INSERT: text put into records. */
#include "cms/pipe/stages.h"

struct insert {
    bool after;
    struct range range;
    struct string text;
    struct buffer out;
};

static int insert_prepare(struct stage *stage, struct scan *operands)
{
    struct insert *i = stage->state;
    int rc = cms_scan_string(operands, &i->text);
    i->after = !rc && cms_scan_keyword(operands, "AFTER", 5);
    if (!rc && !i->after)
        cms_scan_keyword(operands, "BEFORE", 6);
    if (!rc && cms_scan_more(operands))
        rc = cms_scan_range(operands, &i->range);
    return rc ? rc : cms_scan_end(operands);
}

/* Where a record is too short for the range, both ends of that are the record's. */
static int insert_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct insert *i = stage->state;
    size_t from = 0, to = length;
    int rc = 0;
    if (i->range.first)
        cms_range_find(&i->range, data, length, &from, &to);
    size_t at = i->after ? to : from;
    i->out.length = 0;
    if (!cms_buffer_add(&i->out, data, at, &rc) || !cms_buffer_add(&i->out, i->text.data, i->text.length, &rc) ||
        !cms_buffer_add(&i->out, data + at, length - at, &rc))
        return rc;
    return cms_pipe_put(stage, 0, i->out.data, i->out.length);
}

static void insert_close(struct stage *stage)
{
    cms_buffer_free(&((struct insert *)stage->state)->out);
}

const struct stage_kind cms_stage_insert = {
    .name = "INSERT", .abbreviation = 6, .place = PLACE_LATER, .size = sizeof(struct insert),
    .format = "INSERT /text/ [BEFORE|AFTER] [range]",
    .help = HELP_TEXT("Puts the text into each record, before what the range names, or after it;\n"
                      "the range is the whole record if none is given.\n"),
    .prepare = insert_prepare, .record = insert_record, .close = insert_close};
