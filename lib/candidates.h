/* What the word before the cursor may become, where Tab completes it: offered one by one, then inserted as far as all
 * agree, or listed. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "lib/edit.h"

enum { CANDIDATE_MAX = 12 /* the longest word that is offered */, CANDIDATES_MAX = 200 };

/* Sorted, each once; what is beyond the room only counts for `common`. */
struct candidates {
    const char *word; /* as far as it was typed; may be empty */
    size_t length;
    size_t common; /* all of them agree that far */
    size_t count;
    bool more; /* than there is room for */
    char escaped, escape; /* the one is inserted behind the other, as it else ends the line; 0: none is */
    char text[CANDIDATES_MAX][CANDIDATE_MAX + 1];
};

/* None yet. @pre the word stays until they were inserted or listed */
void candidates_begin(struct candidates *, const char *word, size_t length);
/* One word, upper case and without controls. What does not begin as was typed, in any case, and what was offered before
 * is passed over. */
void candidate_offer(struct candidates *, const char *word);
/* Inserts what all agree in, small where a small letter stands before it, and a blank behind the only one. False: it is
 * neither the only one, nor is there anything to insert. */
bool candidates_insert(const struct candidates *, struct edited_line *);
/* A row of a list, of those from *next on, each followed by a blank: less than `width` columns, and NUL-terminated in
 * `size` bytes. Its length, 0 at the end. @pre a word has room in either */
size_t candidates_row(const struct candidates *, size_t *next, char *row, size_t size, size_t width);
