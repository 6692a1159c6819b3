/* A CMS minidisk in an image file, for tools of the host: accessed under the image's lock, with words for what
 * fails. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cms/edf/edf.h"

enum { EXIT_CLEAN = 0, EXIT_FOUND = 1, EXIT_TROUBLE = 2 };

struct options {
    uint64_t offset, size;
    bool sized, binary, ebcdic;
    uint32_t block_size, lrecl;
    char recfm, mode;
};

struct image {
    int fd;
    uint64_t offset;
    struct edf_device device;
};

/* "cmsdisk: ..." on standard error, and the end of the program with EXIT_TROUBLE. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

extern const struct edf_host minidisk_host;
extern int minidisk_error; /* what the image's file system said last, 0: nothing wrong */

/* Opens the file under a lock that fits `flags` (open(2)); O_CREAT enlarges it to the size in the options. */
void minidisk_open(struct image *image, const char *path, const struct options *options, int flags);
/* And accesses the disk in it. Each of the two ends the program if it cannot. */
struct edf_disk *minidisk_access(struct image *image, const char *path, const struct options *options, bool writable);
/* Tells why a file could not be worked with; EXIT_FOUND if it is not there, else EXIT_TROUBLE. */
int minidisk_failed(const struct edf_disk *disk, enum edf_status status, const char *path, const char *fn,
                    const char *ft);
/* A record to a file of the host, as the options say: bytes, or a line of text. It is translated where it is. */
void minidisk_record(FILE *out, uint8_t *record, size_t length, char recfm, const struct options *options);
