/* helpfiles FOLDER: writes the HELP files there, each as NAME.TYPE. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "images/help/texts.h"

static void write_file(void *context, const char *name, const char *type, const char *text)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%s", (const char *)context, name, type);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd)) {
        fprintf(stderr, "helpfiles: %s: %s\n", path, strerror(errno));
        exit(2);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("Usage: helpfiles FOLDER\n", stderr);
        return 2;
    }
    help_texts(write_file, argv[1]);
    return 0;
}
