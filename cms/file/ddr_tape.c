/* DDR DUMP and RESTORE: whole disks to a tape and from it. On the tape a disk is
 *
 *   02 D D R H   sectors, 8 bytes
 *   02 D D R D   the first sector's number, 8 bytes, and 1 to 64 sectors of which some byte is not zero
 *   02 D D R E   how many sectors there were in all blocks D, 8 bytes
 *
 * and a tape mark; numbers have the high byte first. What no block has is zero. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/file/ddr.h"
#include "cms/kernel/heap.h"

enum { HEAD = DUMP_HEADER + 8, BLOCK = HEAD + IMAGE_BYTES };

static const uint8_t mark[4] = {0x02, 0xc4, 0xc4, 0xd9}; /* 02 DDR */

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
        uint32_t count = ddr_chunk(disk->sectors, at);
        if (cms_halted())
            return COMMAND_HALTED;
        if (cms_disk_read(disk, at, block + HEAD, count))
            return cms_ddr_failed(disk);
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

int cms_ddr_dump(struct disk *disk, struct tape_unit *unit)
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
            return cms_ddr_failed(out->disk);
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
    return rc || !cms_image_end(out, r->sectors) ? rc : cms_ddr_failed(out->disk);
}

static int restore_from(struct restoring *r, struct disk *disk)
{
    bool goes_on;
    if (r->tape.file.mode->vdev == disk->vdev)
        return cms_message("DDR", MESSAGE_DDR_SAME, disk->vdev);
    int rc = check_image(r);
    if (!rc)
        rc = cms_ddr_ask(disk, r->sectors, &goes_on);
    if (rc || !goes_on)
        return rc;
    rc = cms_ddr_overwrite(disk, r->sectors, restore_image, r);
    r->tape.unit->at = r->tape.dump->tape.at;
    return rc;
}

int cms_ddr_restore(struct disk *disk, struct tape_unit *unit)
{
    struct restoring r = {0};
    int rc = cms_tape_open(&r.tape, unit);
    if (!rc)
        rc = restore_from(&r, disk);
    cms_tape_close(&r.tape);
    return rc;
}
