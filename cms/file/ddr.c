/* DDR: whole disks to disks, to a tape and from it. On the tape a disk is
 *
 *   02 D D R H   sectors, 8 bytes
 *   02 D D R D   the first sector's number, 8 bytes, and 1 to 64 sectors of which some byte is not zero
 *   02 D D R E   how many sectors there were in all blocks D, 8 bytes
 *
 * and a tape mark; numbers have the high byte first. What no block has is zero. */
#include <string.h>

#include "cms/command/disk_name.h"
#include "cms/command/messages.h"
#include "cms/file/disk_image.h"
#include "cms/file/tape_unit.h"
#include "cms/kernel/heap.h"
#include "lib/format.h"

enum { HEAD = DUMP_HEADER + 8, BLOCK = HEAD + IMAGE_BYTES };

static const uint8_t mark[4] = {0x02, 0xc4, 0xc4, 0xd9}; /* 02 DDR */
static const struct file_option no_options[] = {{NULL, 0, 0, false}};

/* ---- disks ------------------------------------------------------------------------------------------------------- */

enum { NUMBER_MAX = 5 };

static void number_text(char text[NUMBER_MAX], uint16_t vdev)
{
    format_text(text, NUMBER_MAX, "%03X", vdev);
}

static int failed(const struct disk *disk)
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

/* Whether the disk may be overwritten with so many sectors: the user is asked. *goes_on: they agree. */
static int ask(const struct disk *disk, uint64_t sectors, bool *goes_on)
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

static uint32_t chunk(uint64_t sectors, uint64_t at)
{
    return sectors - at < IMAGE_CHUNK ? (uint32_t)(sectors - at) : IMAGE_CHUNK;
}

/* ---- COPY -------------------------------------------------------------------------------------------------------- */

static int copy_sectors(struct disk *from, struct image_out *out, uint8_t *data)
{
    for (uint64_t at = 0; at < from->sectors; at += IMAGE_CHUNK) {
        uint32_t count = chunk(from->sectors, at);
        if (cms_halted())
            return COMMAND_HALTED;
        if (cms_disk_read(from, at, data, count))
            return failed(from);
        if (cms_image_put(out, at, data, count))
            return failed(out->disk);
    }
    return cms_image_end(out, from->sectors) ? failed(out->disk) : 0;
}

/* Writes what `copies` puts, and tells how much that was. */
static int overwrite(struct disk *disk, uint64_t sectors, int (*copies)(void *context, struct image_out *out),
                     void *context)
{
    struct image_out *out = cms_heap_allocate(sizeof *out);
    if (!out)
        return cms_message("DDR", MESSAGE_VIRTUAL_STORAGE);
    uint16_t vdev = disk->vdev;
    char letter = release(vdev);
    int rc = cms_image_begin(out, disk) ? failed(disk) : copies(context, out);
    if (!rc)
        cms_message("DDR", MESSAGE_DDR_DONE, (unsigned long)sectors, vdev, (unsigned long)out->nonzero);
    cms_heap_free(out);
    if (!rc && letter)
        cms_access_disk(vdev, letter, letter, false); /* what it says if that is no CMS disk is enough */
    return rc;
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
        rc = ask(to, c.from->sectors, &goes_on);
    if (rc || !goes_on)
        return rc;
    c.data = cms_heap_allocate(IMAGE_BYTES);
    rc = c.data ? overwrite(to, c.from->sectors, copy_disk, &c) : cms_message("DDR", MESSAGE_VIRTUAL_STORAGE);
    cms_heap_free(c.data);
    return rc;
}

/* ---- DUMP -------------------------------------------------------------------------------------------------------- */

static void head(uint8_t *block, char kind, uint64_t number)
{
    memcpy(block, mark, sizeof mark);
    block[sizeof mark] = edf_ebcdic_from_ascii((uint8_t)kind);
    for (int i = 0; i < 8; i++)
        block[DUMP_HEADER + i] = (uint8_t)(number >> (56 - 8 * i));
}

static int dump_sectors(struct disk *disk, struct tape_out *tape, uint8_t *block, uint64_t *dumped)
{
    head(block, 'H', disk->sectors);
    if (aws_write(&tape->dump->tape, block, HEAD))
        return cms_tape_out_failed(tape);
    for (uint64_t at = 0; at < disk->sectors; at += IMAGE_CHUNK) {
        uint32_t count = chunk(disk->sectors, at);
        if (cms_halted())
            return COMMAND_HALTED;
        if (cms_disk_read(disk, at, block + HEAD, count))
            return failed(disk);
        while (count && cms_image_is_zero(block + HEAD + (count - 1) * DISK_SECTOR, DISK_SECTOR))
            count--;
        head(block, 'D', at);
        if (count && aws_write(&tape->dump->tape, block, HEAD + count * DISK_SECTOR))
            return cms_tape_out_failed(tape);
        for (uint32_t i = 0; i < count; i++)
            *dumped += !cms_image_is_zero(block + HEAD + i * DISK_SECTOR, DISK_SECTOR);
    }
    head(block, 'E', *dumped);
    bool whole = !aws_write(&tape->dump->tape, block, HEAD) && !aws_write_mark(&tape->dump->tape);
    return whole ? 0 : cms_tape_out_failed(tape);
}

static int dump_disk(struct disk *disk, struct tape_unit *unit)
{
    struct tape_out tape = {0};
    uint64_t dumped = 0;
    uint8_t *block = cms_heap_allocate(BLOCK);
    int rc = block ? cms_tape_create(&tape, unit) : cms_message("DDR", MESSAGE_VIRTUAL_STORAGE);
    if (!rc)
        rc = dump_sectors(disk, &tape, block, &dumped);
    if (!rc)
        rc = cms_tape_commit(&tape, tape.at);
    cms_tape_abandon(&tape);
    cms_heap_free(block);
    if (!rc)
        cms_message("DDR", MESSAGE_DDR_DONE, (unsigned long)disk->sectors, disk->vdev, (unsigned long)dumped);
    return rc;
}

/* ---- RESTORE ----------------------------------------------------------------------------------------------------- */

struct restoring {
    struct tape_in tape;
    uint64_t start, sectors, found;
    const char *why; /* what is wrong with the image */
};

static uint64_t number_of(const uint8_t *block)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | block[DUMP_HEADER + i];
    return number;
}

/* A block of the image; its kind, or 0 with r->why set. *length: its bytes behind the head. */
static char next_block(struct restoring *r, size_t *length)
{
    struct dump_reader *dump = r->tape.dump;
    enum aws_status status = aws_read(&dump->tape, dump->block, length);
    bool whole = status == AWS_BLOCK && *length >= HEAD && !memcmp(dump->block, mark, sizeof mark);
    char kind = whole ? (char)edf_ascii_from_ebcdic(dump->block[sizeof mark]) : 0;
    r->why = status == AWS_DAMAGED ? dump->tape.why : whole ? NULL : "a block is not one of DDR DUMP";
    *length -= whole ? HEAD : 0;
    return kind;
}

/* All blocks behind the first, into `out` unless that is NULL: 0, or an error of the disk. r->why: of the tape. */
static int pass_image(struct restoring *r, struct image_out *out)
{
    const uint8_t *block = r->tape.dump->block;
    uint64_t next = 0;
    size_t length;
    char kind;
    for (r->found = 0; (kind = next_block(r, &length)) == 'D';) {
        uint64_t at = number_of(block), count = length / DISK_SECTOR;
        if (cms_halted())
            return COMMAND_HALTED;
        if (length % DISK_SECTOR || !count || count > IMAGE_CHUNK || at < next || at > r->sectors ||
            count > r->sectors - at) {
            r->why = "its sectors are not in order, or beyond its end";
            return 0;
        }
        next = at + count;
        for (uint64_t i = 0; i < count; i++)
            r->found += !cms_image_is_zero(block + HEAD + i * DISK_SECTOR, DISK_SECTOR);
        if (out && cms_image_put(out, at, block + HEAD, (uint32_t)count))
            return failed(out->disk);
    }
    if (!r->why && (kind != 'E' || number_of(block) != r->found))
        r->why = "its end is missing";
    return 0;
}

static int wrong_image(struct restoring *r)
{
    char name[TAPE_UNIT_NAME_MAX];
    if (r->tape.status)
        return cms_tape_failed(&r->tape, DUMP_TAPE);
    cms_tape_unit_name(r->tape.unit, name);
    return cms_message("DDR", MESSAGE_DDR_FORMAT, name, r->why);
}

/* The whole image is read, so that a tape that is damaged costs no disk. */
static int check_image(struct restoring *r)
{
    size_t length;
    char kind = next_block(r, &length);
    if (!r->why && kind != 'H')
        r->why = "a block is not the first of DDR DUMP";
    r->sectors = r->why ? 0 : number_of(r->tape.dump->block);
    r->start = r->tape.dump->tape.at;
    int rc = r->why ? 0 : pass_image(r, NULL);
    return rc ? rc : r->why ? wrong_image(r) : 0;
}

static int restore_image(void *context, struct image_out *out)
{
    struct restoring *r = context;
    r->tape.dump->tape.at = r->start;
    int rc = pass_image(r, out);
    if (!rc && r->why)
        rc = wrong_image(r);
    return rc || !cms_image_end(out, r->sectors) ? rc : failed(out->disk);
}

static int restore_from(struct restoring *r, struct disk *disk)
{
    bool goes_on;
    if (r->tape.file.mode->vdev == disk->vdev)
        return cms_message("DDR", MESSAGE_DDR_SAME, disk->vdev);
    int rc = check_image(r);
    if (!rc)
        rc = ask(disk, r->sectors, &goes_on);
    if (rc || !goes_on)
        return rc;
    rc = overwrite(disk, r->sectors, restore_image, r);
    r->tape.unit->at = r->tape.dump->tape.at;
    return rc;
}

static int restore_disk(struct disk *disk, struct tape_unit *unit)
{
    struct restoring r = {0};
    int rc = cms_tape_open(&r.tape, unit);
    if (!rc)
        rc = restore_from(&r, disk);
    cms_tape_close(&r.tape);
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
        return with_tape(a, dump_disk);
    if (cms_word_is(function, "RESTORE", 1))
        return with_tape(a, restore_disk);
    if (!cms_word_is(function, "COPY", 2))
        return cms_message("DDR", MESSAGE_INVALID_PARAMETER, cms_typed(function));
    int rc = cms_file_options("DDR", a, no_options, &options);
    return rc ? rc : ddr_copy(a);
}
