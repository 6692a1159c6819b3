/* CP's own line editing (lib/keys.h), with the last lines on arrow up and down. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/keys.h"

enum { EDITOR_LINE = 240, EDITOR_HISTORY = 8 };

struct editor {
    struct keys keys;
    char text[EDITOR_LINE + 1];       /* NUL-terminated; all but its first byte stays when the next line is begun */
    char (*history)[EDITOR_LINE + 1]; /* NULL: none; EDITOR_HISTORY rows, [0] the last line */
    void (*echo)(void *context, const char *text, unsigned length);
    void (*complete)(void *context); /* a Tab */
    void *context;                   /* of both */
};

/* An empty line behind a prompt of so many columns, on a terminal of `width` (0: not known); history, echo, complete
 * and context stay. */
void editor_begin(struct editor *, unsigned width, unsigned indent, bool hidden);

/* Takes one byte. A line goes into the history unless it is hidden. */
enum keys_event editor_take(struct editor *, uint8_t byte);

/* Shows the line again, behind a prompt that was written anew, on a terminal of so many columns now. */
void editor_show(struct editor *, unsigned width);
void editor_forget(struct editor *); /* what was typed: it may be a password. A new line is to begin */
