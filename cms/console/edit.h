/* The line being typed, and its picture on the screen. Text is UTF-8, one column a character. What is wider than the
 * terminal is shown in part, so that the cursor always stands in it. Positions are bytes, where a character begins. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { LINE_TEXT_MAX = 255 };

struct edited_line {
    char text[LINE_TEXT_MAX + 1]; /* NUL-terminated */
    size_t length, cursor;
    size_t first;                 /* stands in the first column */
};

/* Whether `c` is a byte of a UTF-8 character other than its first. */
bool cms_edit_is_continuation(char c);
/* Where the character before `at` begins, or the one behind that at `at`; 0 and the length are the ends. */
size_t cms_edit_previous(const struct edited_line *line, size_t at);
size_t cms_edit_next(const struct edited_line *line, size_t at);
/* Where the word that ends at the cursor begins, blanks behind it counted in. */
size_t cms_edit_word_start(const struct edited_line *line);

/* The following change the line and the screen with it. */
/* Whole characters before the cursor; a bell if there is no room for them. */
void cms_edit_insert(struct edited_line *line, const char *bytes, size_t count);
/* [from, to); the cursor then stands at `from`. */
void cms_edit_erase(struct edited_line *line, size_t from, size_t to);
void cms_edit_move(struct edited_line *line, size_t to);
void cms_edit_replace(struct edited_line *line, const char *text);
void cms_edit_redraw(struct edited_line *line);
void cms_edit_bell(void);
