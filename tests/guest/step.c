/* Question: is a program that is stepped trapped behind each instruction, those included that CP carries out for it?
 * Prints where it was trapped, in instructions from the first; the same on a PC as under CP. SDM "Single-Step Exception
 * Condition". */
#include "tests/guest/runtime/steps.h"

/* Each place is where an instruction begins; stepped() returns with TF clear again. */
extern const uint64_t step_places[];
extern const uint32_t step_place_count;
void step_run(void *destination);
__asm__(".text\n"
        "step_run:\n"
        "    push %rbx\n"
        "    pushfq\n"
        "    pushfq\n"
        "    orl $0x100, (%rsp)\n"
        "    popfq\n"
        "    nop\n" /* TF counts from here */
        "0:  nop\n"
        "1:  xor %eax, %eax\n"
        "2:  cpuid\n"
        "3:  mov $0x10, %ecx\n"
        "4:  rdmsr\n"
        "5:  mov $0x3FD, %edx\n"
        "6:  in %dx, %al\n"
        "7:  mov %ss, %eax\n"
        "8:  mov %eax, %ss\n" /* no trap behind this one */
        "9:  cpuid\n"
        "10: mov $0x80, %edx\n"
        "11: mov $3, %ecx\n"
        "12: rep insb\n"
        "13: mov 0xFEE00020, %eax\n" /* a device in storage's address space */
        "14: wbinvd\n"
        "15: smsw %eax\n"
        "16: mov $0xC0000081, %ecx\n" /* an MSR a guest has to itself */
        "17: rdmsr\n"
        "18: popfq\n"
        "19: pop %rbx\n"
        "    ret\n"
        ".section .rodata\n"
        "step_places: .quad 0b, 1b, 2b, 3b, 4b, 5b, 6b, 7b, 8b, 9b, 10b, 11b, 12b, 13b, 14b, 15b, 16b, 17b, 18b, 19b\n"
        "step_place_count: .long 20\n"
        ".text\n");

int guest_main(void)
{
    static uint8_t bytes[16];

    guest_steps_begin();
    step_run(bytes);
    for (unsigned i = 0; i < guest_steps.count && i < GUEST_STEPS; i++)
        guest_print("%d\n", guest_place(step_places, step_place_count, guest_steps.at[i]));
    guest_check_equal(guest_steps.others, 0, "DR6.BS with each");
    guest_print("end\n");
    return (int)guest_failures;
}
