/* The line editor: bytes typed in, a line out, the screen kept in step by writing to the terminal.
 * Keys: arrows, Home, End, Delete, Backspace, ^A ^E ^B ^F ^D ^H ^K ^U ^W ^L, ^P ^N and up/down for history, Tab for
 * completion.  Text is UTF-8, one column a character; a byte that is none is dropped with a bell.  The line scrolls
 * sideways when it is wider than the terminal. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_TEXT_MAX = 255, LINE_HISTORY = 2000 };

/* The index-th name that begins with the `length` characters at `word`, in any case; NULL after the last. */
typedef const char *(*line_completer)(const char *word, size_t length, size_t index);

struct line_editor {
    char text[LINE_TEXT_MAX + 1];       /* NUL-terminated */
    size_t length, cursor;         /* bytes */
    size_t first;                  /* byte that stands in the first column */
    char pending[4];               /* an unfinished UTF-8 character */
    uint8_t pending_length, pending_wanted;
    uint8_t escape;                /* state within an escape sequence */
    char escape_number;
    bool tabbed;                   /* the last key was a Tab that could not decide */
    bool after_return;             /* a newline right after a carriage return is no second line */
    size_t at;                     /* history line shown, counted back from the newest; 0: none */
    line_completer complete;       /* may be NULL */
    size_t history_used;
    char history[LINE_HISTORY];    /* lines, oldest first, each NUL-terminated */
};

void cms_line_begin(struct line_editor *editor);
/* One byte typed.  True when the line is finished: it is in text, and the cursor stands on a new line. */
bool cms_line_key(struct line_editor *editor, unsigned char byte);
/* Puts a line into the history, unless it is empty or the same as the newest. */
void cms_line_remember(struct line_editor *editor, const char *line);
