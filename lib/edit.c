/* See edit.h. A character is placed on the row it fits on; rows are counted from the prompt's. */
#include "lib/edit.h"

#include <stdint.h>
#include <string.h>

struct place {
    size_t row, column;
};

bool edit_is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t edit_previous(const struct edited_line *l, size_t at)
{
    while (at && edit_is_continuation(l->text[--at]))
        ;
    return at;
}

size_t edit_next(const struct edited_line *l, size_t at)
{
    if (at < l->length)
        at++;
    while (at < l->length && edit_is_continuation(l->text[at]))
        at++;
    return at;
}

size_t edit_word_start(const struct edited_line *l)
{
    size_t at = l->cursor;
    while (at && l->text[at - 1] == ' ')
        at--;
    while (at && l->text[at - 1] != ' ')
        at--;
    return at;
}

/* ---- columns --------------------------------------------------------------------------------------------------- */

struct range {
    uint32_t first, last;
};

static const struct range none[] = {
#define NONE(first, last) {first, last},
#define TWO(first, last)
#include "lib/edit_width.def"
};
static const struct range two[] = {
#define NONE(first, last)
#define TWO(first, last) {first, last},
#include "lib/edit_width.def"
};

static bool is_in(const struct range *ranges, size_t count, uint32_t point)
{
    while (count) {
        size_t middle = count / 2;
        if (point > ranges[middle].last) {
            ranges += middle + 1;
            count -= middle + 1;
        } else if (point >= ranges[middle].first) {
            return true;
        } else {
            count = middle;
        }
    }
    return false;
}

static size_t columns_of(uint32_t point)
{
    if (is_in(none, sizeof none / sizeof *none, point))
        return 0;
    return is_in(two, sizeof two / sizeof *two, point) ? 2 : 1;
}

/* Of the character at the beginning, and how many bytes it has. */
static size_t character(const char *text, size_t length, size_t *bytes)
{
    unsigned char first = (unsigned char)*text;
    uint32_t point = first < 0xc0 ? first : first < 0xe0 ? first & 0x1f : first < 0xf0 ? first & 0x0f : first & 0x07;
    size_t n = 1;
    for (; n < length && edit_is_continuation(text[n]); n++)
        point = point << 6 | ((unsigned char)text[n] & 0x3f);
    *bytes = n;
    return first < 0xc0 ? 1 : columns_of(point);
}

size_t edit_columns(const char *text, size_t length)
{
    size_t sum = 0, bytes;
    for (size_t at = 0; at < length; at += bytes)
        sum += character(text + at, length - at, &bytes);
    return sum;
}

static struct place after(const struct edited_line *l, struct place p, size_t columns)
{
    if (columns && p.column + columns > l->width)
        p = (struct place){p.row + 1, 0};
    p.column += columns;
    return p;
}

/* Where the character at `to` goes. A character as wide as the rest of the row leaves the cursor on the next. */
static struct place place_of(const struct edited_line *l, size_t to)
{
    struct place p = {0, l->indent};
    size_t bytes;
    for (size_t at = 0; at < to; at += bytes) {
        size_t columns = character(l->text + at, l->length - at, &bytes);
        p = after(l, p, columns);
    }
    return p.column >= l->width ? (struct place){p.row + 1, 0} : p;
}

/* The first character that stands on the row, or on a later one. */
static size_t first_of_row(const struct edited_line *l, size_t row)
{
    struct place p = {0, l->indent};
    size_t at = 0, bytes;
    for (; at < l->length; at += bytes) {
        p = after(l, p, character(l->text + at, l->length - at, &bytes));
        if (p.row >= row)
            break;
    }
    return at;
}

/* ---- the screen ------------------------------------------------------------------------------------------------ */

static void show(const struct edited_line *l, const char *bytes, size_t count)
{
    if (count && !l->hidden)
        l->show(l->context, bytes, count);
}

static void move_by(const struct edited_line *l, size_t count, char direction)
{
    char digits[8], *p = digits + sizeof digits;
    if (!count)
        return;
    *--p = direction;
    for (; count; count /= 10)
        *--p = (char)('0' + count % 10);
    *--p = '[';
    *--p = '\033';
    show(l, p, (size_t)(digits + sizeof digits - p));
}

static void clear_below(const struct edited_line *l) { show(l, "\033[J", 3); }

/* The picture's rows from `top` on, from where the cursor is now; it is left at the end. */
static void draw(struct edited_line *l)
{
    size_t from = first_of_row(l, l->top), to = first_of_row(l, l->top + EDIT_ROWS);
    struct place end = place_of(l, to);
    show(l, l->text + from, to - from);
    if (to == l->length && end.row > l->top && !end.column && to > from)
        show(l, " \r", 2); /* the cursor hangs at the edge, where terminals differ */
    else if (to < l->length)
        end = (struct place){l->top + EDIT_ROWS - 1, l->width};
    l->row = end.row - l->top;
    l->last = l->row - (l->row && !end.column); /* a row with nothing in it is none, unless the cursor stays there */
    l->column = end.column;
}

static void go_to_cursor(struct edited_line *l, struct place p)
{
    size_t row = p.row - l->top;
    if (row > l->last)
        l->last = row;
    if (row == l->row && p.column == l->column)
        return;
    show(l, "\r", 1);
    if (row < l->row)
        move_by(l, l->row - row, 'A');
    else
        move_by(l, row - l->row, 'B');
    move_by(l, p.column, 'C');
    l->row = row;
    l->column = p.column;
}

static void scroll_to(struct edited_line *l, size_t row)
{
    if (row < l->top)
        l->top = row;
    else if (row >= l->top + EDIT_ROWS)
        l->top = row - EDIT_ROWS + 1;
}

/* As many of the picture's rows as it has are there already, and those that are too many are wiped. */
void edit_redraw(struct edited_line *l)
{
    struct place p = place_of(l, l->cursor);
    if (l->hidden)
        return;
    show(l, "\r", 1);
    move_by(l, l->row, 'A');
    scroll_to(l, p.row);
    if (!l->top)
        move_by(l, l->indent, 'C');
    clear_below(l);
    draw(l);
    go_to_cursor(l, p);
}

void edit_show(struct edited_line *l)
{
    struct place p = place_of(l, l->cursor);
    if (l->hidden)
        return;
    l->top = l->row = 0;
    scroll_to(l, p.row);
    if (l->top)
        show(l, "\r\n", 2);
    draw(l);
    go_to_cursor(l, p);
}

void edit_leave(struct edited_line *l)
{
    for (size_t row = l->row; !l->hidden && row < l->last; row++)
        show(l, "\n", 1);
    l->show(l->context, "\r\n", 2); /* of a hidden line too */
}

void edit_bell(struct edited_line *l) { l->show(l->context, "\a", 1); }

/* ---- editing --------------------------------------------------------------------------------------------------- */

void edit_begin(struct edited_line *l, size_t indent, bool hidden)
{
    if (l->width < EDIT_WIDTH_LEAST)
        l->width = EDIT_WIDTH;
    l->text[0] = 0;
    l->length = l->cursor = l->excess = l->top = l->row = l->last = 0;
    l->indent = l->column = indent;
    l->hidden = hidden;
}

/* The echo is all that is needed. */
static void append(struct edited_line *l, const char *bytes, size_t count)
{
    struct place p = {l->row, l->column};
    size_t length;
    for (size_t at = 0; at < count; at += length)
        p = after(l, p, character(bytes + at, count - at, &length));
    show(l, bytes, count);
    for (; p.row >= EDIT_ROWS; p.row--)
        l->top++;
    l->row = l->last = p.row;
    l->column = p.column;
}

void edit_insert(struct edited_line *l, const char *bytes, size_t count)
{
    bool at_end = l->cursor == l->length;
    if (l->excess || l->length + count > l->limit) {
        if (!l->excess)
            edit_bell(l);
        l->excess += count;
        return;
    }
    memmove(l->text + l->cursor + count, l->text + l->cursor, l->length - l->cursor + 1);
    memcpy(l->text + l->cursor, bytes, count);
    l->length += count;
    l->cursor += count;
    if (at_end)
        append(l, bytes, count);
    else
        edit_redraw(l);
}

void edit_erase(struct edited_line *l, size_t from, size_t to)
{
    bool narrow = to > from && to - from == 1 && l->column && l->column < l->width;
    bool last = to == l->length && l->cursor == to && narrow;
    if (l->excess && l->cursor == to && to == l->length) { /* then that goes first */
        l->excess = from < to && from == edit_previous(l, to) ? l->excess - 1 : 0;
        if (from)
            return;
    }
    memmove(l->text + from, l->text + to, l->length - to + 1);
    l->length -= to - from;
    memset(l->text + l->length, 0, to - from);
    l->cursor = from;
    if (!last) {
        edit_redraw(l);
        return;
    }
    show(l, "\b \b", 3);
    l->column--;
}

void edit_move(struct edited_line *l, size_t to)
{
    struct place p = place_of(l, to);
    l->cursor = to;
    if (p.row >= l->top && p.row <= l->top + l->last)
        go_to_cursor(l, p);
    else
        edit_redraw(l);
}

void edit_replace(struct edited_line *l, const char *text)
{
    size_t length = strlen(text), before = l->length;
    l->length = length < l->limit ? length : l->limit;
    l->excess = length - l->length;
    memcpy(l->text, text, l->length);
    memset(l->text + l->length, 0, before > l->length ? before - l->length : 1);
    l->cursor = l->length;
    edit_redraw(l);
}
