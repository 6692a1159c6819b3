/* Locks on images (lock.h). In: an open file. Out: whether it may be used, and who uses it. */
#define _GNU_SOURCE
#include "images/lock/lock.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool image_lock(int fd, bool exclusive)
{
    struct flock any = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB))
        return false;
    return fcntl(fd, F_OFD_GETLK, &any) || any.l_type == F_UNLCK; /* asks, and takes none */
}

/* Whether descriptor `number` of the process is locked. */
static bool is_locked(const char *pid, const char *number)
{
    char path[64], line[256];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%.16s/fdinfo/%.16s", pid, number);
    FILE *info = fopen(path, "re");
    while (info && !found && fgets(line, sizeof line, info))
        found = !strncmp(line, "lock:", 5);
    if (info)
        fclose(info);
    return found;
}

static bool holds(const char *pid, const struct stat *image)
{
    char path[64];
    struct stat s;
    bool found = false;
    snprintf(path, sizeof path, "/proc/%.16s/fd", pid);
    DIR *files = opendir(path);
    if (!files)
        return false;
    for (const struct dirent *e; !found && (e = readdir(files));)
        found = !fstatat(dirfd(files), e->d_name, &s, 0) && s.st_dev == image->st_dev && s.st_ino == image->st_ino &&
                is_locked(pid, e->d_name);
    closedir(files);
    return found;
}

static void name(const char *pid, char *text, size_t size)
{
    char path[64], command[32] = "";
    snprintf(path, sizeof path, "/proc/%.16s/comm", pid);
    FILE *comm = fopen(path, "re");
    if (comm && !fgets(command, sizeof command, comm))
        *command = 0;
    if (comm)
        fclose(comm);
    command[strcspn(command, "\n")] = 0;
    snprintf(text, size, "%s (process %.16s)", *command ? command : "something", pid);
}

const char *image_holder(int fd, char *text, size_t size)
{
    struct stat image;
    DIR *processes = opendir("/proc");
    snprintf(text, size, "another process");
    if (processes && !fstat(fd, &image))
        for (const struct dirent *e; (e = readdir(processes));)
            if (strspn(e->d_name, "0123456789") == strlen(e->d_name) && atoi(e->d_name) != getpid() &&
                holds(e->d_name, &image)) {
                name(e->d_name, text, size);
                break;
            }
    if (processes)
        closedir(processes);
    return text;
}
