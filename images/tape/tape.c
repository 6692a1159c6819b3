/* Tapes of CMS files, on the host. */
#define _GNU_SOURCE
#include "images/tape/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cms/tape/dump.h"
#include "images/lock/lock.h"

static struct dump_reader reader;
static struct dump_writer writer;
static uint8_t record[EDF_LRECL_MAX];

struct tape {
    const char *path;
    int fd;
};

static int tape_read(void *ctx, uint64_t at, void *buffer, size_t size)
{
    const struct tape *tape = ctx;
    size_t done = 0;
    for (ssize_t n; done < size; done += (size_t)n) {
        n = pread(tape->fd, (uint8_t *)buffer + done, size - done, (off_t)(at + done));
        if (n < 0)
            return -1;
        if (n == 0)
            break;
    }
    return (int)done;
}

static int tape_write(void *ctx, const void *data, size_t size)
{
    const struct tape *tape = ctx;
    for (size_t done = 0; done < size;) {
        ssize_t n = write(tape->fd, (const uint8_t *)data + done, size - done);
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

static void open_tape(struct tape *tape, const char *path, int flags)
{
    char holder[64];
    tape->path = path;
    tape->fd = open(path, flags, 0666);
    if (tape->fd < 0)
        die("%s: %s", path, strerror(errno));
    if (!image_lock(tape->fd, (flags & O_ACCMODE) != O_RDONLY))
        die("%s: in use by %s", path, image_holder(tape->fd, holder, sizeof holder));
    reader.tape = (struct aws_reader){.ctx = tape, .read = tape_read};
}

__attribute__((noreturn)) static void die_of(const struct tape *tape, enum dump_status status)
{
    if (status == DUMP_FORMAT)
        die("%s: before byte %llu: %s", tape->path, (unsigned long long)reader.tape.at, reader.why);
    die("%s: byte %llu: %s", tape->path, (unsigned long long)reader.tape.at,
        reader.tape.why ? reader.tape.why : strerror(errno));
}

/* The next file that is meant (NULL: any), over all tape marks; false at the end of the tape. */
static bool next_file(const struct tape *tape, const char *fn, const char *ft, struct dump_file *file)
{
    for (;;) {
        enum dump_status status = dump_next(&reader, file);
        if (status == DUMP_END)
            return false;
        if (status == DUMP_FORMAT || status == DUMP_TAPE)
            die_of(tape, status);
        if (status == DUMP_FILE && (!fn || edf_name_matches(fn, file->facts.name)) &&
            (!ft || edf_name_matches(ft, file->facts.type)))
            return true;
    }
}

static int list(char **operand, const struct options *o)
{
    struct tape tape;
    struct dump_file file;
    const char *fn = operand[1], *ft = fn ? operand[2] : NULL;
    bool found = !fn;
    (void)o;
    for (open_tape(&tape, operand[0], O_RDONLY); next_file(&tape, fn, ft, &file); found = true) {
        const struct edf_file_facts *f = &file.facts;
        printf("%-8s %-8s %c%c %c %6u %10u %10u  %04u-%02u-%02u %02u:%02u:%02u\n", f->name, f->type, file.letter,
               f->mode_number, f->recfm, f->lrecl, f->records, f->blocks, f->date.year, f->date.month, f->date.day,
               f->date.hour, f->date.minute, f->date.second);
    }
    return found ? EXIT_CLEAN : EXIT_FOUND;
}

static int get(char **operand, const struct options *o)
{
    struct tape tape;
    struct dump_file file;
    enum dump_status status;
    uint32_t length;
    if (!operand[1] || !operand[2])
        die("tape get takes a tape, a filename and a filetype");
    open_tape(&tape, operand[0], O_RDONLY);
    if (!next_file(&tape, operand[1], operand[2], &file)) {
        fprintf(stderr, "cmsdisk: %s: %s %s: file not found\n", tape.path, operand[1], operand[2]);
        return EXIT_FOUND;
    }
    FILE *out = operand[3] && strcmp(operand[3], "-") ? fopen(operand[3], "wb") : stdout;
    if (!out)
        die("%s: %s", operand[3], strerror(errno));
    dump_open(&reader, &file);
    while ((status = dump_read(&reader, record, &length)) == DUMP_RECORD)
        minidisk_record(out, record, length, file.facts.recfm, o);
    if (status != DUMP_END)
        die_of(&tape, status);
    if (fflush(out) || ferror(out))
        die("%s: %s", operand[3] ? operand[3] : "standard output", strerror(errno));
    return EXIT_CLEAN;
}

/* ---- load -------------------------------------------------------------------------------------------------------- */

static enum edf_status load_file(const struct tape *tape, struct edf_disk *disk, const struct dump_file *file)
{
    const struct edf_file_facts *f = &file->facts;
    struct edf_writer *to;
    enum dump_status read;
    uint32_t length;
    enum edf_status status =
        edf_create(disk, f->name, f->type, f->mode_number, f->recfm, f->lrecl ? f->lrecl : 80, EDF_REPLACE, &to);
    if (status)
        return status;
    dump_open(&reader, file);
    while (!status && (read = dump_read(&reader, record, &length)) == DUMP_RECORD)
        status = edf_write(to, record, length);
    if (!status && read != DUMP_END)
        die_of(tape, read);
    reader.tape.at = file->end;
    if (status) {
        edf_abort(to);
        return status;
    }
    edf_writer_date(to, &f->date);
    return edf_commit(to);
}

static int load(char **operand, const struct options *o)
{
    struct tape tape;
    struct image image;
    struct dump_file file;
    const char *fn = operand[1] ? operand[2] : NULL, *ft = fn ? operand[3] : NULL;
    int rc = fn ? EXIT_FOUND : EXIT_CLEAN;
    if (!operand[1])
        die("tape load takes a tape and a minidisk");
    open_tape(&tape, operand[0], O_RDONLY);
    struct edf_disk *disk = minidisk_access(&image, operand[1], o, true);
    while (next_file(&tape, fn, ft, &file)) {
        enum edf_status status = load_file(&tape, disk, &file);
        rc = status ? minidisk_failed(disk, status, operand[1], file.facts.name, file.facts.type) : EXIT_CLEAN;
        if (rc)
            break;
    }
    edf_release(disk);
    return rc;
}

/* ---- dump -------------------------------------------------------------------------------------------------------- */

/* Where the next file goes: before the tape marks that end the tape. */
static void go_to_end(const struct tape *tape)
{
    static uint8_t block[AWS_BLOCK_MAX];
    uint64_t end = 0;
    uint16_t previous = 0;
    size_t length;
    for (enum aws_status status; (status = aws_read(&reader.tape, block, &length)) != AWS_END;) {
        if (status == AWS_DAMAGED || status == AWS_IO)
            die_of(tape, DUMP_TAPE);
        if (status == AWS_BLOCK) {
            end = reader.tape.at;
            previous = reader.tape.previous;
        }
    }
    if (ftruncate(tape->fd, (off_t)end) || lseek(tape->fd, (off_t)end, SEEK_SET) < 0)
        die("%s: %s", tape->path, strerror(errno));
    writer.tape = (struct aws_writer){.ctx = (void *)tape, .write = tape_write, .previous = previous};
}

static void check_written(const struct tape *tape, int rc)
{
    if (rc)
        die("%s: %s", tape->path, strerror(errno));
}

static int dump_file(const struct tape *tape, struct edf_disk *disk, const char *path, const struct edf_file_facts *f)
{
    struct edf_reader *from;
    uint32_t length;
    enum edf_status status = edf_open(disk, f->name, f->type, &from);
    if (status)
        return minidisk_failed(disk, status, path, f->name, f->type);
    dump_begin(&writer, f->recfm);
    while (!(status = edf_read(from, record, sizeof record, &length)))
        check_written(tape, dump_record(&writer, record, length));
    edf_close(from);
    if (status != EDF_END)
        return minidisk_failed(disk, status, path, f->name, f->type);
    check_written(tape, dump_end(&writer, f, 'A'));
    return EXIT_CLEAN;
}

static int dump(char **operand, const struct options *o)
{
    struct tape tape;
    struct image image;
    struct edf_file_facts f;
    const char *fn = operand[1] ? operand[2] : NULL, *ft = fn ? operand[3] : NULL;
    uint32_t position = 0;
    int rc = fn ? EXIT_FOUND : EXIT_CLEAN;
    if (!operand[1])
        die("tape dump takes a tape and a minidisk");
    struct edf_disk *disk = minidisk_access(&image, operand[1], o, false);
    open_tape(&tape, operand[0], O_RDWR | O_CREAT);
    go_to_end(&tape);
    while (edf_next(disk, &position, fn, ft, &f) == EDF_OK && (rc = dump_file(&tape, disk, operand[1], &f)) == 0) {}
    check_written(&tape, aws_write_mark(&writer.tape));
    check_written(&tape, close(tape.fd));
    edf_release(disk);
    return rc;
}

int tape_command(const char *function, char **operand, const struct options *o)
{
    static const struct {
        const char *name;
        int (*run)(char **operand, const struct options *o);
    } functions[] = {{"list", list}, {"get", get}, {"dump", dump}, {"load", load}};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!strcmp(function, functions[i].name))
            return functions[i].run(operand, o);
    die("unknown function %s of tape; try 'cmsdisk --help'", function);
}
