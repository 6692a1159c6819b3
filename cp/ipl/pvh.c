/* "struct hvm_start_info", version 1. */
#include "cp/ipl/pvh.h"

#include "cp/ipl/elf.h"
#include "cp/ipl/firmware.h"
#include "cp/ipl/map.h"
#include "cp/ipl/place.h"

enum { NOTE_PHYS32_ENTRY = 18, START_MAGIC = 0x336EC578, START_VERSION = 1 };
static const char note_name[] = "Xen";

struct start_info {
    uint32_t magic, version, flags, modules;
    uint64_t modules_at, command_line, rsdp, map_at;
    uint32_t map_entries, reserved;
};
_Static_assert(sizeof(struct start_info) == 56, "hvm_start_info");

struct module_entry {
    uint64_t at, bytes, command_line, reserved;
};

struct map_entry {
    uint64_t start, bytes;
    uint32_t kind, reserved;
};

static bool entry_of(struct ipl_bytes image, uint64_t bytes, uint32_t *entry)
{
    return elf_note(image, bytes, note_name, NOTE_PHYS32_ENTRY, entry, sizeof *entry);
}

bool pvh_is(struct ipl_bytes image, uint64_t bytes)
{
    uint32_t entry;
    return entry_of(image, bytes, &entry);
}

static void modules_place(struct ipl_placer *p, const struct multiboot_image *image, struct start_info *info)
{
    struct module_entry entry[MULTIBOOT_MODULES];
    for (unsigned i = 0; i < image->modules; i++) {
        const struct multiboot_module *module = &image->module[(i + 1) % image->modules];
        ipl_place_align(p, PAGE_SIZE);
        entry[i] = (struct module_entry){.at = ipl_place(p, module->data, module->bytes), .bytes = module->bytes};
    }
    for (unsigned i = 0; i < image->modules; i++)
        entry[i].command_line = ipl_place_text(p, image->module[(i + 1) % image->modules].text);
    ipl_place_align(p, 8);
    info->modules = image->modules;
    info->modules_at = ipl_place(p, entry, image->modules * sizeof *entry);
}

static void map_place(struct ipl_placer *p, struct start_info *info)
{
    struct ipl_range range[IPL_MAP_RANGES];
    struct map_entry entry[IPL_MAP_RANGES];
    unsigned n = ipl_map(p->copies->storage->bytes, range);
    for (unsigned i = 0; i < n; i++)
        entry[i] = (struct map_entry){range[i].start, range[i].bytes, range[i].kind, 0};
    ipl_place_align(p, 8);
    info->map_entries = n;
    info->map_at = ipl_place(p, entry, n * sizeof *entry);
}

static uint32_t information_place(struct ipl_placer *p, const struct multiboot_image *image)
{
    struct start_info info = {.magic = START_MAGIC, .version = START_VERSION, .rsdp = FIRMWARE_RSDP};
    modules_place(p, image, &info);
    map_place(p, &info);
    info.command_line = ipl_place_text(p, image->command_line);
    ipl_place_align(p, 8);
    return ipl_place(p, &info, sizeof info);
}

const char *pvh_begin(struct ipl_copies *copies, struct guest_storage *storage, const struct multiboot_image *image,
                      struct ipl_entry *entry)
{
    struct elf_extent extent = {.end = 0x100000};
    struct ipl_placer p = {.copies = copies};
    uint32_t eip;
    const char *error = multiboot_check_texts(image);
    copies->storage = storage;
    copies->count = copies->next = 0;
    if (!error)
        error = elf_load(copies, image->data, image->bytes, &extent);
    if (error)
        return error;
    if (!entry_of(image->data, image->bytes, &eip) || !ipl_map_usable(storage->bytes, eip, 1))
        return "The image's entry point is not in the storage";
    p.at = extent.end;
    ipl_place_align(&p, PAGE_SIZE);
    *entry = (struct ipl_entry){.eip = eip, .ebx = information_place(&p, image)};
    return p.error;
}
