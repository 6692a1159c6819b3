/* What lies where in a virtual machine's physical address space: the one place that says it, for the multiboot memory
 * map, the device tree and whoever else tells a guest. In: the size of RAM. Out: ranges in ascending order. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { IPL_MAP_RANGES = 8 };

enum ipl_range_kind { IPL_RAM = 1, IPL_RESERVED = 2 }; /* as in the multiboot and e820 maps */

struct ipl_range {
    uint64_t start, bytes;
    enum ipl_range_kind kind;
};

/* `ram` as in struct guest_storage. Returns how many ranges there are. */
unsigned ipl_map(uint64_t ram, struct ipl_range range[IPL_MAP_RANGES]);

/* Does [start, start + bytes) lie wholly in RAM a guest may use as it likes? */
bool ipl_map_usable(uint64_t ram, uint64_t start, uint64_t bytes);
