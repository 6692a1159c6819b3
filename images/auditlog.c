/* auditlog: prints the audit log of a CP volume and says whether its chain is whole. See `auditlog --help`. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cp/audit/page.h"
#include "cp/directory/directory.h"
#include "cp/directory/volume.h"

enum { EXIT_WHOLE = 0, EXIT_BROKEN = 1, EXIT_TROUBLE = 2 };

static const char help[] =
    "Usage: auditlog IMAGE\n"
    "Print the audit log of a CP volume, the oldest record first, and on standard error whether it is whole and what\n"
    "stands for all of it: RECORDS first TO last, CHAIN number. Records behind the one that an earlier CHAIN was of\n"
    "may be new; a log that ends with that one must have the same CHAIN.\n"
    "The image may be in use by a running CP, whose newest records may then be missing.\n"
    "\n"
    "  -h, --help  this text\n"
    "Exit status: 0 whole; 1 records were altered or taken out, or the medium failed; 2 anything else.\n";

static struct directory_rows rows;
static struct directory directory = DIRECTORY_IN(rows);
static _Alignas(4096) uint8_t head[VOLUME_HEAD_BYTES];

struct user *directory_block(void) { return calloc(DIRECTORY_BLOCK, sizeof(struct user)); }

static __attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("auditlog: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(EXIT_TROUBLE);
}

static void tell_fault(void *context, const char *path, const char *reason)
{
    fprintf(stderr, "auditlog: %s: %s: %s\n", (const char *)context, path, reason);
}

/* The area's blocks, from an image that is open. */
static struct directory_range find_area(int fd, const char *image)
{
    struct volume_facts facts;
    off_t bytes = lseek(fd, 0, SEEK_END);
    if (pread(fd, head, sizeof head, 0) != sizeof head)
        die("%s: shorter than a volume", image);
    const char *why = volume_examine(head, (uint64_t)bytes / VOLUME_BLOCK, &facts);
    if (why || !facts.blob[0])
        die("%s: %s", image, why ? why : "no good directory");
    if (directory_parse(&directory, facts.blob[0], facts.bytes[0], VOLUME_FIRST_MINIDISK, facts.blocks, tell_fault,
                        (void *)(uintptr_t)image))
        die("%s: its directory is refused", image);
    if (directory.area[AREA_AUDIT].blocks < AUDIT_LEAST)
        die("%s: its directory names no area for an audit log", image);
    return directory.area[AREA_AUDIT];
}

static bool read_page(int fd, struct directory_range area, uint32_t block, struct audit_page *page)
{
    off_t at = ((off_t)area.start + block) * VOLUME_BLOCK;
    return pread(fd, page, sizeof *page, at) == sizeof *page && audit_page_sound(page);
}

/* The page that grows: the newer of its two writings. */
static bool read_last(int fd, struct directory_range area, struct audit_page *last)
{
    struct audit_page other;
    bool first = read_page(fd, area, 0, last), second = read_page(fd, area, 1, &other);
    if (second && (!first || audit_page_newer(&other, last)))
        *last = other;
    return first || second;
}

static int print(int fd, struct directory_range area)
{
    struct audit_page last, page;
    int status = EXIT_WHOLE;
    uint64_t first = 0;
    if (!read_last(fd, area, &last)) {
        fputs("auditlog: there is no record\n", stderr);
        return EXIT_BROKEN;
    }
    struct audit_walk walk = {.page = audit_page_oldest(last.number, area.blocks)};
    while (walk.page <= last.number) {
        const char *line;
        size_t length;
        enum audit_step step = AUDIT_BROKEN;
        uint64_t behind = walk.begun ? walk.record - 1 : 0;
        bool there = walk.page == last.number || read_page(fd, area, audit_place(walk.page, area.blocks), &page);
        const struct audit_page *p = walk.page == last.number ? &last : &page;
        while (there && (step = audit_walk_on(&walk, p, &line, &length)) == AUDIT_RECORD) {
            behind = walk.record - 1;
            first = first ? first : behind;
            fwrite(line, 1, length + 1, stdout);
        }
        if (!there)
            audit_walk_over(&walk);
        if (step == AUDIT_BROKEN) {
            fflush(stdout);
            fprintf(stderr, "auditlog: the chain is broken behind record %" PRIu64 "\n", behind);
            status = EXIT_BROKEN;
        }
    }
    fflush(stdout);
    fprintf(stderr, "RECORDS %010" PRIu64 " TO %010" PRIu64 ", CHAIN ", first, walk.begun ? walk.record - 1 : 0);
    for (unsigned i = 0; i < 8; i++)
        fprintf(stderr, "%02X", walk.chain[i]);
    fputc('\n', stderr);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
        fputs(help, stdout);
        return EXIT_WHOLE;
    }
    if (argc != 2 || argv[1][0] == '-') {
        fputs(help, stderr);
        return EXIT_TROUBLE;
    }
    int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die("%s: %s", argv[1], strerror(errno));
    return print(fd, find_area(fd, argv[1]));
}
