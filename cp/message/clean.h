/* What of a text another's terminal may be shown: it shows characters, and obeys nothing. Terminals speak UTF-8. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* The bytes of the character that `text` begins with, 1 to 4; 0 when it may not be shown, or is not one: control
 * characters (C0, DEL, C1), UTF-8 that is cut, overlong or of surrogates, noncharacters, and what changes the direction
 * of others or is not seen itself.
 * @pre length > 0 */
unsigned clean_character(const char *text, size_t length);

/* Copies the text: a tab as a blank, and '?' for every byte that is not of such a character; where it is of `lines`, \n
 * stays. Returns its new length, which is never greater. `out` may be `text`. */
size_t clean_text(char *out, const char *text, size_t length, bool lines);

/* One line of CP's own: formatted, cut at `size` - 2 bytes, cleaned, and ended by \n instead of NUL. Its length.
 * @pre size >= 2 */
size_t clean_line(char *out, size_t size, const char *format, va_list args);
