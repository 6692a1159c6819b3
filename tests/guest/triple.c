/* Question: does a triple fault end this machine and nothing else? Loads an empty IDT and traps. */
#include "tests/guest/runtime/runtime.h"

int guest_main(void)
{
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) empty = {0, 0};
    guest_print("about to fault three times\n");
    __asm__ volatile("lidt %0; ud2" : : "m"(empty));
    return 1;
}
