/* From a kernel on a minidisk to the end of its machine. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "cms/command/command.h"
#include "cms/command/messages.h"
#include "cms/eel/eel.h"
#include "cms/kernel/cp.h"
#include "cms/kernel/heap.h"
#include "cms/program/program.h"
#include "cms/vfs/abi.h"
#include "lib/format.h"

/* Its bytes as programs see them; a negative errno. */
static int64_t size_of(const struct file_found *found)
{
    char path[PROGRAM_PATH];
    struct vfs_stat s;
    struct place *place = place_make();
    if (!place)
        return -ENOMEM;
    const struct vfs_from from = {place, NULL, ABI_AT_FDCWD};
    cms_program_path(found, path);
    int error = vfs_stat(&from, path, 0, &s);
    place_let_go(place);
    return error ? error : s.size;
}

/* On the heap, till the command ends. 0, or a negative errno. */
static int load(const struct file_found *found, void **image, size_t *bytes)
{
    program_begin();
    int64_t size = size_of(found);
    if (size < 0)
        return (int)size;
    if (size > INT_MAX)
        return -ENOMEM;
    *image = cms_heap_allocate(size ? (size_t)size : 1);
    int got = *image ? cms_program_peek(found, *image, (size_t)size) : -ENOMEM;
    *bytes = got < 0 ? 0 : (size_t)got;
    return got < 0 ? got : 0;
}

/* What the kernel finds as its command line: its name, and what was typed behind it. */
static bool make_line(char line[CMS_CP_LINE_MAX + 1], const struct file_found *found, const char *argument)
{
    return format_text(line, CMS_CP_LINE_MAX + 1, "%s%s%s", found->facts.name, *argument ? " " : "", argument) <=
           CMS_CP_LINE_MAX;
}

static int tell(enum cms_cp_machine status, uint64_t code, const char *text)
{
    switch (status) {
    case CMS_MACHINE_ENDED: return code <= INT_MAX ? (int)code : INT_MAX;
    case CMS_MACHINE_ABSENT: return cms_message("PGM", MESSAGE_PROGRAM_MACHINE, text);
    case CMS_MACHINE_FORBIDDEN: return cms_message("EEL", MESSAGE_EEL_FORBIDDEN, "MACHINE");
    case CMS_MACHINE_NO_ROOM:
        return cms_message("PGM", MESSAGE_PROGRAM_NO_MACHINE, text, "CP gives no further machine");
    case CMS_MACHINE_REFUSED: break;
    }
    return cms_message("PGM", MESSAGE_PROGRAM_NO_MACHINE, text, "it, or what was typed behind it, is too long");
}

int cms_program_machine(const struct file_found *found, const char *argument)
{
    char text[FILE_ID_MAX], line[CMS_CP_LINE_MAX + 1];
    void *image = NULL;
    size_t bytes = 0;
    uint64_t code = 0;
    cms_file_found_text(found, text);
    if (!cms_cp_present())
        return tell(CMS_MACHINE_ABSENT, 0, text);
    if (!make_line(line, found, argument))
        return tell(CMS_MACHINE_REFUSED, 0, text);
    int error = load(found, &image, &bytes);
    enum cms_cp_machine status = error ? CMS_MACHINE_ABSENT : cms_cp_machine(image, bytes, line, &code);
    int rc = error == -ENOMEM ? cms_message("PGM", MESSAGE_PROGRAM_NO_MACHINE, text, "CMS has no storage for it")
             : error          ? cms_message("EEL", MESSAGE_EEL_UNREADABLE, text, -error)
                              : tell(status, code, text);
    cms_heap_free(image);
    return rc;
}
