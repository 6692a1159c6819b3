/* Completion of what is typed, by Tab: the word before the cursor, or what may stand there if there is none yet.
 * Once: as far as all that it may become agree; twice: what that is. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "cms/console/edit.h"
#include "lib/candidates.h"

/* Offers what the last word of `line` may become: `length` bytes, its logical line up to the cursor. A word begins
 * behind a blank, a parenthesis or a vertical bar; the last one may be empty. */
typedef void (*line_completer)(const char *line, size_t length, struct candidates *candidates);

/* Where the last word of `line` begins. */
size_t cms_last_word(const char *line, size_t length);

struct completion {
    line_completer names; /* may be NULL */
    bool tabbed;          /* the last key was a Tab that could not decide: another one lists the words */
};

void cms_complete(struct completion *completion, struct edited_line *line);
