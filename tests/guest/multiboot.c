/* Question: what did the loader say? Prints every part of the multiboot information, and checks that the memory map is
 * sane: RAM where mem_lower and mem_upper say, regions that do not overlap, modules inside RAM and outside this
 * image. */
#include "tests/guest/runtime/runtime.h"

enum {
    HAS_MEMORY = 1 << 0,
    HAS_COMMAND_LINE = 1 << 2,
    HAS_MODULES = 1 << 3,
    HAS_MAP = 1 << 6,
    HAS_LOADER_NAME = 1 << 9,
    REGION_RAM = 1,
    MOST_REGIONS = 64,
};

static const char *text(uint32_t address) { return (const char *)(uintptr_t)address; }

static struct multiboot_region regions[MOST_REGIONS];
static unsigned region_count;

static void read_map(const struct multiboot_information *info)
{
    for (uint32_t at = info->map; at < info->map + info->map_bytes && region_count < MOST_REGIONS;) {
        const struct multiboot_region *r = (const struct multiboot_region *)(uintptr_t)at;
        regions[region_count++] = *r;
        at += r->size + sizeof r->size;
        guest_print("region %012llx %012llx type %u\n", (unsigned long long)r->start, (unsigned long long)r->bytes,
                    r->type);
    }
}

static bool regions_overlap(void)
{
    for (unsigned i = 0; i < region_count; i++)
        for (unsigned k = i + 1; k < region_count; k++)
            if (regions[i].start < regions[k].start + regions[k].bytes &&
                regions[k].start < regions[i].start + regions[i].bytes)
                return true;
    return false;
}

static bool is_ram(uint64_t first, uint64_t end)
{
    for (unsigned i = 0; i < region_count; i++)
        if (regions[i].type == REGION_RAM && first >= regions[i].start && end <= regions[i].start + regions[i].bytes)
            return true;
    return false;
}

static void check_modules(const struct multiboot_information *info)
{
    const struct multiboot_module *m = (const struct multiboot_module *)(uintptr_t)info->module_list;
    for (uint32_t i = 0; i < info->modules; i++) {
        uint32_t sum = 0;
        for (const uint8_t *p = (const uint8_t *)text(m[i].start); p < (const uint8_t *)text(m[i].end); p++)
            sum += *p;
        guest_print("module '%s' %u bytes sum %u\n", text(m[i].string), m[i].end - m[i].start, sum);
        guest_check(is_ram(m[i].start, m[i].end), "the module lies in RAM");
        guest_check(m[i].start >= (uintptr_t)guest_end, "and outside this image");
        guest_check(m[i].start % 4096 == 0, "page-aligned, as asked");
    }
}

int guest_main(void)
{
    const struct multiboot_information *info = guest_multiboot();
    guest_check_equal(guest_boot_magic, MULTIBOOT_LOADER_MAGIC, "the magic number");
    guest_check(info->flags & HAS_MEMORY, "memory sizes given");
    guest_check(info->flags & HAS_MAP, "memory map given");
    guest_print("lower %u KiB, upper %u KiB\n", info->mem_lower, info->mem_upper);
    read_map(info);
    guest_check(!regions_overlap(), "regions do not overlap");
    guest_check(is_ram(0x100000, 0x100000 + (uint64_t)info->mem_upper * 1024), "upper memory is RAM in the map");
    guest_check(is_ram(0x100000, (uintptr_t)guest_end), "this image lies in RAM");
    if (info->flags & HAS_COMMAND_LINE)
        guest_print("command line '%s'\n", text(info->command_line));
    if (info->flags & HAS_LOADER_NAME)
        guest_print("loader '%s'\n", text(info->loader_name));
    if (info->flags & HAS_MODULES)
        check_modules(info);
    return (int)guest_failures;
}
