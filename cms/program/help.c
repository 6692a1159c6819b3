/* The HELP files of the root image. In: a file's name. Out: its bytes. */
#include <errno.h>
#include <limits.h>

#include "cms/help/root.h"
#include "cms/program/program.h"
#include "cms/vfs/abi.h"
#include "lib/format.h"

#define FOLDER "/usr/share/cms/help/"

int64_t cms_help_root_read(const char *file, void *bytes, size_t size)
{
    char path[64];
    struct io_buffer io;
    struct file *f;
    struct place *place;

    if (format_text(path, sizeof path, FOLDER "%s", file) >= sizeof path)
        return -ENAMETOOLONG;
    program_begin();
    if (!(place = place_make()))
        return -ENOMEM;
    const struct vfs_from from = {place, NULL, ABI_AT_FDCWD};
    int error = vfs_open(&from, path, ABI_O_RDONLY, 0, &f);
    place_let_go(place);
    if (error)
        return error;
    io_buffer_begin(&io, bytes, size);
    int64_t got = file_read_at(f, &io.io, 0);
    file_let_go(f);
    return got;
}
