/* ATA disks by PIO (ata.h): one command at a time from a queue of requests; each interrupt moves one data block.
 *
 * The protocol: ATA/ATAPI-7 volume 2, "PIO data-in command protocol", "PIO data-out command protocol". */
#include "cp/driver/ata.h"

#include <stddef.h>

#include "cp/cpu/port.h"

enum ata_register {
    ATA_DATA,
    ATA_ERROR,
    ATA_COUNT,
    ATA_LBA_LOW,
    ATA_LBA_MID,
    ATA_LBA_HIGH,
    ATA_DEVICE,
    ATA_STATUS,
    ATA_COMMAND = ATA_STATUS
};

enum {
    STATUS_ERROR = 1 << 0,
    STATUS_DRQ = 1 << 3,
    STATUS_FAULT = 1 << 5,
    STATUS_BUSY = 1 << 7,
    STATUS_NOBODY = 0xFF,
    DEVICE_LBA = 0xE0,
    DEVICE_SLAVE = 1 << 4,
    CONTROL_NO_INTERRUPT = 1 << 1,

    COMMAND_IDENTIFY = 0xEC,
    COMMAND_SET_MULTIPLE = 0xC6,
    COMMAND_FLUSH = 0xE7,
    COMMAND_FLUSH_EXT = 0xEA,

    IDENTIFY_WORDS = 256,
    IDENTIFY_MODEL = 27, /* 20 words, high byte first */
    IDENTIFY_MULTIPLE = 47,
    IDENTIFY_LBA28 = 60,
    IDENTIFY_COMMANDS = 83,
    IDENTIFY_LBA48 = 100,
    COMMANDS_LBA48 = 1 << 10,
    COMMANDS_FLUSH = 1 << 12,

    LBA28_END = 1 << 28,
    COMMAND_SECTORS = 256,   /* most sectors of one command: what LBA28's count register reaches */
    PROBE_POLLS = 1000000,   /* about a second, at a microsecond a read */
    WRITE_READY_POLLS = 1000 /* a drive asks for the first block within microseconds */
};

/* by operation, whether the drive moves several sectors a block, and whether the address needs 48 bits */
static const uint8_t transfer_command[2][2][2] = {
    [DISK_READ] = {{0x20, 0x24}, {0xC4, 0x29}},
    [DISK_WRITE] = {{0x30, 0x34}, {0xC5, 0x39}},
};

static uint8_t get(const struct ata_disk *d, enum ata_register r)
{
    return port_in8((uint16_t)(d->command_port + r));
}

static void put(const struct ata_disk *d, enum ata_register r, uint8_t value)
{
    port_out8((uint16_t)(d->command_port + r), value);
}

static void select_device(const struct ata_disk *d, uint8_t address)
{
    put(d, ATA_DEVICE, (uint8_t)(DEVICE_LBA | (d->slave ? DEVICE_SLAVE : 0) | address));
}

/* The status, no sooner than the 400 ns a command needs to show as busy, which so many reads take. It is the alternate
 * one, whose reading does not acknowledge an interrupt. */
static uint8_t status_after_command(const struct ata_disk *d)
{
    for (unsigned i = 0; i < 3; i++)
        port_in8(d->control_port);
    return port_in8(d->control_port);
}

static void put_address(const struct ata_disk *d, uint64_t sector, uint32_t count)
{
    put(d, ATA_COUNT, (uint8_t)count);
    put(d, ATA_LBA_LOW, (uint8_t)sector);
    put(d, ATA_LBA_MID, (uint8_t)(sector >> 8));
    put(d, ATA_LBA_HIGH, (uint8_t)(sector >> 16));
}

/* ---- moving data -------------------------------------------------------------------- */

static void move_block(struct ata_disk *d, struct disk_request *r)
{
    disk_request_work(r);
    uint32_t sectors = d->command_left < d->multiple ? d->command_left : d->multiple;
    uint32_t bytes = sectors * DISK_SECTOR_BYTES;
    while (bytes) {
        const struct disk_segment *s = &r->segment[r->at_segment];
        uint32_t part = s->bytes - r->at_byte < bytes ? s->bytes - r->at_byte : bytes;
        uint8_t *data = (uint8_t *)s->data + r->at_byte;
        if (r->op == DISK_READ)
            port_in_string((uint16_t)(d->command_port + ATA_DATA), data, part / 2);
        else
            port_out_string((uint16_t)(d->command_port + ATA_DATA), data, part / 2);
        bytes -= part;
        r->at_byte += part;
        if (r->at_byte == s->bytes) {
            r->at_segment++;
            r->at_byte = 0;
        }
    }
    d->command_left -= sectors;
    r->sectors_done += sectors;
}

/* ---- commands ------------------------------------------------------------------------ */

static void start_transfer(struct ata_disk *d, struct disk_request *r)
{
    uint64_t sector = r->sector + r->sectors_done;
    uint32_t left = r->sectors - r->sectors_done;
    uint32_t count = left < COMMAND_SECTORS ? left : COMMAND_SECTORS;
    bool wide = sector + count > LBA28_END;
    d->command_left = count;
    d->phase = r->op == DISK_READ ? ATA_READING : ATA_WRITING;
    select_device(d, wide ? 0 : (uint8_t)(sector >> 24 & 0x0F));
    if (wide)
        put_address(d, sector >> 24, count >> 8);
    put_address(d, sector, count);
    put(d, ATA_COMMAND, transfer_command[r->op][d->multiple > 1][wide]);
    if (r->op == DISK_READ)
        return;
    /* No interrupt announces that the first block is wanted. A drive that refuses the command does interrupt. */
    uint8_t status = status_after_command(d);
    for (unsigned i = 0; i < WRITE_READY_POLLS && status & STATUS_BUSY; i++)
        status = port_in8(d->control_port);
    if (!(status & STATUS_BUSY) && status & STATUS_DRQ)
        move_block(d, r);
}

static void start_flush(struct ata_disk *d)
{
    d->phase = ATA_FLUSHING;
    select_device(d, 0);
    put(d, ATA_COMMAND, d->lba48 ? COMMAND_FLUSH_EXT : COMMAND_FLUSH);
}

static void start_next(struct ata_disk *d)
{
    if (d->phase != ATA_IDLE || !d->first)
        return;
    d->now = d->first->turn;
    if (d->first->op == DISK_FLUSH)
        start_flush(d);
    else
        start_transfer(d, d->first);
}

static int submit(struct disk *disk, struct disk_request *r)
{
    struct ata_disk *d = disk->owner;
    int status = disk_request_check(disk, r);
    if (status)
        return status;
    r->at_segment = 0;
    r->at_byte = 0;
    r->sectors_done = 0;
    disk_request_queue(d->first ? &d->first->next : &d->first, d->now, r);
    start_next(d);
    return 0;
}

/* ---- progress -------------------------------------------------------------------------- */

static void complete(struct ata_disk *d, int status)
{
    struct disk_request *r = d->first;
    d->first = r->next;
    d->phase = ATA_IDLE;
    start_next(d); /* the drive works while done() does */
    disk_request_end(&d->disk, r, status);
}

static void command_done(struct ata_disk *d)
{
    if (d->first->sectors_done < d->first->sectors)
        start_transfer(d, d->first);
    else
        complete(d, 0);
}

void ata_interrupt(struct ata_disk *d)
{
    uint8_t status = get(d, ATA_STATUS); /* acknowledges */
    bool failed = status & (STATUS_ERROR | STATUS_FAULT);
    if (d->phase == ATA_IDLE || status & STATUS_BUSY)
        return;
    if (d->phase == ATA_FLUSHING) {
        complete(d, failed && d->has_flush ? -EIO : 0); /* a drive without a cache to flush refuses the command */
    } else if (failed) {
        complete(d, -EIO);
    } else if (status & STATUS_DRQ) {
        move_block(d, d->first);
        if (d->phase == ATA_READING && !d->command_left)
            command_done(d);
    } else if (d->phase == ATA_WRITING && !d->command_left) {
        command_done(d);
    }
}

/* ---- identification ----------------------------------------------------------------------- */

/* The status once the drive is not busy, or STATUS_NOBODY when it stays busy. */
static uint8_t wait_ready(const struct ata_disk *d)
{
    uint8_t status = status_after_command(d);
    for (uint32_t i = 0; i < PROBE_POLLS && status & STATUS_BUSY; i++)
        status = port_in8(d->control_port);
    return status & STATUS_BUSY ? STATUS_NOBODY : status;
}

static bool identify(struct ata_disk *d, uint16_t *words)
{
    uint8_t status;
    select_device(d, 0);
    status = wait_ready(d);
    if (status == STATUS_NOBODY || status == 0)
        return false;
    put_address(d, 0, 0);
    put(d, ATA_COMMAND, COMMAND_IDENTIFY);
    status = wait_ready(d);
    get(d, ATA_STATUS);
    if (status == STATUS_NOBODY || status & STATUS_ERROR || !(status & STATUS_DRQ))
        return false; /* nobody, or an ATAPI drive, which refuses this command */
    port_in_string((uint16_t)(d->command_port + ATA_DATA), words, IDENTIFY_WORDS);
    return true;
}

static void read_model(struct ata_disk *d, const uint16_t *words)
{
    unsigned length = 0;
    for (unsigned i = 0; i < sizeof d->model - 1; i++) {
        uint16_t word = words[IDENTIFY_MODEL + i / 2];
        char c = (char)(i % 2 ? word & 0xFF : word >> 8);
        d->model[i] = c >= ' ' && c <= '~' ? c : ' ';
        if (d->model[i] != ' ')
            length = i + 1;
    }
    d->model[length] = 0;
}

static uint64_t read_size(const struct ata_disk *d, const uint16_t *words)
{
    unsigned at = d->lba48 ? IDENTIFY_LBA48 : IDENTIFY_LBA28;
    uint64_t sectors = words[at] | (uint64_t)words[at + 1] << 16;
    if (d->lba48)
        sectors |= (uint64_t)words[at + 2] << 32 | (uint64_t)words[at + 3] << 48;
    return sectors;
}

static void set_multiple(struct ata_disk *d, uint8_t most)
{
    d->multiple = 1;
    if (most < 2 || most > ATA_MAX_MULTIPLE)
        return;
    select_device(d, 0);
    put(d, ATA_COUNT, most);
    put(d, ATA_COMMAND, COMMAND_SET_MULTIPLE);
    uint8_t status = wait_ready(d);
    get(d, ATA_STATUS);
    if (status != STATUS_NOBODY && !(status & (STATUS_ERROR | STATUS_FAULT)))
        d->multiple = most;
}

bool ata_probe(struct ata_disk *d, uint16_t command_port, uint16_t control_port, uint8_t irq, bool slave)
{
    uint16_t words[IDENTIFY_WORDS];
    *d = (struct ata_disk){.command_port = command_port, .control_port = control_port, .irq = irq, .slave = slave};
    port_out8(control_port, CONTROL_NO_INTERRUPT);
    if (!identify(d, words))
        return false;
    uint16_t commands = words[IDENTIFY_COMMANDS];
    bool valid = (commands & 0xC000) == 0x4000;
    d->lba48 = valid && commands & COMMANDS_LBA48;
    d->has_flush = valid && commands & COMMANDS_FLUSH;
    read_model(d, words);
    set_multiple(d, (uint8_t)words[IDENTIFY_MULTIPLE]);
    d->disk = (struct disk){.name = d->model, .sectors = read_size(d, words), .submit = submit, .owner = d};
    port_out8(control_port, 0);
    return d->disk.sectors > 0;
}
