/* Question: can CP still be reached while its guest loops with interrupts off and never exits? */
#include "tests/guest/runtime/runtime.h"

int guest_main(void)
{
    guest_print("spinning\n");
    for (;;)
        __asm__ volatile("cli");
}
