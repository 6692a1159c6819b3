/* mkimage: makes a CP volume from a directory, checks one, and gives one a new directory. The minidisks' file systems
 * are the work of cmsdisk, which stands beside it. See `mkimage --help`. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cms/erofs/layout.h"
#include "cp/directory/directory.h"
#include "cp/directory/volume.h"
#include "images/lock/lock.h"

enum { EXIT_DONE = 0, EXIT_FOUND = 1, EXIT_TROUBLE = 2, FILES = 64 };

static const char help[] =
    "Usage: mkimage IMAGE --directory DTB [--size MIB] [--sparse] [--raw USER:VDEV[:HOSTFILE]]...\n"
    "               [--file USER:VDEV:HOSTFILE:FN.FT]... [--files USER:VDEV:FOLDER]...\n"
    "       mkimage --replace-directory IMAGE --directory DTB\n"
    "       mkimage --check IMAGE\n"
    "       mkimage --ssh-keys USER IMAGE\n"
    "Make a CP volume: a disk image with a directory and the minidisks it names, each with an empty CMS file system.\n"
    "\n"
    "      --directory DTB     the directory, compiled: dtc -q -o DTB DTS (images/directory.dts is a sample)\n"
    "      --size MIB          size of the volume (default: what the minidisks need, and a little more)\n"
    "      --sparse            let the file's blocks be found when they are written, not now\n"
    "      --raw USER:VDEV     leave this minidisk unformatted, with what is in :HOSTFILE if that follows; VDEV is\n"
    "                          hexadecimal\n"
    "      --file USER:VDEV:HOSTFILE:FN.FT   put a text file on a minidisk\n"
    "      --files USER:VDEV:FOLDER   put each text file of FOLDER there, which is named FN.FT\n"
    "      --replace-directory give an existing volume another directory; the old one stays in the other slot, the\n"
    "                          minidisks stay as they are, and new ones are not formatted\n"
    "      --check             judge label, directories and every formatted minidisk; changes nothing\n"
    "      --ssh-keys USER     print the SSH keys that the directory has for a user\n"
    "  -h, --help              this text\n"
    "\n"
    "An image that exists is never overwritten, and one in use by a running machine not changed.\n"
    "Exit status: 0 done, or clean; 1 --check found something, or there are no keys; 2 anything else.\n";

struct place { /* a minidisk named on the command line */
    const char *text, *host_file, *name;
    char user[9];
    unsigned vdev;
};

static struct directory_rows rows;
static struct directory directory = DIRECTORY_IN(rows);
static _Alignas(4096) uint8_t head[VOLUME_HEAD_BYTES];
static _Alignas(8) uint8_t blob[VOLUME_DIRECTORY_MAX + 1];
static const char *half_made; /* the image, until it is whole */

struct user *directory_block(void) { return calloc(DIRECTORY_BLOCK, sizeof(struct user)); }

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("mkimage: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    if (half_made)
        unlink(half_made);
    exit(EXIT_TROUBLE);
}

/* ---- directory -------------------------------------------------------------------------------------------------- */

static void tell_fault(void *context, const char *path, const char *reason)
{
    fprintf(stderr, "mkimage: %s: %s %s\n", (const char *)context, path, reason);
}

static uint32_t read_blob(const char *path)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, blob, sizeof blob);
    if (n < 0)
        die("%s: %s", path, strerror(errno));
    if (n > VOLUME_DIRECTORY_MAX)
        die("%s: is longer than a directory slot, %d bytes", path, VOLUME_DIRECTORY_MAX);
    close(fd);
    return n;
}

static void parse_or_die(const char *path, uint32_t bytes, uint32_t blocks)
{
    unsigned faults = directory_parse(&directory, blob, bytes, VOLUME_FIRST_MINIDISK, blocks, tell_fault, (void *)path);
    if (faults)
        die("%s: %u fault%s, nothing is written", path, faults, faults > 1 ? "s" : "");
}

static uint32_t end_of(struct directory_range range, uint32_t least)
{
    return range.start + range.blocks > least ? range.start + range.blocks : least;
}

static uint32_t blocks_needed(void)
{
    enum { BLOCKS_A_MIB = 256 };
    uint32_t end = VOLUME_FIRST_MINIDISK;
    for (unsigned i = 0; i < directory.disks; i++) {
        const struct directory_disk *d = &directory.disk[i];
        end = end_of((struct directory_range){d->start, d->blocks}, end);
        end = end_of(d->snapshots, end);
    }
    for (unsigned i = 0; i < AREAS; i++)
        end = end_of(directory.area[i], end);
    return (end + BLOCKS_A_MIB) / BLOCKS_A_MIB * BLOCKS_A_MIB;
}

/* ---- minidisks -------------------------------------------------------------------------------------------------- */

static const struct directory_disk *find_disk(const struct place *place)
{
    const struct user *user = directory_find(&directory, place->user);
    const struct directory_disk *disk = user ? directory_find_disk(&directory, user, place->vdev) : NULL;
    if (!disk)
        die("%s: the directory has no such minidisk", place->text);
    return disk;
}

static const char *cmsdisk_path(void)
{
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof "cmsdisk");
    char *slash = n > 0 ? memrchr(path, '/', n) : NULL;
    strcpy(slash ? slash + 1 : path, "cmsdisk");
    return path;
}

/* cmsdisk COMMAND IMAGE --offset N --size N OPERANDS: its exit status. */
static int run_cmsdisk(const char *command, const char *image, const struct directory_disk *disk,
                       const char *const operands[])
{
    extern char **environ;
    char offset[32], size[32];
    const char *argv[16] = {cmsdisk_path(), command, image, "--offset", offset, "--size", size};
    unsigned argc = 7;
    pid_t child;
    int status;
    snprintf(offset, sizeof offset, "%llu", (unsigned long long)disk->start * VOLUME_BLOCK);
    snprintf(size, sizeof size, "%llu", (unsigned long long)disk->blocks * VOLUME_BLOCK);
    while (*operands && argc < 15)
        argv[argc++] = *operands++;
    int error = posix_spawn(&child, argv[0], NULL, NULL, (char *const *)argv, environ);
    if (error)
        die("%s: %s", argv[0], strerror(error));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_TROUBLE;
}

static bool is_raw(const struct directory_disk *disk, const struct place *raw, unsigned raws)
{
    for (unsigned i = 0; i < raws; i++)
        if (find_disk(&raw[i]) == disk)
            return true;
    return false;
}

static void format_disks(const char *image, const struct place *raw, unsigned raws)
{
    for (unsigned i = 0; i < directory.disks; i++) {
        const struct directory_disk *disk = &directory.disk[i];
        char label[7];
        if (disk->overlap || is_raw(disk, raw, raws))
            continue;
        snprintf(label, sizeof label, "%.3s%03X", directory_user(&directory, disk->user)->id, disk->vdev & 0xfff);
        if (run_cmsdisk("format", image, disk, (const char *const[]){label, NULL}))
            die("%s: minidisk %X of %s is not formatted", image, disk->vdev,
                directory_user(&directory, disk->user)->id);
    }
}

static void put_file(const char *image, const struct place *file)
{
    char name[32];
    if (!file->name) {
        if (run_cmsdisk("put", image, find_disk(file), (const char *const[]){"--mode", "2", file->host_file, NULL}))
            die("%s: %s is not put", image, file->text);
        return;
    }
    const char *dot = strchr(file->name, '.');
    if (!dot || dot - file->name > 8)
        die("%s: the CMS file must be named FN.FT", file->text);
    snprintf(name, sizeof name, "%.*s", (int)(dot - file->name), file->name);
    if (run_cmsdisk("put", image, find_disk(file),
                    (const char *const[]){"--mode", "2", file->host_file, name, dot + 1, NULL}))
        die("%s: %s is not put", image, file->text);
}

/* The host's file, byte for byte, from the minidisk's beginning. */
static void copy_raw(const char *image, const struct place *raw)
{
    static char piece[1 << 20];
    const struct directory_disk *disk = find_disk(raw);
    off_t room = (off_t)disk->blocks * VOLUME_BLOCK, at = (off_t)disk->start * VOLUME_BLOCK, end = at + room;
    int from = open(raw->host_file, O_RDONLY), to = open(image, O_WRONLY);
    ssize_t n = from < 0 || to < 0 ? -1 : 0;
    while (n >= 0 && (n = read(from, piece, sizeof piece)) > 0 && n <= end - at && pwrite(to, piece, n, at) == n)
        at += n;
    if (n > 0 && n > end - at)
        die("%s: has no room on a minidisk of %lld bytes", raw->host_file, (long long)room);
    if (n || fdatasync(to))
        die("%s: %s", raw->host_file, strerror(errno));
    close(from);
    close(to);
}

/* ---- the three things it does
 * ---------------------------------------------------------------------------------------- */

static int open_image(const char *path, int flags)
{
    int fd = open(path, flags, 0666);
    char holder[64];
    if (fd < 0)
        die("%s: %s", path, strerror(errno));
    if ((flags & O_ACCMODE) != O_RDONLY && !image_lock(fd, true))
        die("%s: in use by %s; nothing is changed", path, image_holder(fd, holder, sizeof holder));
    return fd;
}

static void write_at(int fd, const char *path, const void *bytes, size_t count, uint64_t block)
{
    if (pwrite(fd, bytes, count, block * VOLUME_BLOCK) != (ssize_t)count || fdatasync(fd))
        die("%s: %s", path, strerror(errno));
}

struct wishes {
    const char *dtb, *keys_of;
    uint32_t mib;
    bool sparse;
    unsigned raws, files;
    struct place raw[FILES], file[FILES];
};

/* All its blocks, so that a host without room for them says so here and not to whoever writes on a minidisk. */
static void set_size(int fd, const char *path, off_t size, bool sparse)
{
    int error = sparse ? 0 : posix_fallocate(fd, 0, size);
    if (!error && ftruncate(fd, size))
        error = errno;
    if (error)
        die("%s: %s", path, strerror(error));
}

static int make(const char *image, const struct wishes *w)
{
    uint32_t bytes = read_blob(w->dtb);
    parse_or_die(w->dtb, bytes, w->mib ? w->mib * 256 : UINT32_MAX);
    uint32_t blocks = w->mib ? w->mib * 256 : blocks_needed();
    for (unsigned i = 0; i < w->raws + w->files; i++)
        find_disk(i < w->raws ? &w->raw[i] : &w->file[i - w->raws]);
    int fd = open_image(image, O_RDWR | O_CREAT | O_EXCL);
    half_made = image;
    volume_label_make(head, directory.volid, blocks);
    volume_slot_make(head + VOLUME_SLOT_A * VOLUME_BLOCK, blob, bytes, 1);
    set_size(fd, image, (off_t)blocks * VOLUME_BLOCK, w->sparse);
    write_at(fd, image, head, sizeof head, 0);
    close(fd);
    format_disks(image, w->raw, w->raws);
    for (unsigned i = 0; i < w->raws; i++)
        if (w->raw[i].host_file)
            copy_raw(image, &w->raw[i]);
    for (unsigned i = 0; i < w->files; i++)
        put_file(image, &w->file[i]);
    return EXIT_DONE;
}

static const char *read_head(int fd, struct volume_facts *facts)
{
    off_t size = lseek(fd, 0, SEEK_END);
    if (pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head)
        return "is too short for a CP volume";
    return volume_examine(head, size / VOLUME_BLOCK, facts);
}

static int replace(const char *image, const char *dtb)
{
    static uint8_t slot[VOLUME_SLOT_BLOCKS * VOLUME_BLOCK];
    struct volume_facts facts;
    uint32_t bytes = read_blob(dtb);
    int fd = open_image(image, O_RDWR);
    const char *why = read_head(fd, &facts);
    if (why)
        die("%s: %s", image, why);
    parse_or_die(dtb, bytes, facts.blocks);
    volume_slot_make(slot, blob, bytes, facts.sequence[0] + 1);
    write_at(fd, image, slot, sizeof slot, facts.slot[0] == 'A' ? VOLUME_SLOT_B : VOLUME_SLOT_A);
    close(fd);
    return EXIT_DONE;
}

/* Prints the SSH keys of a user, whose name may be in lower case. */
static int print_ssh_keys(const char *image, const char *name)
{
    struct volume_facts facts;
    char id[DIRECTORY_NAME + 2];
    int fd = open_image(image, O_RDONLY);
    const char *why = read_head(fd, &facts);
    close(fd);
    if (why || !facts.blob[0])
        die("%s: %s", image, why ? why : "no good directory");
    if (directory_parse(&directory, facts.blob[0], facts.bytes[0], VOLUME_FIRST_MINIDISK, facts.blocks, tell_fault,
                        (void *)image))
        return EXIT_FOUND;
    snprintf(id, sizeof id, "%s", name);
    for (char *c = id; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    const struct user *user = directory_find(&directory, id);
    if (!user || !user->ssh_keys)
        return EXIT_FOUND;
    for (const char *at = user->ssh_keys; at < user->ssh_keys + user->ssh_keys_bytes; at += strlen(at) + 1)
        puts(at);
    return EXIT_DONE;
}

/* A root image of programs: judged by its head. */
static bool check_root_image(const char *image, const struct directory_disk *disk, int *found)
{
    uint8_t super[EROFS_SUPER_BYTES] = {0};
    struct erofs_super facts;
    int fd = open_image(image, O_RDONLY);
    ssize_t n = pread(fd, super, sizeof super, (off_t)disk->start * VOLUME_BLOCK + EROFS_SUPER_AT);
    close(fd);
    if (n != sizeof super || !erofs_is(super))
        return false;
    const char *why = erofs_judge_super(super, disk->blocks, &facts);
    *found |= why != NULL;
    if (why)
        printf("a root image; %s\n", why);
    else
        printf("a root image, %llu of %u blocks of 4096\n", (unsigned long long)facts.blocks, disk->blocks);
    return true;
}

static int check(const char *image)
{
    struct volume_facts facts;
    int fd = open_image(image, O_RDONLY), found = 0;
    const char *why = read_head(fd, &facts);
    close(fd);
    if (why || !facts.blob[0]) {
        printf("%s: %s\n", image, why ? why : "no good directory");
        return EXIT_FOUND;
    }
    for (unsigned i = 0; i < 2; i++)
        if (facts.slot_fault[i] && strcmp(facts.slot_fault[i], "empty")) {
            printf("%s: directory slot %c: %s\n", image, 'A' + i, facts.slot_fault[i]);
            found = 1;
        }
    if (directory_parse(&directory, facts.blob[0], facts.bytes[0], VOLUME_FIRST_MINIDISK, facts.blocks, tell_fault,
                        (void *)image))
        return EXIT_FOUND;
    printf("%s: volume %s, %u blocks, directory %llu in slot %c, %u users, %u minidisks\n", image, facts.volid,
           facts.blocks, (unsigned long long)facts.sequence[0], facts.slot[0], directory.users, directory.disks);
    for (unsigned i = 0; i < directory.disks; i++) {
        printf("%s %04X: ", directory_user(&directory, directory.disk[i].user)->id, directory.disk[i].vdev);
        fflush(stdout);
        if (!check_root_image(image, &directory.disk[i], &found))
            found |= run_cmsdisk("check", image, &directory.disk[i], (const char *const[]){NULL}) != 0;
    }
    return found ? EXIT_FOUND : EXIT_DONE;
}

/* ---- command line
 * ---------------------------------------------------------------------------------------------------- */

/* USER:VDEV, behind which --raw may have :HOSTFILE, and --file has :HOSTFILE:FN.FT. */
static struct place parse_place(char *text, bool with_file)
{
    struct place place = {.text = strdup(text)};
    char *end, *colon = strchr(text, ':'), *last = strrchr(text, ':');
    if (!colon || colon - text > 8)
        die("%s: is not USER:VDEV", place.text);
    snprintf(place.user, sizeof place.user, "%.*s", (int)(colon - text), text);
    place.vdev = strtoul(colon + 1, &end, 16);
    if (end == colon + 1 || (*end && *end != ':') || (with_file && last <= end))
        die("%s: is not USER:VDEV%s", place.text, with_file ? ":HOSTFILE:FN.FT" : "[:HOSTFILE]");
    if (with_file) {
        *last = 0;
        place.host_file = end + 1;
        place.name = last + 1;
    } else if (*end) {
        place.host_file = end + 1;
    }
    return place;
}

static struct place parse_folder(char *text)
{
    struct place place = parse_place(text, false);
    if (!place.host_file)
        die("%s: is not USER:VDEV:FOLDER", place.text);
    return place;
}

int main(int argc, char **argv)
{
    enum { DIRECTORY = 1, SIZE, SPARSE, RAW, FILE_, FOLDER, REPLACE, CHECK, SSH_KEYS };
    static const struct option options[] = {
        {"directory", required_argument, NULL, DIRECTORY},
        {"size", required_argument, NULL, SIZE},
        {"sparse", no_argument, NULL, SPARSE},
        {"raw", required_argument, NULL, RAW},
        {"file", required_argument, NULL, FILE_},
        {"files", required_argument, NULL, FOLDER},
        {"replace-directory", no_argument, NULL, REPLACE},
        {"check", no_argument, NULL, CHECK},
        {"ssh-keys", required_argument, NULL, SSH_KEYS},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    static struct wishes w;
    unsigned mode = 0;
    unsigned long mib = 0;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h')
            return fputs(help, stdout), EXIT_DONE;
        if (option == '?')
            die("try mkimage --help");
        if (option == DIRECTORY)
            w.dtb = optarg;
        else if (option == SSH_KEYS)
            w.keys_of = optarg, mode = option;
        else if (option == SIZE && (!(mib = strtoul(optarg, NULL, 10)) || mib > 1 << 22))
            die("--size: is not a number of MiB");
        else if (option == SPARSE)
            w.sparse = true;
        else if ((option == RAW && w.raws == FILES) || ((option == FILE_ || option == FOLDER) && w.files == FILES))
            die("more than %d --raw, --file or --files", FILES);
        else if (option == RAW)
            w.raw[w.raws++] = parse_place(optarg, false);
        else if (option == FILE_)
            w.file[w.files++] = parse_place(optarg, true);
        else if (option == FOLDER)
            w.file[w.files++] = parse_folder(optarg);
        else if (option != SIZE)
            mode = option;
    }
    w.mib = mib;
    bool reads = mode == CHECK || mode == SSH_KEYS;
    if (optind + 1 != argc || (!reads && !w.dtb))
        die("needs an IMAGE%s; try mkimage --help", reads ? "" : " and --directory DTB");
    return mode == CHECK      ? check(argv[optind])
           : mode == SSH_KEYS ? print_ssh_keys(argv[optind], w.keys_of)
           : mode == REPLACE  ? replace(argv[optind], w.dtb)
                              : make(argv[optind], &w);
}
