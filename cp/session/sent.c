/* In: lines from SEND. Out: bytes, typed at nobody's terminal. */
#include "cp/session/sent.h"

#include <string.h>

#include "cp/message/clean.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"

void sent_begin(struct session *s) { s->sent.ring = (struct ring){.bytes = s->sent.bytes, .size = SENT_QUEUE}; }

bool sent_waits(const struct session *s) { return ring_used(&s->sent.ring); }

static void put(struct session *s, const char *text, unsigned length)
{
    ring_put_run(&s->sent.ring, (const uint8_t *)text, length);
}

bool sent_put(struct session *s, bool cp, const char *text)
{
    static const char command[] = "#CP ";
    char clean[EDITOR_LINE];
    unsigned length = (unsigned)clean_text(clean, text, strnlen(text, sizeof clean), false);
    if (ring_room(&s->sent.ring) < sizeof command + length) {
        if (!cp)
            return false;
        sent_begin(s);
        typing_forget_held(s);
    }
    if (!sent_waits(s))
        typing_begin_line(s);
    if (cp)
        put(s, command, length ? 4 : 3);
    put(s, clean, length);
    put(s, "\r", 1);
    session_stir(s);
    turn_wanted = true;
    return true;
}

void sent_hand_on(struct session *s)
{
    struct ring *r = &s->sent.ring;
    uint32_t before, length;
    if (s->typing.stuck && attention_find(&s->typing.attention, r, &before, &length)) {
        typing_forget_held(s);
        r->tail += before;
    }
    for (; ring_used(r) && typing_take(s, ring_peek(r)); r->tail++) {}
}
