/* Keys: by what records are ordered and compared. A shorter key counts as filled with the pad character. */
#pragma once
#include "cms/pipe/range.h"
#include "cms/pipe/record.h"

struct key {
    struct range range;
    bool descending;
};
struct keys {
    bool any_case, exact; /* exact: nothing is filled */
    uint8_t pad;
    int count;
    struct key key[RANGES_MAX];
};
struct record {
    const uint8_t *data;
    size_t length;
};

/* NOPAD, PAD c, ANYCASE, in this order. */
int cms_scan_padding(struct scan *operands, struct keys *keys);
/* Ranges with A or D behind them, to the end; none: the whole record. */
int cms_scan_keys(struct scan *operands, struct keys *keys);

int cms_key_compare(const struct keys *keys, struct record a, struct record b);
/* The same of one key in two places. */
int cms_key_compare_ranges(const struct keys *keys, const struct range *in_a, struct record a, const struct range *in_b,
                           struct record b);
/* Equal keys have equal hashes. */
uint32_t cms_key_hash(const struct keys *keys, const struct range *range, struct record record);

static inline struct record record_held(const struct held *held)
{
    return (struct record){held->data, held->length};
}
