/* The boot parameters are what their documentation calls the "zero page": a page of low memory, with the header of the
 * image's setup in its place. Command line and device tree follow it. */
#include "cp/ipl/linux.h"

#include <stddef.h>
#include <string.h>

#include "cp/ipl/firmware.h"
#include "cp/ipl/map.h"

enum { PARAMETERS_AT = 0x10000, COMMAND_LINE_AT = PARAMETERS_AT + PAGE_SIZE, KERNEL_AT = 0x100000,
       DOWNWARD = 0x1000000 /* where a kernel of no preference likes to be */ };
enum { SECTOR = 512, SETUP_SECTORS_DEFAULT = 4, HEADER_AT = 0x1F1, HEADER_MAGIC_AT = 0x202, VERSION_LEAST = 0x20A,
       VERSION_OF_RSDP = 0x20E, LOADER_UNREGISTERED = 0xFF, LOADED_HIGH = 1, PARAGRAPH = 16, SETUP_DTB = 2 };

/* "The Real-Mode Kernel Header" */
struct setup_header {
    uint8_t setup_sectors;
    uint16_t root_flags;
    uint32_t kernel_paragraphs;
    uint16_t ram_size, video_mode, root_device, boot_flag, jump;
    char magic[4];
    uint16_t version;
    uint32_t real_mode_switch;
    uint16_t start_segment, version_text;
    uint8_t loader, flags;
    uint16_t move_size;
    uint32_t entry, initrd, initrd_bytes, kludge;
    uint16_t heap_end;
    uint8_t loader_version, loader_type;
    uint32_t command_line, initrd_last, alignment;
    uint8_t relocatable, alignment_log2;
    uint16_t loads;
    uint32_t command_line_most, subarchitecture;
    uint64_t subarchitecture_data;
    uint32_t payload_at, payload_bytes;
    uint64_t setup_data, preferred;
    uint32_t memory_bytes, handover;
} __attribute__((packed));
_Static_assert(offsetof(struct setup_header, version) == 0x206 - HEADER_AT &&
                   offsetof(struct setup_header, command_line) == 0x228 - HEADER_AT &&
                   offsetof(struct setup_header, memory_bytes) == 0x260 - HEADER_AT, "setup header");
enum { HEADER_MOST = 0x290 - HEADER_AT };

struct e820_entry {
    uint64_t start, bytes;
    uint32_t kind;
} __attribute__((packed));

/* "zero-page" */
struct boot_parameters {
    uint8_t screen[0x70];
    uint64_t rsdp;
    uint8_t reserved1[0x1E8 - 0x78];
    uint8_t ranges, reserved2[8];
    union {
        struct setup_header header;
        uint8_t bytes[HEADER_MOST];
    } __attribute__((packed)) setup;
    uint8_t reserved3[0x2D0 - 0x290];
    struct e820_entry range[128];
    uint8_t reserved4[PAGE_SIZE - 0xCD0];
} __attribute__((packed));
_Static_assert(sizeof(struct boot_parameters) == PAGE_SIZE &&
                   offsetof(struct boot_parameters, setup) == HEADER_AT && (int)IPL_MAP_RANGES <= 128, "zero page");

struct setup_data {
    uint64_t next;
    uint32_t kind, bytes;
} __attribute__((packed));

bool linux_is(struct ipl_bytes image, uint64_t bytes)
{
    char magic[4];
    return bytes >= HEADER_MAGIC_AT + sizeof magic && ipl_bytes_get(image, HEADER_MAGIC_AT, magic, sizeof magic) &&
           !memcmp(magic, "HdrS", sizeof magic);
}

/* Of a file that may end anywhere: what it has of the header, zeros for the rest. The jump in front of the magic leads
 * to the header's end. */
static bool header_read(const struct linux_image *image, struct boot_parameters *p)
{
    uint8_t jump;

    if (!ipl_bytes_get(image->data, HEADER_MAGIC_AT - 1, &jump, 1))
        return false;
    uint64_t end = HEADER_MAGIC_AT + jump;
    end = end > HEADER_AT + HEADER_MOST ? HEADER_AT + HEADER_MOST : end;
    end = end > image->bytes ? image->bytes : end;
    return ipl_bytes_get(image->data, HEADER_AT, p->setup.bytes, end - HEADER_AT);
}

/* What is where in the file and in storage, once the header is believed. */
struct placement {
    uint64_t kernel_from, kernel_bytes; /* of the file */
    uint64_t kernel_end;                /* of all it wants to itself while it starts */
    uint64_t initrd_at;
};

static const char *judge(const struct linux_image *image, const struct setup_header *h, struct placement *place)
{
    unsigned sectors = h->setup_sectors ? h->setup_sectors : SETUP_SECTORS_DEFAULT;

    if (h->boot_flag != 0xAA55 || h->version < VERSION_LEAST)
        return "The Linux kernel is older than boot protocol 2.10 (Linux 2.6.31)";
    if (!(h->flags & LOADED_HIGH))
        return "The Linux kernel is a zImage, which loads below 1 MiB";
    place->kernel_from = (uint64_t)(sectors + 1) * SECTOR;
    if (image->bytes <= place->kernel_from ||
        image->bytes - place->kernel_from < (uint64_t)h->kernel_paragraphs * PARAGRAPH)
        return "The Linux kernel's file is shorter than its header says";
    place->kernel_bytes = image->bytes - place->kernel_from;
    if (image->command_line && strlen(image->command_line) > h->command_line_most)
        return "The command line is longer than the Linux kernel takes";
    return NULL;
}

static uint64_t page_up(uint64_t at) { return (at + PAGE_MASK) & ~(uint64_t)PAGE_MASK; }

/* The RAM from 1 MiB on. */
static uint64_t high_end(const struct guest_storage *storage)
{
    return storage->bytes < GUEST_HOLE_START ? storage->bytes : GUEST_HOLE_START;
}

/* The kernel starts where it is loaded and goes on where it prefers to be; the initrd is clear of both, as high as the
 * kernel can reach it. */
static const char *arrange(const struct guest_storage *storage, const struct linux_image *image,
                           const struct setup_header *h, struct placement *place)
{
    uint64_t top = high_end(storage), runs_at = h->preferred ? h->preferred : DOWNWARD;
    uint64_t loaded = KERNEL_AT + place->kernel_bytes;

    if (runs_at >> 32 || runs_at + h->memory_bytes > top || loaded > top)
        return "The Linux kernel needs more storage to start in; DEFINE STORAGE gives it";
    place->kernel_end = page_up(runs_at + h->memory_bytes > loaded ? runs_at + h->memory_bytes : loaded);
    if (top > (uint64_t)h->initrd_last + 1)
        top = (uint64_t)h->initrd_last + 1;
    if (!image->initrd_bytes)
        return NULL;
    if (image->initrd_bytes > top || (top - image->initrd_bytes) >> PAGE_SHIFT << PAGE_SHIFT < place->kernel_end)
        return "The storage has no room for the initrd beside the Linux kernel";
    place->initrd_at = (top - image->initrd_bytes) >> PAGE_SHIFT << PAGE_SHIFT;
    return NULL;
}

static void tell_ranges(const struct guest_storage *storage, struct boot_parameters *p)
{
    struct ipl_range range[IPL_MAP_RANGES];

    p->ranges = (uint8_t)ipl_map(storage->bytes, range);
    for (unsigned i = 0; i < p->ranges; i++)
        p->range[i] = (struct e820_entry){range[i].start, range[i].bytes, range[i].kind};
}

static enum guest_access put_tree(struct guest_storage *storage, const struct linux_image *image, uint64_t at)
{
    const struct setup_data head = {.kind = SETUP_DTB, .bytes = (uint32_t)image->tree_bytes};
    enum guest_access result = guest_write(storage, gpa(at), &head, sizeof head);

    return result == GUEST_OK ? guest_write(storage, gpa(at + sizeof head), image->tree, image->tree_bytes) : result;
}

static const char *put_parameters(struct guest_storage *storage, const struct linux_image *image,
                                  struct boot_parameters *p, const struct placement *place)
{
    const char *line = image->command_line ? image->command_line : "";
    struct setup_header *h = &p->setup.header;
    uint64_t tree_at = page_up(COMMAND_LINE_AT + strlen(line) + 1);

    if (tree_at + sizeof(struct setup_data) + image->tree_bytes > FIRMWARE_EBDA)
        return "The command line or the device tree is too long";
    h->loader = LOADER_UNREGISTERED;
    h->entry = KERNEL_AT;
    h->command_line = COMMAND_LINE_AT;
    h->initrd = (uint32_t)place->initrd_at;
    h->initrd_bytes = (uint32_t)image->initrd_bytes;
    h->setup_data = image->tree_bytes ? tree_at : 0;
    if (h->version >= VERSION_OF_RSDP)
        p->rsdp = FIRMWARE_RSDP;
    tell_ranges(storage, p);
    if (guest_write(storage, gpa(PARAMETERS_AT), p, sizeof *p) ||
        guest_write(storage, gpa(COMMAND_LINE_AT), line, strlen(line) + 1) ||
        (image->tree_bytes && put_tree(storage, image, tree_at)))
        return ipl_copy_no_frames;
    return NULL;
}

const char *linux_begin(struct ipl_copies *copies, struct guest_storage *storage, const struct linux_image *image,
                        struct ipl_entry *entry)
{
    static struct boot_parameters parameters;
    struct placement place = {0};

    copies->storage = storage;
    copies->count = copies->next = 0;
    memset(&parameters, 0, sizeof parameters);
    const char *error = header_read(image, &parameters) ? judge(image, &parameters.setup.header, &place)
                                                        : "The image cannot be read";
    if (!error)
        error = arrange(storage, image, &parameters.setup.header, &place);
    if (!error)
        error = put_parameters(storage, image, &parameters, &place);
    if (error)
        return error;
    *entry = (struct ipl_entry){.eip = KERNEL_AT, .esi = PARAMETERS_AT};
    struct ipl_bytes initrd = {.data = image->initrd};
    bool noted = ipl_copy_note(copies, KERNEL_AT, ipl_bytes_from(image->data, place.kernel_from), place.kernel_bytes,
                               place.kernel_bytes) &&
                 ipl_copy_note(copies, place.initrd_at, initrd, image->initrd_bytes, image->initrd_bytes);
    return noted ? NULL : ipl_copy_no_frames;
}
