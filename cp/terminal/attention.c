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
        a->typed++;
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

enum attention_result attention_take(struct attention *a, uint8_t byte)
{
    static const char pattern[] = "#CP";
    unsigned at = a->held;
    a->bytes[a->held++] = byte;
    if (at < 3)
        return a->typed == 0 && upper(byte) == pattern[at] ? ATTENTION_HOLDING : release(a);
    if (byte != ' ' && !ends_line(byte))
        return release(a);
    a->held = 0;
    return byte == ' ' ? ATTENTION_COMMAND : ATTENTION_ENTER;
}

void attention_handed_on(struct attention *a, unsigned count)
{
    memmove(a->bytes, a->bytes + count, a->held - count);
    a->held -= count;
}
