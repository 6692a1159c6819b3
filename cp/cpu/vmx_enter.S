/* int vmx_enter(uint64_t *gpr, bool launched, uint64_t *host_rsp)
 * The world switch: general registers in x86 encoding order at gpr; RSP, RIP and RFLAGS are the VMCS's. */

#define HOST_RSP 0x6C14

    .text
    .globl vmx_enter, vmx_exit_point
vmx_enter:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushq %rdi
    cmpq %rsp, (%rdx)
    je 1f
    movq %rsp, (%rdx)
    movl $HOST_RSP, %eax
    vmwrite %rsp, %rax
1:  testb %sil, %sil
    movq 0(%rdi), %rax
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
    jz 2f
    vmresume
    jmp 3f
2:  vmlaunch
3:  movl $1, %eax
    jc 4f
    movl $2, %eax
4:  popq %rdi
    jmp 5f

vmx_exit_point:
    pushq %rdi
    movq 8(%rsp), %rdi
    movq %rax, 0(%rdi)
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
    xorl %eax, %eax
    addq $8, %rsp
5:  popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .section .note.GNU-stack, "", @progbits
