/* ioctl_tty(2). */
#include <errno.h>
#include <string.h>

#include "cms/console/terminal.h"
#include "cms/tty/state.h"
#include "cms/vfs/abi.h"
#include "cms/vfs/caller.h"
#include "cms/vfs/file.h"

enum { ROWS_USUAL = 24, COLUMNS_USUAL = 80, OLD_CHARACTERS = 8 };
enum { FLUSH_INPUT = 0, FLUSH_OUTPUT = 1, FLUSH_BOTH = 2 };
enum { OUTPUT_OFF = 0, OUTPUT_ON = 1, INPUT_OFF = 2, INPUT_ON = 3 };

struct old_termio { /* struct termio, of System V */
    uint16_t input, output, control, local;
    uint8_t line, character[OLD_CHARACTERS];
};

struct termios2 {
    struct tty_termios termios;
    uint32_t input_speed, output_speed;
};

enum { SPEED = 38400 };

struct tty_window tty_window_now(void)
{
    if (tty.set.window.columns)
        return tty.set.window;
    size_t columns = cms_terminal_width(), rows = cms_terminal_height();
    return (struct tty_window){.rows = (uint16_t)(rows ? rows : ROWS_USUAL),
                               .columns = (uint16_t)(columns ? columns : COLUMNS_USUAL)};
}

static void adopt(const struct tty_termios *t)
{
    bool was = tty_local(L_ICANON);
    tty.set.termios = *t;
    if (was && !tty_local(L_ICANON)) { /* a line that was being edited may be read as it is */
        tty.ready = tty.end;
        memset(tty.mark, 0, sizeof tty.mark);
    } else if (!was && tty_local(L_ICANON) && tty.ready != tty.read) {
        tty_put_bit(tty.mark, tty.ready - 1, true);
    }
    if (!(t->input & I_IXON))
        tty.stopped = false;
    cms_wake(&tty.readers);
    cms_wake(&tty.writers);
}

/* `how` counts from the request that sets at once: drained, drained and flushed. */
static int64_t set(struct space *s, uint64_t from, size_t size, unsigned how)
{
    struct tty_termios t = tty.set.termios;
    int status = tty_judge(ABI_SIGTTOU);
    if (!status)
        status = space_copy_in(s, &t, from, size);
    if (status)
        return status;
    if (how == 2)
        tty_flush_input();
    adopt(&t);
    return 0;
}

static int64_t set_old(struct space *s, uint64_t from, unsigned how)
{
    struct tty_termios t = tty.set.termios;
    struct old_termio old;
    int status = tty_judge(ABI_SIGTTOU);
    if (!status)
        status = space_copy_in(s, &old, from, sizeof old);
    if (status)
        return status;
    t.input = (t.input & 0xffff0000) | old.input;
    t.output = (t.output & 0xffff0000) | old.output;
    t.control = (t.control & 0xffff0000) | old.control;
    t.local = (t.local & 0xffff0000) | old.local;
    t.line = old.line;
    memcpy(t.character, old.character, sizeof old.character);
    if (how == 2)
        tty_flush_input();
    adopt(&t);
    return 0;
}

static int64_t get_old(struct space *s, uint64_t to)
{
    const struct tty_termios *t = &tty.set.termios;
    struct old_termio old = {
        (uint16_t)t->input, (uint16_t)t->output, (uint16_t)t->control, (uint16_t)t->local, t->line, {0}};
    memcpy(old.character, t->character, sizeof old.character);
    return space_copy_out(s, to, &old, sizeof old);
}

static int64_t get2(struct space *s, uint64_t to)
{
    struct termios2 t = {tty.set.termios, SPEED, SPEED};
    return space_copy_out(s, to, &t, sizeof t);
}

/* The bytes a read would give. */
static int32_t readable(void) { return (int32_t)(tty.ready - tty.read); }

static int64_t flush(uint64_t which)
{
    int status = which > FLUSH_BOTH ? -EINVAL : tty_judge(ABI_SIGTTOU);
    if (!status && which != FLUSH_OUTPUT)
        tty_flush_input();
    return status;
}

static int64_t stop_or_go(uint64_t what)
{
    int status = what > INPUT_ON ? -EINVAL : tty_judge(ABI_SIGTTOU);
    if (status)
        return status;
    if (what == OUTPUT_OFF || what == OUTPUT_ON)
        tty.stopped = what == OUTPUT_OFF;
    cms_wake(&tty.writers);
    return 0;
}

static int64_t set_window(struct space *s, uint64_t from)
{
    struct tty_window w, old = tty_window_now();
    int status = space_copy_in(s, &w, from, sizeof w);
    if (status)
        return status;
    tty.set.window = w;
    tty.shown = tty_window_now();
    if (memcmp(&old, &tty.shown, sizeof old))
        caller_signal_group(tty.set.group, ABI_SIGWINCH);
    return 0;
}

/* A group or session, to a process whose terminal it is. */
static int64_t tell(struct space *s, uint64_t to, int32_t id)
{
    return caller_session() != tty.set.session ? -ENOTTY : space_copy_out(s, to, &id, sizeof id);
}

static int64_t set_group(struct space *s, uint64_t from)
{
    int32_t group;
    if (caller_session() != tty.set.session)
        return -ENOTTY;
    int status = tty_judge(ABI_SIGTTOU);
    if (!status)
        status = space_copy_in(s, &group, from, sizeof group);
    if (status)
        return status;
    if (group < 0)
        return -EINVAL;
    int session = caller_session_of_group(group);
    if (session != tty.set.session) /* nobody could be in the foreground any more, and all else would get EIO */
        return session ? -EPERM : -ESRCH;
    tty.set.group = group;
    return 0;
}

/* It can be taken from a session that is still there, whose terminal it is then no more, when that is said. */
static int64_t take_terminal(uint64_t how)
{
    enum { STEAL = 1 };
    if (caller_session() == tty.set.session)
        return 0;
    if (!caller_leads_session() || (how != STEAL && caller_session_of_group(tty.set.session)))
        return -EPERM;
    tty.set.session = caller_session();
    tty.set.group = caller_group();
    return 0;
}

static int64_t simulate(struct space *s, uint64_t from)
{
    uint8_t c;
    int status = space_copy_in(s, &c, from, 1);
    if (!status)
        tty_key(c);
    return status;
}

int64_t tty_control(struct file *f, struct space *s, unsigned request, uint64_t argument)
{
    static const int32_t nothing;
    struct tty_window window;
    int32_t number = readable();
    (void)f;
    if (request == TTY_TCGETS2)
        return get2(s, argument);
    if (request - TTY_TCSETS2 <= 2)
        return set(s, argument, sizeof(struct tty_termios), request - TTY_TCSETS2);
    switch (request) {
    case TTY_TCGETS: return space_copy_out(s, argument, &tty.set.termios, sizeof tty.set.termios);
    case TTY_TCSETS:
    case TTY_TCSETSW:
    case TTY_TCSETSF: return set(s, argument, sizeof(struct tty_termios), request - TTY_TCSETS);
    case TTY_TCGETA: return get_old(s, argument);
    case TTY_TCSETA:
    case TTY_TCSETAW:
    case TTY_TCSETAF: return set_old(s, argument, request - TTY_TCSETA);
    case TTY_TCXONC: return stop_or_go(argument);
    case TTY_TCFLSH: return flush(argument);
    case TTY_TIOCSCTTY: return take_terminal(argument);
    case TTY_TIOCGPGRP: return tell(s, argument, tty.set.group);
    case TTY_TIOCSPGRP: return set_group(s, argument);
    case TTY_TIOCGSID: return tell(s, argument, tty.set.session);
    case TTY_TIOCSTI: return simulate(s, argument);
    case TTY_TIOCGWINSZ:
        window = tty.shown = tty_window_now();
        return space_copy_out(s, argument, &window, sizeof window);
    case TTY_TIOCSWINSZ: return set_window(s, argument);
    case TTY_FIONREAD: return space_copy_out(s, argument, &number, sizeof number);
    case TTY_TIOCOUTQ:
    case TTY_TIOCGETD: return space_copy_out(s, argument, &nothing, sizeof nothing);
    case TTY_TCSBRK:
    case TTY_TCSBRKP: cms_terminal_drain(); return 0;
    case TTY_TIOCEXCL:
    case TTY_TIOCNXCL:
    case TTY_TIOCSETD:
    case TTY_TIOCNOTTY: return 0;
    default: return -ENOTTY;
    }
}
