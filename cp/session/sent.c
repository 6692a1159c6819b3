/* In: lines from SEND. Out: bytes, typed at nobody's terminal. */
#include "cp/session/sent.h"

#include <string.h>

#include "cp/message/clean.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"

void sent_begin(struct session *s) { s->sent.ring = (struct ring){.bytes = s->sent.bytes, .size = SENT_LINE}; }

bool sent_waits(const struct session *s) { return ring_used(&s->sent.ring); }

static void put(struct session *s, const char *text, unsigned length)
{
    ring_put_run(&s->sent.ring, (const uint8_t *)text, length);
}

bool sent_put(struct session *s, bool cp, const char *text)
{
    char clean[EDITOR_LINE];
    unsigned length = (unsigned)clean_text(clean, text, strnlen(text, sizeof clean), false);
    if (cp) {
        sent_begin(s);
        typing_forget_held(s);
    } else if (sent_waits(s)) {
        return false;
    }
    typing_begin_line(s);
    if (cp)
        put(s, length ? "#CP " : "#CP", length ? 4 : 3);
    put(s, clean, length);
    put(s, "\r", 1);
    session_stir(s);
    turn_wanted = true;
    return true;
}

void sent_hand_on(struct session *s)
{
    struct ring *r = &s->sent.ring;
    for (; ring_used(r) && typing_take(s, ring_peek(r)); r->tail++) {}
}
