/* Cleaning words for a terminal. In: bytes of anybody. Out: characters that are seen, and nothing else.
 * Unicode 15, "Default_Ignorable_Code_Point" and the line, paragraph and interlinear separators. */
#include "cp/message/clean.h"

#include <stdint.h>
#include <string.h>

#include "lib/format.h"

struct span {
    uint32_t first, last;
};

static const struct span unseen[] = {
    {0x0, 0x1f},         {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},
    {0x115f, 0x1160},    {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f},    {0x3164, 0x3164},   {0xd800, 0xdfff},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff},    {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
    {0x13430, 0x1343f},  {0xe0000, 0xe0fff},
};

static bool is_seen(uint32_t c)
{
    for (const struct span *s = unseen; s < unseen + sizeof unseen / sizeof *unseen; s++)
        if (c >= s->first && c <= s->last)
            return false;
    return c <= 0x10ffff && (c & 0xfffe) != 0xfffe;
}

unsigned clean_character(const char *text, size_t length)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000}; /* less would have been written shorter */
    uint8_t lead = (uint8_t)*text;
    unsigned bytes = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 0;
    if (!bytes || bytes > length)
        return 0;
    uint32_t c = bytes == 1 ? lead : lead & (0x7f >> bytes);
    for (unsigned i = 1; i < bytes; i++) {
        if (((uint8_t)text[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | ((uint8_t)text[i] & 0x3f);
    }
    return c >= least[bytes] && is_seen(c) ? bytes : 0;
}

size_t clean_text(char *out, const char *text, size_t length, bool lines)
{
    size_t to = 0;
    for (size_t at = 0; at < length;) {
        if (text[at] >= ' ' && text[at] < 0x7f) { /* nearly all */
            out[to++] = text[at++];
            continue;
        }
        unsigned bytes = clean_character(text + at, length - at);
        char other = text[at] == '\t' ? ' ' : lines && text[at] == '\n' ? '\n' : '?';
        if (bytes)
            memmove(out + to, text + at, bytes);
        else
            out[to] = other, bytes = 1;
        to += bytes;
        at += bytes;
    }
    return to;
}

size_t clean_line(char *out, size_t size, const char *format, va_list args)
{
    size_t length = format_text_v(out, size - 1, format, args);
    if (length > size - 2)
        length = size - 2;
    length = clean_text(out, out, length, false);
    out[length++] = '\n';
    return length;
}
