#include "cms/console/line.h"

#include <string.h>

#include "cms/console/terminal.h"

enum { COLUMNS = TERMINAL_WIDTH - 1 };
enum { ESCAPE_NONE, ESCAPE_SEEN, ESCAPE_BRACKET };

#define CONTROL(letter) ((letter) & 0x1f)

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t columns(const char *text, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++)
        n += !is_continuation(text[i]);
    return n;
}

static size_t previous(const struct line_editor *e, size_t at)
{
    while (at && is_continuation(e->text[--at]))
        ;
    return at;
}

static size_t next(const struct line_editor *e, size_t at)
{
    if (at < e->length)
        at++;
    while (at < e->length && is_continuation(e->text[at]))
        at++;
    return at;
}

static void bell(void)
{
    cms_terminal_write("\a", 1);
}

/* ---- the screen ---------------------------------------------------------------------------------------------- */

static void scroll_to_cursor(struct line_editor *e)
{
    if (e->cursor < e->first)
        e->first = e->cursor;
    while (columns(e->text + e->first, e->cursor - e->first) > COLUMNS - 1)
        e->first = next(e, e->first);
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

static size_t visible_end(const struct line_editor *e)
{
    size_t end = e->first;
    for (size_t column = 0; column < COLUMNS && end < e->length; column++)
        end = next(e, end);
    return end;
}

static void redraw(struct line_editor *e)
{
    scroll_to_cursor(e);
    cms_terminal_write("\r", 1);
    cms_terminal_write(e->text + e->first, visible_end(e) - e->first);
    cms_terminal_write("\033[K\r", 4);
    move_right(columns(e->text + e->first, e->cursor - e->first));
}

/* ---- editing ------------------------------------------------------------------------------------------------- */

static void insert(struct line_editor *e, const char *bytes, size_t count)
{
    if (e->length + count > LINE_TEXT_MAX) {
        bell();
        return;
    }
    memmove(e->text + e->cursor + count, e->text + e->cursor, e->length - e->cursor + 1);
    memcpy(e->text + e->cursor, bytes, count);
    e->length += count;
    e->cursor += count;
    if (e->cursor == e->length && columns(e->text + e->first, e->cursor - e->first) < COLUMNS)
        cms_terminal_write(bytes, count);
    else
        redraw(e);
}

static void erase(struct line_editor *e, size_t from, size_t to)
{
    bool last = to == e->length && from == previous(e, to) && e->cursor == to && from >= e->first && to > from;
    memmove(e->text + from, e->text + to, e->length - to + 1);
    e->length -= to - from;
    e->cursor = from;
    if (last && from > e->first)
        cms_terminal_write("\b \b", 3);
    else
        redraw(e);
}

static void move(struct line_editor *e, size_t to)
{
    e->cursor = to;
    redraw(e);
}

static size_t word_start(const struct line_editor *e)
{
    size_t at = e->cursor;
    while (at && e->text[at - 1] == ' ')
        at--;
    while (at && e->text[at - 1] != ' ')
        at--;
    return at;
}

static void replace(struct line_editor *e, const char *line)
{
    e->length = strnlen(line, LINE_TEXT_MAX);
    memcpy(e->text, line, e->length);
    e->text[e->length] = 0;
    e->cursor = e->length;
    e->first = 0;
    redraw(e);
}

/* ---- history ------------------------------------------------------------------------------------------------- */

/* The line `back` places before the end; NULL if there are not so many. */
static const char *history_line(const struct line_editor *e, size_t back)
{
    size_t at = e->history_used;
    for (; back; back--) {
        if (!at)
            return NULL;
        for (at--; at && e->history[at - 1]; at--)
            ;
    }
    return e->history + at;
}

static void recall(struct line_editor *e, size_t at)
{
    const char *line = at ? history_line(e, at) : "";
    if (!line) {
        bell();
        return;
    }
    e->at = at;
    replace(e, line);
}

void cms_line_remember(struct line_editor *e, const char *line)
{
    size_t size = strnlen(line, LINE_TEXT_MAX) + 1;
    const char *newest = history_line(e, 1);

    if (size == 1 || (newest && !strcmp(newest, line)))
        return;
    while (e->history_used + size > LINE_HISTORY) {
        size_t oldest = strlen(e->history) + 1;
        memmove(e->history, e->history + oldest, e->history_used - oldest);
        e->history_used -= oldest;
    }
    memcpy(e->history + e->history_used, line, size - 1);
    e->history[e->history_used + size - 1] = 0;
    e->history_used += size;
}

/* ---- completion ---------------------------------------------------------------------------------------------- */

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

static void list_candidates(struct line_editor *e, const char *word, size_t length)
{
    const char *name;
    cms_terminal_write("\r\n", 2);
    for (size_t i = 0; (name = e->complete(word, length, i)); i++) {
        cms_terminal_write(name, strlen(name));
        cms_terminal_write(" ", 1);
    }
    cms_terminal_write("\r\n", 2);
    redraw(e);
}

/* Only a command's name is completed: the first word, or the first after a logical line end. */
static void complete(struct line_editor *e)
{
    size_t start = e->cursor, common;
    char rest[LINE_TEXT_MAX + 1];

    while (start && e->text[start - 1] != ' ' && e->text[start - 1] != '#')
        start--;
    for (size_t i = start; i && e->text[i - 1] != '#'; i--)
        if (e->text[i - 1] != ' ')
            return bell();
    const char *word = e->text + start;
    size_t length = e->cursor - start;
    const char *first = e->complete && length ? e->complete(word, length, 0) : NULL;
    if (!first)
        return bell();
    common = strnlen(first, LINE_TEXT_MAX - 1);
    const char *name;
    size_t count = 1;
    for (; (name = e->complete(word, length, count)); count++)
        common = common_length(first, name, common);
    if (count > 1 && common == length) {
        if (e->tabbed)
            list_candidates(e, word, length);
        else
            bell();
        e->tabbed = true;
        return;
    }
    bool lower = word[length - 1] >= 'a' && word[length - 1] <= 'z';
    for (size_t i = length; i < common; i++)
        rest[i - length] = lower ? fold(first[i]) : first[i];
    common -= length;
    if (count == 1)
        rest[common++] = ' ';
    insert(e, rest, common);
}

/* ---- keys ---------------------------------------------------------------------------------------------------- */

static void key_home(struct line_editor *e) { move(e, 0); }
static void key_end(struct line_editor *e) { move(e, e->length); }
static void key_left(struct line_editor *e) { move(e, previous(e, e->cursor)); }
static void key_right(struct line_editor *e) { move(e, next(e, e->cursor)); }
static void key_backspace(struct line_editor *e) { erase(e, previous(e, e->cursor), e->cursor); }
static void key_delete(struct line_editor *e) { erase(e, e->cursor, next(e, e->cursor)); }
static void key_kill_end(struct line_editor *e) { erase(e, e->cursor, e->length); }
static void key_kill_start(struct line_editor *e) { erase(e, 0, e->cursor); }
static void key_kill_word(struct line_editor *e) { erase(e, word_start(e), e->cursor); }
static void key_up(struct line_editor *e) { recall(e, e->at + 1); }

static void key_down(struct line_editor *e)
{
    if (e->at)
        recall(e, e->at - 1);
    else
        bell();
}

static void (*const control_keys[32])(struct line_editor *) = {
    [CONTROL('A')] = key_home,       [CONTROL('B')] = key_left,      [CONTROL('D')] = key_delete,
    [CONTROL('E')] = key_end,        [CONTROL('F')] = key_right,     [CONTROL('H')] = key_backspace,
    [CONTROL('I')] = complete,       [CONTROL('K')] = key_kill_end,  [CONTROL('L')] = redraw,
    [CONTROL('N')] = key_down,       [CONTROL('P')] = key_up,        [CONTROL('U')] = key_kill_start,
    [CONTROL('W')] = key_kill_word,
};

static void (*const bracket_keys[])(struct line_editor *) = {
    ['A'] = key_up, ['B'] = key_down, ['C'] = key_right, ['D'] = key_left, ['H'] = key_home, ['F'] = key_end,
};

static void (*const number_keys[])(struct line_editor *) = {
    ['1'] = key_home, ['3'] = key_delete, ['4'] = key_end, ['7'] = key_home, ['8'] = key_end,
};

#define ENTRIES(table) (sizeof(table) / sizeof *(table))

/* ESC [ final, ESC O final, ESC [ number ~; anything else of that form is taken and ignored. */
static void escape_byte(struct line_editor *e, unsigned char c)
{
    void (*key)(struct line_editor *) = NULL;

    if (e->escape == ESCAPE_SEEN) {
        e->escape = c == '[' || c == 'O' ? ESCAPE_BRACKET : ESCAPE_NONE;
        e->escape_number = 0;
        return;
    }
    if ((c >= '0' && c <= '9') || c == ';') {
        if (!e->escape_number)
            e->escape_number = (char)c;
        return;
    }
    e->escape = ESCAPE_NONE;
    if (c == '~' && (size_t)e->escape_number < ENTRIES(number_keys))
        key = number_keys[(size_t)e->escape_number];
    else if (c < ENTRIES(bracket_keys))
        key = bracket_keys[c];
    if (key)
        key(e);
}

static uint8_t utf8_length(unsigned char c)
{
    return c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
}

/* The second byte rules out over-long forms, surrogates and code points beyond 10FFFF. */
static bool utf8_pair_valid(unsigned char first, unsigned char second)
{
    unsigned least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return second >= least && second <= most;
}

static void text_byte(struct line_editor *e, unsigned char c)
{
    if (!e->pending_length) {
        if (c < 0x80) {
            insert(e, (const char *)&c, 1);
            return;
        }
        e->pending_wanted = utf8_length(c);
        if (!e->pending_wanted)
            return bell();
    } else if (!is_continuation((char)c) ||
               (e->pending_length == 1 && !utf8_pair_valid((unsigned char)e->pending[0], c))) {
        e->pending_length = 0;
        return bell();
    }
    e->pending[e->pending_length++] = (char)c;
    if (e->pending_length == e->pending_wanted) {
        e->pending_length = 0;
        insert(e, e->pending, e->pending_wanted);
    }
}

void cms_line_begin(struct line_editor *e)
{
    e->text[0] = 0;
    e->length = e->cursor = e->first = e->at = 0;
    e->pending_length = e->escape = 0;
    e->tabbed = false;
}

bool cms_line_key(struct line_editor *e, unsigned char c)
{
    bool second_half = c == '\n' && e->after_return;
    e->after_return = c == '\r';
    if (second_half)
        return false;
    if (c == '\r' || c == '\n') {
        cms_terminal_write("\r\n", 2);
        return true;
    }
    if (c != '\t')
        e->tabbed = false;
    if (e->escape)
        escape_byte(e, c);
    else if (c == '\033')
        e->escape = ESCAPE_SEEN;
    else if (c == 0x7f)
        key_backspace(e);
    else if (c < 32) {
        if (control_keys[c])
            control_keys[c](e);
    } else
        text_byte(e, c);
    return false;
}
