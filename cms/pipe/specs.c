/* SPECS: each record built anew from pieces of the old one, of literal text and of record numbers. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/pipe/stages.h"
#include "lib/format.h"

enum { ITEMS_MAX = 24, NUMBER_WIDTH = 10, COLUMN_MAX = 65535 };
enum source { SOURCE_RANGE, SOURCE_STRING, SOURCE_NUMBER };
enum target { TARGET_COLUMN, TARGET_NEXT, TARGET_NEXTWORD };
enum align { ALIGN_LEFT, ALIGN_CENTER, ALIGN_RIGHT };

struct item {
    enum source source;
    struct range range;
    struct string string;
    bool strip, hexadecimal;
    enum target target;
    uint32_t column, width; /* width 0: as long as the input */
    enum align align;
};

struct specs {
    struct item item[ITEMS_MAX];
    int items;
    uint64_t records;
    struct buffer out, piece;
};

/* ---- the specification ------------------------------------------------------------------------------------------- */

static int scan_source(struct scan *operands, struct item *item)
{
    if (cms_scan_keyword(operands, "NUMBER", 3) || cms_scan_keyword(operands, "RECNO", 5)) {
        item->source = SOURCE_NUMBER;
        return 0;
    }
    if (cms_scan_is_range(operands)) {
        item->source = SOURCE_RANGE;
        return cms_scan_range(operands, &item->range);
    }
    item->source = SOURCE_STRING;
    return cms_scan_string(operands, &item->string);
}

/* NEXT.8 */
static int scan_next(struct scan *operands, const char *name, size_t least, struct item *item, bool *found)
{
    struct scan ahead = *operands;
    char word[20], *dot;
    struct range width;
    *found = false;
    if (!cms_scan_upper(&ahead, word, sizeof word))
        return 0;
    if ((dot = strchr(word, '.')))
        *dot = 0;
    if (!cms_abbreviates(word, name, least))
        return 0;
    *found = true;
    if (dot) {
        struct scan number = {dot + 1, dot + 1 + strlen(dot + 1)};
        int rc = cms_scan_range(&number, &width);
        if (rc || width.words || width.last != width.first || width.first > COLUMN_MAX)
            return rc ? rc : cms_message("PIP", MESSAGE_PIPE_OPERAND, dot + 1);
        item->width = width.first;
    }
    *operands = ahead;
    return 0;
}

static int scan_target(struct scan *operands, struct item *item)
{
    struct range range;
    bool found;
    item->target = TARGET_NEXTWORD;
    int rc = scan_next(operands, "NEXTWORD", 5, item, &found);
    if (!rc && !found)
        rc = scan_next(operands, "NWORD", 2, item, &found);
    if (!rc && !found) {
        item->target = TARGET_NEXT;
        rc = scan_next(operands, "NEXT", 1, item, &found);
    }
    if (rc || found)
        return rc;
    if (!cms_scan_more(operands))
        return cms_message("PIP", MESSAGE_PIPE_MISSING);
    const char *typed = operands->at;
    rc = cms_scan_range(operands, &range);
    if (rc)
        return rc;
    if (range.words || range.first > COLUMN_MAX || (range.last > COLUMN_MAX && range.last != UINT32_MAX))
        return cms_message("PIP", MESSAGE_PIPE_OPERAND, "of the output");
    item->target = TARGET_COLUMN;
    item->column = range.first;
    size_t length = (size_t)(operands->at - typed);
    bool wide = memchr(typed, '-', length) || memchr(typed, '.', length);
    if (wide && range.last != UINT32_MAX)
        item->width = range.last - range.first + 1;
    return 0;
}

static int scan_item(struct scan *operands, struct item *item)
{
    int rc = scan_source(operands, item);
    if (rc)
        return rc;
    item->strip = cms_scan_keyword(operands, "STRIP", 5);
    item->hexadecimal = cms_scan_keyword(operands, "C2X", 3);
    rc = scan_target(operands, item);
    if (rc)
        return rc;
    if (item->source == SOURCE_NUMBER)
        item->align = ALIGN_RIGHT;
    if (cms_scan_keyword(operands, "LEFT", 1))
        item->align = ALIGN_LEFT;
    else if (cms_scan_keyword(operands, "CENTER", 1) || cms_scan_keyword(operands, "CENTRE", 1))
        item->align = ALIGN_CENTER;
    else if (cms_scan_keyword(operands, "RIGHT", 1))
        item->align = ALIGN_RIGHT;
    return 0;
}

static int specs_prepare(struct stage *stage, struct scan *operands)
{
    struct specs *s = stage->state;
    while (cms_scan_more(operands)) {
        if (s->items == ITEMS_MAX)
            return cms_scan_end(operands);
        int rc = scan_item(operands, &s->item[s->items++]);
        if (rc)
            return rc;
    }
    return s->items ? 0 : cms_message("PIP", MESSAGE_PIPE_MISSING);
}

/* ---- building a record ------------------------------------------------------------------------------------------- */

static bool add_hexadecimal(struct buffer *out, const uint8_t *data, size_t length, int *rc)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < length; i++) {
        const char pair[2] = {digits[data[i] >> 4], digits[data[i] & 15]};
        if (!cms_buffer_add(out, pair, 2, rc))
            return false;
    }
    return true;
}

static bool get_piece(struct specs *s, const struct item *item, const uint8_t *data, size_t length, int *rc)
{
    char number[24];
    size_t from = 0, to = 0;
    const uint8_t *source = data;
    s->piece.length = 0;
    if (item->source == SOURCE_NUMBER) {
        to = format_text(number, sizeof number, "%*llu", NUMBER_WIDTH, (unsigned long long)s->records);
        source = (const uint8_t *)number;
    } else if (item->source == SOURCE_STRING) {
        source = item->string.data;
        to = item->string.length;
    } else {
        cms_range_find(&item->range, data, length, &from, &to);
    }
    while (item->strip && from < to && source[from] == ' ')
        from++;
    while (item->strip && to > from && source[to - 1] == ' ')
        to--;
    return item->hexadecimal ? add_hexadecimal(&s->piece, source + from, to - from, rc)
                             : cms_buffer_add(&s->piece, source + from, to - from, rc);
}

static bool fill(struct buffer *out, size_t length, int *rc)
{
    while (out->length < length)
        if (!cms_buffer_add(out, " ", 1, rc))
            return false;
    return true;
}

static size_t lead(const struct item *item, size_t width, size_t length)
{
    if (length >= width || item->align == ALIGN_LEFT)
        return 0;
    return item->align == ALIGN_RIGHT ? width - length : (width - length) / 2;
}

static bool place(struct specs *s, const struct item *item, int *rc)
{
    struct buffer *out = &s->out;
    size_t at = item->target == TARGET_COLUMN ? item->column - 1 : out->length;
    size_t width = item->width ? item->width : s->piece.length, length = s->piece.length;
    const uint8_t *piece = s->piece.data;
    if (item->target == TARGET_NEXTWORD && out->length)
        at++;
    if (length > width && item->align == ALIGN_RIGHT) { /* the end of it is what fits */
        piece += length - width;
        length = width;
    } else if (length > width) {
        length = width;
    }
    if (!fill(out, at + width, rc))
        return false;
    if (width)
        memset(out->data + at, ' ', width);
    if (length)
        memcpy(out->data + at + lead(item, width, length), piece, length);
    return true;
}

static int specs_record(struct stage *stage, const uint8_t *data, size_t length)
{
    struct specs *s = stage->state;
    int rc = 0;
    s->out.length = 0;
    s->records++;
    for (int i = 0; i < s->items; i++)
        if (!get_piece(s, &s->item[i], data, length, &rc) || !place(s, &s->item[i], &rc))
            return rc;
    return cms_pipe_put(stage, s->out.data, s->out.length);
}

static void specs_close(struct stage *stage)
{
    struct specs *s = stage->state;
    cms_buffer_free(&s->out);
    cms_buffer_free(&s->piece);
}

const struct stage_kind cms_stage_specs = {
    "SPECS", 4, PLACE_LATER, false, sizeof(struct specs), specs_prepare, NULL, specs_record, NULL, specs_close};
