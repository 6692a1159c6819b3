/* See candidates.h. */
#include "lib/candidates.h"

#include <string.h>

static char fold(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static size_t common_length(const char *a, const char *b, size_t limit)
{
    size_t n = 0;
    while (n < limit && a[n] && fold(a[n]) == fold(b[n]))
        n++;
    return n;
}

void candidates_begin(struct candidates *c, const char *word, size_t length)
{
    c->word = word;
    c->length = length;
    c->count = c->common = 0;
    c->more = false;
    c->escaped = 0;
}

void candidate_offer(struct candidates *c, const char *word)
{
    size_t length = strlen(word), low = 0, high = c->count;
    if (length > CANDIDATE_MAX || common_length(word, c->word, c->length) < c->length)
        return;
    c->common = c->count ? common_length(word, c->text[0], c->common) : length;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(word, c->text[middle]);
        if (!order)
            return;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    c->more |= c->count == CANDIDATES_MAX;
    if (c->more)
        return;
    memmove(c->text[low + 1], c->text[low], (c->count++ - low) * sizeof *c->text);
    memcpy(c->text[low], word, length + 1);
}

static bool is_small(const struct edited_line *l)
{
    for (size_t i = l->cursor; i; i--) {
        char c = l->text[i - 1];
        if (fold(c) >= 'a' && fold(c) <= 'z')
            return fold(c) == c;
    }
    return false;
}

bool candidates_insert(const struct candidates *c, struct edited_line *l)
{
    char rest[2 * CANDIDATE_MAX + 1];
    size_t count = 0;
    bool small = is_small(l);
    if (c->count != 1 && c->common <= c->length)
        return false;
    for (size_t i = c->length; i < c->common; i++) {
        char next = small ? fold(c->text[0][i]) : c->text[0][i];
        if (c->escaped && next == c->escaped)
            rest[count++] = c->escape;
        rest[count++] = next;
    }
    if (c->count == 1)
        rest[count++] = ' ';
    edit_insert(l, rest, count);
    return true;
}

size_t candidates_row(const struct candidates *c, size_t *next, char *row, size_t size, size_t width)
{
    size_t at = 0, most = width < size ? width : size;
    for (; *next < c->count; ++*next) {
        size_t length = strlen(c->text[*next]);
        if (at + length + 1 >= most)
            break;
        memcpy(row + at, c->text[*next], length);
        row[at + length] = ' ';
        at += length + 1;
    }
    row[at] = 0;
    return at;
}
