/* Entry points of CP's interrupt descriptor table: 256 stubs of 16 bytes each. Exceptions end in trap_exception with a
 * frame, interrupts in trap_interrupt with their vector; both restore what C may change. */

    .text
    .globl trap_stubs, trap_debug, trap_debug_end
    .align 16
trap_stubs:
    .set vector, 0
    .rept 256
    .align 16
    /* error code: 8, 10-14, 17, 21, 29, 30 push one themselves */
    .set pushes, (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21)
    .set pushes, pushes || (vector == 29) || (vector == 30)
    .if !pushes
    pushq $0
    .endif
    pushq $vector
    .if vector == 1
    jmp trap_debug
    .else
    jmp trap_common
    .endif
    .set vector, vector + 1
    .endr

    /* before anything else is touched breakpoints are disarmed, so that none is met on the
     * way: svm_debug.c arms none here */
    .align 16
trap_debug:
    pushq %rax
    movl $0x400, %eax
    movq %rax, %dr7
    popq %rax
trap_debug_end:

trap_common:
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    movq 72(%rsp), %rdi /* vector */
    cmpq $32, %rdi
    jb 1f
    cld
    call trap_interrupt
    jmp 2f
1:  leaq 72(%rsp), %rsi /* vector, error code, RIP, CS, RFLAGS, RSP, SS */
    cld
    call trap_exception
2:  popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rax
    addq $16, %rsp
    iretq
    .section .note.GNU-stack, "", @progbits
