/* What SEND has entered at the console of a user who is disconnected: lines that are handed on as if they were typed,
 * as far as whoever reads there takes them. As of what is typed, "#CP" reaches CP whatever the machine does: if that
 * reads nothing for a while, what stands before it is dropped. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/terminal/ring.h"

struct session;

enum { SENT_QUEUE = 512 /* bytes: two of the longest lines; a power of two */ };

struct sent {
    struct ring ring;
    uint8_t bytes[SENT_QUEUE];
};

void sent_begin(struct session *); /* nothing is */
/* The text, cleaned, and Enter; `cp`: with "#CP " before it, and where there is no room, instead of all others. False:
 * no room.
 * @pre a user is logged on there, and at no terminal */
bool sent_put(struct session *, bool cp, const char *text);
void sent_hand_on(struct session *);    /* as much as is taken now */
bool sent_waits(const struct session *); /* some is not taken yet */
