/* Into a sequence and out of it. */
#include "tests/guest/runtime/registers.h"

        .text
/* void oracle_enter(struct oracle_state *, uint64_t rip) */
        .global oracle_enter, oracle_left
oracle_enter:
        KEPT_PUSH
        mov     %rsp, oracle_rsp
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups  (136 + 16 * \n)(%rdi), %xmm\n
        .endr
        push    $0x10
        push    32(%rdi)                /* RSP */
        push    128(%rdi)               /* RFLAGS */
        push    $0x08
        push    %rsi
        mov     0(%rdi), %rax
        mov     8(%rdi), %rcx
        mov     16(%rdi), %rdx
        mov     24(%rdi), %rbx
        mov     40(%rdi), %rbp
        mov     48(%rdi), %rsi
        mov     64(%rdi), %r8
        mov     72(%rdi), %r9
        mov     80(%rdi), %r10
        mov     88(%rdi), %r11
        mov     96(%rdi), %r12
        mov     104(%rdi), %r13
        mov     112(%rdi), %r14
        mov     120(%rdi), %r15
        mov     56(%rdi), %rdi
        iretq

oracle_left:
        mov     %rdi, oracle_state + 56
        mov     $oracle_state, %edi
        mov     %rsp, 32(%rdi)
        pushfq
        popq    128(%rdi)
        mov     oracle_rsp, %rsp
        cld
        push    $2
        popfq
        mov     %rax, 0(%rdi)
        mov     %rcx, 8(%rdi)
        mov     %rdx, 16(%rdi)
        mov     %rbx, 24(%rdi)
        mov     %rbp, 40(%rdi)
        mov     %rsi, 48(%rdi)
        mov     %r8, 64(%rdi)
        mov     %r9, 72(%rdi)
        mov     %r10, 80(%rdi)
        mov     %r11, 88(%rdi)
        mov     %r12, 96(%rdi)
        mov     %r13, 104(%rdi)
        mov     %r14, 112(%rdi)
        mov     %r15, 120(%rdi)
        mov     %cr0, %rax
        and     $~8, %rax               /* TS */
        mov     %rax, %cr0
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups  %xmm\n, (136 + 16 * \n)(%rdi)
        .endr
        KEPT_POP
        ret

/* void oracle_return(uint64_t *frame): three words of an IRET's frame are stored there, two are as they are */
        .global oracle_return, oracle_iret, oracle_target
oracle_return:
        KEPT_PUSH
        mov     %rsp, oracle_return_rsp
        movq    $oracle_target, 0(%rdi)
        movq    $0x08, 8(%rdi)
        movq    $2, 16(%rdi)
        mov     %rdi, %rsp
oracle_iret:
        iretq
oracle_target:
        mov     oracle_return_rsp, %rsp
        KEPT_POP
        ret

        .bss
        .balign 8
oracle_rsp: .skip 8
oracle_return_rsp: .skip 8
