/* SMBIOS tables ("System Management BIOS Reference Specification" 2.8): those it requires, with who the machine is. */
#include <string.h>

#include "cp/ipl/firmware.h"
#include "cp/ipl/map.h"

struct entry_point {
    char anchor[4];
    uint8_t checksum, bytes, major, minor;
    uint16_t longest;
    uint8_t revision, formatted[5];
    char intermediate_anchor[5];
    uint8_t intermediate_checksum;
    uint16_t table_bytes;
    uint32_t table;
    uint16_t structures;
    uint8_t bcd;
} __attribute__((packed));
_Static_assert(sizeof(struct entry_point) == 31, "SMBIOS entry point");
enum { INTERMEDIATE_AT = 16, TABLE_AT = 32 };

enum kind { BIOS = 0, SYSTEM = 1, CHASSIS = 3, PROCESSOR = 4, MEMORY_ARRAY = 16, MEMORY_DEVICE = 17,
            MEMORY_MAPPED = 19, BOOT = 32, END = 127 };
enum { NO_HANDLE = 0xFFFE, OTHER = 1, UNKNOWN = 2 };

struct writer {
    uint8_t *to;
    size_t used, size, longest;
    uint16_t structures;
};

/* `which` of its kind. */
static uint16_t handle_of(enum kind kind, unsigned which) { return (uint16_t)(kind << 8 | which); }

/* `body` is what follows type, length and handle. Strings end with NULL. */
static void put(struct writer *w, enum kind kind, unsigned which, const void *body, size_t bytes,
                const char *const *strings)
{
    uint16_t handle = handle_of(kind, which);
    size_t texts = 0, begin = w->used;

    for (unsigned i = 0; strings[i]; i++)
        texts += strlen(strings[i]) + 1;
    size_t whole = 4 + bytes + (texts ? texts + 1 : 2);
    if (w->size - begin < whole)
        return;
    uint8_t *to = w->to + begin;
    memset(to, 0, whole);
    to[0] = (uint8_t)kind, to[1] = (uint8_t)(4 + bytes);
    memcpy(to + 2, &handle, sizeof handle);
    memcpy(to + 4, body, bytes);
    to += 4 + bytes;
    for (unsigned i = 0; strings[i]; i++) {
        memcpy(to, strings[i], strlen(strings[i]) + 1);
        to += strlen(strings[i]) + 1;
    }
    w->used += whole;
    w->structures++;
    if (whole > w->longest)
        w->longest = whole;
}
#define PUT(kind, which, body, ...) put(w, kind, which, &(body), sizeof(body), (const char *const[]){__VA_ARGS__})

static void put_bios(struct writer *w)
{
    const struct {
        uint8_t vendor, version;
        uint16_t segment;
        uint8_t date, rom_64k;
        uint64_t characteristics;
        uint8_t extension[2], major, minor, controller_major, controller_minor;
    } __attribute__((packed)) bios = {1, 2, FIRMWARE_ROM >> 4, 3, 0, 1 << 3 /* none are told */,
                                      {0, 1 << 4 /* it is a virtual machine */}, 1, 0, 0xFF, 0xFF};
    PUT(BIOS, 0, bios, "VM/N", "1", "01/01/2024", NULL);
}

/* A string that is empty is none. */
static void put_system(struct writer *w, const struct firmware_facts *f)
{
    const struct {
        uint8_t manufacturer, product, version, serial, uuid[16], wake, sku, family;
    } system = {1, 2, 0, 3, {0}, 6 /* power switch */, *f->system ? 4 : 0, 0};
    PUT(SYSTEM, 0, system, "VM/N", "VM/N virtual machine", f->machine->userid, *f->system ? f->system : NULL, NULL);
}

static void put_chassis(struct writer *w)
{
    enum { SAFE = 3 };
    const struct {
        uint8_t manufacturer, type, version, serial, tag, boot, power, thermal, security;
        uint32_t oem;
        uint8_t height, cords, elements, record, sku;
    } __attribute__((packed)) chassis = {1, OTHER, 0, 0, 0, SAFE, SAFE, SAFE, UNKNOWN, 0, 0, 0, 0, 0, 0};
    PUT(CHASSIS, 0, chassis, "VM/N", NULL);
}

static void put_processor(struct writer *w, const struct firmware_facts *f)
{
    enum { CENTRAL = 3, ENABLED = 0x41 };
    const struct {
        uint8_t socket, type, family, manufacturer;
        uint32_t signature, features;
        uint8_t version, voltage;
        uint16_t clock, max_mhz, mhz;
        uint8_t status, upgrade;
        uint16_t l1, l2, l3;
        uint8_t serial, tag, part, cores, enabled, threads;
        uint16_t characteristics, family2;
    } __attribute__((packed)) processor = {
        .socket = 1, .type = CENTRAL, .family = UNKNOWN, .signature = f->signature, .features = f->features,
        .status = ENABLED, .upgrade = UNKNOWN, .l1 = 0xFFFF, .l2 = 0xFFFF, .l3 = 0xFFFF, .cores = 1, .enabled = 1,
        .threads = 1, .characteristics = 1 << 2 /* 64 bits */, .family2 = UNKNOWN};
    PUT(PROCESSOR, 0, processor, "CPU 0", NULL);
}

static void put_memory(struct writer *w, uint64_t bytes)
{
    enum { SYSTEM_BOARD = 3, SYSTEM_MEMORY = 3, NO_ERROR_CORRECTION = 3, IN_BYTES = 0x80000000u, EXTENDED = 0x7FFF,
           DIMM = 9, RAM = 7 };
    uint64_t kib = bytes >> 10, mib = bytes >> 20;
    const struct {
        uint8_t location, use, correction;
        uint32_t kib;
        uint16_t error, devices;
        uint64_t bytes;
    } __attribute__((packed)) array = {SYSTEM_BOARD, SYSTEM_MEMORY, NO_ERROR_CORRECTION,
                                       kib < IN_BYTES ? (uint32_t)kib : IN_BYTES, NO_HANDLE, 1,
                                       kib < IN_BYTES ? 0 : bytes};
    const struct {
        uint16_t array, error, total_width, data_width, mib;
        uint8_t form, set, locator, bank, type;
        uint16_t detail, speed;
        uint8_t manufacturer, serial, tag, part, attributes;
        uint32_t extended_mib;
        uint16_t clock, least_mv, most_mv, mv;
    } __attribute__((packed)) device = {
        .array = handle_of(MEMORY_ARRAY, 0), .error = NO_HANDLE, .total_width = 64, .data_width = 64,
        .mib = mib < EXTENDED ? (uint16_t)mib : EXTENDED, .form = DIMM, .locator = 1, .type = RAM,
        .detail = 1 << 1 /* other */, .extended_mib = mib < EXTENDED ? 0 : (uint32_t)mib};
    PUT(MEMORY_ARRAY, 0, array, NULL);
    PUT(MEMORY_DEVICE, 0, device, "STORAGE", NULL);
}

static void put_mapped(struct writer *w, uint64_t bytes)
{
    struct ipl_range range[IPL_MAP_RANGES];
    unsigned n = ipl_map(bytes, range), which = 0;

    for (unsigned i = 0; i < n; i++) {
        if (range[i].kind != IPL_RAM || !range[i].start)
            continue;
        /* from the beginning of storage on: what is kept out of it below 1 MiB is storage too */
        uint64_t start = range[i].start <= 1 << 20 ? 0 : range[i].start, end = range[i].start + range[i].bytes;
        const struct {
            uint32_t first_kib, last_kib;
            uint16_t array;
            uint8_t width;
            uint64_t first, last;
        } __attribute__((packed)) mapped = {UINT32_MAX, UINT32_MAX, handle_of(MEMORY_ARRAY, 0), 1, start, end - 1};
        PUT(MEMORY_MAPPED, which++, mapped, NULL);
    }
}

static void put_rest(struct writer *w)
{
    static const uint8_t boot[7]; /* no errors */
    static const uint8_t nothing[1];
    PUT(BOOT, 0, boot, NULL);
    put(w, END, 0, nothing, 0, (const char *const[]){NULL});
}

size_t firmware_smbios(uint8_t *to, size_t size, uint32_t at, const struct firmware_facts *f)
{
    struct writer writer = {.to = to, .used = TABLE_AT, .size = size}, *w = &writer;
    struct entry_point entry = {
        .anchor = {'_', 'S', 'M', '_'}, .bytes = sizeof entry, .major = 2, .minor = 8,
        .intermediate_anchor = {'_', 'D', 'M', 'I', '_'}, .table = at + TABLE_AT, .bcd = 0x28};

    if (size < TABLE_AT)
        return 0;
    put_bios(w);
    put_system(w, f);
    put_chassis(w);
    put_processor(w, f);
    put_memory(w, f->machine->storage_bytes);
    put_mapped(w, f->machine->storage_bytes);
    put_rest(w);
    entry.longest = (uint16_t)w->longest;
    entry.table_bytes = (uint16_t)(w->used - TABLE_AT);
    entry.structures = w->structures;
    entry.intermediate_checksum =
        (uint8_t)-firmware_sum((uint8_t *)&entry + INTERMEDIATE_AT, sizeof entry - INTERMEDIATE_AT);
    entry.checksum = (uint8_t)-firmware_sum(&entry, sizeof entry);
    memcpy(to, &entry, sizeof entry);
    return w->used;
}
