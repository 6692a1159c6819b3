/* See keys.h. A key is a row of a table: control characters, and what follows ESC. */
#include "lib/keys.h"

/* Where in a sequence: behind ESC; in the first number behind ESC [ or ESC O; behind that; in one that is no key; in
 * the one byte that ends ESC [ [, F1 to F5 of Linux's console; in a text that ESC \ or BEL ends. */
enum { ESCAPE_NONE, ESCAPE_SEEN, ESCAPE_NUMBER, ESCAPE_BEHIND, ESCAPE_FOREIGN, ESCAPE_ONE, ESCAPE_TEXT };
enum { NUMBER_MOST = 99 };

#define CONTROL(letter) ((letter)&0x1f)

static void recall(struct keys *k, size_t at)
{
    const char *line = !k->recall || k->line.hidden ? NULL : at ? k->recall(k->context, at) : "";
    if (!line) {
        edit_bell(&k->line);
        return;
    }
    k->at = at;
    edit_replace(&k->line, line);
}

static void move(struct keys *k, size_t to) { edit_move(&k->line, to); }
static size_t left(const struct keys *k) { return edit_previous(&k->line, k->line.cursor); }
static size_t right(const struct keys *k) { return edit_next(&k->line, k->line.cursor); }
static void erase_before(struct keys *k, size_t from) { edit_erase(&k->line, from, k->line.cursor); }
static void erase_behind(struct keys *k, size_t to) { edit_erase(&k->line, k->line.cursor, to); }

static void key_home(struct keys *k) { move(k, 0); }
static void key_end(struct keys *k) { move(k, k->line.length); }
static void key_left(struct keys *k) { move(k, left(k)); }
static void key_right(struct keys *k) { move(k, right(k)); }
static void key_backspace(struct keys *k) { erase_before(k, left(k)); }
static void key_delete(struct keys *k) { erase_behind(k, right(k)); }
static void key_kill_end(struct keys *k) { erase_behind(k, k->line.length); }
static void key_kill_start(struct keys *k) { erase_before(k, 0); }
static void key_kill_word(struct keys *k) { erase_before(k, edit_word_start(&k->line)); }
static void key_redraw(struct keys *k) { edit_redraw(&k->line); }
static void key_up(struct keys *k) { recall(k, k->at + 1); }

static void key_down(struct keys *k)
{
    if (k->at)
        recall(k, k->at - 1);
    else
        edit_bell(&k->line);
}

static void key_complete(struct keys *k)
{
    if (k->complete && !k->line.hidden)
        k->complete(k->context);
    else
        edit_bell(&k->line);
}

static void (*const control_keys[32])(struct keys *) = {
    [CONTROL('A')] = key_home,      [CONTROL('B')] = key_left,     [CONTROL('D')] = key_delete,
    [CONTROL('E')] = key_end,       [CONTROL('F')] = key_right,    [CONTROL('H')] = key_backspace,
    [CONTROL('I')] = key_complete,  [CONTROL('K')] = key_kill_end, [CONTROL('L')] = key_redraw,
    [CONTROL('N')] = key_down,      [CONTROL('P')] = key_up,       [CONTROL('U')] = key_kill_start,
    [CONTROL('W')] = key_kill_word,
};

static void (*const bracket_keys[])(struct keys *) = {
    ['A'] = key_up, ['B'] = key_down, ['C'] = key_right, ['D'] = key_left, ['H'] = key_home, ['F'] = key_end,
};

static void (*const number_keys[])(struct keys *) = {
    [1] = key_home, [3] = key_delete, [4] = key_end, [7] = key_home, [8] = key_end,
};

#define ENTRIES(table) (sizeof(table) / sizeof *(table))

/* The byte behind ESC. */
static uint8_t escape_kind(uint8_t c)
{
    switch (c) {
    case '[':
    case 'O': return ESCAPE_NUMBER;
    case ']': /* what a terminal answers: a colour, */
    case 'P': /* a setting, its name, */
    case '_': /* a picture */ return ESCAPE_TEXT;
    default: return ESCAPE_NONE;
    }
}

static void escape_parameter(struct keys *k, uint8_t c)
{
    if (c == ';' || c == ':')
        k->escape += k->escape == ESCAPE_NUMBER;
    else if (c < '0' || c > '9')
        k->escape = ESCAPE_FOREIGN;
    else if (k->escape == ESCAPE_NUMBER && k->escape_number <= NUMBER_MOST)
        k->escape_number = (uint16_t)(k->escape_number * 10 + (c - '0'));
}

static void escape_end(struct keys *k, uint8_t c)
{
    void (*key)(struct keys *) = NULL;
    bool ours = k->escape != ESCAPE_FOREIGN;

    k->escape = c == '[' && ours ? ESCAPE_ONE : ESCAPE_NONE;
    if (c == '~' && k->escape_number < ENTRIES(number_keys))
        key = number_keys[k->escape_number];
    else if (c < ENTRIES(bracket_keys))
        key = bracket_keys[c];
    if (key && ours)
        key(k);
}

/* ESC [ final, ESC O final, ESC [ number ~; anything else of that form is taken and ignored, and what a terminal
 * answers to a question of somebody else too. */
static void escape_byte(struct keys *k, uint8_t c)
{
    if (k->escape == ESCAPE_SEEN) {
        k->escape = escape_kind(c);
        k->escape_number = 0;
    } else if (k->escape == ESCAPE_ONE) {
        k->escape = ESCAPE_NONE;
    } else if (k->escape != ESCAPE_TEXT) {
        if (c >= 0x20 && c < 0x40)
            escape_parameter(k, c);
        else
            escape_end(k, c);
    }
}

static uint8_t utf8_length(uint8_t c) { return c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0; }

/* The second byte rules out over-long forms, surrogates and code points beyond 10FFFF. */
static bool utf8_pair_valid(uint8_t first, uint8_t second)
{
    uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return second >= least && second <= most;
}

/* Of U+0080 to U+009F, which terminals obey. */
static bool is_control(const char *character) { return character[0] == '\xc2' && (uint8_t)character[1] < 0xa0; }

static void text_byte(struct keys *k, uint8_t c)
{
    if (k->line.hidden || (!k->pending_length && c < 0x80)) {
        edit_insert(&k->line, (const char *)&c, 1);
        return;
    }
    if (!k->pending_length) {
        k->pending_wanted = utf8_length(c);
        if (!k->pending_wanted)
            return edit_bell(&k->line);
    } else if (!edit_is_continuation((char)c) ||
               (k->pending_length == 1 && !utf8_pair_valid((uint8_t)k->pending[0], c))) {
        k->pending_length = 0;
        edit_bell(&k->line);
        return text_byte(k, c); /* which may well begin a character */
    }
    k->pending[k->pending_length++] = (char)c;
    if (k->pending_length < k->pending_wanted)
        return;
    k->pending_length = 0;
    if (is_control(k->pending))
        edit_bell(&k->line);
    else
        edit_insert(&k->line, k->pending, k->pending_wanted);
}

void keys_begin(struct keys *k, size_t indent, bool hidden)
{
    edit_begin(&k->line, indent, hidden);
    k->at = 0;
    k->pending_length = k->escape = 0;
}

static void control(struct keys *k, uint8_t c)
{
    if (c == '\033')
        k->escape = ESCAPE_SEEN;
    else if (control_keys[c])
        control_keys[c](k);
    else
        edit_bell(&k->line);
}

static bool is_control_byte(uint8_t c) { return c < 32 || c == 0x7f; }

/* A sequence that is not at its end when another begins, or a control key comes, is none. */
static bool sequence_takes(struct keys *k, uint8_t c)
{
    bool ends_text = k->escape == ESCAPE_TEXT && c == '\a';
    if (c == '\033' || (is_control_byte(c) && k->escape > ESCAPE_SEEN))
        k->escape = ESCAPE_NONE;
    if (k->escape == ESCAPE_NONE)
        return ends_text;
    escape_byte(k, c);
    return true;
}

static enum keys_event abandon(struct keys *k)
{
    if (!k->line.hidden)
        k->line.show(k->line.context, "^C", 2);
    edit_leave(&k->line);
    return KEYS_ABANDONED;
}

enum keys_event keys_take(struct keys *k, uint8_t c)
{
    bool second_half = c == '\n' && k->after_return;
    k->after_return = c == '\r';
    if (second_half)
        return KEYS_GO_ON;
    if (c == '\r' || c == '\n') {
        edit_leave(&k->line);
        return k->line.excess ? KEYS_TOO_LONG : KEYS_LINE;
    }
    if (c == CONTROL('C'))
        return abandon(k);
    if (is_control_byte(c))
        k->pending_length = 0;
    if (sequence_takes(k, c))
        return KEYS_GO_ON;
    if (c == 0x7f)
        key_backspace(k);
    else if (c < 32)
        control(k, c);
    else
        text_byte(k, c);
    return KEYS_GO_ON;
}
