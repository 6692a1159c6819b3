/* The operands of a stage: words, numbers, delimited strings and ranges, each with the message for what is wrong. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/command/command.h"

struct scan {
    const char *at, *end;
};

/* A string in the stage's own text, or decoded from hexadecimal into `decoded`. */
struct string {
    const uint8_t *data;
    size_t length;
    uint8_t decoded[128];
};

/* Part of a record: columns first to last, or words if `words`. 0 in `first`: the whole record. */
struct range {
    bool words;
    uint32_t first, last;
};

bool cms_scan_more(struct scan *scan); /* skips blanks; false at the end */
/* The next word in upper case only, cut to fit. False at the end. */
bool cms_scan_upper(struct scan *scan, char *word, size_t size);
/* The next word as a command's words are: as typed, and beside that in upper case and cut to 8. False at the end. */
bool cms_scan_word(struct scan *scan, struct word *word);
/* Takes the next word if it is `name` or an abbreviation of at least `least` characters. */
bool cms_scan_keyword(struct scan *scan, const char *name, size_t least);

/* The following return 0 or the return code of the message given. */
int cms_scan_number(struct scan *scan, uint32_t *number);
/* /text/ with any delimiter but a blank, or Xhex. */
int cms_scan_string(struct scan *scan, struct string *string);
/* 5, 5-9, 5-*, 5.3, W2, W2-4. */
int cms_scan_range(struct scan *scan, struct range *range);
int cms_scan_end(struct scan *scan); /* nothing must be left */

bool cms_scan_is_range(const struct scan *scan); /* what comes next begins like a range: a digit, or W and a digit */
bool cms_scan_is_string(const struct scan *scan); /* begins like a delimited string: not a letter, digit or minus */

/* Where the range lies in a record: [*from, *to). Empty at the end if the record is too short. */
void cms_range_find(const struct range *range, const uint8_t *data, size_t length, size_t *from, size_t *to);

/* Where `string` begins in data[from..to), or SIZE_MAX. */
size_t cms_string_find(const struct string *string, const uint8_t *data, size_t from, size_t to, bool any_case);
