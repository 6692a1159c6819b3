/* See line.h. A key is a row of a table: control characters, and what follows ESC. */
#include "cms/console/line.h"

#include "cms/console/terminal.h"

enum { ESCAPE_NONE, ESCAPE_SEEN, ESCAPE_BRACKET };

#define CONTROL(letter) ((letter) & 0x1f)

static void recall(struct line_editor *e, size_t at)
{
    const char *line = at ? cms_history_line(&e->history, at) : "";
    if (!line) {
        cms_edit_bell();
        return;
    }
    e->at = at;
    cms_edit_replace(&e->line, line);
}

static void move(struct line_editor *e, size_t to) { cms_edit_move(&e->line, to); }
static size_t left(const struct line_editor *e) { return cms_edit_previous(&e->line, e->line.cursor); }
static size_t right(const struct line_editor *e) { return cms_edit_next(&e->line, e->line.cursor); }
static void erase_before(struct line_editor *e, size_t from) { cms_edit_erase(&e->line, from, e->line.cursor); }
static void erase_behind(struct line_editor *e, size_t to) { cms_edit_erase(&e->line, e->line.cursor, to); }

static void key_home(struct line_editor *e) { move(e, 0); }
static void key_end(struct line_editor *e) { move(e, e->line.length); }
static void key_left(struct line_editor *e) { move(e, left(e)); }
static void key_right(struct line_editor *e) { move(e, right(e)); }
static void key_backspace(struct line_editor *e) { erase_before(e, left(e)); }
static void key_delete(struct line_editor *e) { erase_behind(e, right(e)); }
static void key_kill_end(struct line_editor *e) { erase_behind(e, e->line.length); }
static void key_kill_start(struct line_editor *e) { erase_before(e, 0); }
static void key_kill_word(struct line_editor *e) { erase_before(e, cms_edit_word_start(&e->line)); }
static void key_redraw(struct line_editor *e) { cms_edit_redraw(&e->line); }
static void key_complete(struct line_editor *e) { cms_complete(&e->completion, &e->line); }
static void key_up(struct line_editor *e) { recall(e, e->at + 1); }

static void key_down(struct line_editor *e)
{
    if (e->at)
        recall(e, e->at - 1);
    else
        cms_edit_bell();
}

static void (*const control_keys[32])(struct line_editor *) = {
    [CONTROL('A')] = key_home,       [CONTROL('B')] = key_left,      [CONTROL('D')] = key_delete,
    [CONTROL('E')] = key_end,        [CONTROL('F')] = key_right,     [CONTROL('H')] = key_backspace,
    [CONTROL('I')] = key_complete,   [CONTROL('K')] = key_kill_end,  [CONTROL('L')] = key_redraw,
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
            cms_edit_insert(&e->line, (const char *)&c, 1);
            return;
        }
        e->pending_wanted = utf8_length(c);
        if (!e->pending_wanted)
            return cms_edit_bell();
    } else if (!cms_edit_is_continuation((char)c) ||
               (e->pending_length == 1 && !utf8_pair_valid((unsigned char)e->pending[0], c))) {
        e->pending_length = 0;
        return cms_edit_bell();
    }
    e->pending[e->pending_length++] = (char)c;
    if (e->pending_length == e->pending_wanted) {
        e->pending_length = 0;
        cms_edit_insert(&e->line, e->pending, e->pending_wanted);
    }
}

void cms_line_begin(struct line_editor *e)
{
    e->line.text[0] = 0;
    e->line.length = e->line.cursor = e->line.first = e->at = 0;
    e->pending_length = e->escape = 0;
    e->completion.tabbed = false;
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
        e->completion.tabbed = false;
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
