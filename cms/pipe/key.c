/* See key.h. */
#include "cms/pipe/key.h"

#include "cms/command/messages.h"

int cms_scan_padding(struct scan *operands, struct keys *k)
{
    int rc = 0;
    k->pad = ' ';
    k->exact = cms_scan_keyword(operands, "NOPAD", 5);
    if (!k->exact && cms_scan_keyword(operands, "PAD", 3))
        rc = cms_scan_character(operands, &k->pad);
    k->any_case = cms_scan_any_case(operands);
    return rc;
}

static bool take_order(struct scan *operands, struct key *key)
{
    key->descending = cms_scan_keyword(operands, "DESCENDING", 1);
    return key->descending || cms_scan_keyword(operands, "ASCENDING", 1);
}

int cms_scan_keys(struct scan *operands, struct keys *k)
{
    k->count = 1;
    if (take_order(operands, &k->key[0]))
        return cms_scan_end(operands);
    for (k->count = 0; cms_scan_more(operands); k->count++) {
        if (k->count == RANGES_MAX)
            return cms_message("PIP", MESSAGE_PIPE_KEYS);
        int rc = cms_scan_range(operands, &k->key[k->count].range);
        if (rc)
            return rc;
        take_order(operands, &k->key[k->count]);
    }
    k->count += k->count == 0;
    return 0;
}

static uint8_t fold(uint8_t c, bool any_case)
{
    return any_case && c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : c;
}

int cms_key_compare_ranges(const struct keys *k, const struct range *in_a, struct record a, const struct range *in_b,
                           struct record b)
{
    size_t from_a, to_a, from_b, to_b;
    cms_range_find(in_a, a.data, a.length, &from_a, &to_a);
    cms_range_find(in_b, b.data, b.length, &from_b, &to_b);
    size_t length_a = to_a - from_a, length_b = to_b - from_b, most = length_a > length_b ? length_a : length_b;
    for (size_t i = 0; i < most; i++) {
        int pad = k->exact ? -1 : fold(k->pad, k->any_case);
        int x = i < length_a ? fold(a.data[from_a + i], k->any_case) : pad;
        int y = i < length_b ? fold(b.data[from_b + i], k->any_case) : pad;
        if (x != y)
            return x - y;
    }
    return 0;
}

int cms_key_compare(const struct keys *k, struct record a, struct record b)
{
    for (int i = 0; i < k->count; i++) {
        const struct range *range = &k->key[i].range;
        int order = cms_key_compare_ranges(k, range, a, range, b);
        if (order)
            return k->key[i].descending ? -order : order;
    }
    return 0;
}

uint32_t cms_key_hash(const struct keys *k, const struct range *range, struct record r)
{
    size_t from, to;
    uint32_t hash = 2166136261u;
    cms_range_find(range, r.data, r.length, &from, &to);
    while (!k->exact && to > from && fold(r.data[to - 1], k->any_case) == fold(k->pad, k->any_case))
        to--;
    for (; from < to; from++)
        hash = (hash ^ fold(r.data[from], k->any_case)) * 16777619u;
    return hash;
}
