/* Hostile minidisks. The input is a list of patches over a valid image (a block size, then 6 bytes each: where, how,
 * what), or, when its first byte is odd, raw bytes laid over label, directory and pointer blocks. What comes of it is
 * accessed, listed, read, checked and changed; nothing may crash, loop or write outside the disk, and what was written
 * to a disk the check had called clean must leave it clean. */
#include "cms/edf/edf_check.h"
#include "cms/edf/edf_internal.h"
#include "tests/unit/fake/edf_state.h"
#include "tests/unit/fake/foreign.h"
#include <stdlib.h>
#include <string.h>

/* Image 4 has blocks of 512 bytes and so many of them that its map has pointer blocks; the last ones are full, as
 * others leave them. */
enum { BLOCKS = 160, BLOCKS_MANY = 4200, MANY = 4, FULL = 5, IMAGES = 8, RECORDS_READ = 3000 };

static const struct foreign full[] = {{512, 54, 40, 1}, {512, 78, 9, 6}, {4096, 40, 14, 1}};

static struct minidisk disk;
static uint8_t *images[IMAGES];
static uint8_t record[EDF_LRECL_MAX];

static uint32_t block_size_of(int index)
{
    return index < FULL ? 512u << index % 4 : full[index - FULL].block_size;
}

static void open_disk(int index)
{
    uint64_t blocks = index < MANY ? BLOCKS : index == MANY ? BLOCKS_MANY : full[index - FULL].blocks;
    minidisk_open(&disk, blocks * (block_size_of(index) / EDF_SECTOR));
}

static void make_files(int index)
{
    uint32_t block_size = block_size_of(index);
    char name[9] = "FILE0";
    open_disk(index);
    if (edf_format(&disk.device, &disk.host, block_size, "FUZZ"))
        abort();
    struct edf_disk *accessed = edf_access_or_die(&disk, true);
    for (uint32_t i = 0; i < 9; i++, name[4]++)
        if (edf_put(accessed, name, "DATA", i & 1 ? 'F' : 'V', 40 + i * 100, 4 + i * 2, i))
            abort();
    edf_release(accessed);
}

static void make_image(int index)
{
    if (index < FULL)
        make_files(index);
    else if (!foreign_open(&disk, &full[index - FULL]))
        abort();
    images[index] = malloc(disk.size);
    memcpy(images[index], disk.bytes, disk.size);
    minidisk_close(&disk);
}

/* Patches aim at what is interesting: the label, the directory's blocks, the first blocks of all, anything. */
static size_t target(const uint8_t *patch, uint32_t block_size)
{
    size_t offset = (size_t)patch[1] << 8 | patch[2];
    switch (patch[0] & 3) {
    case 0: return EDF_SECTOR + offset % 0x50;
    case 1: return 3 * (size_t)block_size + offset % (2 * block_size);
    case 2: return 3 * (size_t)block_size + offset * 4 % (40 * block_size);
    default: return offset * 16 % disk.size;
    }
}

static void apply_patches(const uint8_t *data, size_t size, uint32_t block_size)
{
    for (; size >= 6; data += 6, size -= 6) {
        size_t at = target(data, block_size), n = data[0] & 4 ? 4 : data[0] & 8 ? 2 : 1;
        if (at + n > disk.size)
            continue;
        const uint8_t value[4] = {data[0] & 16 ? 0xff : 0, data[0] & 32 ? 0xff : 0, data[4], data[5]};
        memcpy(disk.bytes + at, value + 4 - n, n);
        if (data[0] & 64) /* whatever lies there becomes the entry of an erased file */
            edf_fst_put_erased(disk.bytes + at / FST_SIZE * FST_SIZE);
    }
}

static void apply_raw(const uint8_t *data, size_t size, uint32_t block_size)
{
    size_t part = size < 0x50 ? size : 0x50;
    memcpy(disk.bytes + EDF_SECTOR + 4, data, part > 4 ? part - 4 : 0);
    data += part;
    size -= part;
    size_t room = disk.size - 3 * (size_t)block_size;
    memcpy(disk.bytes + 3 * (size_t)block_size, data, size < room ? size : room);
}

static void read_file(struct edf_disk *accessed, const struct edf_file_facts *facts)
{
    struct edf_reader *reader;
    uint32_t length, count = 0;
    if (edf_open(accessed, facts->name, facts->type, &reader))
        return;
    while (count++ < RECORDS_READ && edf_read(reader, record, sizeof record, &length) == EDF_OK)
        ;
    for (uint32_t number = facts->records; number; number /= 3)
        if (edf_seek(reader, number) == EDF_OK)
            edf_read(reader, record, sizeof record, &length);
    edf_close(reader);
}

static void change(struct edf_disk *accessed)
{
    edf_put(accessed, "FILE2", "DATA", 'V', 300, 20, 1);
    edf_add(accessed, "FILE3", "DATA", 'F', 340, 5, 2);
    edf_add(accessed, "FILE4", "DATA", 'V', 200, 30, 3);
    edf_rename(accessed, "FILE5", "DATA", "OTHER", "DATA");
    edf_erase(accessed, "FILE6", "DATA");
    edf_put(accessed, "NEW", "DATA", 'F', 80, 40, 4);
    edf_erase(accessed, "FILE0", "DATA");
    for (char name[] = "F0"; name[1] <= '9'; name[1]++)
        edf_erase(accessed, name, "FILE");
    edf_put(accessed, "NEWER", "DATA", 'V', 90, 9, 5);
}

static void use(bool clean)
{
    struct edf_disk *accessed;
    struct edf_file_facts facts;
    uint32_t position = 0;
    if (edf_access(&disk.device, &disk.host, true, &accessed, NULL))
        return;
    for (int i = 0; i < 40 && edf_next(accessed, &position, NULL, NULL, &facts) == EDF_OK; i++)
        read_file(accessed, &facts);
    change(accessed);
    edf_release(accessed);
    if (clean && edf_faults(&disk, true))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct edf_check_report report;
    if (size < 2 || size > 65536)
        return 0;
    int choice = data[0] >> 1 & 15, index = choice == 15 ? MANY : choice > 8 ? FULL + choice % 3 : choice & 3;
    uint32_t block_size = block_size_of(index);
    if (!images[index])
        make_image(index);
    open_disk(index);
    memcpy(disk.bytes, images[index], disk.size);
    if (data[0] & 1)
        apply_raw(data + 1, size - 1, block_size);
    else
        apply_patches(data + 1, size - 1, block_size);
    enum edf_status status = edf_check(&disk.device, &disk.host, NULL, NULL, &report);
    use(status == EDF_OK && report.faults == 0);
    minidisk_close(&disk);
    return 0;
}
