/* Watches what is typed to a guest for "#CP" at the start of a line. Bytes that may still become it are held back, and
 * released untouched when they do not. "##CP" is for the CP above, in the guest, which is given "#CP"; "###CP" for the
 * one above that, and so on: each takes one # away. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/terminal/ring.h"

enum { ATTENTION_LEVELS = 9, ATTENTION_HOLD = ATTENTION_LEVELS + 3 };

enum attention_result {
    ATTENTION_HOLDING, /* nothing to hand on yet */
    ATTENTION_RELEASE, /* hand `held` bytes on to the guest */
    ATTENTION_COMMAND, /* "#CP " was typed: CP reads the rest of the line */
    ATTENTION_ENTER,   /* "#CP" and the end of the line: enter CP */
};

struct attention {
    uint8_t bytes[ATTENTION_HOLD]; /* held back, as typed, or as they are to be handed on */
    uint8_t held;
    uint32_t typed; /* characters the guest's line holds, as far as can be told from here; 0: its start */
};

/* Takes one byte. After RELEASE the caller hands on bytes[0..held), perhaps not all at once, and no byte is taken
 * before that is done. @pre nothing is left of what was released */
enum attention_result attention_take(struct attention *, uint8_t byte);
/* Is a whole line that begins with "#CP" in what is typed ahead? *start: bytes before it, *length: its bytes, with its
 * end. */
bool attention_find(const struct attention *, const struct ring *ahead, uint32_t *start, uint32_t *length);
void attention_release(struct attention *); /* nothing more comes: what is held is to be handed on */
void attention_handed_on(struct attention *, unsigned count); /* the first so many of them */
