/* Interrupt and exception entries: each pushes what the processor does not, so that trap_take always finds a
 * struct trap_frame.  trap_return is the way back to a place saved by trap_save, like longjmp. */
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
    cld
    movq %rsp, %rdi
    call trap_take
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
    addq $16, %rsp
    iretq

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
    movq 48(%rdi), %rsp
    movl %esi, %eax
    sti
    jmp *56(%rdi)

/* libfdt.a is built with a stack protector; a broken canary must not go on */
    .globl __stack_chk_fail
__stack_chk_fail:
    ud2
