/* Opening a line, in each form it can have: both ends, the emulator's and the user's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "scripts/vmn-line.h"

enum { PIPE_ROOM = 4096 /* what the emulator may be ahead of the terminal */ };

void line_make_raw(int fd)
{
    struct termios now, raw;
    if (tcgetattr(fd, &now))
        return;
    raw = now;
    cfmakeraw(&raw);
    if (memcmp(&raw, &now, sizeof raw))
        tcsetattr(fd, TCSANOW, &raw);
}

static int open_master(char *name, size_t size)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (master < 0 || grantpt(master) || unlockpt(master) || ptsname_r(master, name, size))
        return -1;
    line_make_raw(master);
    return master;
}

static void begin(struct line *l)
{
    *l = (struct line){.emulator = -1, .emulator_in = -1, .emulator_slave = -1, .in = -1, .out = -1, .visit = -1};
}

static int open_emulator_end(struct line *l, const char *link)
{
    char name[64];
    begin(l);
    l->emulator = l->emulator_in = open_master(name, sizeof name);
    if (l->emulator < 0)
        return -1;
    l->emulator_slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return l->emulator_slave < 0 ? -1 : symlink(name, link);
}

static void join_standard(struct line *l)
{
    l->in = STDIN_FILENO;
    l->out = STDOUT_FILENO;
    l->connected = true;
}

int line_open_standard(struct line *l, const char *link)
{
    if (open_emulator_end(l, link))
        return -1;
    join_standard(l);
    return 0;
}

/* Open for both, so that it never hangs up. */
static int open_pipe(const char *pipes, const char *suffix)
{
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s.%s", pipes, suffix) >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkfifo(path, 0600) ? -1 : open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        fcntl(fd, F_SETPIPE_SZ, PIPE_ROOM);
    return fd;
}

int line_open_pipes(struct line *l, const char *pipes)
{
    begin(l);
    l->emulator = open_pipe(pipes, "out");
    l->emulator_in = l->emulator < 0 ? -1 : open_pipe(pipes, "in");
    join_standard(l);
    return l->emulator_in < 0 ? -1 : 0;
}

static int open_user_end(struct line *l, char *name)
{
    l->in = l->out = open_master(name, 64);
    if (l->in < 0)
        return -1;
    close(open(name,
               O_RDWR | O_NOCTTY)); /* a master hangs up only after a first open, and hang-up means "nobody there" */
    return 0;
}

int line_open_pty(struct line *l, const char *link, char *name)
{
    return open_emulator_end(l, link) ? -1 : open_user_end(l, name);
}

static int open_socket(struct line *l, const char *socket)
{
    begin(l);
    if ((size_t)snprintf(l->socket, sizeof l->socket, "%s", socket) < sizeof l->socket)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

int line_open_socket(struct line *l, const char *socket, char *name)
{
    return open_socket(l, socket) ? -1 : open_user_end(l, name);
}

int line_open_pty_for_visitors(struct line *l, const char *link)
{
    int failed = open_emulator_end(l, link);
    l->door = true;
    return failed;
}

int line_open_socket_for_visitors(struct line *l, const char *socket)
{
    int failed = open_socket(l, socket);
    l->door = true;
    return failed;
}

void line_heed_keys(struct line *l) { l->keys = true; }
