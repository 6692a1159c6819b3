/* Tags one after another, each as it is made. */
#include "cp/ipl/multiboot2_information.h"

#include <string.h>

#include "cp/ipl/firmware.h"
#include "cp/ipl/map.h"
#include "cp/ipl/place.h"

enum { TAG_ALIGNMENT = 8, RSDP_1_0 = 20 };
enum information_tag { TAG_END, TAG_COMMAND_LINE, TAG_LOADER, TAG_MODULE, TAG_MEMORY = 4, TAG_MAP = 6,
                       TAG_ACPI_OLD = 14, TAG_ACPI_NEW = 15, TAG_LOAD_BASE = 21 };

struct tag {
    uint32_t type, bytes;
};

bool multiboot2_information_has(uint32_t tag)
{
    static const uint32_t given = 1u << TAG_COMMAND_LINE | 1u << TAG_LOADER | 1u << TAG_MODULE | 1u << TAG_MEMORY |
                                  1u << TAG_MAP | 1u << TAG_ACPI_OLD | 1u << TAG_ACPI_NEW | 1u << TAG_LOAD_BASE;
    return tag < 32 && given & 1u << tag;
}

/* A tag of two parts. */
static void put_long(struct ipl_placer *p, enum information_tag type, const void *head, size_t head_bytes,
                     const void *body, size_t bytes)
{
    const struct tag tag = {type, (uint32_t)(sizeof tag + head_bytes + bytes)};
    ipl_place_align(p, TAG_ALIGNMENT);
    ipl_place(p, &tag, sizeof tag);
    if (head_bytes)
        ipl_place(p, head, head_bytes);
    if (bytes)
        ipl_place(p, body, bytes);
}

static void put(struct ipl_placer *p, enum information_tag type, const void *body, size_t bytes)
{
    put_long(p, type, NULL, 0, body, bytes);
}

static void put_text(struct ipl_placer *p, enum information_tag type, const void *head, size_t bytes, const char *text)
{
    text = text ? text : "";
    put_long(p, type, head, bytes, text, strlen(text) + 1);
}

struct place {
    uint32_t start, end;
};

static const struct multiboot_module *module_at(const struct multiboot_image *image, unsigned i)
{
    return &image->module[(i + 1) % image->modules];
}

static void modules_place(struct ipl_placer *p, const struct multiboot_image *image, struct place *place)
{
    for (unsigned i = 0; i < image->modules; i++) {
        const struct multiboot_module *module = module_at(image, i);
        ipl_place_align(p, PAGE_SIZE);
        place[i].start = ipl_place(p, module->data, module->bytes);
        place[i].end = place[i].start + (uint32_t)module->bytes;
    }
}

static void put_memory(struct ipl_placer *p)
{
    struct ipl_range range[IPL_MAP_RANGES];
    struct {
        uint32_t entry_bytes, version;
    } head = {24, 0};
    struct {
        uint64_t start, bytes;
        uint32_t kind, reserved;
    } entry[IPL_MAP_RANGES];
    uint32_t kib[2] = {0};
    unsigned n = ipl_map(p->copies->storage->bytes, range);

    _Static_assert(sizeof *entry == 24, "Memory map");
    for (unsigned i = 0; i < n; i++) {
        memset(&entry[i], 0, sizeof entry[i]);
        entry[i].start = range[i].start, entry[i].bytes = range[i].bytes, entry[i].kind = range[i].kind;
        if (range[i].kind == IPL_RAM && (!range[i].start || range[i].start == 0x100000))
            kib[range[i].start != 0] = (uint32_t)(range[i].bytes >> 10);
    }
    put(p, TAG_MEMORY, kib, sizeof kib);
    put_long(p, TAG_MAP, &head, sizeof head, entry, n * sizeof *entry);
}

/* None where firmware left none. */
static void put_acpi(struct ipl_placer *p)
{
    uint8_t rsdp[FIRMWARE_RSDP_BYTES];
    if (guest_read(p->copies->storage, gpa(FIRMWARE_RSDP), rsdp, sizeof rsdp) != GUEST_OK ||
        memcmp(rsdp, "RSD PTR ", 8))
        return;
    put(p, TAG_ACPI_OLD, rsdp, RSDP_1_0);
    put(p, TAG_ACPI_NEW, rsdp, sizeof rsdp);
}

static uint32_t lowest(const struct ipl_copies *copies)
{
    uint64_t at = UINT32_MAX;
    for (unsigned i = 0; i < copies->count; i++)
        at = copies->copy[i].at < at ? copies->copy[i].at : at;
    return (uint32_t)at;
}

const char *multiboot2_information(struct ipl_copies *copies, const struct multiboot_image *image, uint64_t end,
                                   uint32_t *at)
{
    struct ipl_placer placer = {.copies = copies, .at = end}, *p = &placer;
    struct place place[MULTIBOOT_MODULES];
    uint32_t base = lowest(copies), head[2] = {0};

    ipl_place_align(p, PAGE_SIZE);
    modules_place(p, image, place);
    ipl_place_align(p, TAG_ALIGNMENT);
    *at = ipl_place(p, head, sizeof head);
    put_text(p, TAG_COMMAND_LINE, NULL, 0, image->command_line);
    put_text(p, TAG_LOADER, NULL, 0, "VM/N");
    for (unsigned i = 0; i < image->modules; i++)
        put_text(p, TAG_MODULE, &place[i], sizeof place[i], module_at(image, i)->text);
    put_memory(p);
    put_acpi(p);
    put(p, TAG_LOAD_BASE, &base, sizeof base);
    put(p, TAG_END, NULL, 0);
    head[0] = (uint32_t)(p->at - *at);
    if (!p->error && guest_write(copies->storage, gpa(*at), head, sizeof head) != GUEST_OK)
        p->error = ipl_copy_no_frames;
    return p->error;
}
