/* void svm_run(uint64_t *gpr, uint64_t vmcb, uint64_t host, bool armed)
 * The world switch: general registers in x86 encoding order at gpr, but RAX and RSP, which are the VMCB's.
 * Physical interrupts are CP's: with V_INTR_MASKING it is CP's RFLAGS.IF at VMRUN that lets them end the guest,
 * and GIF that keeps them from CP.
 *
 * With `armed`, for QEMU in software, svm_armed says what VMRUN does not do there: DR7 arms the guest's
 * breakpoints, and STI right before VMRUN casts the shadow that the guest's first instruction is in. Between
 * svm_window and svm_window_end those breakpoints would stop CP too, so it touches nothing there but svm_armed, the
 * VMCB and the page CP's state is saved in. */
#include "cp/cpu/gpr.h"

#define DR7_NONE 0x400
#define ARMED_DR7 svm_armed
#define ARMED_VMCB svm_armed + 8
#define ARMED_SHADOW svm_armed + 16

    .section .text.svm_run, "ax", @progbits
    .globl svm_run, svm_window, svm_window_end
svm_run:
    CP_REGISTERS_PUSH
    pushq %rdx
    pushq %rdi
    clgi
    movq %rsi, %rax
    vmload %rax
    testb %cl, %cl
    jnz 2f
    sti
    GUEST_REGISTERS_LOAD
    vmrun %rax
svm_left:
    vmsave %rax
    GUEST_REGISTERS_SAVE
    popq %rdi
    popq %rax
    vmload %rax
    cli
    stgi
    CP_REGISTERS_POP
    ret

2:  cmpb $0, ARMED_SHADOW
    jne 3f
    sti
3:  GUEST_REGISTERS_LOAD
    movq ARMED_DR7, %rax
svm_window:
    movq %rax, %dr7
    movq ARMED_VMCB, %rax
    cmpb $0, ARMED_SHADOW
    je 4f
    sti
4:  vmrun %rax
    movl $DR7_NONE, %eax
    movq %rax, %dr7
svm_window_end:
    movq ARMED_VMCB, %rax
    jmp svm_left

/* void svm_run_stuffing(uint64_t *gpr, uint64_t vmcb, uint64_t host) */
    .section .text.svm_run_stuffing, "ax", @progbits
    .globl svm_run_stuffing
svm_run_stuffing:
    CP_REGISTERS_PUSH
    pushq %rdx
    pushq %rdi
    clgi
    movq %rsi, %rax
    vmload %rax
    sti
    GUEST_REGISTERS_LOAD
    vmrun %rax
    RETURNS_STUFF
    jmp svm_left
    .section .note.GNU-stack, "", @progbits
