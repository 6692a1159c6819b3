/* DDR: whole disks to disks, and by a tape (ddr_tape.c). */
#include "cms/file/ddr.h"

#include <string.h>

#include "cms/command/disk_name.h"
#include "cms/command/messages.h"
#include "cms/kernel/heap.h"
#include "lib/format.h"

static const struct file_option no_options[] = {{NULL, 0, 0, false}};

/* ---- disks ------------------------------------------------------------------------------------------------------- */

enum { NUMBER_MAX = 5 };

static void number_text(char text[NUMBER_MAX], uint16_t vdev)
{
    format_text(text, NUMBER_MAX, "%03X", vdev);
}

int cms_ddr_failed(const struct disk *disk)
{
    char name[NUMBER_MAX];
    number_text(name, disk->vdev);
    return cms_message("DDR", MESSAGE_UNIT_CHECK, name, "device error");
}

static int find(const struct word *word, struct disk **disk)
{
    char name[NUMBER_MAX];
    uint16_t vdev;
    if (!cms_device_number(word, &vdev))
        return cms_message("DDR", MESSAGE_INVALID_DEVICE, cms_typed(word));
    *disk = cms_disk_find(vdev);
    number_text(name, vdev);
    return *disk ? 0 : cms_message("DDR", MESSAGE_NOT_ATTACHED, name);
}

int cms_ddr_ask(const struct disk *disk, uint64_t sectors, bool *goes_on)
{
    static char answer[COMMAND_LINE_MAX + 1];
    char name[NUMBER_MAX];
    *goes_on = false;
    number_text(name, disk->vdev);
    if (disk->read_only)
        return cms_message("DDR", MESSAGE_READ_ONLY, name);
    if (disk->sectors < sectors)
        return cms_message("DDR", MESSAGE_DDR_SMALLER, disk->vdev, (unsigned long)disk->sectors,
                           (unsigned long)sectors);
    cms_message("DDR", MESSAGE_DDR_OVERWRITES, disk->vdev);
    if (cms_read(answer, sizeof answer) < 0)
        return COMMAND_HALTED;
    *goes_on = cms_says_yes(answer);
    return 0;
}

/* The letter it was accessed as first, 0: none. */
static char release(uint16_t vdev)
{
    char letter = 0;
    for (struct mode *m; (m = cms_mode_of_device(vdev)); cms_mode_release(m->letter))
        letter = letter ? letter : m->letter;
    return letter;
}

int cms_ddr_overwrite(struct disk *disk, uint64_t sectors, image_source *copies, void *context)
{
    struct image_out *out = cms_heap_allocate(sizeof *out);
    if (!out)
        return cms_message("DDR", MESSAGE_VIRTUAL_STORAGE);
    uint16_t vdev = disk->vdev;
    char letter = release(vdev);
    int rc = cms_image_begin(out, disk) ? cms_ddr_failed(disk) : copies(context, out);
    if (!rc)
        cms_message("DDR", MESSAGE_DDR_DONE, (unsigned long)sectors, vdev, (unsigned long)out->nonzero);
    cms_heap_free(out);
    if (!rc && letter)
        cms_access_disk(vdev, letter, letter, false); /* what it says if that is no CMS disk is enough */
    return rc;
}

/* ---- COPY -------------------------------------------------------------------------------------------------------- */

static int copy_sectors(struct disk *from, struct image_out *out, uint8_t *data)
{
    for (uint64_t at = 0; at < from->sectors; at += IMAGE_CHUNK) {
        uint32_t count = ddr_chunk(from->sectors, at);
        if (cms_halted())
            return COMMAND_HALTED;
        if (cms_disk_read(from, at, data, count))
            return cms_ddr_failed(from);
        if (cms_image_put(out, at, data, count))
            return cms_ddr_failed(out->disk);
    }
    return cms_image_end(out, from->sectors) ? cms_ddr_failed(out->disk) : 0;
}

struct copying {
    struct disk *from;
    uint8_t *data;
};

static int copy_disk(void *context, struct image_out *out)
{
    struct copying *c = context;
    return copy_sectors(c->from, out, c->data);
}

static int ddr_copy(const struct arguments *a)
{
    struct copying c = {0};
    struct disk *to;
    bool goes_on;
    if (a->count < 4)
        return cms_message("DDR", MESSAGE_NO_DEVICE);
    if (!cms_word_is(&a->operand[2], "TO", 2) || a->count > 4)
        return cms_message("DDR", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[a->count > 4 ? 4 : 2]));
    int rc = find(&a->operand[1], &c.from);
    if (!rc)
        rc = find(&a->operand[3], &to);
    if (!rc && c.from == to)
        rc = cms_message("DDR", MESSAGE_DDR_SAME, to->vdev);
    if (!rc)
        rc = cms_ddr_ask(to, c.from->sectors, &goes_on);
    if (rc || !goes_on)
        return rc;
    c.data = cms_heap_allocate(IMAGE_BYTES);
    rc = c.data ? cms_ddr_overwrite(to, c.from->sectors, copy_disk, &c) : cms_message("DDR", MESSAGE_VIRTUAL_STORAGE);
    cms_heap_free(c.data);
    return rc;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static int with_tape(const struct arguments *a, int (*run)(struct disk *disk, struct tape_unit *unit))
{
    const struct word tap1 = {.text = "TAP1", .raw = "TAP1", .raw_length = 4};
    struct tape_unit *unit = cms_tape_unit(a->option_count ? &a->option[0] : &tap1);
    struct disk *disk;
    if (a->count < 2)
        return cms_message("DDR", MESSAGE_NO_DEVICE);
    if (a->count > 2)
        return cms_message("DDR", MESSAGE_INVALID_OPERAND, cms_typed(&a->operand[2]));
    if (!unit || a->option_count > 1)
        return cms_message("DDR", MESSAGE_INVALID_OPTION, cms_typed(&a->option[unit ? 1 : 0]));
    int rc = find(&a->operand[1], &disk);
    return rc ? rc : run(disk, unit);
}

int cms_file_ddr(const struct arguments *a)
{
    struct file_options options;
    const struct word *function = &a->operand[0];
    if (!a->count)
        return cms_message("DDR", MESSAGE_NO_OPERANDS);
    if (cms_word_is(function, "DUMP", 2))
        return with_tape(a, cms_ddr_dump);
    if (cms_word_is(function, "RESTORE", 1))
        return with_tape(a, cms_ddr_restore);
    if (!cms_word_is(function, "COPY", 2))
        return cms_message("DDR", MESSAGE_INVALID_PARAMETER, cms_typed(function));
    int rc = cms_file_options("DDR", a, no_options, &options);
    return rc ? rc : ddr_copy(a);
}
