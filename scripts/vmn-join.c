/* Joining a line (vmn-join.h): bytes to and fro, the window's size, and the keys by which one leaves, as on line 1. */
#define _GNU_SOURCE
#include "scripts/vmn-join.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "scripts/vmn-line.h"

enum { ESCAPE = 0x1D /* Ctrl-] */ };

static volatile sig_atomic_t ended, resized = 1;

static void on_signal(int number)
{
    if (number == SIGWINCH)
        resized = 1;
    else
        ended = number;
}

static bool put(int to, const char *bytes, size_t count)
{
    while (count && !ended) {
        ssize_t n = write(to, bytes, count);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            bytes += n;
            count -= (size_t)n;
        }
    }
    return true;
}

/* What was typed and the line has not taken yet: a machine that does not read must not keep Ctrl-] from being heard. */
static struct {
    char bytes[1 << 20];
    size_t from, count;
    bool over; /* there is no more */
} typed;

static size_t room(void) { return sizeof typed.bytes - typed.from - typed.count; }

/* Takes what was typed; false: who typed it leaves. @pre room() */
static bool type(bool keys)
{
    static bool escaped;
    char bytes[1024];
    size_t most = room() < sizeof bytes ? room() : sizeof bytes;
    ssize_t n = read(STDIN_FILENO, bytes, most);
    if (n <= 0) {
        typed.over = n == 0 || errno != EINTR;
        return true;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (keys && escaped && bytes[i] == 'q')
            return false;
        bool escape = keys && !escaped && bytes[i] == ESCAPE;
        if (!escape)
            typed.bytes[typed.from + typed.count++] = bytes[i];
        escaped = escape;
    }
    return true;
}

static bool give(int line)
{
    ssize_t n = write(line, typed.bytes + typed.from, typed.count);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    typed.count -= (size_t)n;
    typed.from = typed.count ? typed.from + (size_t)n : 0;
    if (typed.from > sizeof typed.bytes / 2) {
        memmove(typed.bytes, typed.bytes + typed.from, typed.count);
        typed.from = 0;
    }
    return true;
}

static bool show(int line)
{
    char bytes[4096];
    ssize_t n = read(line, bytes, sizeof bytes);
    return n > 0 ? put(STDOUT_FILENO, bytes, (size_t)n) : n < 0 && (errno == EINTR || errno == EAGAIN);
}

static void follow_window(int line)
{
    struct winsize size;
    resized = 0;
    if (!ioctl(STDIN_FILENO, TIOCGWINSZ, &size))
        ioctl(line, TIOCSWINSZ, &size);
}

static void run(int line, bool keys)
{
    while (!ended && (typed.count || !typed.over)) {
        struct pollfd p[2] = {{typed.over || !room() ? -1 : STDIN_FILENO, POLLIN, 0},
                              {line, POLLIN | (typed.count ? POLLOUT : 0), 0}};
        if (resized)
            follow_window(line);
        if (poll(p, 2, -1) < 0)
            continue; /* a signal */
        if ((p[1].revents & ~POLLOUT && !show(line)) || (p[1].revents & POLLOUT && !give(line)) ||
            (p[0].revents && !type(keys)))
            return;
    }
}

int join(const char *name)
{
    static const int heeded[] = {SIGHUP, SIGINT, SIGTERM, SIGWINCH};
    struct termios before, raw;
    int line = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (line < 0 || !isatty(line)) {
        fprintf(stderr, "vmn: %s: %s\n", name, line < 0 ? strerror(errno) : "is not a line");
        return 2;
    }
    for (unsigned i = 0; i < sizeof heeded / sizeof *heeded; i++)
        sigaction(heeded[i], &(struct sigaction){.sa_handler = on_signal}, NULL);
    signal(SIGPIPE, SIG_IGN);
    line_make_raw(line);
    bool keys = !tcgetattr(STDIN_FILENO, &before);
    if (keys) {
        raw = before;
        cfmakeraw(&raw);
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    }
    run(line, keys);
    if (keys) {
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
        fprintf(stderr, "\nvmn: left %s\n", name);
    }
    return ended ? 128 + ended : 0;
}
