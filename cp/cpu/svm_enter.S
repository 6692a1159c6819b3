/* void svm_run(uint64_t *gpr, uint64_t vmcb, uint64_t host)
 * The world switch: general registers in x86 encoding order at gpr, but RAX and RSP, which are the VMCB's. Physical interrupts
 * are CP's: with V_INTR_MASKING it is CP's RFLAGS.IF at VMRUN that lets them end the guest, and GIF that keeps them from CP. */
#include "cp/cpu/gpr.h"

    .section .text.svm_run, "ax", @progbits
    .globl svm_run
svm_run:
    CP_REGISTERS_PUSH
    pushq %rdx
    pushq %rdi
    clgi
    sti
    movq %rsi, %rax
    vmload %rax
    GUEST_REGISTERS_LOAD
    vmrun %rax
    vmsave %rax
    GUEST_REGISTERS_SAVE
    popq %rdi
    popq %rax
    vmload %rax
    cli
    stgi
    CP_REGISTERS_POP
    ret
    .section .note.GNU-stack, "", @progbits
