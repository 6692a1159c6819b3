/* In: words of anybody's. Out: a queue of cleaned ones. */
#include "cp/session/special.h"

#include <string.h>

#include "cp/message/clean.h"

enum { FROM = sizeof((struct diagnose_special *)0)->from };
_Static_assert(sizeof(struct diagnose_special) <= UINT8_MAX, "its length is a byte");

bool special_put(struct special *q, const char *from, const char *text)
{
    unsigned length = (unsigned)strnlen(text, DIAGNOSE_SPECIAL_TEXT), bytes = FROM + length;
    uint8_t *at = q->bytes + q->used;
    if (q->used + 1 + bytes > SPECIAL_QUEUE)
        return false;
    *at++ = (uint8_t)bytes;
    memset(at, ' ', FROM);
    memcpy(at, from, strnlen(from, FROM));
    clean_text((char *)at + FROM, text, length, false);
    q->used = (uint16_t)(q->used + 1 + bytes);
    return true;
}

unsigned special_first(const struct special *q, struct diagnose_special *message)
{
    unsigned bytes = q->used ? *q->bytes : 0;
    memcpy(message, q->bytes + 1, bytes);
    return bytes;
}

void special_drop(struct special *q)
{
    unsigned gone = 1u + *q->bytes;
    q->used = (uint16_t)(q->used - gone);
    memmove(q->bytes, q->bytes + gone, q->used);
}
