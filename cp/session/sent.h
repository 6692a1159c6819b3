/* What SEND has entered at the console of a user who is disconnected: a line that is handed on as if it were typed, as
 * far as whoever reads there takes it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/terminal/ring.h"

struct session;

enum { SENT_LINE = 256 /* "#CP ", a line, and its end; a power of two */ };

struct sent {
    struct ring ring;
    uint8_t bytes[SENT_LINE];
};

void sent_begin(struct session *); /* nothing is */
/* The text, cleaned, and Enter. `cp`: with "#CP " before it, which reaches CP whatever the machine does: what it has
 * not read of earlier lines is dropped. False: an earlier line has not been taken yet.
 * @pre a user is logged on there, and at no terminal */
bool sent_put(struct session *, bool cp, const char *text);
void sent_hand_on(struct session *);    /* as much as is taken now */
bool sent_waits(const struct session *); /* some is not taken yet */
