/* CP's own line editing: one line typed at a terminal, with backspace, ^U, ^W and the last lines on arrow up and down.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { EDITOR_LINE = 240, EDITOR_HISTORY = 8 };

struct editor {
    char text[EDITOR_LINE + 1]; /* NUL-terminated when the line is complete */
    unsigned length;
    bool hidden;                      /* do not echo: a password */
    bool skip_newline;                /* the last line ended with CR: an LF now belongs to it */
    uint8_t escape;                   /* inside an escape sequence */
    unsigned shown;                   /* how far back in the history, 0: the new line */
    char (*history)[EDITOR_LINE + 1]; /* NULL: none; EDITOR_HISTORY rows, [0] the last line */
    void (*echo)(void *context, const char *text, unsigned length);
    void *context;
};

void editor_begin(struct editor *, bool hidden); /* an empty line; history, echo and context stay */

/* Takes one byte. True: the line is complete in `text` (its end was echoed, and it went into the history unless
 * hidden). */
bool editor_take(struct editor *, uint8_t byte);

/* Shows what was typed so far again. */
void editor_show(struct editor *);
