/* Of the payload `longest`: machines upon it (DIAGNOSE X'100'), as large as there is room for. */
#pragma once
#include "cp/diagnose.h"
#include "tests/guest/runtime/runtime.h"

/* An image that is most of this machine's storage, and fills most of the other's; it halts at once, for good. */
static void try_machine(void)
{
    enum { AT = 0x600000, BYTES = 20 << 20, LOADED = 0x100000, END = 90 << 20 };
    static const char name[] = "LARGE";
    uint32_t *image = (uint32_t *)(uintptr_t)AT;
    const uint32_t header[] = {0x1BADB002, 0x10000, -(0x1BADB002u + 0x10000), LOADED, LOADED, LOADED + BYTES, END,
                               LOADED + 32, 0xFEEBF4FA /* cli; hlt; jmp */};
    for (uint32_t at = AT; at < AT + BYTES; at += 4096)
        *(volatile uint32_t *)(uintptr_t)at = at;
    for (unsigned i = 0; i < sizeof header / sizeof *header; i++)
        image[i] = header[i];
    uint64_t code = DIAGNOSE_MACHINE, b = AT, c = BYTES, d = (uint64_t)(uintptr_t)name;
    __asm__ volatile("vmcall" : "+a"(code), "+b"(b), "+c"(c), "+d"(d) : "S"(sizeof name - 1) : "memory");
    guest_print("MACHINE %u %u\n", (unsigned)code, (unsigned)b);
}
