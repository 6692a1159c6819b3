/* See vmn-log.h. */
#define _GNU_SOURCE
#include "scripts/vmn-log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int kept = -1;

static void append_file(int to, const char *name)
{
    char bytes[4096];
    ssize_t n;
    int from = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    while (from >= 0 && (n = read(from, bytes, sizeof bytes)) > 0)
        if (write(to, bytes, (size_t)n) < 0)
            break;
    close(from);
}

const char *log_open(const char *path)
{
    struct stat s;
    int at = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);

    if (at < 0)
        return errno == ELOOP ? "is a symbolic link" : strerror(errno);
    const char *wrong = fstat(at, &s)          ? strerror(errno)
                        : !S_ISREG(s.st_mode)  ? "is not a regular file"
                        : s.st_uid != geteuid() ? "is somebody else's"
                        : s.st_nlink != 1      ? "has other names"
                        : ftruncate(at, 0)     ? strerror(errno)
                                               : NULL;
    if (wrong)
        close(at);
    else
        kept = at;
    return wrong;
}

const char *log_new(const char *directory)
{
    static char name[PATH_MAX];

    if ((size_t)snprintf(name, sizeof name, "%s-XXXXXX.log", directory) >= sizeof name)
        return NULL;
    kept = mkostemps(name, 4, O_CLOEXEC);
    return kept < 0 ? NULL : name;
}

void log_write(const char *directory)
{
    char name[PATH_MAX];
    if (kept < 0)
        return;
    snprintf(name, sizeof name, "%s/log", directory);
    append_file(kept, name);
    dprintf(kept, "---- output and debug port ----\n");
    snprintf(name, sizeof name, "%s/output", directory);
    append_file(kept, name);
}
