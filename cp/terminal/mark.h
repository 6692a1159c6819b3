/* Marks: what whoever carries a line (scripts/vmn-relay) says to CP among the bytes that are typed there.
 *
 *   FE token E ;          nothing will be typed on this line any more
 *   FE token W columns , rows ;  the terminal is so wide and high; rows may be left out: they are not known
 *   FE token T ;          an FE was typed
 *   FE token C ;          somebody came who can be hung up on
 *   FE token U userid ;   and is known to be that user
 *   FE token G ;          they are gone; the next comes when that has been heeded (carrier_parted)
 *
 * The carrier sends every FE that is typed so: nobody can type a mark, whoever may know the token, and no typed byte
 * waits for the next to tell that it begins none. Bytes that nobody carries, but that may become a mark, are held back,
 * and given as they are when they do not. Without a token every byte is given at once. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/userid.h"

enum {
    MARK_BEGINS = 0xfe,
    MARK_TOKEN = 16,
    MARK_NAME = USERID_MOST,
    MARK_HOLD = 1 + MARK_TOKEN + 1 + MARK_NAME + 1,
    MARK_SIDE = 999, /* a wider or higher terminal counts as so wide or high: no line that is edited is longer */
};

enum mark_kind {
    MARK_HOLDING, /* nothing to give yet */
    MARK_GIVE,    /* no mark: `held` bytes are to be taken as typed */
    MARK_END,
    MARK_SIZE,    /* `columns`, `rows` */
    MARK_TYPED,   /* MARK_BEGINS is to be taken as typed */
    MARK_CAME,
    MARK_USER,    /* `name` */
    MARK_GONE,
};

struct mark {
    const char *token; /* 1 to MARK_TOKEN characters; NULL: there are no marks */
    uint8_t bytes[MARK_HOLD];
    uint8_t held;
    unsigned columns, rows; /* 0: not known */
    char name[MARK_NAME + 1];
};

/* Takes a byte. After GIVE bytes[0..held) are typed ones, but the last of several is held on if it is MARK_BEGINS; the
 * caller takes them out. After a mark held is 0. */
enum mark_kind mark_take(struct mark *, uint8_t byte);
