/* The line editor: bytes typed in, a line out, the screen kept in step by writing to the terminal.
 * Keys: arrows, Home, End, Delete, Backspace, ^A ^E ^B ^F ^D ^H ^K ^U ^W ^L, ^P ^N and up/down for history, Tab for
 * completion. A byte that is no UTF-8 is dropped with a bell. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/console/complete.h"
#include "cms/console/edit.h"
#include "cms/console/history.h"

struct line_editor {
    struct edited_line line;
    struct completion completion;
    struct history history;
    size_t at;                     /* history line shown, counted back from the newest; 0: none */
    char pending[4];               /* an unfinished UTF-8 character */
    uint8_t pending_length, pending_wanted;
    uint8_t escape;                /* state within an escape sequence */
    char escape_number;
    bool after_return;             /* a newline right after a carriage return is no second line */
};

void cms_line_begin(struct line_editor *editor);
/* One byte typed. True when the line is finished: it is in line.text, and the cursor stands on a new line. */
bool cms_line_key(struct line_editor *editor, unsigned char byte);
