#include "cms/program/names.h"

#include <errno.h>
#include <stddef.h>

#include "cms/process/signal_abi.h"
#include "lib/format.h"

const char *program_signal_name(int signal)
{
    static const char *const names[] = {
        "0", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
        "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",
        "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR",
        "SIGSYS",
    };
    static char other[24];
    if (signal > 0 && (size_t)signal < sizeof names / sizeof *names)
        return names[signal];
    format_text(other, sizeof other, "signal %d", signal);
    return other;
}

const char *program_error_text(int error)
{
    static const struct {
        int error;
        const char *text;
    } texts[] = {
        {ENOENT, "it, or the interpreter it names, is not there"},
        {ENOEXEC, "it is no x86-64 program and no script"},
        {EINVAL, "its segments make no sense"},
        {EACCES, "it must not be executed"},
        {ELIBBAD, "its interpreter is no program"},
        {ELOOP, "scripts name each other as interpreters"},
        {ENOMEM, "virtual storage exceeded"},
        {E2BIG, "its arguments are too long"},
        {EEXIST, "its segments do not fit where they are to go"},
        {EIO, "it cannot be read"},
        {EINTR, "it was interrupted"},
    };
    static char other[24];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].error == -error)
            return texts[i].text;
    format_text(other, sizeof other, "error %d", -error);
    return other;
}
