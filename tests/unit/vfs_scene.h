/* Storage for files, the mounts of a machine without a root image, and short words for what tests do to files. */
#pragma once
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cms/tmpfs/tmpfs.h"
#include "cms/vfs/device.h"
#include "cms/vfs/vfs.h"
#include "tests/unit/fake/cms_caller.h"
#include "tests/unit/fake/cms_machine.h"

static struct vfs_from here;

static void scene_begin(void)
{
    static bool mounted;
    fake_cms_reset();
    fake_caller_reset();
    if (!mounted) {
        device_start();
        tmpfs_start();
    }
    mounted = true;
    tmpfs_reset();
    here = (struct vfs_from){.place = place_make(), .files = files_make(), .at = ABI_AT_FDCWD};
    assert_non_null(here.place);
}

static inline struct file *open_file(const char *path, uint32_t flags)
{
    struct file *f;
    int status = vfs_open(&here, path, flags, 0644, &f);
    if (status)
        print_error("%s: %d\n", path, status);
    assert_int_equal(status, 0);
    return f;
}

static inline int try_open(const char *path, uint32_t flags)
{
    struct file *f;
    int status = vfs_open(&here, path, flags, 0644, &f);
    return status ? status : file_let_go(f);
}

static inline int64_t put_bytes(struct file *f, const void *bytes, size_t count)
{
    struct io_buffer io;
    io_buffer_begin(&io, (void *)bytes, count);
    return file_write(f, &io.io);
}

static inline int64_t put_text(struct file *f, const char *text) { return put_bytes(f, text, strlen(text)); }

static inline int64_t get_bytes(struct file *f, void *to, size_t count)
{
    struct io_buffer io;
    io_buffer_begin(&io, to, count);
    return file_read(f, &io.io);
}

static inline int write_file(const char *path, const char *text)
{
    struct file *f = open_file(path, ABI_O_WRONLY | ABI_O_CREAT | ABI_O_TRUNC);
    assert_int_equal(put_text(f, text), strlen(text));
    return file_let_go(f);
}

/* What a file holds, as text. */
static inline const char *text_of(const char *path)
{
    static char text[70000];
    struct file *f = open_file(path, ABI_O_RDONLY);
    int64_t count = get_bytes(f, text, sizeof text - 1);
    assert_true(count >= 0);
    text[count] = 0;
    file_let_go(f);
    return text;
}
#define assert_file(path, text) assert_string_equal(text_of(path), text)

static inline struct vfs_stat stat_of(const char *path)
{
    struct vfs_stat s;
    assert_int_equal(vfs_stat(&here, path, ABI_AT_SYMLINK_NOFOLLOW, &s), 0);
    return s;
}

/* The names of a directory, in their order, with blanks between. */
static inline const char *names_of(const char *path)
{
    static char text[4096];
    struct file *f = open_file(path, ABI_O_RDONLY | ABI_O_DIRECTORY);
    struct vfs_entry e;
    size_t n = 0;
    while (f->operations->next_entry(f, &e) > 0 && n < sizeof text - 300) {
        memcpy(text + n, e.name, strlen(e.name));
        n += strlen(e.name);
        text[n++] = ' ';
    }
    text[n ? n - 1 : 0] = 0;
    file_let_go(f);
    return text;
}
