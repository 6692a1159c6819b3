/* Question: is a stepped program trapped behind each instruction just once where it touches pages that CP has not given
 * yet? Prints where it was trapped, in instructions from the first, then the same of pages that are there. SDM "Saving
 * Non-Register State" (pending debug exceptions). */
#include "tests/guest/runtime/steps.h"

enum { UNTOUCHED = 0x2800000 };

extern const uint64_t step_touch_places[];
extern const uint32_t step_touch_count;
void step_touch_run(void *pages);
__asm__(".text\n"
        "step_touch_run:\n"
        "    pushfq\n"
        "    pushfq\n"
        "    orl $0x100, (%rsp)\n"
        "    popfq\n"
        "    nop\n"
        "0:  mov %eax, (%rdi)\n"
        "1:  mov 0x1000(%rdi), %eax\n"
        "2:  addl $1, 0x2000(%rdi)\n"
        "3:  push 0x3000(%rdi)\n"
        "4:  pop 0x4000(%rdi)\n"
        "5:  nop\n"
        "6:  mov %ss, %eax\n"
        "7:  mov %eax, %ss\n" /* no trap behind this one */
        "8:  mov %eax, 0x5000(%rdi)\n"
        "9:  nop\n"
        "10: popfq\n"
        "11: ret\n"
        ".section .rodata\n"
        "step_touch_places: .quad 0b, 1b, 2b, 3b, 4b, 5b, 6b, 7b, 8b, 9b, 10b, 11b\n"
        "step_touch_count: .long 12\n"
        ".text\n");

int guest_main(void)
{
    for (unsigned round = 0; round < 2; round++) {
        guest_steps_begin();
        step_touch_run((void *)(uintptr_t)UNTOUCHED);
        for (unsigned i = 0; i < guest_steps.count && i < GUEST_STEPS; i++)
            guest_print("%s%d", i ? " " : "", guest_place(step_touch_places, step_touch_count, guest_steps.at[i]));
        guest_print("\n");
    }
    return 0;
}
