/* Interrupt, exception and SYSCALL entries: each pushes what the processor does not, so that there always is a
 * struct trap_frame.  trap_return is the way back to a place saved by trap_save, like longjmp. */
#include "cms/cpu/entry.h"

    .macro PUSH_REGISTERS
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    .endm
    .macro POP_REGISTERS
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rbp
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rbx
    popq %rax
    .endm

    .text

    .balign 16
    .globl trap_entries
trap_entries:
    .set vector, 0
    .rept 48
    .balign 16
    .if vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21 && vector != 29 && vector != 30
    pushq $0 /* these come without an error code */
    .endif
    pushq $vector
    jmp common
    .set vector, vector + 1
    .endr

common:
    PUSH_REGISTERS
    cld
    testb $3, ENTRY_FRAME_CS(%rsp)
    jnz of_program
    movq %rsp, %rdi
    call trap_take
return:
    POP_REGISTERS
    addq $16, %rsp /* vector, error */
    iretq

/* What came on a stack of the TSS goes on on the thread's, as all else does: the next may come while this sleeps. */
of_program:
    movq tss + ENTRY_TSS_RSP0(%rip), %rdi
    subq $ENTRY_FRAME, %rdi
    movq %rsp, %rsi
    movl $ENTRY_FRAME / 8, %ecx
    cmpq %rdi, %rsi
    je 1f
    movq %rdi, %rsp
    rep movsq
    movq %rsp, %rdi
1:  call trap_take

/* To user mode, with the struct trap_frame at RSP. SYSRET, which is quicker, takes RIP from RCX and the flags from R11,
 * so it serves where they are the same; else IRET does. */
    .globl user_return
user_return:
    cli
    movq %rsp, %rdi
    call user_tame
    testb %al, %al
    jz return
    POP_REGISTERS
    movq ENTRY_FRAME_RSP - ENTRY_FRAME_VECTOR(%rsp), %rsp
    sysretq

/* SYSCALL: RCX and R11 hold RIP and RFLAGS, RSP is the program's. Interrupts are off (user.c), and what comes all the
 * same has a stack of the TSS. One processor: the program's RSP waits in one place. */
    .globl user_system_call
user_system_call:
    movq %rsp, user_rsp(%rip)
    movq tss + ENTRY_TSS_RSP0(%rip), %rsp
    pushq $ENTRY_USER_DATA
    pushq user_rsp(%rip)
    pushq %r11
    pushq $ENTRY_USER_CODE
    pushq %rcx
    pushq $0
    pushq $ENTRY_SYSTEM_CALL
    PUSH_REGISTERS
    movq %rsp, %rdi
    call *user_seams_now(%rip) /* system_call, the first of them */
    jmp user_return

/* void user_enter(const struct trap_frame *) */
    .globl user_enter
user_enter:
    movq %rdi, %rsp
    jmp user_return

/* void context_switch(struct context *from, const struct context *to) */
    .globl context_switch
context_switch:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq (%rsi), %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

/* Where context_make() has the first switch return to: R12 is what to run, R13 its argument. */
    .globl context_begin
context_begin:
    movq %r13, %rdi
    call *%r12
    ud2

/* void cpu_wait(void) */
    .globl cpu_wait, cpu_wait_halt
cpu_wait:
    sti
cpu_wait_halt:
    hlt
    cli
    ret

/* int trap_save(struct trap_place *place): 0 now, the value given to trap_return later */
    .globl trap_save
trap_save:
    movq %rbx, 0(%rdi)
    movq %rbp, 8(%rdi)
    movq %r12, 16(%rdi)
    movq %r13, 24(%rdi)
    movq %r14, 32(%rdi)
    movq %r15, 40(%rdi)
    leaq 8(%rsp), %rax
    movq %rax, 48(%rdi)
    movq (%rsp), %rax
    movq %rax, 56(%rdi)
    xorl %eax, %eax
    ret

/* void trap_return(const struct trap_place *place, int value) */
    .globl trap_return
trap_return:
    movq 0(%rdi), %rbx
    movq 8(%rdi), %rbp
    movq 16(%rdi), %r12
    movq 24(%rdi), %r13
    movq 32(%rdi), %r14
    movq 40(%rdi), %r15
    movq 48(%rdi), %rdx
    movl %esi, %eax
    movl $ENTRY_KERNEL_DATA, %ecx
    pushq %rcx
    pushq %rdx
    pushq $ENTRY_KERNEL_FLAGS
    pushq $ENTRY_KERNEL_CODE
    pushq 56(%rdi)
    iretq /* which also lets the next NMI come, where this is from one */

    .bss
    .balign 8
user_rsp: .skip 8
    .text

/* libfdt.a is built with a stack protector; a broken canary must not go on */
    .globl __stack_chk_fail
__stack_chk_fail:
    ud2
