/* See complete.h. */
#include "cms/console/complete.h"

#include <string.h>

#include "cms/console/console.h"
#include "cms/console/terminal.h"

enum { LISTED_MAX = 200 };

/* What may stand where the cursor is, sorted, each once; what is beyond the room only counts for `common`. */
static struct candidates {
    const char *word; /* as far as it was typed */
    size_t length;
    size_t common;    /* all of them agree that far */
    size_t count;
    bool more;        /* than there is room for */
    char text[LISTED_MAX][CANDIDATE_MAX + 1];
} candidates;

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static size_t common_length(const char *a, const char *b, size_t limit)
{
    size_t n = 0;
    while (n < limit && a[n] && fold(a[n]) == fold(b[n]))
        n++;
    return n;
}

void cms_candidate(struct candidates *c, const char *word)
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
    c->more |= c->count == LISTED_MAX;
    if (c->more)
        return;
    memmove(c->text[low + 1], c->text[low], (c->count++ - low) * sizeof *c->text);
    memcpy(c->text[low], word, length + 1);
}

size_t cms_last_word(const char *line, size_t length)
{
    while (length && !strchr(" (|", line[length - 1]))
        length--;
    return length;
}

/* Behind the last logical line end before the cursor, unless an escape makes it a plain character. */
static size_t logical_start(const struct edited_line *l)
{
    char end = cms_console_line_end();
    size_t start = l->cursor;
    while (end && start && (l->text[start - 1] != end || (start > 1 && l->text[start - 2] == CONSOLE_ESCAPE)))
        start--;
    return end ? start : 0;
}

static void list(struct edited_line *l)
{
    size_t column = 0, width = cms_terminal_width() ? cms_terminal_width() : EDIT_WIDTH;
    cms_terminal_write("\r\n", 2);
    for (size_t i = 0; i < candidates.count; i++) {
        size_t length = strlen(candidates.text[i]);
        if (column + length + 1 >= width) {
            cms_terminal_write("\r\n", 2);
            column = 0;
        }
        cms_terminal_write(candidates.text[i], length);
        cms_terminal_write(" ", 1);
        column += length + 1;
    }
    if (candidates.more)
        cms_terminal_write("...", 3);
    cms_terminal_write("\r\n", 2);
    cms_edit_redraw(l);
}

/* Whether what stands before the cursor ends in a small letter: then what is inserted is small, too. */
static bool is_small(const struct edited_line *l)
{
    for (size_t i = l->cursor; i; i--) {
        char c = l->text[i - 1];
        if (fold(c) >= 'a' && fold(c) <= 'z')
            return fold(c) == c;
    }
    return false;
}

/* The rest of the only word, or as far as all agree. */
static void insert_rest(struct edited_line *l)
{
    char rest[CANDIDATE_MAX + 1];
    size_t count = 0;
    bool small = is_small(l);
    for (size_t i = candidates.length; i < candidates.common; i++)
        rest[count++] = small ? fold(candidates.text[0][i]) : candidates.text[0][i];
    if (candidates.count == 1)
        rest[count++] = ' ';
    cms_edit_insert(l, rest, count);
}

void cms_complete(struct completion *c, struct edited_line *l)
{
    if (!c->names)
        return cms_edit_bell();
    size_t start = logical_start(l), length = l->cursor - start, word = cms_last_word(l->text + start, length);
    candidates.word = l->text + start + word;
    candidates.length = length - word;
    candidates.count = candidates.common = 0;
    candidates.more = false;
    c->names(l->text + start, length, &candidates);
    if (!candidates.count)
        return cms_edit_bell();
    if (candidates.count == 1 || candidates.common > candidates.length)
        return insert_rest(l);
    if (c->tabbed)
        list(l);
    else
        cms_edit_bell();
    c->tabbed = true;
}
