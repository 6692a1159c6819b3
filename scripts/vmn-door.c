/* See vmn-door.h. */
#define _GNU_SOURCE
#include "scripts/vmn-door.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "scripts/vmn-line.h"

enum { WAITING = 64, NO_LINE = 0, PATIENCE_SECONDS = 10 };

struct request {
    char name[DOOR_NAME + 1];
    bool known;
};

/* A socket's path may not be long. */
static int door_socket(int place, struct sockaddr_un *at)
{
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(at->sun_path, sizeof at->sun_path, "/proc/self/fd/%d/door", place);
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

/* ---- the machine's side ------------------------------------------------------------------------------------------ */

int door_open(int place)
{
    struct sockaddr_un at;
    int door = door_socket(place, &at);
    if (door < 0 || bind(door, (struct sockaddr *)&at, sizeof at) || listen(door, WAITING))
        return -1;
    return fcntl(door, F_SETFL, O_NONBLOCK) ? -1 : door;
}

static bool name_is_plain(const char *name)
{
    for (; *name; name++)
        if (!isupper((unsigned char)*name) && !isdigit((unsigned char)*name) && !strchr("@#$_-", *name))
            return false;
    return true;
}

static bool take_request(struct visitor *v)
{
    struct request request;
    struct iovec part = {&request, sizeof request};
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(2 * sizeof(int))];
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    ssize_t n = recvmsg(v->connection, &m, MSG_CMSG_CLOEXEC);
    struct cmsghdr *beside = n == sizeof request ? CMSG_FIRSTHDR(&m) : NULL;
    int fd[2];

    if (!beside || beside->cmsg_type != SCM_RIGHTS || beside->cmsg_len != CMSG_LEN(sizeof fd))
        return false;
    memcpy(fd, CMSG_DATA(beside), sizeof fd);
    v->in = fd[0];
    v->out = fd[1];
    request.name[DOOR_NAME] = 0;
    memcpy(v->name, name_is_plain(request.name) ? request.name : "", sizeof v->name);
    v->known = request.known && *v->name;
    return true;
}

/* A visitor sends at once, so that nobody waits here for who does not. */
bool door_accept(int door, struct visitor *v)
{
    *v = (struct visitor){.in = -1, .out = -1};
    v->connection = accept4(door, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (v->connection < 0)
        return false;
    struct pollfd sent = {v->connection, POLLIN, 0};
    if (poll(&sent, 1, 1000) == 1 && take_request(v)) {
        fcntl(v->in, F_SETFL, O_NONBLOCK);
        fcntl(v->out, F_SETFL, O_NONBLOCK);
        return true;
    }
    close(v->connection);
    return false;
}

void door_answer(struct visitor *v, unsigned line)
{
    send(v->connection, &line, sizeof line, MSG_NOSIGNAL); /* who is gone already the line will see */
    if (line)
        return;
    close(v->in);
    close(v->out);
    close(v->connection);
}

/* ---- the visitor's side ------------------------------------------------------------------------------------------ */

static volatile sig_atomic_t ended, resized;

static void on_signal(int number)
{
    if (number == SIGWINCH)
        resized = 1;
    else
        ended = number;
}

/* sshd writes there, one a line, by which methods whoever comes has proved who they are. */
static bool proved(void)
{
    char line[32] = "";
    const char *name = getenv("SSH_USER_AUTH");
    FILE *file = name ? fopen(name, "re") : NULL;
    bool read = file && fgets(line, sizeof line, file);
    if (file)
        fclose(file);
    return read && !strncmp(line, "publickey ", 10);
}

static bool say(int connection, struct request *request)
{
    int fd[2] = {STDIN_FILENO, STDOUT_FILENO};
    struct iovec part = {request, sizeof *request};
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof fd)] = {0};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *beside = CMSG_FIRSTHDR(&m);

    *beside = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(beside), fd, sizeof fd);
    return sendmsg(connection, &m, MSG_NOSIGNAL) == sizeof *request;
}

/* The machine may be starting. */
static int knock(int place)
{
    struct sockaddr_un at;
    int connection = door_socket(place, &at);
    for (time_t until = time(NULL) + PATIENCE_SECONDS; connect(connection, (struct sockaddr *)&at, sizeof at);) {
        if (time(NULL) > until || (errno != ENOENT && errno != ECONNREFUSED && errno != EAGAIN)) {
            close(connection);
            return -1;
        }
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return connection;
}

/* Of a visitor without a terminal sshd does not tell that they are gone: nobody reads what is written any more. */
static void stay(int connection)
{
    struct pollfd p[] = {{connection, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
    char any;
    while (!ended) {
        if (resized && send(connection, "W", 1, MSG_NOSIGNAL) < 0)
            return;
        resized = 0;
        if (poll(p, 2, -1) <= 0)
            continue;
        if (p[1].revents || (p[0].revents && recv(connection, &any, 1, 0) <= 0))
            return;
    }
}

static int refuse(const char *why)
{
    fprintf(stderr, "vmn: %s\r\n", why);
    return 1;
}

int door_enter(const char *directory)
{
    static const int heeded[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGWINCH};
    struct request request = {.known = proved()};
    const char *name = getenv("LOGNAME");
    unsigned line = NO_LINE;
    int place = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), connection = place < 0 ? -1 : knock(place);

    if (connection < 0)
        return refuse("the machine is not there");
    snprintf(request.name, sizeof request.name, "%s", name ? name : "");
    for (char *c = request.name; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    for (unsigned i = 0; i < sizeof heeded / sizeof *heeded; i++)
        sigaction(heeded[i], &(struct sigaction){.sa_handler = on_signal}, NULL);
    line_make_raw(STDIN_FILENO);
    if (!say(connection, &request) || recv(connection, &line, sizeof line, 0) != sizeof line)
        return refuse("the machine is not there any more");
    if (!line)
        return refuse("every line is in use; try again later");
    stay(connection);
    return ended ? 128 + ended : 0;
}
