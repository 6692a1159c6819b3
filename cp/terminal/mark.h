/* Marks: what whoever carries a line (scripts/vmn-relay) says to CP among the bytes that are typed there.
 *
 *   FE token E ;          nothing will be typed on this line any more
 *   FE token W columns ;  the terminal is so many columns wide
 *
 * FE is in no text, and the token is known to the carrier and CP alone: nobody can type a mark. Bytes that may become
 * one are held back, and given as they are when they do not. Without a token every byte is given at once. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { MARK_BEGINS = 0xfe, MARK_TOKEN = 16, MARK_HOLD = 1 + MARK_TOKEN + 8 };

enum mark_kind {
    MARK_HOLDING, /* nothing to give yet */
    MARK_GIVE,    /* no mark: `held` bytes are to be taken as typed */
    MARK_END,
    MARK_WIDTH,   /* `columns` */
};

struct mark {
    const char *token; /* 1 to MARK_TOKEN characters; NULL: there are no marks */
    uint8_t bytes[MARK_HOLD];
    uint8_t held;
    unsigned columns;
};

/* Takes a byte. After GIVE bytes[0..held) are typed ones, but the last of several is held on if it is MARK_BEGINS; the
 * caller takes them out. After END and WIDTH held is 0. */
enum mark_kind mark_take(struct mark *, uint8_t byte);
