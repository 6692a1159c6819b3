/* cmsdisk: CMS minidisks from the host, over the same file-system code as CMS itself.
 * A minidisk is an image file or, with --offset and --size, a part of one. See `cmsdisk --help`. */
#define _GNU_SOURCE
#include "cms/edf/edf.h"
#include "cms/edf/edf_check.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "images/lock/lock.h"

enum { EXIT_CLEAN = 0, EXIT_FOUND = 1, EXIT_TROUBLE = 2 };

static const char help[] =
    "Usage: cmsdisk COMMAND IMAGE [OPTION]... [OPERAND]...\n"
    "Work with CMS minidisks (enhanced disk format) in image files.\n"
    "\n"
    "  cmsdisk format IMAGE LABEL          write an empty file system; LABEL is 1 to 6 characters\n"
    "  cmsdisk list   IMAGE [FN [FT]]      list files; FN and FT may be patterns with * and %\n"
    "  cmsdisk get    IMAGE FN FT [FILE]   copy a CMS file to FILE, or to standard output\n"
    "  cmsdisk put    IMAGE FILE FN FT     copy FILE (- is standard input) to a CMS file, replacing it\n"
    "  cmsdisk erase  IMAGE FN FT          erase one file\n"
    "  cmsdisk rename IMAGE FN FT FN2 FT2  give a file another name\n"
    "  cmsdisk check  IMAGE                look for inconsistencies; changes nothing\n"
    "\n"
    "      --offset BYTES    where the minidisk begins in IMAGE (default 0); a multiple of 512\n"
    "      --size BYTES      its size (default: the rest of IMAGE); format enlarges IMAGE to it if need be\n"
    "  -b, --block-size N    format: 512, 1024, 2048 or 4096 (default 4096)\n"
    "      --recfm F|V       put: record format (default V)\n"
    "      --lrecl N         put: record length of F (default 80), longest record of V (default 65535)\n"
    "      --binary          get, put: records are bytes without line ends; put cuts FILE every LRECL bytes\n"
    "      --ebcdic          get, put: records are EBCDIC (code page 1047), as on an IBM system\n"
    "      --mode N          put: file mode number 0 to 6 (default 1)\n"
    "  -h, --help            this text\n"
    "\n"
    "BYTES may end in K, M or G. As text, a line is a record: F records are padded with blanks and lose trailing ones\n"
    "on get; CMS has no empty record, so an empty line is a record of one blank, and the other way round.\n"
    "SOURCE_DATE_EPOCH, when set, is the time files get, as UTC.\n"
    "An image in use by a running machine is not changed; it can be read, with a warning.\n"
    "Exit status: 0 done, or clean; 1 file not found, or check found inconsistencies; 2 anything else.\n";

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

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
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

static int host_error; /* what the image's file system said last, 0: nothing wrong */

static int moved(ssize_t n, uint32_t count)
{
    host_error = n < 0 ? errno : 0;
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

static const struct edf_host host = {.get = host_get, .put = host_put, .now = host_now};

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

static void image_open(struct image *image, const char *path, const struct options *o, int flags)
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

static struct edf_disk *access_image(struct image *image, const char *path, const struct options *o, bool writable)
{
    struct edf_disk *disk;
    struct edf_reason reason;
    image_open(image, path, o, writable ? O_RDWR : O_RDONLY);
    if (edf_access(&image->device, &host, writable, &disk, &reason))
        die("%s: %s", path, reason.text);
    struct edf_disk_facts facts;
    edf_disk_query(disk, &facts);
    if (writable && !facts.writable)
        die("%s: cannot be written: %s", path, facts.fault ? facts.fault : "read-only");
    return disk;
}

static int failed(const struct edf_disk *disk, enum edf_status status, const char *path, const char *fn, const char *ft)
{
    bool explained = status == EDF_DAMAGED || status == EDF_IO;
    bool why = status == EDF_IO && host_error;
    fprintf(stderr, "cmsdisk: %s: %s %s: %s%s%s\n", path, fn, ft,
            explained ? edf_reason(disk).text : edf_status_text(status), why ? ": " : "",
            why ? strerror(host_error) : "");
    return status == EDF_NOT_FOUND ? EXIT_FOUND : EXIT_TROUBLE;
}

/* ---- format, list, erase, rename, check -------------------------------------------------------------------------- */

static int command_format(const char *path, char **operand, const struct options *o)
{
    struct image image;
    image_open(&image, path, o, O_RDWR | O_CREAT);
    enum edf_status status = edf_format(&image.device, &host, o->block_size, operand[0]);
    if (status == EDF_INVALID)
        die("%s: %llu bytes are too few or too many for block size %u", path,
            (unsigned long long)image.device.sectors * EDF_SECTOR, o->block_size);
    if (status == EDF_BAD_NAME)
        die("%s is not a valid label", operand[0]);
    if (status)
        die("%s: %s%s%s", path, edf_status_text(status), host_error ? ": " : "",
            host_error ? strerror(host_error) : "");
    return EXIT_CLEAN;
}

static int command_list(const char *path, char **operand, const struct options *o)
{
    struct image image;
    struct edf_file_facts f;
    uint32_t position = 0, found = 0;
    struct edf_disk *disk = access_image(&image, path, o, false);
    while (edf_next(disk, &position, operand[0], operand[0] ? operand[1] : NULL, &f) == EDF_OK) {
        printf("%-8s %-8s %c  %c %6u %10u %10u  %04u-%02u-%02u %02u:%02u:%02u%s%s\n", f.name, f.type, f.mode_number,
               f.recfm, f.lrecl, f.records, f.blocks, f.date.year, f.date.month, f.date.day, f.date.hour,
               f.date.minute, f.date.second, f.fault ? "  damaged: " : "", f.fault ? f.fault : "");
        found++;
    }
    edf_release(disk);
    return found || !operand[0] ? EXIT_CLEAN : EXIT_FOUND;
}

static int command_erase(const char *path, char **operand, const struct options *o)
{
    struct image image;
    struct edf_disk *disk = access_image(&image, path, o, true);
    enum edf_status status = edf_erase(disk, operand[0], operand[1]);
    int rc = status ? failed(disk, status, path, operand[0], operand[1]) : EXIT_CLEAN;
    edf_release(disk);
    return rc;
}

static int command_rename(const char *path, char **operand, const struct options *o)
{
    struct image image;
    struct edf_disk *disk = access_image(&image, path, o, true);
    enum edf_status status = edf_rename(disk, operand[0], operand[1], operand[2], operand[3]);
    int rc = status ? failed(disk, status, path, operand[0], operand[1]) : EXIT_CLEAN;
    edf_release(disk);
    return rc;
}

static void print_finding(void *ctx, const char *where, const char *text, bool fault)
{
    printf("%s: %s%s: %s\n", (const char *)ctx, fault ? "" : "note: ", where, text);
}

static int command_check(const char *path, char **operand, const struct options *o)
{
    struct image image;
    struct edf_check_report report;
    (void)operand;
    image_open(&image, path, o, O_RDONLY);
    enum edf_status status = edf_check(&image.device, &host, print_finding, (void *)path, &report);
    if (status)
        die("%s: %s", path, edf_status_text(status));
    if (report.faults) {
        printf("%s: %u inconsistenc%s\n", path, report.faults, report.faults == 1 ? "y" : "ies");
        return EXIT_FOUND;
    }
    printf("%s: clean: %u files, %u of %u blocks of %u used\n", path, report.files, report.used, report.blocks,
           report.block_size);
    return EXIT_CLEAN;
}

/* ---- get --------------------------------------------------------------------------------------------------------- */

static size_t text_length(const uint8_t *record, size_t length, char recfm)
{
    if (recfm == 'V')
        return length == 1 && record[0] == ' ' ? 0 : length;
    while (length && record[length - 1] == ' ')
        length--;
    return length;
}

static void write_record(FILE *out, uint8_t *record, size_t length, char recfm, const struct options *o)
{
    for (size_t i = 0; o->ebcdic && i < length; i++)
        record[i] = edf_ascii_from_ebcdic(record[i]);
    if (!o->binary)
        length = text_length(record, length, recfm);
    fwrite(record, 1, length, out);
    if (!o->binary)
        fputc('\n', out);
}

static int command_get(const char *path, char **operand, const struct options *o)
{
    static uint8_t record[EDF_LRECL_MAX];
    struct image image;
    struct edf_reader *reader;
    struct edf_file_facts facts;
    uint32_t length;
    struct edf_disk *disk = access_image(&image, path, o, false);
    enum edf_status status = edf_open(disk, operand[0], operand[1], &reader);
    if (status)
        return failed(disk, status, path, operand[0], operand[1]);
    FILE *out = operand[2] && strcmp(operand[2], "-") ? fopen(operand[2], "wb") : stdout;
    if (!out)
        die("%s: %s", operand[2], strerror(errno));
    edf_reader_facts(reader, &facts);
    while (!(status = edf_read(reader, record, sizeof record, &length)))
        write_record(out, record, length, facts.recfm, o);
    int rc = status == EDF_END ? EXIT_CLEAN : failed(disk, status, path, operand[0], operand[1]);
    if (fflush(out) || ferror(out))
        die("%s: %s", operand[2] ? operand[2] : "standard output", strerror(errno));
    edf_close(reader);
    edf_release(disk);
    return rc;
}

/* ---- put --------------------------------------------------------------------------------------------------------- */

struct input {
    FILE *file;
    const char *path;
    uint64_t line;
    uint8_t record[EDF_LRECL_MAX + 1];
};

static uint32_t pad(struct input *in, uint32_t length, const struct options *o)
{
    if (o->recfm == 'V')
        return length;
    memset(in->record + length, o->binary ? 0 : ' ', o->lrecl - length);
    return o->lrecl;
}

static uint32_t read_line(struct input *in, const struct options *o)
{
    uint32_t length = 0;
    int c = getc(in->file);
    if (c == EOF)
        return 0;
    in->line++;
    for (; c != EOF && c != '\n'; c = getc(in->file)) {
        if (length == o->lrecl)
            die("%s: line %llu is longer than %u bytes", in->path, (unsigned long long)in->line, o->lrecl);
        in->record[length++] = (uint8_t)c;
    }
    if (!length)
        in->record[length++] = ' ';
    return pad(in, length, o);
}

/* The next record; 0 at the end. */
static uint32_t read_record(struct input *in, const struct options *o)
{
    uint32_t length;
    if (o->binary) {
        length = (uint32_t)fread(in->record, 1, o->lrecl, in->file);
        length = length ? pad(in, length, o) : 0;
    } else {
        length = read_line(in, o);
    }
    for (uint32_t i = 0; o->ebcdic && i < length; i++)
        in->record[i] = edf_ebcdic_from_ascii(in->record[i]);
    if (ferror(in->file))
        die("%s: %s", in->path, strerror(errno));
    return length;
}

static enum edf_status copy_in(struct edf_writer *writer, struct input *in, const struct options *o)
{
    uint32_t length;
    enum edf_status status = EDF_OK;
    while (!status && (length = read_record(in, o)))
        status = edf_write(writer, in->record, length);
    if (!status)
        return edf_commit(writer);
    edf_abort(writer);
    return status;
}

static int command_put(const char *path, char **operand, const struct options *o)
{
    static struct input in;
    struct image image;
    struct edf_writer *writer;
    in.path = operand[0];
    in.file = strcmp(operand[0], "-") ? fopen(operand[0], "rb") : stdin;
    if (!in.file)
        die("%s: %s", operand[0], strerror(errno));
    struct edf_disk *disk = access_image(&image, path, o, true);
    enum edf_status status = edf_create(disk, operand[1], operand[2], o->mode, o->recfm, o->lrecl, EDF_REPLACE,
                                        &writer);
    if (!status)
        status = copy_in(writer, &in, o);
    int rc = status ? failed(disk, status, path, operand[1], operand[2]) : EXIT_CLEAN;
    edf_release(disk);
    return rc;
}

/* ---- the command line -------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int least, most; /* operands after IMAGE */
    int (*run)(const char *path, char **operand, const struct options *o);
} commands[] = {
    {"format", 1, 1, command_format}, {"list", 0, 2, command_list},     {"get", 2, 3, command_get},
    {"put", 3, 3, command_put},       {"erase", 2, 2, command_erase},   {"rename", 4, 4, command_rename},
    {"check", 0, 0, command_check},
};

static uint64_t number(const char *name, const char *text, uint64_t least, uint64_t most, bool suffix)
{
    static const char units[] = "KMG";
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 0), unit = 1;
    const char *u = *end && suffix ? strchr(units, *end) : NULL;
    if (u) {
        unit <<= 10 * (u - units + 1);
        end++;
    }
    if (errno || end == text || *end || *text == '-' || value > most / unit || value * unit < least)
        die("%s %s: not a number from %llu to %llu", name, text, (unsigned long long)least, (unsigned long long)most);
    return value * unit;
}

enum { OPTION_OFFSET = 256, OPTION_SIZE, OPTION_RECFM, OPTION_LRECL, OPTION_BINARY, OPTION_EBCDIC, OPTION_MODE };

static void take_option(int c, struct options *o)
{
    switch (c) {
    case 'b':
        o->block_size = (uint32_t)number("--block-size", optarg, 512, 4096, false);
        if (o->block_size & (o->block_size - 1))
            die("--block-size %s: not 512, 1024, 2048 or 4096", optarg);
        break;
    case OPTION_OFFSET:
        o->offset = number("--offset", optarg, 0, INT64_MAX / 2, true);
        if (o->offset % EDF_SECTOR)
            die("--offset %s: not a multiple of %d", optarg, EDF_SECTOR);
        break;
    case OPTION_SIZE:
        o->size = number("--size", optarg, 0, INT64_MAX / 2, true);
        o->sized = true;
        break;
    case OPTION_RECFM:
        if (strlen(optarg) != 1 || !strchr("FVfv", optarg[0]))
            die("--recfm %s: not F or V", optarg);
        o->recfm = optarg[0] == 'f' || optarg[0] == 'F' ? 'F' : 'V';
        break;
    case OPTION_LRECL: o->lrecl = (uint32_t)number("--lrecl", optarg, 1, EDF_LRECL_MAX, false); break;
    case OPTION_BINARY: o->binary = true; break;
    case OPTION_EBCDIC: o->ebcdic = true; break;
    case OPTION_MODE: o->mode = (char)('0' + number("--mode", optarg, 0, 6, false)); break;
    case 'h': fputs(help, stdout); exit(EXIT_CLEAN);
    default: fputs("Try 'cmsdisk --help'.\n", stderr); exit(EXIT_TROUBLE);
    }
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option longs[] = {
        {"block-size", 1, NULL, 'b'},       {"offset", 1, NULL, OPTION_OFFSET}, {"size", 1, NULL, OPTION_SIZE},
        {"recfm", 1, NULL, OPTION_RECFM},   {"lrecl", 1, NULL, OPTION_LRECL},   {"binary", 0, NULL, OPTION_BINARY},
        {"ebcdic", 0, NULL, OPTION_EBCDIC}, {"mode", 1, NULL, OPTION_MODE},     {"help", 0, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options o = {.block_size = 4096, .recfm = 'V', .mode = '1'};
    for (int c; (c = getopt_long(argc, argv, "b:h", longs, NULL)) != -1;)
        take_option(c, &o);
    if (!o.lrecl)
        o.lrecl = o.recfm == 'F' ? 80 : EDF_LRECL_MAX;
    return o;
}

int main(int argc, char **argv)
{
    struct options o = parse_options(argc, argv);
    char **words = argv + optind;
    int count = argc - optind;
    if (count < 2)
        die("a command and an image are needed; try 'cmsdisk --help'");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(words[0], commands[i].name))
            continue;
        if (count - 2 < commands[i].least || count - 2 > commands[i].most)
            die("%s takes %d to %d operands after the image, not %d", words[0], commands[i].least, commands[i].most,
                count - 2);
        return commands[i].run(words[1], words + 2, &o);
    }
    die("unknown command %s; try 'cmsdisk --help'", words[0]);
}
