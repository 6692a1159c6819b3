/* What stands between THE and its libraries when it is XEDIT: a command that the editor does not know it gives to
 * system(3), while IMPCMSCP is on. Here that is CMS, and CP where CMS does not know it either. CMS shows what comes of
 * it on a cleared screen, a screen at a time, and waits for a key at its end; so THE, which waits for one in any case,
 * finds one pressed. Where nothing is shown nobody is asked for a key. */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static bool has_waited; /* for a key, since system() was called */

static int run(const char *command)
{
    int status = -1;
    pid_t child = fork();
    if (!child) {
        signal(SIGINT, SIG_DFL);
        signal(SIGQUIT, SIG_DFL);
        execl("/usr/bin/cms", "cms", "-s", "--", command, NULL);
        _exit(127);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

/* While the command runs keys are as the editor wants them, so that what is typed ahead of it is not another key: Enter
 * would become a newline. CMS has the terminal itself meanwhile, and gives programs one that is set anew. */
static int run_raw(const char *command)
{
    struct termios before, raw;
    bool is_terminal = !tcgetattr(STDIN_FILENO, &before);
    raw = before;
    raw.c_iflag &= ~(tcflag_t)ICRNL;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    if (is_terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    int status = run(command);
    if (is_terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return status;
}

/* As POSIX has it, but for who obeys. */
int system(const char *command)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    if (!command)
        return 1;
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    int status = run_raw(command);
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    has_waited = true;
    return status;
}

int wgetch(void *window)
{
    static int (*next)(void *);
    if (!next)
        next = (int (*)(void *))dlsym(RTLD_NEXT, "wgetch");
    bool pressed = has_waited;
    has_waited = false;
    return pressed ? '\n' : next(window);
}
