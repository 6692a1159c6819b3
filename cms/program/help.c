/* The HELP files of the root image. In: a file's name. Out: its bytes. */
#include <errno.h>

#include "cms/help/root.h"
#include "cms/program/program.h"
#include "lib/format.h"

#define FOLDER "/usr/share/cms/help/"

int64_t cms_help_root_read(const char *file, void *bytes, size_t size)
{
    char path[64];
    bool fits = format_text(path, sizeof path, FOLDER "%s", file) < sizeof path;
    return fits ? program_read(path, bytes, size) : -ENAMETOOLONG;
}
