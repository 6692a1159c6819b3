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

size_t cms_scan_length(const struct scan *s)
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
    size_t length = cms_scan_length(s);
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
    word->raw_length = (uint16_t)cms_scan_length(s);
    copy_word(s->at, word->raw_length, word->text, sizeof word->text);
    s->at += word->raw_length;
    return true;
}

/* A message that one word fills: the next one, as typed. */
/* C0, DEL, and C1 as UTF-8 or alone. */
static bool commands(uint8_t before, uint8_t c, uint8_t after)
{
    bool c1 = c >= 0x80 && c < 0xa0 && (before < 0x80 || before == 0xc2);
    return c < ' ' || c == 0x7f || c1 || (c == 0xc2 && after >= 0x80 && after < 0xa0);
}

const char *cms_scan_shown(const void *text, size_t length, char *shown, size_t size)
{
    const uint8_t *from = text;
    size_t n = length < size - 1 ? length : size - 1;
    for (size_t i = 0; i < n; i++)
        shown[i] = commands(i ? from[i - 1] : 0, from[i], i + 1 < n ? from[i + 1] : 0) ? '.' : (char)from[i];
    shown[n] = 0;
    return shown;
}

int cms_scan_wrong(struct scan *s, enum cms_message message)
{
    char word[40];
    struct scan ahead = *s;
    if (!cms_scan_more(&ahead))
        return cms_message("PIP", MESSAGE_PIPE_MISSING);
    cms_scan_shown(ahead.at, cms_scan_length(&ahead), word, sizeof word);
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
    const char *at = s->at, *end = s->at + cms_scan_length(s);
    if (!digits(&at, end, number) || at != end)
        return cms_scan_wrong(s, MESSAGE_PIPE_NUMBER);
    s->at = end;
    return 0;
}

int cms_scan_signed(struct scan *s, int32_t *number)
{
    struct scan ahead = *s;
    uint32_t size;
    cms_scan_more(&ahead);
    bool minus = ahead.at < ahead.end && *ahead.at == '-';
    if (minus || (ahead.at < ahead.end && *ahead.at == '+'))
        ahead.at++;
    const char *at = ahead.at, *end = at + cms_scan_length(&ahead);
    if (!digits(&at, end, &size) || at != end || size > INT32_MAX)
        return cms_scan_wrong(s, MESSAGE_PIPE_NUMBER);
    *number = minus ? -(int32_t)size : (int32_t)size;
    s->at = end;
    return 0;
}

int cms_scan_count(struct scan *s, uint32_t *number)
{
    if (cms_scan_keyword(s, "*", 1))
        return *number = UINT32_MAX, 0;
    return cms_scan_number(s, number);
}

static int hex_digit(char c)
{
    c = upper(c);
    return is_digit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* X41C2: at least one pair of digits */
int cms_scan_hex(struct scan *s, struct string *string)
{
    size_t length = cms_scan_length(s);
    if (length < 2)
        return cms_scan_wrong(s, MESSAGE_PIPE_HEXADECIMAL);
    if (length % 2 == 0)
        return cms_scan_wrong(s, MESSAGE_PIPE_ODD);
    for (size_t i = 1; i < length; i += 2) {
        int high = hex_digit(s->at[i]), low = hex_digit(s->at[i + 1]);
        if (high < 0 || low < 0 || length / 2 > sizeof string->decoded)
            return cms_scan_wrong(s, MESSAGE_PIPE_NOT_HEXADECIMAL);
        string->decoded[i / 2] = (uint8_t)(high << 4 | low);
    }
    string->data = string->decoded;
    string->length = length / 2;
    s->at += length;
    return 0;
}

/* B01000001: digits by eight */
static int binary(struct scan *s, struct string *string)
{
    size_t length = cms_scan_length(s) - 1;
    if (length == 0)
        return cms_scan_wrong(s, MESSAGE_PIPE_BINARY);
    if (length % 8)
        return cms_scan_wrong(s, MESSAGE_PIPE_EIGHT);
    for (size_t i = 0; i < length; i++) {
        char c = s->at[i + 1];
        if ((c != '0' && c != '1') || length / 8 > sizeof string->decoded)
            return cms_scan_wrong(s, MESSAGE_PIPE_NOT_BINARY);
        string->decoded[i / 8] = (uint8_t)(string->decoded[i / 8] << 1 | (c == '1'));
    }
    string->data = string->decoded;
    string->length = length / 8;
    s->at += length + 1;
    return 0;
}

int cms_scan_string(struct scan *s, struct string *string)
{
    if (!cms_scan_more(s))
        return cms_message("PIP", MESSAGE_PIPE_MISSING);
    char delimiter = upper(*s->at);
    if (delimiter == 'X')
        return cms_scan_hex(s, string);
    if (delimiter == 'B')
        return binary(s, string);
    if (is_digit(delimiter) || (delimiter >= 'A' && delimiter <= 'Z'))
        return cms_scan_wrong(s, MESSAGE_PIPE_OPERAND);
    const char *close = memchr(s->at + 1, *s->at, (size_t)(s->end - s->at - 1));
    if (!close)
        return cms_scan_wrong(s, MESSAGE_PIPE_DELIMITER);
    string->data = (const uint8_t *)s->at + 1;
    string->length = (size_t)(close - s->at - 1);
    s->at = close + 1;
    return 0;
}

int cms_scan_character(struct scan *s, uint8_t *character)
{
    if (cms_scan_keyword(s, "BLANK", 5) || cms_scan_keyword(s, "SPACE", 5))
        return *character = ' ', 0;
    if (cms_scan_keyword(s, "TABULATE", 3))
        return *character = '\t', 0;
    if (!cms_scan_more(s))
        return cms_message("PIP", MESSAGE_PIPE_MISSING);
    size_t length = cms_scan_length(s);
    int high = hex_digit(s->at[0]), low = length == 2 ? hex_digit(s->at[1]) : -1;
    if (length != 1 && (high < 0 || low < 0))
        return cms_scan_wrong(s, MESSAGE_PIPE_CHARACTER);
    *character = length == 1 ? (uint8_t)*s->at : (uint8_t)(high << 4 | low);
    s->at += length;
    return 0;
}

bool cms_scan_is_number(const struct scan *s)
{
    struct scan ahead = *s;
    return cms_scan_more(&ahead) && is_digit(*ahead.at);
}

bool cms_scan_is_string(const struct scan *s)
{
    struct scan ahead = *s;
    if (!cms_scan_more(&ahead))
        return false;
    char c = upper(*ahead.at);
    if ((c == 'X' || c == 'B') && cms_scan_length(&ahead) > 1)
        return c == 'X' ? hex_digit(ahead.at[1]) >= 0 : ahead.at[1] == '0' || ahead.at[1] == '1';
    return !is_digit(c) && (c < 'A' || c > 'Z') && c != '*' && c != '-';
}

bool cms_scan_any_case(struct scan *s)
{
    return cms_scan_keyword(s, "ANYCASE", 3) || cms_scan_keyword(s, "CASEANY", 5) ||
           cms_scan_keyword(s, "IGNORECASE", 7) || cms_scan_keyword(s, "CASEIGNORE", 7);
}

int cms_scan_end(struct scan *s)
{
    char rest[60];
    if (!cms_scan_more(s))
        return 0;
    return cms_message("PIP", MESSAGE_PIPE_EXCESSIVE,
                       cms_scan_shown(s->at, (size_t)(s->end - s->at), rest, sizeof rest));
}

/* ---- finding things in records ----------------------------------------------------------------------------------- */

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
    for (size_t at = from; at + string->length <= to; at++) {
        if (!any_case && string->length && data[at] != string->data[0])
            continue;
        if (same(data + at, string->data, string->length, any_case))
            return at;
    }
    return SIZE_MAX;
}

bool cms_string_begins(const struct string *string, const uint8_t *data, size_t length, bool any_case)
{
    return string->length <= length && same(data, string->data, string->length, any_case);
}
