/* See complete.h. */
#include "cms/console/complete.h"

#include <string.h>

#include "cms/console/terminal.h"

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

static void list_candidates(const struct completion *c, struct edited_line *l, const char *word, size_t length)
{
    const char *name;
    cms_terminal_write("\r\n", 2);
    for (size_t i = 0; (name = c->names(word, length, i)); i++) {
        cms_terminal_write(name, strlen(name));
        cms_terminal_write(" ", 1);
    }
    cms_terminal_write("\r\n", 2);
    cms_edit_redraw(l);
}

/* Where the word before the cursor begins, if it is a command's name: first in the
 * line, or behind a logical line end. */
static bool find_name(const struct edited_line *l, size_t *start)
{
    *start = l->cursor;
    while (*start && l->text[*start - 1] != ' ' && l->text[*start - 1] != '#')
        --*start;
    for (size_t i = *start; i && l->text[i - 1] != '#'; i--)
        if (l->text[i - 1] != ' ')
            return false;
    return *start < l->cursor;
}

/* What all names that begin with `word` begin with, and how many they are. */
static size_t common_start(const struct completion *c, const char *word, size_t length, size_t *count)
{
    const char *first = c->names(word, length, 0), *name;
    size_t common = first ? strnlen(first, LINE_TEXT_MAX - 1) : 0;
    for (*count = first != NULL; *count && (name = c->names(word, length, *count)); ++*count)
        common = common_length(first, name, common);
    return common;
}

/* The rest of the only name, or as far as all agree, in the case it was begun in. */
static void insert_rest(const struct completion *c, struct edited_line *l, size_t start, size_t common, bool only)
{
    const char *word = l->text + start;
    size_t length = l->cursor - start, count = 0;
    const char *name = c->names(word, length, 0);
    bool lower = word[length - 1] >= 'a' && word[length - 1] <= 'z';
    char rest[LINE_TEXT_MAX + 1];
    for (size_t i = length; i < common; i++)
        rest[count++] = lower ? fold(name[i]) : name[i];
    if (only)
        rest[count++] = ' ';
    cms_edit_insert(l, rest, count);
}

void cms_complete(struct completion *c, struct edited_line *l)
{
    size_t start, count;
    if (!c->names || !find_name(l, &start))
        return cms_edit_bell();
    size_t length = l->cursor - start, common = common_start(c, l->text + start, length, &count);
    if (!count)
        return cms_edit_bell();
    if (count == 1 || common > length)
        return insert_rest(c, l, start, common, count == 1);
    if (c->tabbed)
        list_candidates(c, l, l->text + start, length);
    else
        cms_edit_bell();
    c->tabbed = true;
}
