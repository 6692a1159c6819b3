/* A line being typed, and its picture on a terminal. Text is UTF-8; positions are bytes, where a character begins. The
 * picture begins behind a prompt and wraps at the terminal's width, and editing redraws what it must. Of a line of more
 * rows than EDIT_ROWS those about the cursor are kept right; what scrolled away above them stays as it was.
 *
 * Only what is needed goes to the terminal: typing at the end is the echo alone, whatever the width. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { EDIT_WIDTH = 80 /* where it is not known */, EDIT_WIDTH_LEAST = 20, EDIT_ROWS = 8 };

struct edited_line {
    char *text;   /* the owner's, limit + 1 bytes: NUL-terminated, and 0 behind that, as it may be a password */
    size_t limit; /* bytes */
    size_t length, cursor;
    size_t excess; /* bytes typed that had no room: the line is not what was typed */
    size_t width, indent; /* columns: the terminal's, the prompt's */
    size_t top;           /* the row of the text that the first row of the picture shows */
    size_t row, column;   /* of the cursor in the picture; column == width: it hangs at the edge */
    size_t last;          /* the last row of the picture */
    bool hidden;          /* not shown: a password */
    void (*show)(void *context, const char *bytes, size_t count);
    void *context;
};

/* Whether `c` is a byte of a UTF-8 character other than its first. */
bool edit_is_continuation(char c);
/* Columns that a text takes: 2 for the wide characters of East Asia and pictures, 0 for marks that combine. */
size_t edit_columns(const char *text, size_t length);
/* Where the character before `at` begins, or the one behind that at `at`; 0 and the length are the ends. */
size_t edit_previous(const struct edited_line *, size_t at);
size_t edit_next(const struct edited_line *, size_t at);
/* Where the word that ends at the cursor begins, blanks behind it counted in. */
size_t edit_word_start(const struct edited_line *);

/* An empty line; the prompt is on the screen, and the cursor behind it. Text, limit, width and show stay. */
void edit_begin(struct edited_line *, size_t indent, bool hidden);

/* The following change the line and the screen with it. */
/* Whole characters before the cursor; without room they and all that follow are counted, and a bell rings. */
void edit_insert(struct edited_line *, const char *bytes, size_t count);
/* [from, to); the cursor then stands at `from`. */
void edit_erase(struct edited_line *, size_t from, size_t to);
void edit_move(struct edited_line *, size_t to);
/* Another text, of which what has no room counts as typed in excess. */
void edit_replace(struct edited_line *, const char *text);
void edit_redraw(struct edited_line *);
/* The prompt was written anew, on a row that is else empty: draws the line behind it. */
void edit_show(struct edited_line *);
/* To the beginning of the row below the line. */
void edit_leave(struct edited_line *);
void edit_bell(struct edited_line *);
