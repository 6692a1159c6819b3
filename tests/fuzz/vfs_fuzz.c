/* Hostile paths and calls. The input is a list of operations on paths that are put together of names, dots, slashes and
 * whatever follows; after each of them the tree must still be walked to its end, and in the end everything that was
 * made can be removed, and gives its storage back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cms/kernel/frame.h"
#include "cms/kernel/mode.h"
#include "cms/minidisk/minidisk.h"
#include "cms/tmpfs/tmpfs.h"
#include "cms/vfs/device.h"
#include "cms/vfs/vfs.h"
#include "tests/unit/fake/cms_caller.c" /* before the process room's own */
#include "tests/unit/fake/cms_machine.h"

enum { OPEN_MAX = 8, OPERATIONS = 64 };

static const uint8_t *data;
static size_t size;
static struct vfs_from here;
static struct file *files[OPEN_MAX];

static unsigned next(void)
{
    if (!size)
        return 0;
    size--;
    return *data++;
}

static const char *next_path(char path[VFS_PATH_MAX + 64])
{
    static const char *const parts[] = {"/tmp", "/a",  "/dev/shm",     "/",    "..",   ".",       "d",  "e",
                                        "f",    "g.x", "profile.exec", "link", "loop", "/dev/fd", "h~", ".swp"};
    size_t n = 0;
    unsigned count = next() % 8;
    for (unsigned i = 0; i < count && n < VFS_PATH_MAX; i++) {
        unsigned which = next();
        const char *part = parts[which % 16];
        if (which >= 240) { /* a name of the input's own, or a long one */
            unsigned length = next();
            for (unsigned k = 0; k < length && n < VFS_PATH_MAX; k++)
                path[n++] = which & 1 ? 'x' : (char)(next() | 1);
            continue;
        }
        memcpy(path + n, part, strlen(part));
        n += strlen(part);
        if (which & 16)
            path[n++] = '/';
        if (which & 32)
            path[n++] = '/';
    }
    path[n] = 0;
    return path;
}

static void use_file(struct file *f)
{
    static char bytes[9000];
    struct io_buffer io;
    unsigned what = next();
    uint64_t at = (uint64_t)next() << (next() % 36);
    size_t count = (size_t)next() * (what & 32 ? 35 : 1);
    memset(bytes, what & 64 ? '\n' : 'x', count);
    io_buffer_begin(&io, bytes, count);
    switch (what % 6) {
    case 0: file_read(f, &io.io); break;
    case 1: file_write(f, &io.io); break;
    case 2: file_write_at(f, &io.io, at); break;
    case 3:
        if (f->operations->truncate && (f->flags & ABI_O_ACCMODE))
            f->operations->truncate(f, at);
        break;
    case 4: file_read_at(f, &io.io, at); break;
    default:
        if (f->operations->sync)
            f->operations->sync(f);
    }
}

static void list(const char *path)
{
    struct vfs_entry e;
    struct file *f;
    if (vfs_open(&here, path, ABI_O_RDONLY | ABI_O_DIRECTORY, 0, &f))
        return;
    unsigned count = 0;
    while (f->operations->next_entry(f, &e) > 0 && ++count < 1000)
        if (!e.name[0] || strchr(e.name, '/'))
            abort();
    if (count >= 1000)
        abort();
    file_let_go(f);
}

static void operate(void)
{
    static char path[VFS_PATH_MAX + 64], other[VFS_PATH_MAX + 64], text[VFS_PATH_MAX];
    static struct vfs_stat s;
    unsigned what = next(), slot = next() % OPEN_MAX;
    const int64_t ns[2] = {NODE_TIME_LEAVE, (int64_t)next() << 55};
    next_path(path);
    switch (what % 16) {
    case 0:
    case 1:
        if (files[slot])
            file_let_go(files[slot]);
        files[slot] = NULL;
        vfs_open(&here, path, (next() | next() << 8 | next() << 16) & ~(unsigned)ABI_O_TMPFILE, 0755, &files[slot]);
        break;
    case 2:
    case 3:
        if (files[slot])
            use_file(files[slot]);
        break;
    case 4: vfs_make_directory(&here, path, 0755); break;
    case 5: vfs_unlink(&here, path, next() & 1); break;
    case 6: vfs_rename(&here, path, &here, next_path(other), next() & 1); break;
    case 7: vfs_symlink(next_path(other), &here, path); break;
    case 8: vfs_link(&here, path, &here, next_path(other), 0); break;
    case 9: place_change(here.place, here.files, ABI_AT_FDCWD, path); break;
    case 10:
        if (!place_path(here.place, text, sizeof text) && text[0] != '/')
            abort();
        break;
    case 11: list(path); break;
    case 12: vfs_stat(&here, path, 0, &s); break;
    case 13: vfs_readlink(&here, path, text, sizeof text); break;
    case 14: vfs_set_times(&here, path, ns, 0); break;
    default: vfs_truncate(&here, path, (uint64_t)next() << (next() % 24));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static bool started;
    struct mode_problem problem;
    data = bytes;
    size = count;
    for (char c = 'A'; c <= 'Z'; c++)
        cms_mode_release(c);
    fake_cms_reset();
    fake_caller_reset();
    if (!started) {
        device_start();
        tmpfs_start();
        minidisk_files_start();
    }
    started = true;
    tmpfs_reset();
    minidisk_files_reset();
    fake_cms_attach(0x191, false);
    if (!cms_mode_format(0x191, 1024, "FUZZ", &problem) || !cms_mode_access(0x191, 'A', 'A', false, &problem))
        abort();
    memset(files, 0, sizeof files);
    here = (struct vfs_from){.place = place_make(), .files = files_make(), .at = ABI_AT_FDCWD};
    for (unsigned i = 0; size && i < OPERATIONS; i++)
        operate();
    for (unsigned i = 0; i < OPEN_MAX; i++)
        if (files[i])
            file_let_go(files[i]);
    place_let_go(here.place);
    files_let_go(here.files);
    return 0;
}
