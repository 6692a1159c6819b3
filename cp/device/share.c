#include "cp/device/share.h"

#include <string.h>

#include "lib/format.h"

static const char *skip_blanks(const char *text)
{
    while (*text == ' ')
        text++;
    return text;
}

/* A word that abbreviates `name`: behind it; NULL: another. */
static const char *skip_word(const char *text, const char *name)
{
    enum { LEAST = 3 };
    unsigned length = 0;
    while (name[length] && (text[length] & ~0x20) == name[length])
        length++;
    return length >= LEAST && text[length] == ' ' ? skip_blanks(text + length) : NULL;
}

/* Digits; *value stays below 100,000 whatever they are. */
static const char *skip_digits(const char *text, unsigned *value)
{
    for (*value = 0; *text >= '0' && *text <= '9' && *value < 10000; text++)
        *value = *value * 10 + (unsigned)(*text - '0');
    return text;
}

static bool parse_percent(const char *text, struct share *share)
{
    unsigned whole, tenth = 0;
    const char *at = skip_digits(text, &whole);
    if (at == text)
        return false;
    if (*at == '.' && at[1] >= '0' && at[1] <= '9')
        tenth = (unsigned)(at[1] - '0'), at += 2;
    at += *at == '%';
    unsigned tenths = whole * 10 + tenth;
    *share = (struct share){true, (uint16_t)tenths};
    return !*skip_blanks(at) && tenths && tenths <= SHARE_WHOLE;
}

static bool parse_parts(const char *text, struct share *share)
{
    unsigned parts;
    const char *at = skip_digits(text, &parts);
    *share = (struct share){false, (uint16_t)parts};
    return !*skip_blanks(at) && parts && parts <= SHARE_RELATIVE_MAX;
}

bool share_parse(const char *text, struct share *share)
{
    const char *value;
    text = skip_blanks(text);
    if ((value = skip_word(text, "ABSOLUTE")))
        return parse_percent(value, share);
    return (value = skip_word(text, "RELATIVE")) && parse_parts(value, share);
}

const char *share_text(struct share share, char text[SHARE_TEXT])
{
    if (share.absolute)
        format_text(text, SHARE_TEXT, "ABSOLUTE SHARE = %u.%u%%", share.parts / 10u, share.parts % 10u);
    else
        format_text(text, SHARE_TEXT, "RELATIVE SHARE = %u", (unsigned)share_parts(share));
    return text;
}
