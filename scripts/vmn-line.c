/* Lines: see vmn-line.h. Nothing here knows of the emulator but its end of a pty. A descriptor that is ours alone is
 * non-blocking; standard output is shared with others, so it gets small pieces when it polls as writable. */
#define _GNU_SOURCE
#include "scripts/vmn-line.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "scripts/vmn-buffer.h"
#include "scripts/vmn-mark.h"

enum {
    CHUNK = 256,
    SCROLLBACK = 2000, /* what a line nobody has opened keeps to show */
    INPUT_ROOM = 4096,
    KEYS_ROOM = 1 << 20, /* where a key may be Ctrl-], which is to be found behind a paste that nobody reads */
    QUIET = 200,       /* ms without a word: QEMU has nothing that it could not write */
    QUIET_AT_MOST = 2000,
    TYPED_CHUNKS = 256, /* more than a pty holds */
    ESCAPE = 0x1D, /* Ctrl-] */
};

enum { ROW_EMULATOR, ROW_EMULATOR_IN, ROW_IN, ROW_OUT, ROW_VISIT };

/* ---- a socket's coming and going ------------------------------------------------------- */

static long long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* CP is to see this before somebody else is there: what it hears at once of both it takes for words of who left. */
static void hang_up(struct line *l)
{
    close(l->emulator);
    l->emulator = l->emulator_in = -1;
    l->left = 0;
    l->parting = l->token;
    l->heard = milliseconds();
    l->to_emulator.start = l->to_emulator.end = 0; /* what was typed by who left is nobody's */
}

/* A pty keeps what its user has not read for the next: some in what the master wrote,
 * some in what the slave may read. */
static void empty_pty(int master)
{
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    for (int i = 0; i < 2; i++) { /* the one may run into the other meanwhile */
        tcflush(master, TCOFLUSH);
        if (slave >= 0)
            tcflush(slave, TCIFLUSH);
    }
    if (slave >= 0)
        close(slave);
}

/* What was typed by who left is nobody's. A bounded look: whoever came since may be typing. */
static void forget_typed(struct line *l)
{
    unsigned char bytes[CHUNK];

    l->to_emulator.start = l->to_emulator.end = 0;
    for (unsigned i = 0; i < TYPED_CHUNKS && read(l->in, bytes, sizeof bytes) > 0; i++)
        ;
}

/* A machine whose words wait in QEMU because the socket is full loses that buffer for good if the socket closes (CP has
 * others, but not for ever): then it is first read until nothing comes, or for a while if it never ends. */
static void leave(struct line *l)
{
    struct pollfd unread = {l->emulator, POLLIN, 0};
    long long now = milliseconds();

    if (!l->left) {
        l->to_user.start = l->to_user.end = 0;
        l->left = l->heard = now;
        forget_typed(l);
        if (poll(&unread, 1, 0) == 1)
            return;
    } else if (now - l->heard < QUIET && now - l->left < QUIET_AT_MOST) {
        return;
    }
    empty_pty(l->in);
    hang_up(l);
}

/* Until the emulator listens nobody answers: the next look tries again. */
static void call(struct line *l)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    snprintf(to.sun_path, sizeof to.sun_path, "%s", l->socket);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        l->emulator = l->emulator_in = fd;
    else if (fd >= 0)
        close(fd);
}

/* Whose words have all been read, and shown. */
static bool is_quiet(const struct line *l)
{
    return !buffer_length(&l->to_user) && milliseconds() - l->heard >= QUIET;
}

/* A pty cannot be closed: what CP wrote for who left before it said that it is done with them may be on its way. */
static void dry_up(struct line *l)
{
    if (l->left && milliseconds() - l->heard >= QUIET)
        l->left = 0;
}

static void follow_user(struct line *l)
{
    if (!*l->socket) {
        dry_up(l);
        return;
    }
    if (l->emulator < 0 && milliseconds() - l->heard >= QUIET_AT_MOST) /* a CP that says nothing, or another system */
        l->parting = false;
    if (!l->connected)
        l->to_user.start = l->to_user.end = l->to_emulator.start = l->to_emulator.end = 0;
    if (l->connected && l->emulator < 0)
        call(l);
    else if (!l->connected && l->emulator >= 0)
        leave(l);
}

bool line_waits(const struct line *l)
{
    return !l->connected || l->emulator < 0 || l->hang_up;
}

/* ---- traffic -------------------------------------------------------------------------- */

static void escape_key(struct line *l, unsigned char key)
{
    l->escaped = false;
    if (key == 'q')
        l->quit = true;
    else if (key == ESCAPE)
        buffer_add(&l->to_emulator, &key, 1);
    else
        fputs("\r\nvmn: Ctrl-] q switches the machine off, Ctrl-] Ctrl-] sends Ctrl-]\r\n", stderr);
}

static void take_keys(struct line *l, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (l->escaped)
            escape_key(l, bytes[i]);
        else if (l->keys && bytes[i] == ESCAPE)
            l->escaped = true;
        else if (l->token && bytes[i] == MARK_BEGINS)
            mark(l, "T;");
        else
            buffer_add(&l->to_emulator, bytes + i, 1);
    }
}

/* ---- visitors --------------------------------------------------------------------------- */

static bool is_left(const struct line *l)
{
    return l->left || l->parting || (l->visit < 0 && l->door && *l->socket && l->emulator >= 0);
}

static bool is_free(const struct line *l) { return l->door && l->visit < 0 && !is_left(l); }

/* What was for who left is on its way out. */
static bool is_soon_free(const struct line *l) { return l->door && l->visit < 0 && is_left(l); }

struct line *line_choose(struct line *first, unsigned count, bool *soon)
{
    struct line *free[2] = {NULL, NULL}; /* by whether they are quiet */
    bool coming[2] = {false, false};
    for (struct line *l = first + count; l-- > first;) {
        if (is_free(l))
            free[l->quiet] = l;
        coming[l->quiet] |= is_soon_free(l);
    }
    *soon = !free[0] && (coming[0] || (!free[1] && coming[1]));
    return free[0] ? free[0] : *soon ? NULL : free[1];
}

/* A line whose emulator's end is a pty has no carrier but by marks, and is nobody else's before CP has heeded this. */
static void part(struct line *l)
{
    if (!l->token || *l->socket)
        return;
    mark(l, "G;");
    l->parting = true;
}

void line_parted(struct line *l)
{
    if (!l->parting)
        return;
    l->parting = false;
    l->heard = milliseconds();
    l->left = *l->socket ? 0 : l->heard;
}

/* Of a line that has no carrier CP takes it that somebody is there. */
void line_mark_with(struct line *l, const char *token)
{
    l->token = token;
    if (l->door)
        part(l);
}

/* Who has not proved who they are is asked. */
void line_seat(struct line *l, const struct visitor *v)
{
    l->visit = v->connection;
    l->in = v->in;
    l->out = v->out;
    memcpy(l->source, v->source, sizeof l->source);
    l->unproven = !v->known;
    l->terminal = isatty(v->in); /* one that is gone does not know */
    l->hang_up = l->ended = false;
    l->status = 0;
    l->to_user.start = l->to_user.end = 0;
    if (l->token)
        mark(l, "C;");
    if (l->token && v->known) {
        char what[16];
        snprintf(what, sizeof what, "U%s;", v->name);
        mark(l, what);
    } else if (l->token && *v->name) {
        buffer_add(&l->to_emulator, "LOGON ", 6);
        buffer_add(&l->to_emulator, v->name, strlen(v->name));
        buffer_add(&l->to_emulator, "\r", 1);
    }
}

static void end_visit(struct line *l)
{
    unsigned char status = (unsigned char)l->status;
    send(l->visit, &status, sizeof status, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(l->in);
    close(l->out);
    close(l->visit);
    l->in = l->out = l->visit = -1;
    l->hang_up = false;
    l->to_user.start = l->to_user.end = l->to_emulator.start = l->to_emulator.end = 0;
    part(l);
}

void line_hang_up(struct line *l, int status)
{
    l->hang_up = l->visit >= 0;
    l->status = status;
    l->heard = milliseconds();
}

/* What it says else is that the terminal has another size, at which every look looks anyway. */
static void from_visit(struct line *l)
{
    char any[64];
    ssize_t n = recv(l->visit, any, sizeof any, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        end_visit(l);
}

static void from_user(struct line *l)
{
    unsigned char bytes[CHUNK];
    ssize_t n = read(l->in, bytes, sizeof bytes);
    bool over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    if (n > 0)
        take_keys(l, bytes, (size_t)n);
    else if (over && l->door && l->terminal)
        end_visit(l);
    else if (over && (l->door || l->in == STDIN_FILENO))
        mark_end(l);
}

static bool from_emulator(struct line *l)
{
    unsigned char bytes[4096];
    ssize_t n = l->emulator < 0 ? 0 : read(l->emulator, bytes, sizeof bytes);
    if (n == 0 && *l->socket && l->emulator >= 0)
        hang_up(l);
    if (n <= 0)
        return false;
    l->open = true;
    l->heard = milliseconds();
    buffer_add(&l->to_user, bytes, (size_t)n);
    if (!l->connected)
        buffer_keep_last(&l->to_user, SCROLLBACK);
    return true;
}

/* A master whose slave nobody has open is hung up. */
static bool somebody_there(const struct line *l)
{
    struct pollfd p = {l->in, 0, 0};
    if (l->door)
        return l->visit >= 0;
    return l->in == STDIN_FILENO || poll(&p, 1, 0) == 0 || !(p.revents & POLLHUP);
}

/* Where the machine cannot be told to wait, others would for who does not read: the visit ends. */
static bool tries_patience(const struct line *l)
{
    return l->visit >= 0 && line_backlog(l) > LINE_BACKLOG_MORE;
}

void line_ask(struct line *l, struct pollfd p[LINE_POLLS])
{
    if ((l->hang_up && is_quiet(l)) || tries_patience(l))
        end_visit(l);
    bool room = buffer_length(&l->to_emulator) < (l->keys ? (size_t)KEYS_ROOM : INPUT_ROOM), hear = !l->ended && room;
    l->connected = !is_left(l) && somebody_there(l); /* whoever comes waits until who left is gone */
    follow_user(l);
    if (!l->connected)
        l->columns = l->rows = 0;
    else if (room && (!*l->socket || l->emulator >= 0)) /* a window may change its size as fast as keys come */
        mark_size(l);
    /* what comes before the machine has opened its UART would be lost */
    bool tell = buffer_length(&l->to_emulator) && (l->open || *l->socket);
    bool look = !*l->socket || line_backlog(l) < LINE_BACKLOG_GO;
    p[ROW_EMULATOR] = (struct pollfd){l->emulator, look ? POLLIN : 0, 0};
    p[ROW_EMULATOR_IN] = (struct pollfd){tell ? l->emulator_in : -1, POLLOUT, 0};
    /* of a socket's user it is always to be known that they leave, also while their input waits */
    bool watch = hear || (*l->socket && !l->door);
    p[ROW_IN] = (struct pollfd){l->connected && watch ? l->in : -1, hear ? POLLIN : 0, 0};
    p[ROW_OUT] = (struct pollfd){buffer_length(&l->to_user) && l->connected ? l->out : -1, POLLOUT, 0};
    p[ROW_VISIT] = (struct pollfd){l->visit, POLLIN, 0};
}

void line_serve(struct line *l, const struct pollfd p[LINE_POLLS])
{
    /* though somebody may have come since */
    bool left = *l->socket && !l->door && (p[ROW_IN].revents | p[ROW_OUT].revents) & POLLHUP;
    if (left && l->emulator >= 0 && !l->left)
        leave(l);
    if (p[ROW_EMULATOR].revents & (POLLIN | (*l->socket ? POLLHUP : 0)))
        from_emulator(l);
    if (p[ROW_EMULATOR_IN].revents & POLLOUT && l->emulator_in >= 0)
        buffer_write(&l->to_emulator, l->emulator_in);
    if (left)
        return;
    if (p[ROW_IN].revents)
        from_user(l);
    if (p[ROW_OUT].revents && l->out >= 0 && !buffer_write(&l->to_user, l->out)) {
        l->gone = l->out == STDOUT_FILENO;
        if (l->door)
            end_visit(l);
    }
    if (p[ROW_VISIT].revents && l->visit >= 0)
        from_visit(l);
}

size_t line_backlog(const struct line *l) { return buffer_length(&l->to_user); }

void line_flush(struct line *l)
{
    while (from_emulator(l))
        ;
    while (l->connected && buffer_length(&l->to_user)) {
        struct pollfd p = {l->out, POLLOUT, 0};
        if (poll(&p, 1, 1000) != 1 || !buffer_write(&l->to_user, l->out))
            return;
    }
}
