/* Question: does a payload boot, print, survive a trap it asked for, and end with the status it returns? */
#include "tests/guest/runtime/runtime.h"

static void undefined(void *unused)
{
    (void)unused;
    __asm__ volatile("ud2");
}

int guest_main(void)
{
    guest_print("hello from a bare machine\n");
    guest_check_equal(guest_boot_magic, MULTIBOOT_LOADER_MAGIC, "loaded by multiboot");
    guest_check_equal(guest_try(undefined, NULL), 6, "an undefined opcode traps with vector 6");
    guest_check((read_cr0() & 0x60000000) == 0, "caching is on");
    return (int)guest_failures;
}
