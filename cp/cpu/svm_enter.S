/* void svm_run(uint64_t *gpr, uint64_t vmcb, uint64_t host)
 * The world switch: general registers in x86 encoding order at gpr, but RAX and RSP, which are the VMCB's. Physical interrupts
 * are CP's: with V_INTR_MASKING it is CP's RFLAGS.IF at VMRUN that lets them end the guest, and GIF that keeps them from CP. */

    .text
    .globl svm_run
svm_run:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushq %rdx
    pushq %rdi
    clgi
    sti
    movq %rsi, %rax
    vmload %rax
    movq 8(%rdi), %rcx
    movq 16(%rdi), %rdx
    movq 24(%rdi), %rbx
    movq 40(%rdi), %rbp
    movq 48(%rdi), %rsi
    movq 64(%rdi), %r8
    movq 72(%rdi), %r9
    movq 80(%rdi), %r10
    movq 88(%rdi), %r11
    movq 96(%rdi), %r12
    movq 104(%rdi), %r13
    movq 112(%rdi), %r14
    movq 120(%rdi), %r15
    movq 56(%rdi), %rdi
    vmrun %rax
    vmsave %rax
    pushq %rdi
    movq 8(%rsp), %rdi
    movq %rcx, 8(%rdi)
    movq %rdx, 16(%rdi)
    movq %rbx, 24(%rdi)
    movq %rbp, 40(%rdi)
    movq %rsi, 48(%rdi)
    popq 56(%rdi)
    movq %r8, 64(%rdi)
    movq %r9, 72(%rdi)
    movq %r10, 80(%rdi)
    movq %r11, 88(%rdi)
    movq %r12, 96(%rdi)
    movq %r13, 104(%rdi)
    movq %r14, 112(%rdi)
    movq %r15, 120(%rdi)
    popq %rdi
    popq %rax
    vmload %rax
    cli
    stgi
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .section .note.GNU-stack, "", @progbits
