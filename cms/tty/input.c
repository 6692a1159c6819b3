/* What becomes of a byte that was typed: signals, editing, echo, lines; and CMS' immediate commands among them. */
#include <string.h>

#include "cms/console/terminal.h"
#include "cms/tty/state.h"
#include "cms/vfs/abi.h"
#include "cms/vfs/caller.h"

enum { CR = '\r', NL = '\n', UNHEARD = 3 };
static const uint64_t LEFT_LONG = 1000000000; /* a line HX of raw mode, in nanoseconds */

void tty_put_bit(uint8_t *bits, uint32_t place, bool on)
{
    uint8_t bit = (uint8_t)(1u << place % 8), *byte = &bits[place % TTY_ROOM / 8];
    *byte = on ? *byte | bit : *byte & ~bit;
}

void tty_flush_input(void)
{
    tty.read = tty.ready = tty.end = 0;
    tty.literal = false;
    tty.halts = 0;
}

/* ---- signals --------------------------------------------------------------------------------------------------- */

static bool give_signal(uint8_t c)
{
    static const struct {
        unsigned character;
        int signal;
    } rows[] = {{T_INTR, ABI_SIGINT}, {T_QUIT, ABI_SIGQUIT}, {T_SUSP, ABI_SIGTSTP}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!tty_is(c, rows[i].character))
            continue;
        if (!tty_local(L_NOFLSH))
            tty_flush_input();
        if (tty_local(L_ECHO))
            tty_echo(c);
        tty.unheard = tty.readers.first ? 0 : tty.unheard + (c == tty_character(T_INTR));
        if (tty.unheard >= UNHEARD)
            tty_halt();
        else
            caller_signal_group(tty.set.group, rows[i].signal);
        cms_wake(&tty.readers);
        return true;
    }
    return false;
}

static bool flow(uint8_t c)
{
    uint32_t flags = tty.set.termios.input;
    if (!(flags & I_IXON))
        return false;
    bool stop = tty_is(c, T_STOP), start = tty_is(c, T_START), any = tty.stopped && flags & I_IXANY;
    if (!start && !stop && !any)
        return false;
    tty.stopped = stop && !(start && tty.stopped);
    if (!tty.stopped)
        cms_wake(&tty.writers);
    return start || stop;
}

/* ---- editing --------------------------------------------------------------------------------------------------- */

static bool is_continuation(uint8_t c) { return tty.set.termios.input & I_IUTF8 && (c & 0xc0) == 0x80; }

/* Where the last character of the edited line begins. */
static uint32_t last_character(void)
{
    uint32_t at = tty.end - 1;
    while (at != tty.ready && is_continuation(tty_at(at)))
        at--;
    return at;
}

static unsigned column_of(uint32_t place) { return tty.edited_from + tty_width_of(tty.ready, place, tty.edited_from); }

static void erase_to(uint32_t at)
{
    if (tty_local(L_ECHO)) {
        if (tty_local(L_ECHOE))
            tty_rub(tty_width_of(at, tty.end, column_of(at)));
        else
            tty_echo(tty_character(T_ERASE));
    }
    tty.end = at;
}

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80;
}

static void erase_word(void)
{
    while (tty.end != tty.ready && !is_word(tty_at(tty.end - 1)))
        erase_to(last_character());
    while (tty.end != tty.ready && is_word(tty_at(tty.end - 1)))
        erase_to(last_character());
}

static void kill_line(void)
{
    if (tty_local(L_ECHO) && tty_local(L_ECHOKE) && tty_local(L_ECHOE)) {
        erase_to(tty.ready);
        return;
    }
    tty.end = tty.ready;
    if (tty_local(L_ECHO)) {
        tty_echo(tty_character(T_KILL));
        if (tty_local(L_ECHOK))
            tty_echo(NL);
    }
}

static void reprint(void)
{
    if (!tty_local(L_ECHO))
        return;
    tty_echo(tty_character(T_REPRINT));
    tty_echo(NL);
    tty.edited_from = 0;
    for (uint32_t i = tty.ready; i != tty.end; i++)
        tty_echo(tty_at(i));
}

static bool edit(uint8_t c)
{
    bool extended = tty_local(L_IEXTEN);
    if (tty_is(c, T_ERASE)) {
        if (tty.end != tty.ready)
            erase_to(last_character());
    } else if (tty_is(c, T_KILL)) {
        kill_line();
    } else if (extended && tty_is(c, T_WERASE)) {
        erase_word();
    } else if (extended && tty_is(c, T_REPRINT)) {
        reprint();
    } else if (extended && tty_is(c, T_LNEXT)) {
        tty.literal = true;
        if (tty_local(L_ECHO) && tty_local(L_ECHOCTL))
            tty_raw("^\b", 2);
    } else {
        return false;
    }
    return true;
}

/* ---- lines ----------------------------------------------------------------------------------------------------- */

/* Is [from, to) this word, in either case, blanks about it left out? */
static bool says(uint32_t from, uint32_t to, const char *word)
{
    while (from != to && tty_at(from) == ' ')
        from++;
    while (to != from && tty_at(to - 1) == ' ')
        to--;
    return to - from == 2 && (tty_at(from) & ~0x20) == word[0] && (tty_at(from + 1) & ~0x20) == word[1];
}

static bool immediate(uint32_t from, uint32_t to)
{
    bool halt = says(from, to, "HX") || says(from, to, "HI"), quiet = says(from, to, "HT");
    if (halt)
        tty_halt();
    else if (quiet || says(from, to, "RT"))
        tty.silent = quiet;
    else
        return false;
    return true;
}

static void store(uint8_t c, bool ends, bool end_of_file)
{
    tty.data[tty.end % TTY_ROOM] = c;
    tty_put_bit(tty.mark, tty.end, ends);
    tty_put_bit(tty.eof, tty.end, end_of_file);
    tty.end++;
}

static void line_ends(uint8_t c, bool end_of_file)
{
    if (c == NL && immediate(tty.ready, tty.end)) {
        tty.end = tty.ready;
        return;
    }
    store(c, true, end_of_file);
    tty.ready = tty.end;
    cms_wake(&tty.readers);
}

static bool ends_line(uint8_t c) { return c == NL || tty_is(c, T_EOL) || (tty_local(L_IEXTEN) && tty_is(c, T_EOL2)); }

static bool is_full(void) { return tty.end - tty.read >= TTY_ROOM - 1; /* one is kept for the line's end */ }

static void bell(void)
{
    if (tty.set.termios.input & I_IMAXBEL)
        tty_raw("\a", 1);
}

static void echo_typed(uint8_t c)
{
    if (tty.end == tty.ready)
        tty.edited_from = tty.column;
    if (tty.repeated)
        return;
    if (tty_local(L_ECHO) || (c == NL && tty_local(L_ECHONL) && tty_local(L_ICANON)))
        tty_echo(c);
}

static void canonical(uint8_t c)
{
    if (!tty.literal && edit(c))
        return;
    if (!tty.literal && tty_is(c, T_EOF)) {
        line_ends(END_OF_FILE, true);
        return;
    }
    bool ends = !tty.literal && ends_line(c);
    if (is_full() && !ends) {
        tty.literal = false;
        bell();
        return;
    }
    if (c == NL && tty.literal) { /* shown as ^J, and no end */
        tty.literal = false;
        echo_typed(c);
        store(c, false, false);
        return;
    }
    tty.literal = false;
    echo_typed(c);
    if (ends)
        line_ends(c, false);
    else
        store(c, false, false);
}

/* Has the program left a line HX unread? The one that just ended, of what is unread. */
static bool unread_halt(void)
{
    uint32_t to = tty.end - 1, from = to;
    while (from != tty.read && tty_at(from - 1) != CR && tty_at(from - 1) != NL)
        from--;
    return says(from, to, "HX");
}

static void raw(uint8_t c)
{
    if (tty.end - tty.read >= TTY_ROOM) {
        bell();
        return;
    }
    echo_typed(c);
    store(c, false, false);
    tty.ready = tty.end;
    if (c == CR || c == NL)
        tty.halts = unread_halt() ? cms_wait_now() + LEFT_LONG : 0;
    cms_wake(&tty.readers);
}

/* False: it is thrown away. */
static bool mapped(uint8_t *c)
{
    uint32_t flags = tty.set.termios.input;
    if (flags & I_ISTRIP)
        *c &= 0x7f;
    if (*c == CR && flags & I_IGNCR)
        return false;
    if (*c == CR && flags & I_ICRNL)
        *c = NL;
    else if (*c == NL && flags & I_INLCR)
        *c = CR;
    if (flags & I_IUCLC && tty_local(L_IEXTEN) && *c >= 'A' && *c <= 'Z')
        *c += 'a' - 'A';
    return true;
}

void tty_key(uint8_t c)
{
    if (!tty.literal) {
        if (!mapped(&c) || flow(c) || (tty_local(L_ISIG) && give_signal(c)))
            return;
        tty.unheard = 0;
    }
    if (tty_local(L_ICANON))
        canonical(c);
    else
        raw(c);
}
