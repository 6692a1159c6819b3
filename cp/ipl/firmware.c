/* Vectors, the BIOS data area and its extension, and the page of the ROM. There are no services behind the vectors:
 * they lead to an IRET, as a PC's do that nobody serves. */
#include "cp/ipl/firmware.h"

#include <string.h>

enum { VECTORS = 256, IRET = 0xCF, ROM_IRET = PAGE_SIZE - 16, SMBIOS_AT = 0, MP_AT = 0x400,
       RSDP_AT = FIRMWARE_RSDP - FIRMWARE_ROM, HIGH_START = 0x100000 };
enum { EBDA_BYTES = PAGE_SIZE, EBDA_TABLES = 64 };
enum { EQUIPMENT_FPU = 1 << 1, EQUIPMENT_UARTS = 9 /* shift */ };

/* At 400H; IBM's names. What is not here is 0: no disk, no video, nothing in the keyboard's buffer. */
struct bios_data {
    uint16_t uart[4], printer[3], ebda_segment;
    uint16_t equipment;
    uint8_t reserved1;
    uint16_t low_kib; /* what INT 12H would answer */
    uint8_t reserved2[5];
    uint16_t keys_head, keys_tail;
    uint8_t reserved3[0x80 - 0x1E];
    uint16_t keys_start, keys_end; /* of its buffer of 32 bytes at 40:1E */
} __attribute__((packed));
enum { KEYS = 0x1E, KEYS_END = 0x3E };
_Static_assert(offsetof(struct bios_data, low_kib) == 0x13 && offsetof(struct bios_data, keys_head) == 0x1A &&
                   offsetof(struct bios_data, keys_start) == 0x80, "BIOS data area");

static enum guest_access page_zero(struct guest_storage *storage, const struct firmware_facts *f)
{
    struct {
        struct {
            uint16_t offset, segment;
        } vector[VECTORS];
        struct bios_data data;
    } __attribute__((packed)) low;
    struct bios_data *data = &low.data;

    for (unsigned i = 0; i < VECTORS; i++)
        low.vector[i].offset = ROM_IRET, low.vector[i].segment = FIRMWARE_ROM >> 4;
    *data = (struct bios_data){
        .ebda_segment = FIRMWARE_EBDA >> 4, .low_kib = FIRMWARE_EBDA >> 10,
        .equipment = (uint16_t)(EQUIPMENT_FPU | f->machine->uarts << EQUIPMENT_UARTS), .keys_head = KEYS,
        .keys_tail = KEYS, .keys_start = KEYS, .keys_end = KEYS_END};
    for (unsigned i = 0; i < f->machine->uarts; i++)
        data->uart[i] = machine_uarts[i].port;
    return guest_write(storage, gpa(0), &low, sizeof low);
}

static enum guest_access rom_page(struct guest_storage *storage, const struct firmware_facts *f, const uint8_t *rsdp)
{
    static uint8_t page[PAGE_SIZE];

    memset(page, 0, sizeof page);
    firmware_smbios(page + SMBIOS_AT, MP_AT - SMBIOS_AT, FIRMWARE_ROM + SMBIOS_AT, f);
    firmware_mp(page + MP_AT, RSDP_AT - MP_AT, FIRMWARE_ROM + MP_AT, f);
    memcpy(page + RSDP_AT, rsdp, FIRMWARE_RSDP_BYTES);
    page[ROM_IRET] = IRET;
    return guest_write(storage, gpa(FIRMWARE_ROM), page, sizeof page);
}

static enum guest_access ebda_page(struct guest_storage *storage, const struct firmware_facts *f, uint8_t *rsdp)
{
    static uint8_t page[EBDA_BYTES];

    memset(page, 0, sizeof page);
    page[0] = EBDA_BYTES >> 10;
    firmware_acpi(page + EBDA_TABLES, sizeof page - EBDA_TABLES, FIRMWARE_EBDA + EBDA_TABLES, f, rsdp);
    return guest_write(storage, gpa(FIRMWARE_EBDA), page, sizeof page);
}

enum guest_access firmware_leave(struct guest_storage *storage, const struct firmware_facts *f)
{
    uint8_t rsdp[FIRMWARE_RSDP_BYTES];

    if (storage->bytes < HIGH_START)
        return GUEST_OK;
    enum guest_access result = page_zero(storage, f);
    if (result == GUEST_OK)
        result = ebda_page(storage, f, rsdp);
    return result == GUEST_OK ? rom_page(storage, f, rsdp) : result;
}
