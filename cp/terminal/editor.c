/* CP's own line editing. In: typed bytes. Out: a line of text, and its echo. */
#include "cp/terminal/editor.h"

#include <string.h>

enum { BELL = 7, BACKSPACE = 8, CONTROL_U = 21, CONTROL_W = 23, ESCAPE = 27, DELETE = 127 };

static void echo(struct editor *e, const char *text, unsigned length)
{
    if (!e->hidden)
        e->echo(e->context, text, length);
}

static bool continues_character(char c) /* a UTF-8 byte that is not the first of its character */
{
    return ((uint8_t)c & 0xc0) == 0x80;
}

static void erase_character(struct editor *e)
{
    if (!e->length)
        return;
    while (e->length > 1 && continues_character(e->text[e->length - 1]))
        e->text[--e->length] = 0;
    e->text[--e->length] = 0; /* it may be of a password */
    echo(e, "\b \b", 3);
}

static void erase_line(struct editor *e)
{
    while (e->length)
        erase_character(e);
}

static void erase_word(struct editor *e)
{
    while (e->length && e->text[e->length - 1] == ' ')
        erase_character(e);
    while (e->length && e->text[e->length - 1] != ' ')
        erase_character(e);
}

static void recall(struct editor *e, unsigned back)
{
    if (!e->history || e->hidden || back > EDITOR_HISTORY || (back && !e->history[back - 1][0]))
        return;
    erase_line(e);
    e->shown = back;
    if (back) {
        e->length = strlen(e->history[back - 1]);
        memcpy(e->text, e->history[back - 1], e->length);
        echo(e, e->text, e->length);
    }
}

static void remember(struct editor *e)
{
    if (!e->history || e->hidden || !e->length || !strcmp(e->history[0], e->text))
        return;
    memmove(e->history[1], e->history[0], (EDITOR_HISTORY - 1) * sizeof e->history[0]);
    memcpy(e->history[0], e->text, e->length + 1);
}

/* Cursor keys come as ESC [ A or ESC O A; anything else of the kind is swallowed to its final byte. */
static void take_escape(struct editor *e, uint8_t c)
{
    if (e->escape == ESCAPE && (c == '[' || c == 'O')) {
        e->escape = '[';
        return;
    }
    if (e->escape == '[' && c >= 0x20 && c < 0x40)
        return;
    bool arrow = e->escape == '[';
    e->escape = 0;
    if (arrow && c == 'A')
        recall(e, e->shown + 1);
    else if (arrow && c == 'B' && e->shown)
        recall(e, e->shown - 1);
}

static void insert(struct editor *e, uint8_t c)
{
    if (c < 0x20 || e->length >= EDITOR_LINE) {
        e->echo(e->context, "\a", 1);
        return;
    }
    e->text[e->length++] = c;
    echo(e, (const char *)&c, 1);
}

static bool finish(struct editor *e, bool carriage_return)
{
    e->text[e->length] = 0;
    e->skip_newline = carriage_return;
    e->echo(e->context, "\n", 1);
    remember(e);
    return true;
}

void editor_begin(struct editor *e, bool hidden)
{
    e->length = e->shown = e->escape = 0;
    e->hidden = hidden;
}

bool editor_take(struct editor *e, uint8_t c)
{
    bool second_half = e->skip_newline && c == '\n';
    e->skip_newline = false;
    if (second_half)
        return false;
    if (e->escape)
        take_escape(e, c);
    else if (c == '\r' || c == '\n')
        return finish(e, c == '\r');
    else if (c == ESCAPE)
        e->escape = ESCAPE;
    else if (c == BACKSPACE || c == DELETE)
        erase_character(e);
    else if (c == CONTROL_U)
        erase_line(e);
    else if (c == CONTROL_W)
        erase_word(e);
    else
        insert(e, c);
    return false;
}

void editor_show(struct editor *e) { echo(e, e->text, e->length); }
