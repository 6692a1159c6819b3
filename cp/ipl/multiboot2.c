/* Owns the header: what it asks for, and where the image goes. */
#include "cp/ipl/multiboot2.h"

#include <string.h>

#include "cp/ipl/elf.h"
#include "cp/ipl/map.h"
#include "cp/ipl/multiboot2_information.h"

enum { HEADER_SEARCH = 32768, HEADER_MAGIC = 0xE85250D6, ARCHITECTURE_I386 = 0, OPTIONAL = 1 };
enum header_tag { TAG_END, TAG_REQUEST, TAG_ADDRESSES, TAG_ENTRY, TAG_CONSOLE, TAG_FRAMEBUFFER, TAG_MODULE_ALIGN,
                  TAG_EFI_SERVICES, TAG_EFI_ENTRY32, TAG_EFI_ENTRY64, TAG_RELOCATABLE };

struct header {
    uint32_t magic, architecture, bytes, checksum;
};

struct tag {
    uint16_t type, flags;
    uint32_t bytes;
};

struct addresses {
    uint32_t header, load, load_end, bss_end;
};

struct wanted {
    bool by_addresses, by_entry;
    struct addresses addresses;
    uint32_t entry;
    const char *refused; /* NULL: nothing it needs is missing */
};

struct found {
    const uint8_t *at;
    uint32_t offset; /* in the file */
    uint32_t bytes;
};

/* The next place from `at` on where the magic number is, or limit. Nearly all are passed over, with interrupts kept
 * out. */
static uint32_t magic_find(const uint8_t *first, uint32_t at, uint32_t limit)
{
    const uint8_t *end = first + limit - sizeof(struct header);
    for (const uint8_t *place = first + at; place <= end; place += 8) {
        uint32_t magic;
        __builtin_memcpy(&magic, place, sizeof magic);
        if (__builtin_expect(magic == HEADER_MAGIC, 0))
            return (uint32_t)(place - first);
    }
    return limit;
}

static bool header_find(struct ipl_bytes data, uint64_t bytes, struct found *found)
{
    static uint8_t copy[HEADER_SEARCH]; /* one image at a time */
    uint32_t limit = bytes < HEADER_SEARCH ? (uint32_t)bytes : HEADER_SEARCH;
    const uint8_t *first = ipl_bytes_look(data, limit, copy);
    struct header h;

    if (!first || limit < sizeof h)
        return false;
    for (uint32_t at = 0; (at = magic_find(first, at, limit)) < limit; at += 8) {
        memcpy(&h, first + at, sizeof h);
        if (h.magic + h.architecture + h.bytes + h.checksum ||
            h.architecture != ARCHITECTURE_I386 || h.bytes < sizeof h || h.bytes > limit - at)
            continue;
        *found = (struct found){first + at, at, h.bytes};
        return true;
    }
    return false;
}

bool multiboot2_is(struct ipl_bytes image, uint64_t bytes)
{
    struct found found;
    return header_find(image, bytes, &found);
}

/* "Information request header tag" */
static void take_request(struct wanted *w, const uint8_t *body, uint32_t bytes)
{
    for (uint32_t at = 0; at + 4 <= bytes; at += 4) {
        uint32_t type;
        memcpy(&type, body + at, sizeof type);
        if (!multiboot2_information_has(type))
            w->refused = "The multiboot 2 header requests information that is not offered";
    }
}

static void take_tag(struct wanted *w, const struct tag *tag, const uint8_t *body)
{
    uint32_t bytes = tag->bytes - sizeof *tag;
    switch (tag->type) {
    case TAG_REQUEST:
        if (!(tag->flags & OPTIONAL))
            take_request(w, body, bytes);
        return;
    case TAG_ADDRESSES:
        w->by_addresses = bytes >= sizeof w->addresses;
        memcpy(&w->addresses, body, w->by_addresses ? sizeof w->addresses : 0);
        return;
    case TAG_ENTRY:
        w->by_entry = bytes >= sizeof w->entry;
        memcpy(&w->entry, body, w->by_entry ? sizeof w->entry : 0);
        return;
    case TAG_CONSOLE:
    case TAG_FRAMEBUFFER: /* preferences: the information tells that there is none */
    case TAG_MODULE_ALIGN:
    case TAG_EFI_ENTRY32:
    case TAG_EFI_ENTRY64:
    case TAG_RELOCATABLE: return;
    default:
        if (!(tag->flags & OPTIONAL))
            w->refused = "The multiboot 2 header requires a feature that is not offered";
    }
}

static void read_tags(struct wanted *w, const struct found *header)
{
    uint32_t at = sizeof(struct header);
    struct tag tag;
    while (at + sizeof tag <= header->bytes) {
        memcpy(&tag, header->at + at, sizeof tag);
        if (tag.type == TAG_END)
            return;
        if (tag.bytes < sizeof tag || tag.bytes > header->bytes - at)
            break;
        take_tag(w, &tag, header->at + at + sizeof tag);
        at += (tag.bytes + 7) & ~7u;
    }
    w->refused = "The multiboot 2 header's tags do not end";
}

/* "The address tag of Multiboot2 header" */
static const char *load_by_addresses(struct ipl_copies *copies, const struct multiboot_image *image, uint32_t offset,
                                     const struct addresses *a, struct elf_extent *extent)
{
    bool whole = a->load == UINT32_MAX; /* from the file's beginning */
    uint64_t load = whole ? (uint64_t)a->header - offset : a->load;
    uint64_t from = whole ? 0 : offset - ((uint64_t)a->header - load);
    if (a->header < load || load > UINT32_MAX || from > offset)
        return "The multiboot 2 header's addresses disagree with its place in the file";
    uint64_t bytes = a->load_end ? a->load_end - load : image->bytes - from;
    uint64_t memory = a->bss_end ? a->bss_end - load : bytes;
    if (bytes > image->bytes - from)
        return "The multiboot 2 header loads more than the file holds";
    if (memory < bytes || memory > UINT32_MAX)
        return "The multiboot 2 header's bss ends before its data";
    return elf_segment_place(copies, load, ipl_bytes_from(image->data, from), bytes, memory, extent);
}

static const char *load(struct ipl_copies *copies, const struct multiboot_image *image, struct elf_extent *extent)
{
    struct wanted wanted = {.refused = NULL};
    struct found header;
    if (!header_find(image->data, image->bytes, &header))
        return "The image has no multiboot 2 header in its first 32 KiB";
    read_tags(&wanted, &header);
    if (wanted.refused)
        return wanted.refused;
    if (wanted.by_addresses && !wanted.by_entry)
        return "The multiboot 2 header has addresses and no entry";
    const char *error = wanted.by_addresses
                            ? load_by_addresses(copies, image, header.offset, &wanted.addresses, extent)
                            : elf_load(copies, image->data, image->bytes, extent);
    if (wanted.by_entry)
        extent->entry = wanted.entry;
    return error;
}

const char *multiboot2_begin(struct ipl_copies *copies, struct guest_storage *storage,
                             const struct multiboot_image *image, struct ipl_entry *entry)
{
    enum { LOADED_MAGIC = 0x36D76289 };
    struct elf_extent extent = {.end = 0x100000}; /* nothing is placed below 1 MiB */
    const char *error = multiboot_check_texts(image);
    copies->storage = storage;
    copies->count = copies->next = 0;
    if (!error)
        error = load(copies, image, &extent);
    if (error)
        return error;
    if (extent.entry >> 32 || !ipl_map_usable(storage->bytes, extent.entry, 1))
        return "The image's entry point is not in the storage";
    *entry = (struct ipl_entry){.eip = (uint32_t)extent.entry, .eax = LOADED_MAGIC};
    return multiboot2_information(copies, image, extent.end, &entry->ebx);
}
