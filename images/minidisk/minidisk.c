/* Minidisks in image files. */
#define _GNU_SOURCE
#include "images/minidisk/minidisk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "images/lock/lock.h"

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("cmsdisk: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(EXIT_TROUBLE);
}

/* ---- the seams --------------------------------------------------------------------------------------------------- */

int minidisk_error;

static int moved(ssize_t n, uint32_t count)
{
    minidisk_error = n < 0 ? errno : 0;
    return n == (ssize_t)count * EDF_SECTOR ? 0 : -EIO;
}

static int image_read(void *ctx, uint64_t sector, void *buffer, uint32_t count)
{
    struct image *image = ctx;
    ssize_t n = pread(image->fd, buffer, (size_t)count * EDF_SECTOR, (off_t)(image->offset + sector * EDF_SECTOR));
    return moved(n, count);
}

static int image_write(void *ctx, uint64_t sector, const void *buffer, uint32_t count)
{
    struct image *image = ctx;
    ssize_t n = pwrite(image->fd, buffer, (size_t)count * EDF_SECTOR, (off_t)(image->offset + sector * EDF_SECTOR));
    return moved(n, count);
}

static int image_flush(void *ctx)
{
    struct image *image = ctx;
    return fdatasync(image->fd) ? -errno : 0;
}

static void *host_get(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size ? size : 1);
}

static void host_put(void *ctx, void *memory, size_t size)
{
    (void)ctx;
    (void)size;
    free(memory);
}

static void host_now(void *ctx, struct edf_date *date)
{
    (void)ctx;
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    time_t now = epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    struct tm tm;
    if (epoch)
        gmtime_r(&now, &tm);
    else
        localtime_r(&now, &tm);
    *date = (struct edf_date){(uint16_t)(tm.tm_year + 1900), (uint8_t)(tm.tm_mon + 1), (uint8_t)tm.tm_mday,
                              (uint8_t)tm.tm_hour, (uint8_t)tm.tm_min, (uint8_t)(tm.tm_sec > 59 ? 59 : tm.tm_sec)};
}

const struct edf_host minidisk_host = {.get = host_get, .put = host_put, .now = host_now};

/* Who changes the image has it alone; who reads it while others change it is told so. */
static void lock(int fd, const char *path, bool writable)
{
    char holder[64];
    if (image_lock(fd, writable))
        return;
    image_holder(fd, holder, sizeof holder);
    if (writable)
        die("%s: in use by %s; nothing is changed", path, holder);
    fprintf(stderr, "cmsdisk: %s: in use by %s; what is read may be of several moments\n", path, holder);
}

void minidisk_open(struct image *image, const char *path, const struct options *o, int flags)
{
    struct stat st;
    image->fd = open(path, flags, 0666);
    if (image->fd < 0 || fstat(image->fd, &st))
        die("%s: %s", path, strerror(errno));
    lock(image->fd, path, (flags & O_ACCMODE) != O_RDONLY);
    uint64_t length = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : (uint64_t)lseek(image->fd, 0, SEEK_END);
    uint64_t size = o->sized ? o->size : length > o->offset ? length - o->offset : 0;
    if (flags & O_CREAT && o->offset + size > length && ftruncate(image->fd, (off_t)(o->offset + size)))
        die("%s: %s", path, strerror(errno));
    if (!(flags & O_CREAT) && o->offset + size > length)
        die("%s: has %llu bytes, the minidisk would end at %llu", path, (unsigned long long)length,
            (unsigned long long)(o->offset + size));
    image->offset = o->offset;
    image->device = (struct edf_device){
        .ctx = image,
        .sectors = size / EDF_SECTOR,
        .read_only = (flags & O_ACCMODE) == O_RDONLY,
        .read = image_read,
        .write = image_write,
        .flush = image_flush,
    };
}

struct edf_disk *minidisk_access(struct image *image, const char *path, const struct options *o, bool writable)
{
    struct edf_disk *disk;
    struct edf_reason reason;
    minidisk_open(image, path, o, writable ? O_RDWR : O_RDONLY);
    if (edf_access(&image->device, &minidisk_host, writable, &disk, &reason))
        die("%s: %s", path, reason.text);
    struct edf_disk_facts facts;
    edf_disk_query(disk, &facts);
    if (writable && !facts.writable)
        die("%s: cannot be written: %s", path, facts.fault ? facts.fault : "read-only");
    return disk;
}

int minidisk_failed(const struct edf_disk *disk, enum edf_status status, const char *path, const char *fn,
                    const char *ft)
{
    bool explained = status == EDF_DAMAGED || status == EDF_IO;
    bool why = status == EDF_IO && minidisk_error;
    fprintf(stderr, "cmsdisk: %s: %s %s: %s%s%s\n", path, fn, ft,
            explained ? edf_reason(disk).text : edf_status_text(status), why ? ": " : "",
            why ? strerror(minidisk_error) : "");
    return status == EDF_NOT_FOUND ? EXIT_FOUND : EXIT_TROUBLE;
}

/* ---- records -------------------------------------------------------------------------------------------------- */

static size_t text_length(const uint8_t *record, size_t length, char recfm)
{
    if (recfm == 'V')
        return length == 1 && record[0] == ' ' ? 0 : length;
    while (length && record[length - 1] == ' ')
        length--;
    return length;
}

void minidisk_record(FILE *out, uint8_t *record, size_t length, char recfm, const struct options *o)
{
    for (size_t i = 0; o->ebcdic && i < length; i++)
        record[i] = edf_ascii_from_ebcdic(record[i]);
    if (!o->binary)
        length = text_length(record, length, recfm);
    fwrite(record, 1, length, out);
    if (!o->binary)
        fputc('\n', out);
}
