/* Keys on a line (edit.h): bytes typed in, a line out.
 *
 * Arrows, Home, End, Delete, Backspace, ^A ^E ^B ^F ^D ^H ^K ^U ^W ^L; ^P ^N, up and down recall lines; Tab completes;
 * ^C abandons the line. A byte that is no UTF-8 is dropped with a bell, and so is a character that terminals obey, but
 * in a hidden line bytes are taken as they are. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/edit.h"

enum keys_event {
    KEYS_GO_ON,
    KEYS_LINE,      /* the line is finished: it is in line.text, and the cursor stands on a new row */
    KEYS_TOO_LONG,  /* the same, but line.excess bytes of it had no room: it is not to be obeyed */
    KEYS_ABANDONED, /* ^C: it counts for nothing; the cursor stands on a new row */
};

struct keys {
    struct edited_line line;
    const char *(*recall)(void *context, size_t back); /* the line so far back, the newest being 1; NULL: none */
    void (*complete)(void *context);                   /* a Tab */
    void *context;                                     /* of these two, which may be NULL */
    size_t at;                                         /* the line recalled; 0: none */
    char pending[4];                                   /* an unfinished UTF-8 character */
    uint8_t pending_length, pending_wanted;
    uint8_t escape; /* state within an escape sequence */
    uint16_t escape_number;
    bool after_return; /* a newline right after a carriage return is no second line */
};

/* A new line (edit_begin), nothing recalled. */
void keys_begin(struct keys *, size_t indent, bool hidden);
enum keys_event keys_take(struct keys *, uint8_t byte);
