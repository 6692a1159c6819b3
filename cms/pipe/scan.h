/* The operands of a stage: words, numbers, delimited strings and ranges, each with the message for what is wrong. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/command/command.h"
#include "cms/command/messages.h"

struct scan {
    const char *at, *end;
};

/* A string in the stage's own text, or decoded from hexadecimal into `decoded`. */
struct string {
    const uint8_t *data;
    size_t length;
    uint8_t decoded[128];
};

bool cms_scan_more(struct scan *scan); /* skips blanks; false at the end */
size_t cms_scan_length(const struct scan *scan); /* of the word at hand */
/* The next word in upper case only, cut to fit. False at the end. */
bool cms_scan_upper(struct scan *scan, char *word, size_t size);
/* The next word as a command's words are: as typed, and beside that in upper case and cut to 8. False at the end. */
bool cms_scan_word(struct scan *scan, struct word *word);
/* Takes the next word if it is `name` or an abbreviation of at least `least` characters. */
bool cms_scan_keyword(struct scan *scan, const char *name, size_t least);

/* The following return 0 or the return code of the message given. */
int cms_scan_number(struct scan *scan, uint32_t *number);
/* A number that may have a sign. */
int cms_scan_signed(struct scan *scan, int32_t *number);
/* * or a number; * is UINT32_MAX. */
int cms_scan_count(struct scan *scan, uint32_t *number);
/* /text/ with any delimiter but a blank, a letter or a digit, or Xhex or Bbinary. */
int cms_scan_string(struct scan *scan, struct string *string);
int cms_scan_hex(struct scan *scan, struct string *string); /* Xhex only */
/* One character as it is, two hexadecimal digits, or BLANK, SPACE, TAB. */
int cms_scan_character(struct scan *scan, uint8_t *character);
int cms_scan_end(struct scan *scan); /* nothing must be left */
/* What of a text a message may show: at most `size` - 1 bytes, in which what could command the terminal is a full stop:
 * it may come from a record. Returns `shown`. */
const char *cms_scan_shown(const void *text, size_t length, char *shown, size_t size);
/* Gives a message that one word fills, the next as typed; that an operand is missing, if there is none. */
int cms_scan_wrong(struct scan *scan, enum cms_message message);

bool cms_scan_is_number(const struct scan *scan); /* what comes next begins like one */
bool cms_scan_is_string(const struct scan *scan); /* like a string: no letter, digit, minus or asterisk; or X or B */

/* Where `string` begins in data[from..to), or SIZE_MAX. */
size_t cms_string_find(const struct string *string, const uint8_t *data, size_t from, size_t to, bool any_case);
/* ANYCASE, or one of its other names. */
bool cms_scan_any_case(struct scan *scan);
bool cms_string_begins(const struct string *string, const uint8_t *data, size_t length, bool any_case);
