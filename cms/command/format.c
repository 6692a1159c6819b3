/* FORMAT: an empty file system on a disk. */
#include <string.h>

#include "cms/command/builtin.h"
#include "cms/command/disk_name.h"
#include "cms/command/messages.h"
#include "cms/console/console.h"
#include "cms/kernel/disk.h"
#include "lib/format.h"

enum { DEFAULT_BLOCK = 4096 };

static const struct {
    const char *word;
    uint32_t size;
} block_sizes[] = {
    {"512", 512}, {"1024", 1024}, {"1K", 1024}, {"2048", 2048}, {"2K", 2048}, {"4096", 4096}, {"4K", 4096},
};

static uint32_t block_size_of(const char *word)
{
    for (size_t i = 0; i < sizeof block_sizes / sizeof *block_sizes; i++)
        if (!strcmp(word, block_sizes[i].word))
            return block_sizes[i].size;
    return 0;
}

static int options(const struct arguments *a, uint32_t *block_size)
{
    *block_size = DEFAULT_BLOCK;
    for (int i = 0; i < a->option_count; i++) {
        if (!cms_abbreviates(a->option[i].text, "BLKSIZE", 3))
            return cms_message("FOR", MESSAGE_INVALID_OPTION, cms_typed(&a->option[i]));
        if (++i == a->option_count)
            return cms_message("FOR", MESSAGE_PARAMETER_MISSING, "BLKSIZE");
        *block_size = block_size_of(a->option[i].text);
        if (!*block_size)
            return cms_message("FOR", MESSAGE_INVALID_RECORD, cms_typed(&a->option[i]), "BLKSIZE");
    }
    return 0;
}

bool cms_says_yes(const char *answer)
{
    struct arguments a;
    return cms_parse(answer, &a) && (!strcmp(a.name.text, "1") || cms_abbreviates(a.name.text, "YES", 1));
}

/* 1 to 6 characters of a volume label, folded to upper case */
static bool label_from(const char *answer, char volid[EDF_VOLID_MAX + 1])
{
    struct arguments a;
    if (!cms_parse(answer, &a) || a.name.raw_length > EDF_VOLID_MAX || !edf_name_valid(a.name.text))
        return false;
    strcpy(volid, a.name.text);
    return true;
}

/* False: the user does not want it, or HX. */
static bool ask(const char *disk, char volid[EDF_VOLID_MAX + 1])
{
    char answer[LINE_TEXT_MAX + 1];

    cms_message("FOR", MESSAGE_FORMAT_ERASES, disk);
    if (cms_read(answer, sizeof answer) < 0 || !cms_says_yes(answer))
        return false;
    do {
        cms_message("FOR", MESSAGE_FORMAT_LABEL);
        if (cms_read(answer, sizeof answer) < 0)
            return false;
    } while (!label_from(answer, volid));
    return true;
}

static int format_failed(char letter, uint16_t vdev, const struct mode_problem *problem)
{
    char name[DISK_NAME_MAX];

    format_text(name, sizeof name, "%c(%03X)", letter, vdev);
    if (problem->not_attached)
        return cms_message("FOR", MESSAGE_NOT_ATTACHED, name);
    if (problem->status == EDF_READ_ONLY)
        return cms_message("FOR", MESSAGE_READ_ONLY, name);
    return cms_message("FOR", MESSAGE_UNIT_CHECK, name, edf_status_text(problem->status));
}

static int format_disk(uint16_t vdev, char letter, uint32_t block_size)
{
    struct mode_problem problem;
    struct mode *m;
    struct disk *disk = cms_disk_find(vdev);
    char name[DISK_NAME_MAX], volid[EDF_VOLID_MAX + 1];

    if (!disk || disk->read_only) {
        problem = (struct mode_problem){.not_attached = !disk, .status = EDF_READ_ONLY};
        return format_failed(letter, vdev, &problem);
    }
    format_text(name, sizeof name, "%c(%03X)", letter, vdev);
    for (m = NULL; (m = cms_mode_next(m));)
        if (m->vdev == vdev && cms_mode_open_files(m))
            return cms_message("FOR", MESSAGE_FORMAT_OPEN, name, cms_mode_open_files(m));
    if (!ask(name, volid))
        return cms_console_halted() ? COMMAND_HALTED : 0;
    cms_message("FOR", MESSAGE_FORMATTING, (char[]){letter, 0});
    while ((m = cms_mode_of_device(vdev)))
        cms_mode_release(m->letter);
    if (!cms_mode_format(vdev, block_size, volid, &problem))
        return format_failed(letter, vdev, &problem);
    cms_message("FOR", MESSAGE_FORMATTED, (unsigned)disk->sectors, name);
    return cms_access_disk(vdev, letter, letter, false);
}

int cms_format(const struct arguments *a)
{
    uint32_t block_size;
    uint16_t vdev;
    char letter;
    int rc = options(a, &block_size);

    if (rc)
        return rc;
    if (!a->count)
        return cms_message("FOR", MESSAGE_NO_DEVICE);
    if (!cms_device_number(&a->operand[0], &vdev))
        return cms_message("FOR", MESSAGE_INVALID_DEVICE, cms_typed(&a->operand[0]));
    if (a->count < 2)
        return cms_message("FOR", MESSAGE_UNKNOWN_FUNCTION, "filemode");
    if (!cms_mode_letter(&a->operand[1], &letter))
        return cms_message("FOR", MESSAGE_INVALID_MODE, cms_typed(&a->operand[1]));
    if (a->count > 2)
        return cms_message("FOR", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[2]));
    return format_disk(vdev, letter, block_size);
}
