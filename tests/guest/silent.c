/* Question: can CP be reached at a machine that never writes to its line, and never exits? */
#include "tests/guest/runtime/runtime.h"

int guest_main(void)
{
    for (;;)
        __asm__ volatile("cli");
}
