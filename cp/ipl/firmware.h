/* What a PC's firmware leaves in the first MiB for kernels that look there: interrupt vectors and the BIOS data area in
 * page 0, the extended BIOS data area at the end of low memory with the ACPI tables, SMBIOS, MP tables and the pointer
 * to ACPI's in the ROM's place. All of it says what the device tree says; the memory map (cp/ipl/map.h) keeps the last
 * two out of RAM that software may use.
 * In: a machine's configuration and CPUID. Out: bytes in its storage. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/device/machine_config.h"
#include "cp/storage/guest.h"

enum {
    FIRMWARE_EBDA = 0x9F000, /* of 4 KiB: RAM for software ends here */
    FIRMWARE_ROM = 0xF0000,  /* one page of it is written */
    FIRMWARE_RSDP = FIRMWARE_ROM + 0xFC0,
    FIRMWARE_RSDP_BYTES = 36,
};

struct firmware_facts {
    const struct machine_config *machine;
    const char *system;           /* the name it was IPLed by; "": an image without */
    uint32_t signature, features; /* of the processor: CPUID.1 EAX and EDX */
};

/* GUEST_OK, or there were no frames. Nothing is done for storage that does not reach 1 MiB. */
enum guest_access firmware_leave(struct guest_storage *, const struct firmware_facts *);

/* The parts of the ROM page. Each returns how many bytes it wrote, at most `size`. */
size_t firmware_smbios(uint8_t *to, size_t size, uint32_t at, const struct firmware_facts *);
size_t firmware_mp(uint8_t *to, size_t size, uint32_t at, const struct firmware_facts *);

/* The ACPI tables, and what points to them. False: no room for them in `size`; then the pointer is none. `at` is
 * 64-aligned. */
bool firmware_acpi(uint8_t *to, size_t size, uint32_t at, const struct firmware_facts *,
                   uint8_t pointer[FIRMWARE_RSDP_BYTES]);

static inline uint8_t firmware_sum(const void *of, size_t bytes)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < bytes; i++)
        sum += ((const uint8_t *)of)[i];
    return sum;
}
