/* IPL of firmware: a ROM's image, which begins at the reset vector as on a PC, 16 bytes below its end.
 * In: the image, hostile. Out: storage with its copies, at the end of the first 4 GiB and of the first MiB, and what
 * it asks of its machine (cp/device/fw_cfg.h).
 *
 * Copies are the machine's own RAM: firmware writes into that below 1 MiB, as on a PC once the shadow is open, and
 * there is nothing to open it by. */
#pragma once
#include "cp/device/fw_cfg.h"
#include "cp/device/machine.h"
#include "cp/ipl/copy.h"
#include "cp/ipl/firmware.h"

enum { ROM_LEAST = 64 << 10, ROM_MOST = 8 << 20, ROM_LOW = 256 << 10 /* of it, at most, ends at 1 MiB */ };

/* Whole times 64 KiB, no ELF file, and a jump or the like where the processor begins. */
bool rom_is(struct ipl_bytes image, uint64_t bytes);

/* Notes what is to be copied. NULL, or why not. @pre rom_is(), and the storage is clear */
const char *rom_begin(struct ipl_copies *, struct guest_storage *, struct ipl_bytes image, uint64_t bytes);

enum { ROM_ANY_DISK = -1 };
/* Tells it of the machine: memory map, ACPI and SMBIOS tables, the console, and of which disk, by its PCI slot, it is
 * to boot and of no other. False: no frames. */
bool rom_inform(struct machine *, const struct firmware_facts *, int slot);
