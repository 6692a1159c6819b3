/* The PC's customs: 636 KiB of low memory, the extended BIOS data area, ROM below 1 MiB, the controllers in the
 * hole. */
#include "cp/ipl/map.h"

#include "cp/ipl/firmware.h"
#include "cp/storage/guest.h"

enum { LOW_END = FIRMWARE_EBDA, EBDA_END = 0xa0000, ROM_START = FIRMWARE_ROM, HIGH_START = 0x100000 };
#define FOUR_GIB (1ull << 32)

static const struct ipl_range fixed[] = {
    {LOW_END, EBDA_END - LOW_END, IPL_RESERVED},
    {ROM_START, HIGH_START - ROM_START, IPL_RESERVED},
    {0xfec00000u, PAGE_SIZE, IPL_RESERVED}, /* IOAPIC */
    {0xfee00000u, PAGE_SIZE, IPL_RESERVED}, /* local APIC */
};
enum { FIXED_LOW = 2, FIXED = sizeof fixed / sizeof *fixed };

static unsigned add_ram(struct ipl_range *range, unsigned n, uint64_t start, uint64_t end)
{
    if (end > start)
        range[n++] = (struct ipl_range){start, end - start, IPL_RAM};
    return n;
}

unsigned ipl_map(uint64_t ram, struct ipl_range range[IPL_MAP_RANGES])
{
    uint64_t below = ram < GUEST_HOLE_START ? ram : GUEST_HOLE_START;
    unsigned n = add_ram(range, 0, 0, below < LOW_END ? below : LOW_END);

    for (unsigned i = 0; i < FIXED_LOW; i++)
        range[n++] = fixed[i];
    n = add_ram(range, n, HIGH_START, below);
    for (unsigned i = FIXED_LOW; i < FIXED; i++)
        range[n++] = fixed[i];
    return add_ram(range, n, FOUR_GIB, FOUR_GIB + (ram - below));
}

bool ipl_map_usable(uint64_t ram, uint64_t start, uint64_t bytes)
{
    struct ipl_range range[IPL_MAP_RANGES];
    unsigned n = ipl_map(ram, range);

    for (unsigned i = 0; i < n; i++)
        if (range[i].kind == IPL_RAM && start >= range[i].start && start - range[i].start <= range[i].bytes &&
            bytes <= range[i].bytes - (start - range[i].start))
            return true;
    return false;
}
