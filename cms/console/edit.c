/* See edit.h. */
#include "cms/console/edit.h"

#include <string.h>

#include "cms/console/terminal.h"

enum { COLUMNS = TERMINAL_WIDTH - 1 };

bool cms_edit_is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t columns(const char *text, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++)
        n += !cms_edit_is_continuation(text[i]);
    return n;
}

size_t cms_edit_previous(const struct edited_line *l, size_t at)
{
    while (at && cms_edit_is_continuation(l->text[--at]))
        ;
    return at;
}

size_t cms_edit_next(const struct edited_line *l, size_t at)
{
    if (at < l->length)
        at++;
    while (at < l->length && cms_edit_is_continuation(l->text[at]))
        at++;
    return at;
}

void cms_edit_bell(void)
{
    cms_terminal_write("\a", 1);
}

/* ---- the screen ----------------------------------------------------------------------------------------------- */

static void scroll_to_cursor(struct edited_line *l)
{
    if (l->cursor < l->first)
        l->first = l->cursor;
    while (columns(l->text + l->first, l->cursor - l->first) > COLUMNS - 1)
        l->first = cms_edit_next(l, l->first);
}

static void move_right(size_t count)
{
    char digits[8], *p = digits + sizeof digits;
    if (!count)
        return;
    *--p = 'C';
    for (; count; count /= 10)
        *--p = (char)('0' + count % 10);
    *--p = '[';
    *--p = '\033';
    cms_terminal_write(p, (size_t)(digits + sizeof digits - p));
}

static size_t visible_end(const struct edited_line *l)
{
    size_t end = l->first;
    for (size_t column = 0; column < COLUMNS && end < l->length; column++)
        end = cms_edit_next(l, end);
    return end;
}

void cms_edit_redraw(struct edited_line *l)
{
    scroll_to_cursor(l);
    cms_terminal_write("\r", 1);
    cms_terminal_write(l->text + l->first, visible_end(l) - l->first);
    cms_terminal_write("\033[K\r", 4);
    move_right(columns(l->text + l->first, l->cursor - l->first));
}

/* ---- editing --------------------------------------------------------------------------------------------------- */

void cms_edit_insert(struct edited_line *l, const char *bytes, size_t count)
{
    if (l->length + count > LINE_TEXT_MAX) {
        cms_edit_bell();
        return;
    }
    memmove(l->text + l->cursor + count, l->text + l->cursor, l->length - l->cursor + 1);
    memcpy(l->text + l->cursor, bytes, count);
    l->length += count;
    l->cursor += count;
    if (l->cursor == l->length && columns(l->text + l->first, l->cursor - l->first) < COLUMNS)
        cms_terminal_write(bytes, count);
    else
        cms_edit_redraw(l);
}

void cms_edit_erase(struct edited_line *l, size_t from, size_t to)
{
    bool last = to == l->length && from == cms_edit_previous(l, to) && l->cursor == to && from >= l->first && to > from;
    memmove(l->text + from, l->text + to, l->length - to + 1);
    l->length -= to - from;
    l->cursor = from;
    if (last && from > l->first)
        cms_terminal_write("\b \b", 3);
    else
        cms_edit_redraw(l);
}

void cms_edit_move(struct edited_line *l, size_t to)
{
    l->cursor = to;
    cms_edit_redraw(l);
}

size_t cms_edit_word_start(const struct edited_line *l)
{
    size_t at = l->cursor;
    while (at && l->text[at - 1] == ' ')
        at--;
    while (at && l->text[at - 1] != ' ')
        at--;
    return at;
}

void cms_edit_replace(struct edited_line *l, const char *line)
{
    l->length = strnlen(line, LINE_TEXT_MAX);
    memcpy(l->text, line, l->length);
    l->text[l->length] = 0;
    l->cursor = l->length;
    l->first = 0;
    cms_edit_redraw(l);
}
