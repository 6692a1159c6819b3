/* The operands of SPECS. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/specs.h"

/* ---- input ------------------------------------------------------------------------------------------------------- */

static int scan_numbering(struct scan *operands, struct specs_item *item)
{
    int32_t from = 1, by = 1;
    int rc = 0;
    item->what = ITEM_NUMBER;
    item->align = ALIGN_RIGHT;
    if (cms_scan_keyword(operands, "FROM", 4))
        rc = cms_scan_signed(operands, &from);
    if (!rc && cms_scan_keyword(operands, "BY", 2))
        rc = cms_scan_signed(operands, &by);
    item->from = from;
    item->by = by;
    return rc;
}

static int scan_source(struct scan *operands, struct specs_item *item)
{
    if (cms_scan_keyword(operands, "NUMBER", 3) || cms_scan_keyword(operands, "RECNO", 5))
        return scan_numbering(operands, item);
    if (cms_scan_is_range(operands)) {
        item->what = ITEM_RANGE;
        return cms_scan_range(operands, &item->range);
    }
    item->what = ITEM_STRING;
    return cms_scan_string(operands, &item->string);
}

/* ---- output ------------------------------------------------------------------------------------------------------ */

static int target_wrong(const char *typed)
{
    return cms_message("PIP", MESSAGE_PIPE_TARGET, typed);
}

static bool target_number(const char **at, uint32_t *number)
{
    uint32_t n = 0;
    const char *start = *at;
    for (; **at >= '0' && **at <= '9' && n <= SPECS_COLUMN_MAX; ++*at)
        n = n * 10 + (uint32_t)(**at - '0');
    *number = n;
    return *at > start && n && n <= SPECS_COLUMN_MAX;
}

/* n, n-m, n.m, n-* */
static bool target_columns(const char *at, struct specs_item *item)
{
    uint32_t last;
    item->target = TARGET_COLUMN;
    if (!target_number(&at, &item->column))
        return false;
    if (!*at || !strcmp(at, "-*"))
        return true;
    char by = *at++;
    if ((by != '-' && by != '.') || !target_number(&at, &last) || *at)
        return false;
    item->width = by == '.' ? last : last - item->column + 1;
    return by == '.' || last >= item->column;
}

/* NEXT and NEXTWORD, with .m for the width */
static bool target_next(char *typed, struct specs_item *item)
{
    const char *width;
    char *dot = strchr(typed, '.');
    if (dot)
        *dot = 0;
    if (cms_abbreviates(typed, "NEXTWORD", 5) || cms_abbreviates(typed, "NWORD", 2))
        item->target = TARGET_NEXTWORD;
    else if (cms_abbreviates(typed, "NEXT", 1))
        item->target = TARGET_NEXT;
    else
        return false;
    width = dot ? dot + 1 : "";
    bool valid = !dot || (target_number(&width, &item->width) && !*width);
    if (dot)
        *dot = '.';
    return valid;
}

static int scan_target(struct scan *operands, struct specs_item *item)
{
    char typed[24];
    if (!cms_scan_upper(operands, typed, sizeof typed))
        return cms_message("PIP", MESSAGE_PIPE_NO_TARGET);
    bool valid = *typed >= '0' && *typed <= '9' ? target_columns(typed, item) : target_next(typed, item);
    return valid ? 0 : target_wrong(typed);
}

static void scan_align(struct scan *operands, struct specs_item *item)
{
    if (cms_scan_keyword(operands, "LEFT", 1))
        item->align = ALIGN_LEFT;
    else if (cms_scan_keyword(operands, "CENTER", 1) || cms_scan_keyword(operands, "CENTRE", 1))
        item->align = ALIGN_CENTER;
    else if (cms_scan_keyword(operands, "RIGHT", 1))
        item->align = ALIGN_RIGHT;
}

/* ---- items ------------------------------------------------------------------------------------------------------- */

static int scan_stream(struct specs *s, struct scan *operands, struct specs_item *item, enum specs_what what)
{
    item->what = what;
    int rc = cms_scan_number(operands, &item->stream);
    if (!rc && item->stream > UINT8_MAX)
        rc = cms_message("PIP", MESSAGE_PIPE_NO_STREAM, (unsigned)item->stream);
    if (!rc && what == ITEM_SELECT && item->stream >= s->streams)
        s->streams = item->stream + 1;
    return rc;
}

static int scan_item(struct specs *s, struct scan *operands, struct specs_item *item)
{
    item->what = ITEM_WRITE;
    if (cms_scan_keyword(operands, "WRITE", 5))
        return 0;
    item->what = ITEM_READ;
    if (cms_scan_keyword(operands, "READ", 4))
        return 0;
    item->what = ITEM_READSTOP;
    if (cms_scan_keyword(operands, "READSTOP", 8))
        return 0;
    if (cms_scan_keyword(operands, "SELECT", 6))
        return scan_stream(s, operands, item, ITEM_SELECT);
    if (cms_scan_keyword(operands, "OUTSTREAM", 6))
        return scan_stream(s, operands, item, ITEM_OUTSTREAM);
    item->what = ITEM_PAD;
    if (cms_scan_keyword(operands, "PAD", 3))
        return cms_scan_character(operands, &item->pad);
    int rc = scan_source(operands, item);
    if (rc)
        return rc;
    item->strip = cms_scan_keyword(operands, "STRIP", 5);
    item->conversion = cms_specs_conversion(operands);
    rc = scan_target(operands, item);
    scan_align(operands, item);
    return rc;
}

int cms_specs_scan(struct specs *s, struct scan *operands)
{
    int rc = 0;
    s->last = &s->first;
    s->streams = 1;
    if (cms_scan_keyword(operands, "STOP", 4)) {
        s->stop_any = cms_scan_keyword(operands, "ANYEOF", 6);
        if (!s->stop_any && !cms_scan_keyword(operands, "ALLEOF", 6))
            return cms_message("PIP", MESSAGE_PIPE_VALUE, "STOP");
    }
    while (!rc && cms_scan_more(operands)) {
        struct specs_item *item = cms_heap_allocate(sizeof *item);
        if (!item)
            return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
        *item = (struct specs_item){0};
        *s->last = item;
        s->last = &item->next;
        rc = scan_item(s, operands, item);
    }
    return rc || s->first ? rc : cms_message("PIP", MESSAGE_PIPE_MISSING);
}
