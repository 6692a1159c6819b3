/* See range.h. */
#include "cms/pipe/range.h"

#include <string.h>

#include "cms/command/messages.h"

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_number(const char *at, const char *end)
{
    return at < end && (is_digit(*at) || (*at == '-' && at + 1 < end && is_digit(at[1])));
}

static bool number(const char **at, const char *end, int32_t *value)
{
    int64_t sum = 0;
    bool negative = *at < end && **at == '-';
    *at += negative;
    const char *start = *at;
    while (*at < end && is_digit(**at) && sum < RANGE_END)
        sum = sum * 10 + (*(*at)++ - '0');
    *value = (int32_t)(negative ? -sum : sum);
    return *at > start && sum < RANGE_END;
}

static bool numbers(const char *at, const char *end, struct range *r)
{
    int32_t second;
    if (*at == '*')
        at++, r->first = 1;
    else if (!number(&at, end, &r->first))
        return false;
    r->last = r->first;
    if (at == end)
        return r->first != 0;
    char by = *at++;
    if (at < end && *at == '*' && by != '.')
        at++, second = RANGE_END;
    else if (!number(&at, end, &second))
        return false;
    if (by == '.')
        second = r->first + (second - 1) < r->first ? 0 : r->first + (second - 1);
    r->last = second;
    bool ordered = (r->first < 0) != (second < 0) || r->first <= second;
    return at == end && r->first && second && ordered && (by == ';' || (r->first > 0 && second > 0)) &&
           (by == ';' || by == '-' || by == '.');
}

static int separator(struct scan *s, struct range *r, enum range_of of)
{
    struct word word;
    struct string string;
    r->of = of;
    if (!cms_scan_word(s, &word))
        return cms_message("PIP", MESSAGE_PIPE_MISSING);
    r->separator = *word.raw;
    if (word.raw_length == 1)
        return 0;
    s->at = word.raw;
    int rc = cms_scan_string(s, &string);
    if (!rc && string.length != 1)
        return cms_message("PIP", MESSAGE_PIPE_CHARACTER, word.text);
    r->separator = rc ? 0 : (char)*string.data;
    return rc;
}

static int separators(struct scan *s, struct range *r)
{
    int rc = 0;
    if (cms_scan_keyword(s, "WORDSEPARATOR", 7) || cms_scan_keyword(s, "WS", 2))
        rc = separator(s, r, RANGE_WORDS);
    else if (cms_scan_keyword(s, "FIELDSEPARATOR", 8) || cms_scan_keyword(s, "FS", 2))
        rc = separator(s, r, RANGE_FIELDS);
    return rc;
}

int cms_scan_range(struct scan *s, struct range *r)
{
    *r = (struct range){0};
    int rc = separators(s, r);
    if (rc)
        return rc;
    enum range_of given = r->of;
    r->of = RANGE_COLUMNS;
    if (cms_scan_keyword(s, "WORDS", 1))
        r->of = RANGE_WORDS;
    else if (cms_scan_keyword(s, "FIELDS", 1))
        r->of = RANGE_FIELDS;
    cms_scan_more(s);
    const char *at = s->at, *end = at + cms_scan_length(s);
    char letter = at < end ? (char)(*at & ~0x20) : 0;
    if (r->of == RANGE_COLUMNS && (letter == 'W' || letter == 'F')) {
        r->of = letter == 'W' ? RANGE_WORDS : RANGE_FIELDS;
        at++;
    }
    if (given && r->of == RANGE_COLUMNS)
        r->of = given;
    if (at == end || !numbers(at, end, r))
        return cms_scan_wrong(s, MESSAGE_PIPE_RANGE);
    s->at = end;
    return 0;
}

bool cms_scan_is_range(const struct scan *s)
{
    static const char *const words[] = {"WORDSEPARATOR", "FIELDSEPARATOR", "WS", "FS", "WORDS", "FIELDS"};
    struct scan ahead = *s;
    char word[20];
    if (!cms_scan_more(&ahead))
        return false;
    const char *at = ahead.at, *end = at + cms_scan_length(&ahead);
    char letter = (char)(*at & ~0x20);
    if (is_number(at, end) || ((letter == 'W' || letter == 'F') && is_number(at + 1, end)) ||
        (*at == '*' && at + 1 < end && (at[1] == '-' || at[1] == ';')))
        return true;
    cms_scan_upper(&ahead, word, sizeof word);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (cms_abbreviates(word, words[i], i < 2 ? 7 : i < 4 ? 2 : 1) && is_number(ahead.at + 1, ahead.end + (i < 4)))
            return true;
        else if (i < 4 && cms_abbreviates(word, words[i], i < 2 ? 7 : 2))
            return true;
    return false;
}

int cms_scan_ranges(struct scan *s, struct ranges *r)
{
    int rc = 0;
    *r = (struct ranges){.count = 1};
    if (!cms_scan_more(s) || *s->at != '(')
        return cms_scan_is_range(s) ? cms_scan_range(s, &r->range[0]) : 0;
    const char *close = memchr(s->at, ')', (size_t)(s->end - s->at));
    if (!close)
        return cms_message("PIP", MESSAGE_PIPE_RANGES_OPEN);
    struct scan inner = {s->at + 1, close};
    for (r->count = 0; !rc && cms_scan_more(&inner); r->count++) {
        if (r->count == RANGES_MAX)
            return cms_message("PIP", MESSAGE_PIPE_RANGES_MANY);
        rc = cms_scan_range(&inner, &r->range[r->count]);
    }
    s->at = close + 1;
    return rc || r->count ? rc : cms_message("PIP", MESSAGE_PIPE_RANGES_NONE);
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

/* The next word, or field, of [*at, length); false if there is none. A field may be empty. */
static bool next_part(const struct range *r, const uint8_t *data, size_t length, size_t *at, size_t *from, size_t *to)
{
    uint8_t by = (uint8_t)(r->separator ? r->separator : r->of == RANGE_WORDS ? ' ' : '\t');
    while (r->of == RANGE_WORDS && *at < length && data[*at] == by)
        ++*at;
    if (*at > length || (r->of == RANGE_WORDS && *at == length))
        return false;
    *from = *at;
    while (*at < length && data[*at] != by)
        ++*at;
    *to = (*at)++;
    return true;
}

static int64_t count_parts(const struct range *r, const uint8_t *data, size_t length)
{
    size_t at = 0, from, to;
    int64_t parts = 0;
    if (r->of == RANGE_COLUMNS)
        return (int64_t)length;
    while (next_part(r, data, length, &at, &from, &to))
        parts++;
    return parts;
}

static void find_parts(const struct range *r, int64_t first, int64_t last, const uint8_t *data, size_t length,
                       size_t *from, size_t *to)
{
    size_t at = 0, begin, end;
    *from = *to = length;
    for (int64_t part = 1; part <= last && next_part(r, data, length, &at, &begin, &end); part++) {
        if (part == first)
            *from = begin;
        if (part >= first)
            *to = end;
    }
}

void cms_range_find(const struct range *r, const uint8_t *data, size_t length, size_t *from, size_t *to)
{
    int64_t first = r->first, last = r->last;
    if (!first) {
        *from = 0;
        *to = length;
        return;
    }
    if (first < 0 || last < 0) {
        int64_t parts = count_parts(r, data, length);
        first = first < 0 ? first + parts + 1 : first;
        last = last < 0 ? last + parts + 1 : last;
        first = first < 1 ? 1 : first;
    }
    *from = *to = length;
    if (last < first)
        return;
    if (r->of != RANGE_COLUMNS) {
        find_parts(r, first, last, data, length, from, to);
        return;
    }
    *from = first - 1 < (int64_t)length ? (size_t)first - 1 : length;
    *to = last < (int64_t)length ? (size_t)last : length;
}
