/* What firmware reads of its machine: files as QEMU's docs/specs and SeaBIOS' docs/Runtime_config name them. */
#include <string.h>

#include "cp/ipl/rom.h"
#include "lib/format.h"

enum { MOST_TABLES = PAGE_SIZE, MOST_SMBIOS = 1024, SMBIOS_ANCHOR = 31, SMBIOS_TABLE_AT = 32 };
#define FOUR_GIB (1ull << 32)

/* ---- ACPI: where the tables will lie the firmware says, so it is told which of their words are addresses ------- */

static const char tables_file[] = "etc/acpi/tables", rsdp_file[] = "etc/acpi/rsdp";

/* "BIOS linker/loader" of QEMU */
struct order {
    uint32_t command;
    union {
        struct {
            char file[FW_CFG_NAME];
            uint32_t alignment;
            uint8_t zone;
        } __attribute__((packed)) allocate;
        struct {
            char in[FW_CFG_NAME], to[FW_CFG_NAME];
            uint32_t offset;
            uint8_t bytes;
        } __attribute__((packed)) pointer;
        struct {
            char file[FW_CFG_NAME];
            uint32_t offset, start, bytes;
        } __attribute__((packed)) checksum;
        uint8_t whole[124];
    };
} __attribute__((packed));
_Static_assert(sizeof(struct order) == 128, "BiosLinkerLoaderEntry");
enum { ALLOCATE = 1, ADD_POINTER = 2, ADD_CHECKSUM = 3, ZONE_HIGH = 1, ZONE_FSEG = 2 };
enum { MOST_ORDERS = 40 };

struct orders {
    struct order *order;
    unsigned count;
};

/* One more than there is room for is not written, and counted. */
static struct order *next(struct orders *o, uint32_t command)
{
    static struct order beyond;
    struct order *order = o->count < MOST_ORDERS ? &o->order[o->count] : &beyond;
    o->count++;
    *order = (struct order){.command = command};
    return order;
}

static void copy_name(char *to, const char *name) { memcpy(to, name, strlen(name) + 1); }

static void allocate(struct orders *o, const char *file, uint32_t alignment, uint8_t zone)
{
    struct order *order = next(o, ALLOCATE);
    copy_name(order->allocate.file, file);
    order->allocate.alignment = alignment;
    order->allocate.zone = zone;
}

/* There, an address is as yet an offset in the tables' file. */
static void address_at(struct orders *o, const char *in, size_t offset, uint8_t bytes)
{
    struct order *order = next(o, ADD_POINTER);
    copy_name(order->pointer.in, in);
    copy_name(order->pointer.to, tables_file);
    order->pointer.offset = (uint32_t)offset;
    order->pointer.bytes = bytes;
}

static void sum(struct orders *o, const char *file, size_t start, size_t bytes, size_t at)
{
    struct order *order = next(o, ADD_CHECKSUM);
    copy_name(order->checksum.file, file);
    order->checksum.start = (uint32_t)start;
    order->checksum.bytes = (uint32_t)bytes;
    order->checksum.offset = (uint32_t)at;
}

static uint64_t word_at(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    memcpy(&value, at, bytes);
    return value;
}

enum { HEADER_BYTES = 36, HEADER_LENGTH = 4, HEADER_SUM = 9 };
enum { FADT_FACS = 36, FADT_DSDT = 40, FADT_X_FACS = 132, FADT_X_DSDT = 140 };
enum { RSDP_SUM = 8, RSDP_RSDT = 16, RSDP_1_0 = 20, RSDP_XSDT = 24, RSDP_EXTENDED_SUM = 32 };

static void sum_table(struct orders *o, const uint8_t *tables, size_t at)
{
    sum(o, tables_file, at, word_at(tables + at + HEADER_LENGTH, 4), at + HEADER_SUM);
}

/* The RSDT or XSDT at that offset. */
static void root_table(struct orders *o, const uint8_t *tables, size_t at, uint8_t width)
{
    size_t end = at + word_at(tables + at + HEADER_LENGTH, 4);
    for (size_t entry = at + HEADER_BYTES; entry < end; entry += width)
        address_at(o, tables_file, entry, width);
    sum_table(o, tables, at);
}

static void fadt(struct orders *o, const uint8_t *tables, size_t at)
{
    address_at(o, tables_file, at + FADT_FACS, 4);
    address_at(o, tables_file, at + FADT_DSDT, 4);
    address_at(o, tables_file, at + FADT_X_FACS, 8);
    address_at(o, tables_file, at + FADT_X_DSDT, 8);
    sum_table(o, tables, at);
}

static void link_tables(struct orders *o, const uint8_t *tables, const uint8_t *rsdp)
{
    size_t rsdt = word_at(rsdp + RSDP_RSDT, 4), xsdt = word_at(rsdp + RSDP_XSDT, 8);
    allocate(o, tables_file, 64, ZONE_HIGH);
    allocate(o, rsdp_file, 16, ZONE_FSEG);
    fadt(o, tables, word_at(tables + rsdt + HEADER_BYTES, 4)); /* by custom the first */
    root_table(o, tables, rsdt, 4);
    root_table(o, tables, xsdt, 8);
    address_at(o, rsdp_file, RSDP_RSDT, 4);
    address_at(o, rsdp_file, RSDP_XSDT, 8);
    sum(o, rsdp_file, 0, RSDP_1_0, RSDP_SUM);
    sum(o, rsdp_file, 0, FIRMWARE_RSDP_BYTES, RSDP_EXTENDED_SUM);
}

static bool acpi(struct fw_cfg *f, const struct firmware_facts *facts)
{
    uint8_t *rsdp = fw_cfg_file(f, rsdp_file, FIRMWARE_RSDP_BYTES);
    uint8_t *tables = rsdp ? fw_cfg_file(f, tables_file, MOST_TABLES) : NULL;
    if (!tables || !firmware_acpi(tables, MOST_TABLES, 0, facts, rsdp))
        return false;
    struct orders orders = {.order = fw_cfg_file(f, "etc/table-loader", MOST_ORDERS * sizeof(struct order))};
    if (!orders.order)
        return false;
    link_tables(&orders, tables, rsdp);
    fw_cfg_file_ends(f, orders.count * sizeof(struct order));
    return orders.count <= MOST_ORDERS;
}

/* ---- the rest -------------------------------------------------------------------------------------------------- */

static bool smbios(struct fw_cfg *f, const struct firmware_facts *facts)
{
    static uint8_t whole[MOST_SMBIOS];
    size_t bytes = firmware_smbios(whole, sizeof whole, 0, facts);
    return bytes > SMBIOS_TABLE_AT && fw_cfg_add(f, "etc/smbios/smbios-anchor", whole, SMBIOS_ANCHOR) &&
           fw_cfg_add(f, "etc/smbios/smbios-tables", whole + SMBIOS_TABLE_AT, bytes - SMBIOS_TABLE_AT);
}

static bool memory_map(struct fw_cfg *f, uint64_t ram)
{
    uint64_t below = ram < GUEST_HOLE_START ? ram : GUEST_HOLE_START;
    enum { RAM = 1 };
    const struct {
        uint64_t start, bytes;
        uint32_t kind;
    } __attribute__((packed)) range[2] = {{0, below, RAM}, {FOUR_GIB, ram - below, RAM}};
    return fw_cfg_add(f, "etc/e820", range, ram > below ? sizeof range : sizeof *range);
}

/* "HALT" says that nothing else is to be tried. */
static bool boot_order(struct fw_cfg *f, int slot)
{
    char line[64];
    if (slot == ROM_ANY_DISK)
        return true;
    size_t length = format_text(line, sizeof line, "/pci@i0cf8/scsi@%x/disk@0,0\nHALT", (unsigned)slot);
    return fw_cfg_add(f, "bootorder", line, length + 1);
}

static bool number(struct fw_cfg *f, const char *name, uint64_t value)
{
    return fw_cfg_add(f, name, &value, sizeof value);
}

bool rom_inform(struct machine *m, const struct firmware_facts *facts, int slot)
{
    struct fw_cfg *f = &m->fw_cfg;
    return fw_cfg_begin(f, &m->bus, &m->storage->account, m->storage->bytes) && memory_map(f, m->storage->bytes) &&
           acpi(f, facts) && smbios(f, facts) && boot_order(f, slot) && number(f, "etc/boot-menu-wait", 0) &&
           number(f, "etc/sercon-port", machine_uarts[0].port);
}
