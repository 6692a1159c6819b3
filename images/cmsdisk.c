/* cmsdisk: CMS minidisks from the host, over the same file-system code as CMS itself, and tapes as CMS dumps them.
 * A minidisk is an image file or, with --offset and --size, a part of one. See `cmsdisk --help`. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cms/edf/edf.h"
#include "cms/edf/edf_check.h"
#include "images/minidisk/minidisk.h"
#include "images/tape/tape.h"

static const char help[] =
    "Usage: cmsdisk COMMAND IMAGE [OPTION]... [OPERAND]...\n"
    "Work with CMS minidisks (enhanced disk format) in image files.\n"
    "\n"
    "  cmsdisk format IMAGE LABEL          write an empty file system; LABEL is 1 to 6 characters\n"
    "  cmsdisk list   IMAGE [FN [FT]]      list files; FN and FT may be patterns with * and %\n"
    "  cmsdisk get    IMAGE FN FT [FILE]   copy a CMS file to FILE, or to standard output\n"
    "  cmsdisk put    IMAGE FILE FN FT     copy FILE (- is standard input) to a CMS file, replacing it\n"
    "  cmsdisk put    IMAGE FOLDER         so each file of FOLDER, which is named FN.FT there\n"
    "  cmsdisk erase  IMAGE FN FT          erase one file\n"
    "  cmsdisk rename IMAGE FN FT FN2 FT2  give a file another name\n"
    "  cmsdisk check  IMAGE                look for inconsistencies; changes nothing\n"
    "\n"
    "  cmsdisk tape list TAPE [FN [FT]]        list the files CMS' TAPE DUMP has put on an AWSTAPE file\n"
    "  cmsdisk tape get  TAPE FN FT [FILE]     copy the first of that name to FILE, or to standard output\n"
    "  cmsdisk tape dump TAPE IMAGE [FN [FT]]  put files of a minidisk behind those on TAPE, which is made if need be\n"
    "  cmsdisk tape load TAPE IMAGE [FN [FT]]  copy files of TAPE to a minidisk, replacing those that are there\n"
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

/* ---- format, list, erase, rename, check -------------------------------------------------------------------------- */

static int command_format(const char *path, char **operand, const struct options *o)
{
    struct image image;
    minidisk_open(&image, path, o, O_RDWR | O_CREAT);
    enum edf_status status = edf_format(&image.device, &minidisk_host, o->block_size, operand[0]);
    if (status == EDF_INVALID)
        die("%s: %llu bytes are too few or too many for block size %u", path,
            (unsigned long long)image.device.sectors * EDF_SECTOR, o->block_size);
    if (status == EDF_BAD_NAME)
        die("%s is not a valid label", operand[0]);
    if (status)
        die("%s: %s%s%s", path, edf_status_text(status), minidisk_error ? ": " : "",
            minidisk_error ? strerror(minidisk_error) : "");
    return EXIT_CLEAN;
}

static int command_list(const char *path, char **operand, const struct options *o)
{
    struct image image;
    struct edf_file_facts f;
    uint32_t position = 0, found = 0;
    struct edf_disk *disk = minidisk_access(&image, path, o, false);
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
    struct edf_disk *disk = minidisk_access(&image, path, o, true);
    enum edf_status status = edf_erase(disk, operand[0], operand[1]);
    int rc = status ? minidisk_failed(disk, status, path, operand[0], operand[1]) : EXIT_CLEAN;
    edf_release(disk);
    return rc;
}

static int command_rename(const char *path, char **operand, const struct options *o)
{
    struct image image;
    struct edf_disk *disk = minidisk_access(&image, path, o, true);
    enum edf_status status = edf_rename(disk, operand[0], operand[1], operand[2], operand[3]);
    int rc = status ? minidisk_failed(disk, status, path, operand[0], operand[1]) : EXIT_CLEAN;
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
    minidisk_open(&image, path, o, O_RDONLY);
    enum edf_status status = edf_check(&image.device, &minidisk_host, print_finding, (void *)path, &report);
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

static int command_get(const char *path, char **operand, const struct options *o)
{
    static uint8_t record[EDF_LRECL_MAX];
    struct image image;
    struct edf_reader *reader;
    struct edf_file_facts facts;
    uint32_t length;
    struct edf_disk *disk = minidisk_access(&image, path, o, false);
    enum edf_status status = edf_open(disk, operand[0], operand[1], &reader);
    if (status)
        return minidisk_failed(disk, status, path, operand[0], operand[1]);
    FILE *out = operand[2] && strcmp(operand[2], "-") ? fopen(operand[2], "wb") : stdout;
    if (!out)
        die("%s: %s", operand[2], strerror(errno));
    edf_reader_facts(reader, &facts);
    while (!(status = edf_read(reader, record, sizeof record, &length)))
        minidisk_record(out, record, length, facts.recfm, o);
    int rc = status == EDF_END ? EXIT_CLEAN : minidisk_failed(disk, status, path, operand[0], operand[1]);
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

static void open_input(struct input *in, const char *path)
{
    in->path = path;
    in->file = strcmp(path, "-") ? fopen(path, "rb") : stdin;
    if (!in->file)
        die("%s: %s", path, strerror(errno));
}

static int put_file(struct edf_disk *disk, const char *path, struct input *in, const char *fn, const char *ft,
                    const struct options *o)
{
    struct edf_writer *writer;
    enum edf_status status = edf_create(disk, fn, ft, o->mode, o->recfm, o->lrecl, EDF_REPLACE, &writer);
    if (!status)
        status = copy_in(writer, in, o);
    return status ? minidisk_failed(disk, status, path, fn, ft) : EXIT_CLEAN;
}

static int is_named(const struct dirent *entry)
{
    return *entry->d_name != '.';
}

/* Each file of a folder, which is named FN.FT there. */
static int put_folder(struct edf_disk *disk, const char *path, const char *folder, const struct options *o)
{
    static struct input in;
    struct dirent **entry;
    int rc = EXIT_CLEAN, entries = scandir(folder, &entry, is_named, alphasort);
    if (entries < 0)
        die("%s: %s", folder, strerror(errno));
    for (int i = 0; i < entries; i++) {
        char *host_file, fn[9], *dot = strchr(entry[i]->d_name, '.');
        if (!dot || dot - entry[i]->d_name >= (ptrdiff_t)sizeof fn)
            die("%s/%s: is not named FN.FT", folder, entry[i]->d_name);
        snprintf(fn, sizeof fn, "%.*s", (int)(dot - entry[i]->d_name), entry[i]->d_name);
        if (asprintf(&host_file, "%s/%s", folder, entry[i]->d_name) < 0)
            die("%s", strerror(errno));
        open_input(&in, host_file);
        if (!rc)
            rc = put_file(disk, path, &in, fn, dot + 1, o);
        fclose(in.file);
        free(host_file);
        free(entry[i]);
    }
    free(entry);
    return rc;
}

static int command_put(const char *path, char **operand, const struct options *o)
{
    static struct input in;
    struct image image;
    bool whole_folder = !operand[1];
    if (!whole_folder && !operand[2])
        die("put takes FILE FN FT or FOLDER after the image");
    if (!whole_folder)
        open_input(&in, operand[0]);
    struct edf_disk *disk = minidisk_access(&image, path, o, true);
    int rc = whole_folder ? put_folder(disk, path, operand[0], o)
                          : put_file(disk, path, &in, operand[1], operand[2], o);
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
    {"put", 1, 3, command_put},       {"erase", 2, 2, command_erase},   {"rename", 4, 4, command_rename},
    {"check", 0, 0, command_check},   {"tape", 1, 4, tape_command},
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
