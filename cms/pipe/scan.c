/* See scan.h. */
#include "cms/pipe/scan.h"

#include <string.h>

#include "cms/command/messages.h"

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool cms_scan_more(struct scan *s)
{
    while (s->at < s->end && *s->at == ' ')
        s->at++;
    return s->at < s->end;
}

static size_t word_length(const struct scan *s)
{
    const char *p = s->at;
    while (p < s->end && *p != ' ')
        p++;
    return (size_t)(p - s->at);
}

static void copy_word(const char *from, size_t length, char *word, size_t size)
{
    size_t n = length < size - 1 ? length : size - 1;
    for (size_t i = 0; i < n; i++)
        word[i] = upper(from[i]);
    word[n] = 0;
}

bool cms_scan_upper(struct scan *s, char *word, size_t size)
{
    if (!cms_scan_more(s))
        return false;
    size_t length = word_length(s);
    copy_word(s->at, length, word, size);
    s->at += length;
    return true;
}

bool cms_scan_keyword(struct scan *s, const char *name, size_t least)
{
    struct scan ahead = *s;
    char word[20];
    if (!cms_scan_upper(&ahead, word, sizeof word) || !cms_abbreviates(word, name, least))
        return false;
    *s = ahead;
    return true;
}

bool cms_scan_word(struct scan *s, struct word *word)
{
    if (!cms_scan_more(s))
        return false;
    word->raw = s->at;
    word->raw_length = (uint16_t)word_length(s);
    copy_word(s->at, word->raw_length, word->text, sizeof word->text);
    s->at += word->raw_length;
    return true;
}

/* A message that one word fills: the next one, as typed. */
static int complain(struct scan *s, enum cms_message message)
{
    char word[40];
    struct scan ahead = *s;
    if (!cms_scan_more(&ahead))
        return cms_message("PIP", MESSAGE_PIPE_MISSING);
    size_t n = word_length(&ahead) < sizeof word - 1 ? word_length(&ahead) : sizeof word - 1;
    memcpy(word, ahead.at, n);
    word[n] = 0;
    return cms_message_give("PIP", message, cms_message_rows[message].text, word);
}

static bool digits(const char **at, const char *end, uint32_t *number)
{
    uint64_t sum = 0;
    const char *start = *at;
    while (*at < end && is_digit(**at) && sum <= UINT32_MAX)
        sum = sum * 10 + (unsigned)(*(*at)++ - '0');
    *number = (uint32_t)sum;
    return *at > start && sum <= UINT32_MAX;
}

int cms_scan_number(struct scan *s, uint32_t *number)
{
    cms_scan_more(s);
    const char *at = s->at, *end = s->at + word_length(s);
    if (!digits(&at, end, number) || at != end)
        return complain(s, MESSAGE_PIPE_NUMBER);
    s->at = end;
    return 0;
}

static int hex_digit(char c)
{
    c = upper(c);
    return is_digit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* X41C2: at least one pair of digits */
static bool hexadecimal(struct scan *s, struct string *string)
{
    size_t length = word_length(s);
    if (upper(*s->at) != 'X' || length % 2 == 0 || length < 3 || length / 2 > sizeof string->decoded)
        return false;
    for (size_t i = 1; i < length; i += 2) {
        int high = hex_digit(s->at[i]), low = hex_digit(s->at[i + 1]);
        if (high < 0 || low < 0)
            return false;
        string->decoded[i / 2] = (uint8_t)(high << 4 | low);
    }
    string->data = string->decoded;
    string->length = length / 2;
    s->at += length;
    return true;
}

int cms_scan_string(struct scan *s, struct string *string)
{
    if (!cms_scan_more(s))
        return cms_message("PIP", MESSAGE_PIPE_MISSING);
    char delimiter = upper(*s->at);
    if (delimiter == 'X')
        return hexadecimal(s, string) ? 0 : complain(s, MESSAGE_PIPE_HEXADECIMAL);
    if (is_digit(delimiter) || (delimiter >= 'A' && delimiter <= 'Z'))
        return complain(s, MESSAGE_PIPE_OPERAND);
    const char *close = memchr(s->at + 1, *s->at, (size_t)(s->end - s->at - 1));
    if (!close)
        return complain(s, MESSAGE_PIPE_DELIMITER);
    string->data = (const uint8_t *)s->at + 1;
    string->length = (size_t)(close - s->at - 1);
    s->at = close + 1;
    return 0;
}

bool cms_scan_is_range(const struct scan *s)
{
    struct scan ahead = *s;
    if (!cms_scan_more(&ahead))
        return false;
    return is_digit(*ahead.at) || (upper(*ahead.at) == 'W' && ahead.at + 1 < ahead.end && is_digit(ahead.at[1]));
}

bool cms_scan_is_string(const struct scan *s)
{
    struct scan ahead = *s;
    if (!cms_scan_more(&ahead))
        return false;
    char c = upper(*ahead.at);
    return !is_digit(c) && (c < 'A' || c > 'Z') && c != '*';
}

static bool range_end(const char **at, const char *end, struct range *range)
{
    uint32_t n;
    char c = **at;
    if (c != '-' && c != '.')
        return false;
    (*at)++;
    if (c == '-' && *at < end && **at == '*') {
        (*at)++;
        range->last = UINT32_MAX;
        return true;
    }
    if (!digits(at, end, &n))
        return false;
    range->last = c == '-' ? n : n > UINT32_MAX - range->first ? UINT32_MAX : range->first + n - 1;
    return range->last >= range->first;
}

int cms_scan_range(struct scan *s, struct range *range)
{
    cms_scan_more(s);
    const char *at = s->at, *end = s->at + word_length(s);
    *range = (struct range){0};
    if (at < end && upper(*at) == 'W') {
        range->words = true;
        at++;
    }
    bool valid = digits(&at, end, &range->first) && range->first;
    range->last = range->first;
    if (valid && at < end)
        valid = range_end(&at, end, range);
    if (!valid || at != end)
        return complain(s, MESSAGE_PIPE_RANGE);
    s->at = end;
    return 0;
}

int cms_scan_end(struct scan *s)
{
    char rest[60];
    if (!cms_scan_more(s))
        return 0;
    size_t n = (size_t)(s->end - s->at) < sizeof rest - 1 ? (size_t)(s->end - s->at) : sizeof rest - 1;
    memcpy(rest, s->at, n);
    rest[n] = 0;
    return cms_message("PIP", MESSAGE_PIPE_EXCESSIVE, rest);
}

/* ---- finding things in records ----------------------------------------------------------------------------------- */

static void find_words(const struct range *range, const uint8_t *data, size_t length, size_t *from, size_t *to)
{
    size_t at = 0;
    *from = *to = length;
    for (uint32_t word = 1; word <= range->last; word++) {
        while (at < length && data[at] == ' ')
            at++;
        if (at == length)
            return;
        if (word == range->first)
            *from = at;
        while (at < length && data[at] != ' ')
            at++;
        if (word >= range->first)
            *to = at;
    }
}

void cms_range_find(const struct range *range, const uint8_t *data, size_t length, size_t *from, size_t *to)
{
    if (range->first == 0) {
        *from = 0;
        *to = length;
    } else if (range->words) {
        find_words(range, data, length, from, to);
    } else {
        *from = range->first - 1 < length ? range->first - 1 : length;
        *to = range->last < length ? range->last : length;
    }
}

static bool same(const uint8_t *a, const uint8_t *b, size_t length, bool any_case)
{
    if (!any_case)
        return !memcmp(a, b, length);
    for (size_t i = 0; i < length; i++)
        if (upper((char)a[i]) != upper((char)b[i]))
            return false;
    return true;
}

size_t cms_string_find(const struct string *string, const uint8_t *data, size_t from, size_t to, bool any_case)
{
    for (size_t at = from; at + string->length <= to; at++)
        if (same(data + at, string->data, string->length, any_case))
            return at;
    return SIZE_MAX;
}
