/* Hostile root images. The input is a list of patches (5 bytes each: where, what) over a sound image, or, where its
 * first byte is odd, what the image begins with. All of it is walked, listed, read and mapped; nothing may crash, loop
 * or read outside the disk. */
#include <string.h>

#include "cms/erofs/erofs.h"
#include "cms/kernel/disk.h"
#include "cms/kernel/frame.h"
#include "cms/vfs/device.h"
#include "cms/vfs/vfs.h"
#include "tests/unit/fake/cms_caller.c" /* before the process room's own */
#include "tests/unit/fake/cms_machine.h"
#include "tests/unit/fake/erofs_image.h"

enum { SIZE = EROFS_IMAGE_BLOCKS * 4096, STEPS = 2000, DEPTH = 6 };

static uint8_t sound[SIZE], image[SIZE];
static unsigned steps;
static struct vfs_from here;

static void patch(const uint8_t *data, size_t size)
{
    static const unsigned bases[] = {1024, 4096, 4096 + 36 * 32, 4096 + 44 * 32, 4096 + 84 * 32, 0};
    for (; size >= 5; data += 5, size -= 5) {
        unsigned at = bases[data[0] % 6] + (data[1] | (data[0] & 0x80 ? data[2] << 8 : 0));
        image[at % SIZE] = data[3];
        if (data[0] & 0x40)
            image[(at + 1) % SIZE] = data[4];
    }
}

static void read_all(struct file *f)
{
    static char piece[8192];
    struct space_object *object;
    struct io_buffer io;
    int64_t n;
    do {
        io_buffer_begin(&io, piece, sizeof piece);
        n = file_read(f, &io.io);
    } while (n > 0 && ++steps < STEPS);
    if (!f->operations->map || f->operations->map(f, &object))
        return;
    for (uint64_t offset = 0; offset < 5 * 4096; offset += 4096) {
        void *frame;
        if (!object->operations->page(object, offset, false, &frame))
            cms_frame_give(frame);
    }
    object->operations->let_go(object);
}

static void walk(const char *path, unsigned depth)
{
    char inner[VFS_PATH_MAX], target[64];
    struct vfs_entry e;
    struct vfs_stat s;
    struct file *f;
    vfs_stat(&here, path, ABI_AT_SYMLINK_NOFOLLOW, &s);
    vfs_readlink(&here, path, target, sizeof target);
    if (vfs_open(&here, path, ABI_O_RDONLY, 0, &f))
        return;
    if (!f->operations->next_entry)
        read_all(f);
    while (f->operations->next_entry && depth < DEPTH && ++steps < STEPS && f->operations->next_entry(f, &e) > 0) {
        size_t length = strlen(path);
        if (e.name[0] == '.' || length + strlen(e.name) + 2 > sizeof inner)
            continue;
        memcpy(inner, path, length);
        inner[length] = '/';
        strcpy(inner + length + 1, e.name);
        walk(inner, depth + 1);
    }
    file_let_go(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    char path[256];
    if (!made)
        erofs_image_make(sound);
    made = true;
    memcpy(image, sound, sizeof image);
    if (size && data[0] & 1)
        memcpy(image + 1024, data + 1, size - 1 < SIZE - 1024 ? size - 1 : SIZE - 1024);
    else if (size)
        patch(data + 1, size - 1);
    vfs_set_root(NULL);
    fake_cms_reset();
    fake_caller_reset();
    erofs_reset();
    fake_cms_attach(EROFS_DISK, false);
    cms_disk_write(cms_disk_find(EROFS_DISK), 0, image, SIZE / 512);
    vfs_set_root(erofs_top);
    here = (struct vfs_from){.place = place_make(), .files = files_make(), .at = ABI_AT_FDCWD};
    steps = 0;
    walk("/.", 0);
    if (!place_change(here.place, here.files, ABI_AT_FDCWD, "/many") ||
        !place_change(here.place, here.files, ABI_AT_FDCWD, "/dir/../dir"))
        place_path(here.place, path, sizeof path);
    place_let_go(here.place);
    files_let_go(here.files);
    return 0;
}
