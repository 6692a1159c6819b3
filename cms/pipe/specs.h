/* SPECS: items as scanned (specs_scan.c), conversions (specs_convert.c), and records built of them (specs.c). */
#pragma once
#include "cms/pipe/range.h"
#include "cms/pipe/record.h"

enum { SPECS_NUMBER_WIDTH = 10, SPECS_COLUMN_MAX = 65535 };

enum specs_what { ITEM_RANGE, ITEM_STRING, ITEM_NUMBER, ITEM_PAD, ITEM_SELECT, ITEM_OUTSTREAM, ITEM_READ, ITEM_READSTOP,
                  ITEM_WRITE };
enum specs_target { TARGET_COLUMN, TARGET_NEXT, TARGET_NEXTWORD };
enum specs_align { ALIGN_LEFT, ALIGN_CENTER, ALIGN_RIGHT };

/* Converts a field to `out`. 0, the return code of a message, or a reason why it cannot: 1 too long, 2 not of the form
 * it should have. */
struct specs_conversion {
    const char *name;
    int (*convert)(struct buffer *out, const uint8_t *data, size_t length);
};
/* Takes the word if it names one; NULL: it does not. */
const struct specs_conversion *cms_specs_conversion(struct scan *scan);

struct specs_item {
    struct specs_item *next;
    enum specs_what what;
    struct range range;
    struct string string;
    int64_t from, by; /* NUMBER */
    uint32_t stream;  /* SELECT, OUTSTREAM */
    uint8_t pad;
    bool strip;
    const struct specs_conversion *conversion;
    enum specs_target target;
    uint32_t column, width; /* width 0: as long as the input */
    enum specs_align align;
};

struct specs {
    struct specs_item *first, **last;
    bool stop_any;
    uint32_t streams; /* looked at: the highest selected, and 1 */

    struct specs_item *at; /* the next of the record that is being built */
    bool building, reading;
    uint32_t selected, outstream;
    uint8_t pad;
    int64_t records;
    struct buffer out, piece;
};

/* 0, or the return code of a message. */
int cms_specs_scan(struct specs *specs, struct scan *operands);
