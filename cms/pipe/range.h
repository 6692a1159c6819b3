/* Input ranges: the part of a record that a stage looks at. */
#pragma once
#include "cms/pipe/scan.h"

enum range_of { RANGE_COLUMNS, RANGE_WORDS, RANGE_FIELDS };
enum { RANGES_MAX = 10, RANGE_END = INT32_MAX };

/* From the first to the last column, word or field, counted from 1, or, negative, from the end, of which -1 is the
 * last. `first` 0: the whole record. */
struct range {
    enum range_of of;
    char separator; /* of words or fields; 0: a blank, a tab */
    int32_t first, last;
};
struct ranges {
    int count;
    struct range range[RANGES_MAX];
};

/* n, n-m, n-*, n.m (m from n), n;m (each may be negative); before it WORDS or W, FIELDS or F, WORDSEPARATOR c or
 * FIELDSEPARATOR c. 0, or the return code of a message. */
int cms_scan_range(struct scan *scan, struct range *range);
/* One, or several in parentheses, or, if what comes next begins like none, the whole record. */
int cms_scan_ranges(struct scan *scan, struct ranges *ranges);
bool cms_scan_is_range(const struct scan *scan);

/* Where the range lies in a record: [*from, *to). Empty at the end if the record is too short. */
void cms_range_find(const struct range *range, const uint8_t *data, size_t length, size_t *from, size_t *to);
