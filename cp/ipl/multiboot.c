/* Finds the header, hands the image to the loader its header asks for, places modules and information above it. */
#include "cp/ipl/multiboot.h"

#include <string.h>

#include "cp/ipl/elf.h"
#include "cp/ipl/map.h"
#include "cp/ipl/place.h"

enum { HEADER_SEARCH = 8192, HEADER_MAGIC = 0x1badb002, LOADED_MAGIC = 0x2badb002 };
/* known: aligned modules, memory information, video */
enum { HEADER_KNOWN = 7, HEADER_REQUIRED = 0xffff, HEADER_ADDRESSES = 1 << 16 };
enum { INFO_MEMORY = 1, INFO_COMMAND_LINE = 1 << 2, INFO_MODULES = 1 << 3, INFO_MAP = 1 << 6, INFO_NAME = 1 << 9 };

struct header {
    uint32_t magic, flags, checksum;
    uint32_t header_address, load_address, load_end, bss_end, entry; /* with HEADER_ADDRESSES */
};
enum { HEADER_BASIC = 12 };

/* "Boot information format" */
struct information {
    uint32_t flags, memory_lower, memory_upper, boot_device, command_line, modules, modules_at;
    uint32_t symbols[4];
    uint32_t map_bytes, map_at, drives_bytes, drives_at, configuration, name, apm;
    uint32_t vbe[4];
};
_Static_assert(sizeof(struct information) == 88, "Boot information format");

struct map_entry {
    uint32_t size; /* of what follows */
    uint64_t start, bytes;
    uint32_t kind;
} __attribute__((packed));

struct module_entry {
    uint32_t start, end, text, reserved;
};

/* ---- the header ------------------------------------------------------------- */

/* The header's offset, or -1. */
static int header_find(const struct multiboot_image *image, struct header *h)
{
    static uint8_t copy[HEADER_SEARCH]; /* one image at a time */
    uint64_t limit = image->bytes < HEADER_SEARCH ? image->bytes : HEADER_SEARCH;
    const uint8_t *first = ipl_bytes_look(image->data, limit, copy);
    uint32_t magic;

    for (uint64_t at = 0; first && at + HEADER_BASIC <= limit; at += 4) {
        __builtin_memcpy(&magic, first + at, sizeof magic); /* most are passed over, with interrupts kept out */
        if (__builtin_expect(magic != HEADER_MAGIC, 1))
            continue;
        uint64_t rest = limit - at;
        *h = (struct header){0};
        memcpy(h, first + at, rest < sizeof *h ? rest : sizeof *h);
        if (h->magic + h->flags + h->checksum)
            continue;
        if ((h->flags & HEADER_ADDRESSES) && rest < sizeof *h)
            continue;
        return at;
    }
    return -1;
}

bool multiboot_is(struct ipl_bytes data, uint64_t bytes)
{
    const struct multiboot_image image = {.data = data, .bytes = bytes};
    struct header h;
    return header_find(&image, &h) >= 0;
}

/* "The address fields of Multiboot header": the file, from where the header says, goes where it says. */
static const char *load_by_addresses(struct ipl_copies *copies, const struct multiboot_image *image, int header_at,
                                     const struct header *h, struct elf_extent *extent)
{
    int64_t from = (int64_t)header_at - ((int64_t)h->header_address - h->load_address);
    uint64_t bytes, memory;

    if (h->header_address < h->load_address || from < 0)
        return "The multiboot header's address fields disagree with its place in the file";
    bytes = h->load_end ? (uint64_t)h->load_end - h->load_address : image->bytes - from;
    if ((h->load_end && h->load_end < h->load_address) || bytes > image->bytes - from)
        return "The multiboot header loads more than the file holds";
    memory = h->bss_end ? (uint64_t)h->bss_end - h->load_address : bytes;
    if ((h->bss_end && h->bss_end < h->load_address) || memory < bytes)
        return "The multiboot header's bss ends before its data";
    extent->entry = h->entry;
    return elf_segment_place(copies, h->load_address, ipl_bytes_from(image->data, (uint64_t)from), bytes, memory,
                             extent);
}

/* ---- the information -------------------------------------------------------- */

static void modules_place(struct ipl_placer *p, const struct multiboot_image *image, struct information *info)
{
    struct module_entry entry[MULTIBOOT_MODULES];

    for (unsigned i = 0; i < image->modules; i++) {
        ipl_place_align(p, PAGE_SIZE);
        entry[i] = (struct module_entry){.start = ipl_place(p, image->module[i].data, image->module[i].bytes)};
        entry[i].end = entry[i].start + image->module[i].bytes;
    }
    for (unsigned i = 0; i < image->modules; i++)
        entry[i].text = ipl_place_text(p, image->module[i].text);
    ipl_place_align(p, 16);
    info->modules = image->modules;
    info->modules_at = ipl_place(p, entry, image->modules * sizeof *entry);
}

static void map_place(struct ipl_placer *p, struct information *info)
{
    struct ipl_range range[IPL_MAP_RANGES];
    struct map_entry entry[IPL_MAP_RANGES];
    unsigned n = ipl_map(p->copies->storage->bytes, range);

    for (unsigned i = 0; i < n; i++) {
        entry[i] = (struct map_entry){sizeof *entry - sizeof entry->size, range[i].start, range[i].bytes,
                                      range[i].kind};
        if (range[i].kind == IPL_RAM && !range[i].start)
            info->memory_lower = range[i].bytes >> 10;
        else if (range[i].kind == IPL_RAM && range[i].start == 0x100000)
            info->memory_upper = range[i].bytes >> 10;
    }
    ipl_place_align(p, 16);
    info->map_bytes = n * sizeof *entry;
    info->map_at = ipl_place(p, entry, info->map_bytes);
}

static uint32_t information_place(struct ipl_placer *p, const struct multiboot_image *image)
{
    struct information info = {.flags = INFO_MEMORY | INFO_COMMAND_LINE | INFO_MODULES | INFO_MAP | INFO_NAME};

    modules_place(p, image, &info);
    map_place(p, &info);
    info.command_line = ipl_place_text(p, image->command_line);
    info.name = ipl_place_text(p, "VM/N");
    ipl_place_align(p, 16);
    return ipl_place(p, &info, sizeof info);
}

const char *multiboot_check_texts(const struct multiboot_image *image)
{
    if (image->modules > MULTIBOOT_MODULES)
        return "There are more modules than a multiboot image may have";
    if (image->command_line && strlen(image->command_line) >= MULTIBOOT_TEXT)
        return "The command line is too long";
    for (unsigned i = 0; i < image->modules; i++)
        if (image->module[i].text && strlen(image->module[i].text) >= MULTIBOOT_TEXT)
            return "A module's text is too long";
    return NULL;
}

static const char *load_image(struct ipl_copies *copies, const struct multiboot_image *image,
                              struct elf_extent *extent)
{
    struct header h;
    int at = header_find(image, &h);

    if (at < 0)
        return "The image has no multiboot header in its first 8 KiB";
    if (h.flags & HEADER_REQUIRED & ~HEADER_KNOWN)
        return "The multiboot header requires a feature that is not offered";
    if (h.flags & HEADER_ADDRESSES)
        return load_by_addresses(copies, image, at, &h, extent);
    return elf_load(copies, image->data, image->bytes, extent);
}

static uint64_t page_up(uint64_t at) { return (at + PAGE_MASK) & ~(uint64_t)PAGE_MASK; }

static void copies_begin(struct ipl_copies *copies, struct guest_storage *storage)
{
    copies->storage = storage;
    copies->count = copies->next = 0;
}

static const char *load(struct ipl_copies *copies, const struct multiboot_image *image, struct ipl_entry *entry,
                        uint64_t *end)
{
    struct elf_extent extent = {.end = 0x100000}; /* nothing is placed below 1 MiB */
    const char *error = multiboot_check_texts(image);

    if (!error)
        error = load_image(copies, image, &extent);
    if (error)
        return error;
    if (extent.entry >> 32 || !ipl_map_usable(copies->storage->bytes, extent.entry, 1))
        return "The image's entry point is not in the storage";
    *entry = (struct ipl_entry){.eip = extent.entry, .eax = LOADED_MAGIC};
    *end = page_up(extent.end);
    return NULL;
}

static const char *inform(struct ipl_copies *copies, const struct multiboot_image *image, uint64_t at,
                          struct ipl_entry *entry)
{
    struct ipl_placer p = {.copies = copies, .at = at};

    entry->eax = LOADED_MAGIC;
    entry->ebx = information_place(&p, image);
    return p.error;
}

const char *multiboot_load(struct ipl_copies *copies, struct guest_storage *storage,
                           const struct multiboot_image *image, struct ipl_entry *entry, uint64_t *end)
{
    copies_begin(copies, storage);
    return load(copies, image, entry, end);
}

const char *multiboot_inform(struct ipl_copies *copies, struct guest_storage *storage,
                             const struct multiboot_image *image, uint64_t at, struct ipl_entry *entry)
{
    const char *error = multiboot_check_texts(image);

    copies_begin(copies, storage);
    return error ? error : inform(copies, image, at, entry);
}

const char *multiboot_begin(struct ipl_copies *copies, struct guest_storage *storage,
                            const struct multiboot_image *image, struct ipl_entry *entry)
{
    uint64_t end;
    const char *error = multiboot_load(copies, storage, image, entry, &end);

    return error ? error : inform(copies, image, end, entry);
}
