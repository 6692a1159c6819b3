/* Assembler's macros of the world switch: CP's own registers on the stack, the guest's in `uint64_t gpr[16]`, in x86
 * encoding order. RAX and RSP of the guest are left to who uses them: VMX keeps RSP in the VMCS, SVM both in the
 * VMCB. */
#pragma once
#ifdef __ASSEMBLER__

/* What the C calling convention wants kept. */
.macro CP_REGISTERS_PUSH
    .irp register, rbp, rbx, r12, r13, r14, r15
    pushq %\register
    .endr
.endm

.macro CP_REGISTERS_POP
    .irp register, r15, r14, r13, r12, rbx, rbp
    popq %\register
    .endr
.endm

/* From gpr at RDI, RDI last. Flags and RAX stay. */
.macro GUEST_REGISTERS_LOAD
    movq 8*1(%rdi), %rcx
    movq 8*2(%rdi), %rdx
    movq 8*3(%rdi), %rbx
    movq 8*5(%rdi), %rbp
    movq 8*6(%rdi), %rsi
    .irp number, 8, 9, 10, 11, 12, 13, 14, 15
    movq 8*\number(%rdi), %r\number
    .endr
    movq 8*7(%rdi), %rdi
.endm

/* To gpr, whose address is on top of the stack and stays there; it is in RDI then. RAX stays. */
.macro GUEST_REGISTERS_SAVE
    pushq %rdi
    movq 8(%rsp), %rdi
    movq %rcx, 8*1(%rdi)
    movq %rdx, 8*2(%rdi)
    movq %rbx, 8*3(%rdi)
    movq %rbp, 8*5(%rdi)
    movq %rsi, 8*6(%rdi)
    popq 8*7(%rdi)
    .irp number, 8, 9, 10, 11, 12, 13, 14, 15
    movq %r\number, 8*\number(%rdi)
    .endr
.endm

/* Fills the return stack buffer, of at most 32 entries, with returns to where speculation stops. Changes flags, and
 * storage below RSP; no other register. */
.macro RETURNS_STUFF
    .rept 32
    call 9f
    int3
9:
    .endr
    addq $(8 * 32), %rsp
    lfence
.endm

#endif
