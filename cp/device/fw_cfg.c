/* Items are laid out in frames as they are read: the fixed ones and the directory first, then the files. */
#include "cp/device/fw_cfg.h"

#include <string.h>

enum { ITEM_SIGNATURE = 0, ITEM_ID = 1, ITEM_RAM = 3, ITEM_CPUS = 5, ITEM_MOST_CPUS = 15, ITEM_DIRECTORY = 0x19,
       ITEM_FILE = 0x20 };
enum { ID_PORTS = 1 /* bit 1 would be DMA */ };

struct fw_cfg_area {
    char signature[4];
    uint32_t id;
    uint64_t ram;
    uint16_t cpus;
    uint32_t used, files, at[FW_CFG_FILES]; /* of data */
    struct {
        uint8_t count[4]; /* all of it is big-endian */
        struct {
            uint8_t bytes[4], selector[2], reserved[2];
            char name[FW_CFG_NAME];
        } file[FW_CFG_FILES];
    } directory;
    uint32_t bytes[FW_CFG_FILES];
    _Alignas(8) uint8_t data[];
};
_Static_assert(sizeof(((struct fw_cfg_area *)0)->directory) == 4 + 64 * FW_CFG_FILES, "directory of fw_cfg");
_Static_assert(sizeof(struct fw_cfg_area) < PAGE_SIZE, "the files have the rest");

static void big_endian(uint8_t *to, unsigned bytes, uint32_t value)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

struct item {
    const void *data;
    size_t bytes;
};

static struct item selected(const struct fw_cfg *f)
{
    const struct fw_cfg_area *a = f->area;
    unsigned key = f->selected, file = key - ITEM_FILE;
    switch (key) {
    case ITEM_SIGNATURE: return (struct item){a->signature, sizeof a->signature};
    case ITEM_ID: return (struct item){&a->id, sizeof a->id};
    case ITEM_RAM: return (struct item){&a->ram, sizeof a->ram};
    case ITEM_CPUS:
    case ITEM_MOST_CPUS: return (struct item){&a->cpus, sizeof a->cpus};
    case ITEM_DIRECTORY: return (struct item){&a->directory, sizeof a->directory};
    }
    return key >= ITEM_FILE && file < a->files ? (struct item){a->data + a->at[file], a->bytes[file]}
                                               : (struct item){NULL, 0};
}

/* Behind its end an item is zeros. */
static uint32_t data_read(void *device, uint16_t port, unsigned size)
{
    struct fw_cfg *f = device;
    struct item item = selected(f);
    uint8_t byte = f->offset < item.bytes ? ((const uint8_t *)item.data)[f->offset] : 0;
    (void)port, (void)size;
    f->offset += f->offset < item.bytes;
    return byte;
}

static void select_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    struct fw_cfg *f = device;
    (void)port;
    if (size < 2)
        return;
    f->selected = (uint16_t)value;
    f->offset = 0;
}

void fw_cfg_reset(struct fw_cfg *f) { f->selected = 0, f->offset = 0; }

void fw_cfg_end(struct fw_cfg *f)
{
    if (!f->area)
        return;
    bus_release(f->bus, f);
    frame_free_run(f->account, f->area, FW_CFG_PAGES);
    *f = (struct fw_cfg){0};
}

bool fw_cfg_begin(struct fw_cfg *f, struct bus *bus, struct frame_account *account, uint64_t ram)
{
    struct bus_ports selector = {.first = FW_CFG_SELECTOR, .last = FW_CFG_SELECTOR, .device = f,
                                 .write = select_write};
    struct bus_ports data = {.first = FW_CFG_DATA, .last = FW_CFG_DATA, .byte_wide = true, .device = f,
                             .read = data_read};
    fw_cfg_end(f);
    struct fw_cfg_area *a = frame_alloc_run(account, FW_CFG_PAGES);
    if (!a)
        return false;
    *f = (struct fw_cfg){.area = a, .bus = bus, .account = account};
    memcpy(a->signature, "QEMU", sizeof a->signature);
    a->id = ID_PORTS;
    a->ram = ram;
    a->cpus = 1;
    bus_claim_ports(bus, &selector);
    bus_claim_ports(bus, &data);
    return true;
}

void *fw_cfg_file(struct fw_cfg *f, const char *name, size_t bytes)
{
    struct fw_cfg_area *a = f->area;
    unsigned n = a->files;
    if (n == FW_CFG_FILES || bytes > FW_CFG_PAGES * PAGE_SIZE - sizeof *a - a->used)
        return NULL;
    a->at[n] = a->used;
    a->files++;
    big_endian(a->directory.count, 4, a->files);
    big_endian(a->directory.file[n].selector, 2, ITEM_FILE + n);
    memcpy(a->directory.file[n].name, name, strlen(name) + 1);
    fw_cfg_file_ends(f, bytes);
    return a->data + a->at[n];
}

void fw_cfg_file_ends(struct fw_cfg *f, size_t bytes)
{
    struct fw_cfg_area *a = f->area;
    unsigned n = a->files - 1;
    a->bytes[n] = (uint32_t)bytes;
    a->used = a->at[n] + (((uint32_t)bytes + 7) & ~7u);
    big_endian(a->directory.file[n].bytes, 4, (uint32_t)bytes);
}

bool fw_cfg_add(struct fw_cfg *f, const char *name, const void *data, size_t bytes)
{
    void *to = fw_cfg_file(f, name, bytes);
    if (to)
        memcpy(to, data, bytes);
    return to;
}
