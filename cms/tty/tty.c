/* The terminal as a device: reading, writing, waiting, who may; and the way of keys between it and CMS' console. */
#include "cms/tty/tty.h"

#include <errno.h>
#include <string.h>

#include "cms/console/console.h"
#include "cms/tty/state.h"
#include "cms/vfs/caller.h"
#include "cms/vfs/device.h"

enum { PIECE = 256, TENTH = 100000000 };
static const uint64_t LOOK_AGAIN = 2000000000; /* nanoseconds between looks at the window, as each asks CP */

struct tty tty;

static const struct tty_termios at_first = {
    .input = I_ICRNL | I_IXON | I_IUTF8 | I_IMAXBEL,
    .output = O_OPOST | O_ONLCR,
    .control = C_B38400 | C_CS8 | C_CREAD | C_HUPCL,
    .local = L_ISIG | L_ICANON | L_ECHO | L_ECHOE | L_ECHOK | L_ECHOCTL | L_ECHOKE | L_IEXTEN,
    .character = {[T_INTR] = 3,
                  [T_QUIT] = 28,
                  [T_ERASE] = 127,
                  [T_KILL] = 21,
                  [T_EOF] = 4,
                  [T_MIN] = 1,
                  [T_START] = 17,
                  [T_STOP] = 19,
                  [T_SUSP] = 26,
                  [T_REPRINT] = 18,
                  [T_DISCARD] = 15,
                  [T_WERASE] = 23,
                  [T_LNEXT] = 22},
};

/* ---- keys ------------------------------------------------------------------------------------------------------ */

/* A bell with the window as it was: somebody may have come back to a terminal that shows nothing of what a full-screen
 * program drew. It draws again when it is told of a window. */
static void look_at_window(bool rang)
{
    uint64_t now = cms_wait_now();
    if (!rang && tty.looked && now - tty.looked < LOOK_AGAIN)
        return;
    struct tty_window w = tty_window_now();
    bool changed = tty.shown.columns && memcmp(&w, &tty.shown, sizeof w);
    tty.looked = now;
    tty.shown = w;
    if (changed || (rang && !tty_local(L_ICANON)))
        caller_signal_group(tty.set.group, ABI_SIGWINCH);
}

void tty_halt(void)
{
    cms_console_halt_all();
    caller_halt();
}

/* A line that has no room is cut, since only its end makes it readable; whole lines wait where they are. */
static bool has_room(void)
{
    return tty.end - tty.read < TTY_ROOM - 1 || (tty_local(L_ICANON) && tty.ready == tty.read);
}

void tty_input_arrived(void)
{
    int c;
    bool any = false, rang;
    if (!tty.active || tty.handing)
        return;
    while ((c = cms_console_take_key(has_room())) >= 0) {
        any = true;
        tty.repeated = cms_console_key_shown();
        tty_key((uint8_t)c);
        tty.repeated = false;
    }
    rang = cms_terminal_rang();
    if (any || rang)
        look_at_window(rang);
    if (tty.halts && tty.read == tty.end)
        tty.halts = 0;
    if (tty.halts && cms_wait_now() >= tty.halts) {
        tty_flush_input();
        tty_halt();
    }
}

uint64_t tty_deadline(void) { return tty.active ? tty.halts : 0; }

void tty_begin(struct tty_kept *kept, int session, int group)
{
    _Static_assert(sizeof tty.set <= sizeof *kept, "an outer program's settings are kept in it");
    memcpy(kept, &tty.set, sizeof tty.set);
    ((uint8_t *)kept)[sizeof *kept - 1] = tty.active;
    if (!tty.active) {
        tty_flush_input();
        tty.column = 0;
        tty.looked = 0;
        tty.shown = (struct tty_window){0};
    }
    cms_terminal_watch(true);
    tty.set = (struct tty_settings){.termios = at_first, .session = session, .group = group};
    tty.active = true;
    tty.stopped = tty.silent = tty.literal = false;
    tty.unheard = 0;
}

/* Lines that nobody read are as they were typed but for what was edited in them. */
static void give_keys_back(void)
{
    uint8_t kept[TTY_ROOM];
    size_t n = 0;
    for (uint32_t i = tty.read; i != tty.end; i++)
        if (!tty_bit(tty.eof, i) || !tty_local(L_ICANON))
            kept[n++] = tty_at(i);
    cms_console_give_back((const char *)kept, n);
    tty_flush_input();
}

void tty_end(const struct tty_kept *kept)
{
    bool outer = ((const uint8_t *)kept)[sizeof *kept - 1];
    if (!outer)
        give_keys_back();
    if (!outer && tty.column) /* what CMS says next begins a line of its own */
        tty_raw("\r\n", 2);
    memcpy(&tty.set, kept, sizeof tty.set);
    tty.active = outer;
    cms_terminal_watch(outer);
    tty.stopped = tty.silent = tty.literal = false;
}

void tty_pause(struct tty_kept *kept)
{
    memcpy(kept, &tty.set, sizeof tty.set);
    ((uint8_t *)kept)[sizeof *kept - 1] = tty.active;
    if (tty.active)
        give_keys_back();
    tty.active = false;
}

void tty_resume(const struct tty_kept *kept)
{
    memcpy(&tty.set, kept, sizeof tty.set);
    tty.active = ((const uint8_t *)kept)[sizeof *kept - 1];
}

/* ---- who may --------------------------------------------------------------------------------------------------- */

int tty_judge(int signal)
{
    if (caller_session() != tty.set.session || caller_group() == tty.set.group)
        return 0;
    bool deaf = caller_ignores_or_blocks(signal);
    if (deaf && signal == ABI_SIGTTOU)
        return 0;
    if (deaf || caller_group_is_orphaned(caller_group()))
        return -EIO;
    caller_signal_group(caller_group(), signal);
    return -EINTR;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

/* Up to a line's end, which is part of it but where it is an end of file. */
static int64_t read_line(struct io *io)
{
    int64_t done = 0;
    while (io->left && tty.read != tty.ready) {
        uint32_t at = tty.read;
        bool end_of_file = tty_bit(tty.eof, at), ends = tty_bit(tty.mark, at);
        if (!end_of_file && io->put(io, &tty.data[at % TTY_ROOM], 1))
            return done ? done : -EFAULT;
        tty.read++;
        done += !end_of_file;
        if (ends)
            break;
    }
    return done;
}

static int64_t read_raw(struct io *io)
{
    int64_t done = 0;
    while (io->left && tty.read != tty.ready) {
        size_t part = TTY_ROOM - tty.read % TTY_ROOM;
        if (part > tty.ready - tty.read)
            part = tty.ready - tty.read;
        if (part > io->left)
            part = io->left;
        if (io->put(io, &tty.data[tty.read % TTY_ROOM], part))
            return done ? done : -EFAULT;
        tty.read += (uint32_t)part;
        done += (int64_t)part;
    }
    return done;
}

/* How many bytes a raw read waits for: MIN, but never more than there is room or than were asked for. */
static uint32_t wanted(const struct io *io)
{
    uint32_t least = tty_character(T_MIN);
    return least < io->left ? least : (uint32_t)io->left;
}

/* Waits in raw mode as MIN and TIME say: 0: read what there is, which may be nothing; or why not. */
static int wait_raw(struct io *io, bool nonblocking)
{
    uint64_t tenths = tty_character(T_TIME), deadline = WAIT_FOR_EVER;
    if (!tty_character(T_MIN) && tenths)
        deadline = cms_wait_now() + tenths * TENTH;
    for (;;) {
        uint32_t have = tty.ready - tty.read;
        if (have >= wanted(io) && (have || (!tty_character(T_MIN) && !tenths)))
            return 0;
        if (nonblocking)
            return have ? 0 : -EAGAIN;
        if (tty_character(T_MIN) && tenths && have) /* between bytes */
            deadline = cms_wait_now() + tenths * TENTH;
        int status = cms_wait(&tty.readers, deadline);
        tty_input_arrived();
        if (status == -ETIMEDOUT)
            return 0;
        if (status)
            return tty.ready != tty.read ? 0 : status;
        if (tty_local(L_ICANON))
            return -EAGAIN; /* looked at anew */
    }
}

static int64_t hand_out(struct io *io, int64_t (*read)(struct io *))
{
    tty.handing = true;
    int64_t n = read(io);
    tty.handing = false;
    return n;
}

static int64_t tty_read(struct file *f, struct io *io, uint64_t offset)
{
    bool nonblocking = f->flags & ABI_O_NONBLOCK;
    (void)offset;
    for (;;) {
        int status = tty_judge(ABI_SIGTTIN);
        if (status || !io->left)
            return status;
        tty_input_arrived();
        if (!tty_local(L_ICANON)) {
            status = wait_raw(io, nonblocking);
            if (status == -EAGAIN && tty_local(L_ICANON))
                continue;
            return status ? status : hand_out(io, read_raw);
        }
        if (tty.read != tty.ready)
            return hand_out(io, read_line);
        if (nonblocking)
            return -EAGAIN;
        status = cms_wait(&tty.readers, WAIT_FOR_EVER);
        if (status)
            return status;
    }
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

static int64_t tty_write(struct file *f, struct io *io, uint64_t offset)
{
    char piece[PIECE];
    int64_t done = 0;
    int status = tty_local(L_TOSTOP) ? tty_judge(ABI_SIGTTOU) : 0;
    (void)offset;
    if (status)
        return status;
    while (io->left) {
        tty_input_arrived();
        if (tty.stopped) {
            status = f->flags & ABI_O_NONBLOCK ? -EAGAIN : cms_wait(&tty.writers, WAIT_FOR_EVER);
            if (status)
                return done ? done : status;
            continue;
        }
        size_t part = io->left < sizeof piece ? io->left : sizeof piece;
        if (io->take(io, piece, part))
            return done ? done : -EFAULT;
        tty_show(piece, part);
        done += (int64_t)part;
    }
    return done;
}

/* What a read would not wait for: a line, or as many bytes as MIN says where no time runs. */
static bool is_readable(void)
{
    uint32_t least = tty_local(L_ICANON) || tty_character(T_TIME) ? 1 : tty_character(T_MIN);
    return tty.ready - tty.read >= (least ? least : 1);
}

static unsigned tty_poll(struct file *f, struct wait_queue **queue)
{
    (void)f;
    tty_input_arrived();
    *queue = &tty.readers;
    return (is_readable() ? ABI_POLLIN | ABI_POLLRDNORM : 0) | (tty.stopped ? 0 : ABI_POLLOUT | ABI_POLLWRNORM);
}

/* ---- the device ------------------------------------------------------------------------------------------------ */

static const struct file_operations operations = {
    .read = tty_read, .write = tty_write, .control = tty_control, .poll = tty_poll, .stat = device_stat};

/* /dev/tty is the caller's own terminal, and there is no other. */
static int open_own(struct file *f)
{
    (void)f;
    return caller_session() == tty.set.session ? 0 : -ENXIO;
}

static struct device devices[] = {
    {.name = "tty", .major = 5, .minor = 0, .operations = &operations, .open = open_own},
    {.name = "console", .major = 5, .minor = 1, .operations = &operations},
};

void tty_start(void)
{
    for (unsigned i = 0; i < sizeof devices / sizeof *devices; i++)
        vfs_device(&devices[i]);
}

struct file *tty_open(void)
{
    struct file *f = file_make(&operations, NULL, ABI_O_RDWR);
    if (f)
        f->device_node = &devices[0].node;
    return f;
}
