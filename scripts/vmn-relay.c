/* vmn-relay [--door] RUN-DIRECTORY LINES[+SOCKETS][:TOKEN] [KEEP-LOG] -- EMULATOR ARGUMENT...
 *                                                                      (for scripts/vmn, which prepares the directory)
 * vmn-relay --holder IMAGE                                             prints who holds the lock on that disk
 * vmn-relay --enter RUN-DIRECTORY                                      visits a machine by its door (vmn-door.h)
 * vmn-relay --join LINE                                                joins this terminal to one of the further lines
 *
 * Owns the emulator's life and its lines. Line 1 joins the emulator to standard input and output; lines 2 and up are
 * ptys for the user, whose names go to standard error. The emulator finds its ends as RUN-DIRECTORY/line1 ...: ptys for
 * the first LINES of them, and for SOCKETS more the place of a socket it is to listen on. QEMU has two pipes as line 1,
 * line1.in and line1.out, for a byte costs it a third of what it costs on a pty. It writes its log to
 * RUN-DIRECTORY/log. What it says itself (banner, VGA text, debug port) never reaches the user.
 *
 * What is typed waits until CP says "VMN-OPEN" on its debug port, or something else is there that writes to the line.
 *
 * With --door lines 2 and up are for visitors, on whom the machine hangs up by "VMN-HANGUP line status" on its debug
 * port; "VMN-GONE line" says there that it is done with one who left (cp/session/carrier.h).
 *
 * With a TOKEN, which CP has too, it says to CP among what is typed how wide the terminals are, and that standard input
 * is at its end (cp/terminal/mark.h).
 *
 * Ends when the emulator does, when told to (signals, Ctrl-] q): terminal restored, emulator gone, directory removed.
 * Exit status: 0 after a power off, or what the machine wrote as "VMN-EXIT n" on its debug port; 70 when the emulator
 * failed (its log is kept and named); 128 + n after signal n. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "scripts/vmn-disk.h"
#include "scripts/vmn-door.h"
#include "scripts/vmn-join.h"
#include "scripts/vmn-line.h"
#include "scripts/vmn-log.h"
#include "scripts/vmn-verdict.h"

enum {
    MAX_LINES = 96,
    TICK_MS = 50,
    FIRMWARE_TICKS = 40,
    STATUS_USAGE = 2,
    STATUS_EMULATOR = 70,
};

static struct {
    const char *directory, *keep_log;
    struct line line[MAX_LINES];
    unsigned lines, ptys; /* all of them, and how many of these are ptys on the emulator's side */
    pid_t emulator;
    int place; /* the directory */
    int door;  /* where visitors knock; -1: there is none */
    int said, screen, signals,
        transcript; /* the emulator's output, its VGA text, our signals, where its output is kept */
    bool stopped, raw;
    unsigned ticks;
    int status;     /* VMN-EXIT's, or -1 */
    bool qemu;      /* and not Bochs */
    char word[256]; /* the emulator's line of output being collected */
    size_t word_length;
    struct termios terminal;
} vmn = {.said = -1, .screen = -1, .door = -1, .signals = -1, .transcript = -1, .status = -1};

/* ---- leaving -------------------------------------------------------------------- */

static void restore_terminal(void)
{
    if (vmn.raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &vmn.terminal);
    vmn.raw = false;
}

static int remove_entry(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
    (void)s, (void)type, (void)ftw;
    return remove(path);
}

static void end_emulator(void)
{
    if (vmn.emulator <= 0)
        return;
    kill(vmn.emulator, SIGKILL);
    waitpid(vmn.emulator, NULL, 0);
    vmn.emulator = 0;
}

static void leave(int status) __attribute__((noreturn));
static void leave(int status)
{
    end_emulator();
    restore_terminal();
    log_write(vmn.directory);
    if (vmn.directory)
        nftw(vmn.directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    exit(status);
}

static void fail(int status, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));
static void fail(int status, const char *format, ...)
{
    va_list args;
    restore_terminal();
    fputs("vmn: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    leave(status);
}

/* ---- lines ---------------------------------------------------------------------- */

static int open_visitors_line(struct line *l, bool pty, const char *link, const char *socket)
{
    return pty ? line_open_pty_for_visitors(l, link) : line_open_socket_for_visitors(l, socket);
}

static void open_line(unsigned n)
{
    char name[64] = "", link[PATH_MAX], socket[64];
    snprintf(link, sizeof link, "%s/line%u", vmn.directory, n + 1);
    snprintf(socket, sizeof socket, "/proc/self/fd/%d/line%u", vmn.place, n + 1); /* a socket's path may not be long */
    if (n == 0          ? (vmn.qemu ? line_open_pipes : line_open_standard)(vmn.line, link)
        : vmn.door >= 0 ? open_visitors_line(&vmn.line[n], n < vmn.ptys, link, socket)
        : n >= vmn.ptys ? line_open_socket(&vmn.line[n], socket, name)
                        : line_open_pty(&vmn.line[n], link, name))
        fail(STATUS_USAGE, "no pseudo terminal to be had for line %u: %s", n + 1, strerror(errno));
    if (n && vmn.door < 0)
        fprintf(stderr, "vmn: line %u is %s\n", n + 1, name);
}

/* Anybody can come and stay at the prompt: of these lines one in so many is for those who have proved who they are, and
 * of the others so many may be one host's who have not, or as many as are left. */
enum { ONE_KEPT_IN = 4, OF_A_HOST = 8 };

static bool are_too_many(const struct line *first, unsigned count, const unsigned char source[SOURCE_BYTES])
{
    unsigned wait = 0, left = 0;
    for (const struct line *l = first; l < first + count; l++) {
        wait += l->visit >= 0 && l->unproven && !memcmp(l->source, source, SOURCE_BYTES);
        left += l->visit < 0;
    }
    return wait >= OF_A_HOST && wait >= left;
}

static void welcome_visitor(void)
{
    struct visitor v;
    if (!door_accept(vmn.door, &v))
        return;
    unsigned further = vmn.lines - 1, kept = v.known ? 0 : further / ONE_KEPT_IN;
    bool soon = false, none = !v.known && are_too_many(vmn.line + 1, further - kept, v.source);
    struct line *l = none ? NULL : line_choose(vmn.line + 1, further - kept, &soon);
    if (l)
        line_seat(l, &v);
    door_answer(&v, l ? (unsigned)(l - vmn.line) + 1 : soon ? DOOR_LINE_SOON : DOOR_NO_LINE);
}

static void open_terminal(void)
{
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &vmn.terminal))
        return;
    struct termios raw = vmn.terminal;
    cfmakeraw(&raw);
    vmn.raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
    line_heed_keys(vmn.line);
}

/* ---- the emulator -------------------------------------------------------------------- */

static void start_emulator(char **command)
{
    char output[PATH_MAX];
    int said[2];
    snprintf(output, sizeof output, "%s/output", vmn.directory);
    vmn.transcript = open(output, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (vmn.transcript < 0 || pipe2(said, O_CLOEXEC))
        fail(STATUS_USAGE, "%s: %s", output, strerror(errno));
    pid_t relay = getpid();
    vmn.emulator = fork();
    if (vmn.emulator < 0)
        fail(STATUS_USAGE, "cannot start the emulator: %s", strerror(errno));
    if (vmn.emulator == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != relay)
            _exit(127);
        setpgid(0, 0); /* the terminal's signals are not for it; no new session, or a line would become its terminal */
        dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
        dup2(said[1], STDOUT_FILENO);
        dup2(said[1], STDERR_FILENO);
        setenv("TERM", "xterm", 1);
        if (chdir(vmn.directory) == 0)
            execvp(command[0], command);
        dprintf(STDERR_FILENO, "\nVMN-NO-EMULATOR %s: %s\n", command[0], strerror(errno));
        _exit(127);
    }
    close(said[1]);
    fcntl(said[0], F_SETFL, O_NONBLOCK);
    vmn.said = said[0];
}

/* One line of the emulator's own output. */
static void heed(const char *text)
{
    char name[64];
    unsigned status, line;
    const char *screen = strstr(text, "Bochs connected to screen \"");
    if (!strcmp(text, "VMN-OPEN"))
        for (unsigned i = 0; i < vmn.lines; i++)
            vmn.line[i].open = true;
    else if (sscanf(text, "VMN-EXIT %u", &status) == 1)
        vmn.status = status > 255 ? 255 : (int)status;
    else if (sscanf(text, "VMN-HANGUP %u %u", &line, &status) == 2 && line > 1 && line <= vmn.lines)
        line_hang_up(&vmn.line[line - 1], (int)status);
    else if (sscanf(text, "VMN-QUIET %u %u", &line, &status) == 2 && line > 1 && line <= vmn.lines)
        vmn.line[line - 1].quiet = status;
    else if (sscanf(text, "VMN-SERVED %u", &line) == 1 && line > 1 && line <= vmn.lines)
        vmn.line[line - 1].unproven = false;
    else if (sscanf(text, "VMN-GONE %u", &line) == 1 && line > 1 && line <= vmn.lines)
        line_parted(&vmn.line[line - 1]);
    else if (!strncmp(text, "VMN-NO-EMULATOR ", 16))
        fail(STATUS_USAGE, "cannot start the emulator %s", text + 16);
    else if (screen && sscanf(screen, "Bochs connected to screen \"%63[^\"]\"", name) == 1 && vmn.screen < 0) {
        vmn.screen = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (vmn.screen >= 0)
            line_make_raw(vmn.screen);
    }
}

static void listen_emulator(void)
{
    char bytes[4096];
    ssize_t n;
    while ((n = read(vmn.said, bytes, sizeof bytes)) > 0) {
        if (write(vmn.transcript, bytes, (size_t)n) < 0) {} /* no room for it: what it says counts all the same */
        for (ssize_t i = 0; i < n; i++) {
            if (bytes[i] == '\n') {
                vmn.word[vmn.word_length] = 0;
                vmn.word_length = 0;
                heed(vmn.word);
            } else if (vmn.word_length < sizeof vmn.word - 1) {
                vmn.word[vmn.word_length++] = bytes[i];
            }
        }
    }
}

/* VGA text is nobody's; unread it would block the emulator. */
static void drain_screen(void)
{
    char bytes[4096];
    while (read(vmn.screen, bytes, sizeof bytes) > 0)
        ;
}

static void judge(int wait_status) __attribute__((noreturn));
static void judge(int wait_status)
{
    char reason[200];
    if (verdict(vmn.directory, vmn.qemu, wait_status, reason, sizeof reason))
        leave(vmn.status < 0 ? 0 : vmn.status);
    if (!vmn.keep_log)
        vmn.keep_log = log_new(vmn.directory);
    fail(STATUS_EMULATOR, "the emulator stopped: %s (log: %s)", reason,
         vmn.keep_log ? vmn.keep_log : "none could be made");
}

/* ---- the loop -------------------------------------------------------------------------- */

/* A user who does not read halts the machine: nothing is lost, and nothing piles up. */
static void pace_emulator(void)
{
    bool stop = false, go = true;
    for (unsigned i = 0; i < vmn.lines; i++) {
        size_t backlog = vmn.line[i].connected && i < vmn.ptys ? line_backlog(&vmn.line[i]) : 0;
        stop |= backlog > (i ? LINE_BACKLOG_MORE : LINE_BACKLOG_STOP);
        go &= backlog < (i ? LINE_BACKLOG_MORE : LINE_BACKLOG_GO);
    }
    if (stop && !vmn.stopped)
        vmn.stopped = kill(vmn.emulator, SIGSTOP) == 0;
    else if (go && vmn.stopped)
        vmn.stopped = kill(vmn.emulator, SIGCONT) != 0;
}

/* On a terminal that is raw, and in the middle of what the machine prints. NULL: there is none. */
static void tell(const char *news)
{
    if (news)
        fprintf(stderr, vmn.raw ? "\r\nvmn: %s\r\n" : "vmn: %s\n", news);
}

/* Of who ended: whatever else scripts/vmn started. Their names are there as long as nobody has asked how they ended. */
static void bury_others(void)
{
    char path[32], name[4];
    for (siginfo_t ended = {0}; !waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT); ended.si_pid = 0) {
        if (!ended.si_pid || ended.si_pid == vmn.emulator)
            return;
        snprintf(path, sizeof path, "/proc/%d/comm", (int)ended.si_pid);
        int comm = open(path, O_RDONLY | O_CLOEXEC);
        bool sshd = read(comm, name, sizeof name) == sizeof name && !memcmp(name, "sshd", sizeof name);
        close(comm);
        waitpid(ended.si_pid, NULL, 0);
        if (sshd)
            tell("sshd has ended: whoever is there stays, and nobody else can come by SSH");
    }
}

static void heed_signal(void)
{
    struct signalfd_siginfo s;
    int status;
    if (read(vmn.signals, &s, sizeof s) != sizeof s)
        return;
    if (s.ssi_signo == SIGCONT && vmn.raw)
        line_make_raw(STDIN_FILENO);
    if (s.ssi_signo == SIGCONT || s.ssi_signo == SIGWINCH) /* the next look at the lines sees how wide it is */
        return;
    if (s.ssi_signo != SIGCHLD)
        leave(128 + (int)s.ssi_signo);
    bury_others();
    if (waitpid(vmn.emulator, &status, WNOHANG) != vmn.emulator)
        return;
    vmn.emulator = 0;
    listen_emulator();
    for (unsigned i = 0; i < vmn.lines; i++)
        line_flush(&vmn.line[i]);
    judge(status);
}

/* Until the machine speaks its firmware is at work, which waits seconds for a key that would open a menu. */
static void hurry_firmware(void)
{
    for (unsigned i = 0; i < vmn.lines; i++)
        line_make_raw(vmn.line[i].emulator_slave);
    if (vmn.screen >= 0 && vmn.ticks++ < FIRMWARE_TICKS && write(vmn.screen, " ", 1) < 0)
        vmn.ticks = FIRMWARE_TICKS;
}

static bool patience(void)
{
    for (unsigned i = 0; i < vmn.lines; i++)
        if (line_waits(&vmn.line[i]) || !vmn.line[0].open)
            return false;
    return true;
}

enum { ROW_SIGNALS, ROW_SAID, ROW_SCREEN, ROW_DOOR, ROW_LINES };

static void serve(const struct pollfd *p)
{
    if (p[ROW_SAID].revents & POLLIN)
        listen_emulator();
    else if (p[ROW_SAID].revents)
        vmn.said = -1;
    if (p[ROW_SCREEN].revents & POLLIN)
        drain_screen();
    else if (p[ROW_SCREEN].revents)
        vmn.screen = -1;
    for (unsigned i = 0; i < vmn.lines; i++)
        line_serve(&vmn.line[i], p + ROW_LINES + i * LINE_POLLS);
    if (p[ROW_DOOR].revents) /* behind who left */
        welcome_visitor();
    if (vmn.line[0].quit)
        fail(128 + SIGINT, "switched off");
    if (vmn.line[0].gone)
        leave(128 + SIGPIPE);
}

static void run(void) __attribute__((noreturn));
static void run(void)
{
    struct pollfd p[ROW_LINES + MAX_LINES * LINE_POLLS];
    for (;;) {
        p[ROW_SIGNALS] = (struct pollfd){vmn.signals, POLLIN, 0};
        p[ROW_SAID] = (struct pollfd){vmn.said, POLLIN, 0};
        p[ROW_SCREEN] = (struct pollfd){vmn.screen, POLLIN, 0};
        p[ROW_DOOR] = (struct pollfd){vmn.door, POLLIN, 0};
        for (unsigned i = 0; i < vmn.lines; i++)
            line_ask(&vmn.line[i], p + ROW_LINES + i * LINE_POLLS);
        int n = poll(p, ROW_LINES + vmn.lines * LINE_POLLS, patience() ? -1 : TICK_MS);
        if (n < 0 && errno != EINTR)
            fail(STATUS_EMULATOR, "poll: %s", strerror(errno));
        if (!vmn.line[0].open)
            hurry_firmware();
        if (n > 0)
            serve(p);
        if (n > 0)
            tell(disk_look());
        pace_emulator();
        if (n > 0 && p[ROW_SIGNALS].revents & POLLIN)
            heed_signal();
    }
}

int main(int argc, char **argv)
{
    static const int caught[] = {SIGCHLD, SIGCONT, SIGWINCH, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    int at = 3;
    bool door = argc > 1 && !strcmp(argv[1], "--door");
    argv += door;
    argc -= door;
    if (argc == 3 && !strcmp(argv[1], "--holder"))
        return disk_print_holder(argv[2]);
    if (argc == 3 && !strcmp(argv[1], "--enter"))
        return door_enter(argv[2]);
    if (argc == 3 && !strcmp(argv[1], "--join"))
        return join(argv[2]);
    if (argc >= 4 && strcmp(argv[3], "--"))
        vmn.keep_log = argv[at++];
    if (argc < at + 2 || strcmp(argv[at], "--")) {
        fputs("vmn-relay: [--door] RUN-DIRECTORY LINES[+SOCKETS][:TOKEN] [KEEP-LOG] -- EMULATOR ARGUMENT...\n", stderr);
        return STATUS_USAGE;
    }
    vmn.directory = argv[1];
    char *more;
    vmn.ptys = (unsigned)strtoul(argv[2], &more, 10);
    vmn.lines = vmn.ptys + (*more == '+' ? (unsigned)strtoul(more + 1, &more, 10) : 0);
    const char *token = *more == ':' && more[1] ? more + 1 : NULL;
    if (vmn.ptys < 1 || vmn.lines > MAX_LINES)
        fail(STATUS_USAGE, "1 to %d lines", MAX_LINES);
    const char *wrong = vmn.keep_log ? log_open(vmn.keep_log) : NULL;
    if (wrong)
        fail(STATUS_USAGE, "--log: %s: %s", vmn.keep_log, wrong);

    sigset_t set;
    sigemptyset(&set);
    for (unsigned i = 0; i < sizeof caught / sizeof *caught; i++)
        sigaddset(&set, caught[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    vmn.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    vmn.place = open(vmn.directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    disk_open(vmn.place);
    vmn.door = door ? door_open(vmn.place) : -1;
    if (door && vmn.door < 0)
        fail(STATUS_USAGE, "no door for visitors: %s", strerror(errno));
    vmn.qemu = strstr(argv[at + 1], "qemu") != NULL;
    for (unsigned i = 0; i < vmn.lines; i++) {
        open_line(i);
        line_mark_with(&vmn.line[i], token);
    }
    open_terminal();
    start_emulator(argv + at + 1);
    run();
}
