/* See complete.h. */
#include "cms/console/complete.h"

#include <string.h>

#include "cms/console/console.h"
#include "cms/console/terminal.h"

static struct candidates candidates;

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

/* The logical line up to the cursor, as the command will see it. Its length. */
static size_t logical_line(const struct edited_line *l, char *line)
{
    char end = cms_console_line_end();
    size_t count = 0;
    for (size_t at = logical_start(l); at < l->cursor; at++)
        if (!end || l->text[at] != CONSOLE_ESCAPE || at + 1 == l->cursor || l->text[at + 1] != end)
            line[count++] = l->text[at];
    return count;
}

static void list(struct edited_line *l)
{
    char row[256];
    size_t next = 0, length, width = cms_terminal_width() ? cms_terminal_width() : EDIT_WIDTH;
    cms_terminal_write("\r\n", 2);
    while ((length = candidates_row(&candidates, &next, row, sizeof row, width))) {
        cms_terminal_write(row, length);
        if (next == candidates.count && candidates.more)
            cms_terminal_write("...", 3);
        cms_terminal_write("\r\n", 2);
    }
    cms_edit_redraw(l);
}

void cms_complete(struct completion *c, struct edited_line *l)
{
    static char line[LINE_TEXT_MAX];
    if (!c->names)
        return cms_edit_bell();
    size_t length = logical_line(l, line), word = cms_last_word(line, length);
    candidates_begin(&candidates, line + word, length - word);
    candidates.escaped = cms_console_line_end();
    candidates.escape = CONSOLE_ESCAPE;
    c->names(line, length, &candidates);
    if (candidates_insert(&candidates, l))
        return;
    if (candidates.count && c->tabbed)
        list(l);
    else
        cms_edit_bell();
    c->tabbed = candidates.count;
}
