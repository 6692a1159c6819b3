/* int vmx_enter(uint64_t *gpr, bool launched, uint64_t *host_rsp)
 * The world switch: general registers in x86 encoding order at gpr; RSP, RIP and RFLAGS are the VMCS's. */
#include "cp/cpu/gpr.h"

#define HOST_RSP 0x6C14

    .text
    .globl vmx_enter, vmx_exit_point, vmx_exit_point_stuffing
vmx_enter:
    CP_REGISTERS_PUSH
    pushq %rdi
    cmpq %rsp, (%rdx)
    je 1f
    movq %rsp, (%rdx)
    movl $HOST_RSP, %eax
    vmwrite %rsp, %rax
1:  testb %sil, %sil
    movq 0(%rdi), %rax
    GUEST_REGISTERS_LOAD
    jz 2f
    vmresume
    jmp 3f
2:  vmlaunch
3:  movl $1, %eax
    jc 4f
    movl $2, %eax
4:  popq %rdi
    jmp 5f

vmx_exit_point_stuffing:
    RETURNS_STUFF
vmx_exit_point:
    GUEST_REGISTERS_SAVE
    movq %rax, 0(%rdi)
    xorl %eax, %eax
    addq $8, %rsp
5:  CP_REGISTERS_POP
    ret
    .section .note.GNU-stack, "", @progbits
