/* Watching typed bytes for #CP. In: bytes for the guest. Out: what to do with them. */
#include "cp/terminal/attention.h"

#include <string.h>

enum { BACKSPACE = 8, DELETE = 127, CONTROL_C = 3, CONTROL_U = 21 };

static uint8_t upper(uint8_t c) { return c >= 'a' && c <= 'z' ? c - 32 : c; }

static bool ends_line(uint8_t c) { return c == '\r' || c == '\n'; }

/* What the guest's own line editor most likely makes of the byte. */
static void follow(struct attention *a, uint8_t c)
{
    if (ends_line(c) || c == CONTROL_C || c == CONTROL_U)
        a->typed = 0;
    else if (c != BACKSPACE && c != DELETE)
        a->typed += (c & 0xc0) != 0x80; /* of a character, not of its further bytes */
    else if (a->typed)
        a->typed--;
}

void attention_release(struct attention *a)
{
    for (unsigned i = 0; i < a->held; i++)
        follow(a, a->bytes[i]);
}

static enum attention_result release(struct attention *a)
{
    attention_release(a);
    return ATTENTION_RELEASE;
}

static unsigned hashes(const struct attention *a)
{
    unsigned count = 0;
    while (count < a->held && a->bytes[count] == '#')
        count++;
    return count;
}

/* What is held, of which the last is new, is "#CP" and what ends it, with as many # as there may be. Of a part of that
 * *whole is false. */
static bool is_attention(const struct attention *a, bool *whole)
{
    static const char name[] = "CP";
    unsigned levels = hashes(a), named = a->held - levels;
    uint8_t last = a->bytes[a->held - 1];
    *whole = named == sizeof name;
    if (a->typed || !levels || levels > ATTENTION_LEVELS)
        return false;
    return !named || (*whole ? last == ' ' || ends_line(last) : upper(last) == name[named - 1]);
}

enum attention_result attention_take(struct attention *a, uint8_t byte)
{
    bool whole;
    a->bytes[a->held++] = byte;
    if (!is_attention(a, &whole))
        return release(a);
    if (!whole)
        return ATTENTION_HOLDING;
    if (hashes(a) > 1) {
        memmove(a->bytes, a->bytes + 1, --a->held);
        return release(a);
    }
    a->held = 0;
    return byte == ' ' ? ATTENTION_COMMAND : ATTENTION_ENTER;
}

static bool is_command(const struct ring *r, uint32_t at)
{
    static const char pattern[] = "#CP";
    for (unsigned i = 0; i < 3; i++)
        if (upper(ring_at(r, at + i)) != pattern[i])
            return false;
    uint8_t behind = ring_at(r, at + 3);
    return behind == ' ' || ends_line(behind);
}

bool attention_find(const struct attention *a, const struct ring *ahead, uint32_t *start, uint32_t *length)
{
    struct attention line = {.typed = a->typed};
    uint32_t used = ring_used(ahead);
    bool found = false;
    for (uint32_t i = 0; i < used; i++) {
        uint8_t byte = ring_at(ahead, i);
        if (!found && !line.typed && used - i > 3 && is_command(ahead, i)) {
            found = true;
            *start = i;
        }
        follow(&line, byte);
        if (found && ends_line(byte)) {
            *length = i + 1 - *start;
            return true;
        }
        found &= line.typed != 0; /* it was wiped again */
    }
    return false;
}

void attention_handed_on(struct attention *a, unsigned count)
{
    memmove(a->bytes, a->bytes + count, a->held - count);
    a->held -= count;
}
