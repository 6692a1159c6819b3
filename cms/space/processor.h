/* What address spaces need of the processor; the driver room provides it, unit tests bring a fake. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* The upper half of the kernel's own top table, which every address space has too. */
void space_processor_kernel_half(uint64_t entries[256]);
bool space_processor_has_no_execute(void);
/* The table entries of one page, or any, have changed: the processor forgets what it knows of them, if that address
 * space is the one that is loaded. */
void space_processor_forget(uint64_t root, uint64_t address);
void space_processor_forget_all(uint64_t root);
/* That address space goes: where it is loaded, the kernel's own is from now on. */
void space_processor_leave(uint64_t root);
