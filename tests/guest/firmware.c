/* Question: does a kernel that knows no tree find what firmware leaves: BIOS data, MP and SMBIOS tables, and do they
 * agree with the loader's memory map? Also a question to bare machines, whose firmware is another. */
#include "tests/guest/runtime/runtime.h"

enum { BDA_EBDA = 0x40E, BDA_LOW_KIB = 0x413, ROM = 0xF0000, MIB = 0x100000, PARAGRAPH = 16, PAGE = 4096,
       LAPIC = 0xFEE00000 };

static uint64_t load(uint64_t at, unsigned bytes)
{
    uint64_t value = 0;
    uint8_t byte;

    for (unsigned i = 0; i < bytes; i++) { /* to a compiler nothing is in page 0 */
        __asm__ volatile("movb (%1), %0" : "=q"(byte) : "r"(at + i) : "memory");
        value |= (uint64_t)byte << 8 * i;
    }
    return value;
}

static bool sums_to_zero(uint64_t at, uint64_t bytes)
{
    uint8_t sum = 0;

    while (bytes--)
        sum += (uint8_t)load(at + bytes, 1);
    return !sum;
}

/* Paragraph by paragraph, as kernels do. */
static uint64_t find(uint64_t from, uint64_t to, uint32_t anchor, unsigned bytes)
{
    for (; from < to; from += PARAGRAPH)
        if (load(from, 4) == anchor && sums_to_zero(from, bytes ? bytes : load(from + 5, 1)))
            return from;
    return 0;
}

/* Where the RAM that begins at 0 ends, says the loader. */
static uint64_t low_end(void)
{
    const struct multiboot_information *info = guest_multiboot();

    for (uint32_t at = info->map; at < info->map + info->map_bytes;) {
        const struct multiboot_region *region = (const void *)(uintptr_t)at;
        if (!region->start && region->type == 1)
            return region->bytes;
        at += region->size + sizeof region->size;
    }
    return 0;
}

static void bios_data(void)
{
    uint64_t ebda = load(BDA_EBDA, 2) << 4;

    /* a loader may leave out what is no whole page */
    guest_check((load(BDA_LOW_KIB, 2) << 10) - low_end() < PAGE, "low memory ends where the map says");
    guest_check(ebda >= low_end() && ebda + (load(ebda, 1) << 10) <= 0xA0000, "the EBDA lies behind it");
    guest_check(load(0x400, 2) == 0x3F8, "the first UART is COM1");
}

static void mp_tables(void)
{
    uint64_t ebda = load(BDA_EBDA, 2) << 4, pointer = find(ROM, MIB, 0x5F504D5F /* _MP_ */, 16), table;

    if (!pointer)
        pointer = find(ebda, ebda + 1024, 0x5F504D5F, 16);
    table = pointer ? load(pointer + 4, 4) : 0;
    guest_check(table && load(table, 4) == 0x504D4350 /* PCMP */ && sums_to_zero(table, load(table + 4, 2)),
                "MP tables");
    guest_check_equal(table ? load(table + 0x24, 4) : 0, LAPIC, "name the local APIC");
    guest_check_equal(table ? load(table + 44, 1) : 0xFF, 0, "and a processor");
    guest_check_equal(table ? load(table + 45, 1) : 0xFF, mmio_read(LAPIC + 0x20) >> 24, "whose ID is the APIC's");
}

static void smbios(void)
{
    uint64_t entry = find(ROM, MIB, 0x5F4D535F /* _SM_ */, 0), table = entry ? load(entry + 0x18, 4) : 0;

    guest_check(entry && load(entry + 16, 4) == 0x494D445F /* _DMI */ && sums_to_zero(entry + 16, 15), "SMBIOS");
    guest_check_equal(table ? load(table, 1) : 0xFF, 0, "begins with what the firmware is");
}

int guest_main(void)
{
    bios_data();
    mp_tables();
    smbios();
    guest_print("end\n");
    return guest_failures != 0;
}
