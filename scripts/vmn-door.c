/* See vmn-door.h. */
#define _GNU_SOURCE
#include "scripts/vmn-door.h"

#include <arpa/inet.h>
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

enum { WAITING = 64, PATIENCE_SECONDS = 10, STATUS_FAILED = 1, STATUS_USAGE = 2 };

struct request {
    char name[USERID_MOST + 1];
    bool known;
    unsigned char source[SOURCE_BYTES];
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
    request.name[USERID_MOST] = 0;
    if (userid_is(request.name, strlen(request.name)))
        memcpy(v->name, request.name, sizeof v->name);
    v->known = request.known && *v->name;
    memcpy(v->source, request.source, sizeof v->source);
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
    if (line > DOOR_LINE_SOON)
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

/* An address of IPv4 fills half of it. */
static void find_source(unsigned char source[SOURCE_BYTES])
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];
    const char *given = getenv("SSH_CONNECTION");
    snprintf(text, sizeof text, "%.*s", given ? (int)strcspn(given, " %") : 0, given ? given : "");
    if (inet_pton(AF_INET, text, source) != 1 && inet_pton(AF_INET6, text, &address) == 1)
        memcpy(source, &address, SOURCE_BYTES);
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

static void sleep_a_tenth(void) { nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL); }

/* The machine may be starting. */
static int knock(int place, time_t until)
{
    struct sockaddr_un at;
    int connection = door_socket(place, &at);
    while (connect(connection, (struct sockaddr *)&at, sizeof at)) {
        if (time(NULL) > until || (errno != ENOENT && errno != ECONNREFUSED && errno != EAGAIN)) {
            close(connection);
            return -1;
        }
        sleep_a_tenth();
    }
    return connection;
}

static int refuse(int status, const char *why)
{
    fprintf(stderr, "vmn: %s\r\n", why);
    return status;
}

/* The line, or DOOR_..., or -1: the machine is not there. CP may not be done yet with who had the line before. */
static long ask(int place, struct request *request, int *connection)
{
    time_t until = time(NULL) + PATIENCE_SECONDS;
    for (;;) {
        unsigned line;
        *connection = knock(place, until);
        if (*connection < 0)
            return -1;
        if (!say(*connection, request) || recv(*connection, &line, sizeof line, 0) != sizeof line)
            return -1;
        if (line != DOOR_LINE_SOON || ended || time(NULL) > until)
            return line;
        close(*connection);
        sleep_a_tenth();
    }
}

/* Of a visitor without a terminal sshd does not tell that they are gone: nobody reads what is written any more. */
static int stay(int connection)
{
    struct pollfd p[] = {{connection, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
    unsigned char status;
    while (!ended) {
        if (resized && send(connection, "W", 1, MSG_NOSIGNAL) < 0) {} /* the machine is gone: poll tells */
        resized = 0;
        if (poll(p, 2, -1) <= 0)
            continue;
        if (p[0].revents)
            return recv(connection, &status, 1, 0) == 1 ? status : refuse(STATUS_FAILED, "the machine has ended");
        if (p[1].revents)
            break;
    }
    return ended ? 128 + ended : 0;
}

/* Why whoever sshd let in cannot have a line, whatever line; NULL: they can. */
static const char *hindrance(const char *name)
{
    if (getenv("SSH_ORIGINAL_COMMAND"))
        return "a machine's line takes no command and no files; what is typed, or piped, goes to it "
               "(ssh -T USERID@HOST <FILE)";
    if (getenv("SSH_CONNECTION") && !userid_is(name, strlen(name)))
        return "a user ID has 1 to 8 characters of A-Z 0-9 @ # $ _ -";
    return NULL;
}

int door_enter(const char *directory)
{
    static const int heeded[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGWINCH};
    struct request request = {.known = proved()};
    const char *given = getenv("LOGNAME");
    char name[USERID_MOST + 2];
    int place = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), connection;

    find_source(request.source);
    snprintf(name, sizeof name, "%s", given ? given : "");
    for (char *c = name; *c; c++)
        *c = userid_upper(*c);
    const char *why = hindrance(name);
    if (why)
        return refuse(STATUS_USAGE, why);
    if (userid_is(name, strlen(name)))
        memcpy(request.name, name, sizeof request.name);
    for (unsigned i = 0; i < sizeof heeded / sizeof *heeded; i++)
        sigaction(heeded[i], &(struct sigaction){.sa_handler = on_signal}, NULL);
    line_make_raw(STDIN_FILENO);
    long line = place < 0 ? -1 : ask(place, &request, &connection);
    if (line < 0)
        return refuse(STATUS_FAILED, "the machine is not there");
    if (line <= DOOR_LINE_SOON)
        return refuse(STATUS_FAILED, "every line is in use, or for others; try again later");
    return stay(connection);
}
