/* What no emulator notices of its disk's file (vmn-disk.h). */
#define _GNU_SOURCE
#include "scripts/vmn-disk.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "images/lock/lock.h"

static struct {
    int fd;
    off_t size;
    bool gone, shorter; /* was said */
    char name[PATH_MAX];
} disk = {.fd = -1};

void disk_open(int place)
{
    struct stat s;
    ssize_t n = readlinkat(place, "disk", disk.name, sizeof disk.name - 1);
    if (n < 0)
        return;
    disk.name[n] = 0;
    disk.fd = openat(place, "disk", O_RDONLY | O_CLOEXEC);
    if (disk.fd >= 0 && !fstat(disk.fd, &s))
        disk.size = s.st_size;
}

const char *disk_look(void)
{
    static char text[PATH_MAX + 256];
    struct stat s;
    if (disk.fd < 0 || fstat(disk.fd, &s))
        return NULL;
    if (!s.st_nlink && !disk.gone) {
        disk.gone = true;
        snprintf(text, sizeof text,
                 "the disk %s was deleted or replaced: what the machine writes is lost when it ends "
                 "(until then it can be saved: cp /proc/%d/fd/%d FILE)",
                 disk.name, (int)getpid(), disk.fd);
        return text;
    }
    if (s.st_size < disk.size && !disk.shorter) {
        disk.shorter = true;
        snprintf(text, sizeof text, "the disk %s was cut to %lld of %lld bytes: what it held beyond is lost", disk.name,
                 (long long)s.st_size, (long long)disk.size);
        return text;
    }
    return NULL;
}

int disk_print_holder(const char *path)
{
    char text[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 1;
    puts(image_holder(fd, text, sizeof text));
    return 0;
}
