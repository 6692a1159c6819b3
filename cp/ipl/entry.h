/* Where software begins to run, and with which registers: 32-bit protected mode, paging off, flat segments. */
#pragma once
#include <stdint.h>

struct ipl_entry {
    uint32_t eip, eax, ebx; /* multiboot: ebx leads to the information */
    uint32_t esi;           /* Linux: to the boot parameters */
};
