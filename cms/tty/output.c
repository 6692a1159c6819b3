/* What programs write, and echoes: processed and handed on in pieces, as each one costs an exit. */
#include <string.h>

#include "cms/console/pager.h"
#include "cms/console/terminal.h"
#include "cms/tty/state.h"
#include "lib/edit.h"

enum { PIECE = 512, TAB = 8 };

static struct {
    char bytes[PIECE];
    size_t used;
} piece;

static void send(void)
{
    if (piece.used)
        cms_terminal_write(piece.bytes, piece.used);
    piece.used = 0;
}

static void put(char c)
{
    if (piece.used == PIECE)
        send();
    piece.bytes[piece.used++] = c;
}

/* A byte that goes out as it is. */
static void plain(uint8_t c)
{
    put((char)c);
    if (c == '\r')
        tty.column = 0;
    else if (c == '\b')
        tty.column -= tty.column > 0;
    else if (c == '\t')
        tty.column = (tty.column | (TAB - 1)) + 1;
    else if (c >= ' ' && c != 0x7f && (c < 0x80 || c >= 0xc0 || !(tty.set.termios.input & I_IUTF8)))
        tty.column++;
}

static void newline(uint32_t flags)
{
    if (flags & O_ONLCR)
        plain('\r');
    plain('\n');
    if (flags & O_ONLRET)
        tty.column = 0;
}

static void processed(uint8_t c)
{
    uint32_t flags = tty.set.termios.output;
    if (c == '\r' && flags & O_OCRNL)
        c = '\n';
    else if (c == '\r' && flags & O_ONOCR && !tty.column)
        return;
    if (flags & O_OLCUC && c >= 'a' && c <= 'z')
        c = (uint8_t)(c - 'a' + 'A');
    if (c == '\n')
        newline(flags);
    else if (c == '\t' && (flags & O_TABS) == O_TABS)
        do
            plain(' ');
        while (tty.column % TAB);
    else
        plain(c);
}

void tty_show(const char *bytes, size_t count)
{
    bool process = tty.set.termios.output & O_OPOST;
    if (tty.silent)
        return;
    if (tty_local(L_ICANON)) /* else it has the whole screen */
        cms_pager_program_types();
    for (size_t i = 0; i < count; i++)
        if (process)
            processed((uint8_t)bytes[i]);
        else
            plain((uint8_t)bytes[i]);
    send();
}

void tty_raw(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        plain((uint8_t)bytes[i]);
    send();
}

static bool is_control(uint8_t c) { return c < ' ' || c == 0x7f; }

/* Echoes are shown whatever HT says. */
void tty_echo(uint8_t c)
{
    if (c == '\n') {
        newline(tty.set.termios.output & O_OPOST ? tty.set.termios.output : 0);
    } else if (is_control(c) && c != '\t' && tty_local(L_ECHOCTL)) {
        plain('^');
        plain(c ^ 0x40);
    } else {
        plain(c);
    }
    send();
}

unsigned tty_width_of(uint32_t from, uint32_t to, unsigned column)
{
    unsigned start = column;
    while (from < to) {
        uint8_t c = tty_at(from);
        if (c == '\t') {
            column = (column | (TAB - 1)) + 1;
            from++;
        } else if (is_control(c)) {
            column += tty_local(L_ECHOCTL) ? 2 : 0;
            from++;
        } else if (c < 0x80 || !(tty.set.termios.input & I_IUTF8)) {
            column++;
            from++;
        } else {
            char text[4];
            size_t n = 0;
            do
                text[n++] = (char)tty_at(from++);
            while (n < sizeof text && from < to && (tty_at(from) & 0xc0) == 0x80);
            column += (unsigned)edit_columns(text, n);
        }
    }
    return column - start;
}

void tty_rub(unsigned columns)
{
    for (unsigned i = 0; i < columns; i++)
        tty_raw("\b \b", 3);
}
