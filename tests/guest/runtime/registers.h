/* Assembler's macros of the payloads: what the C calling convention wants kept, and all general registers but RSP in
 * the order of struct guest_frame and struct vm_registers. */
#pragma once
#ifdef __ASSEMBLER__

.macro KEPT_PUSH
        .irp    register, rbx, rbp, r12, r13, r14, r15
        push    %\register
        .endr
.endm

.macro KEPT_POP
        .irp    register, r15, r14, r13, r12, rbp, rbx
        pop     %\register
        .endr
.endm

/* RAX is on top then. */
.macro FRAME_PUSH
        .irp    register, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
        push    %\register
        .endr
.endm

/* All but RAX and RBX, which are on top before. */
.macro FRAME_POP_REST
        .irp    register, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
        pop     %\register
        .endr
.endm

/* From struct vm_registers at RDI, RDI last. RAX, RBX and the flags stay. */
.macro VM_REGISTERS_LOAD
        mov     16(%rdi), %rcx
        mov     24(%rdi), %rdx
        mov     32(%rdi), %rsi
        mov     48(%rdi), %rbp
        mov     56(%rdi), %r8
        mov     64(%rdi), %r9
        mov     72(%rdi), %r10
        mov     80(%rdi), %r11
        mov     88(%rdi), %r12
        mov     96(%rdi), %r13
        mov     104(%rdi), %r14
        mov     112(%rdi), %r15
        mov     40(%rdi), %rdi
.endm

#endif
