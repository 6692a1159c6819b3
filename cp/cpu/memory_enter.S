/* uint64_t memory_switch(uint64_t *gpr, uint64_t page)
 * The world switch by one call of the CP below, page being the guest-physical address of a struct vmcs_page: 0 after an
 * exit, else why the call failed. RAX, RBX and RSP of the guest are the page's. */
#include "cp/cpu/gpr.h"

#define DIAGNOSE_ENTER 0x14 /* cp/diagnose.h */

    .text
    .globl memory_switch, memory_exit_point, memory_host_stack
memory_switch:
    CP_REGISTERS_PUSH
    movq %rdi, memory_host_stack
    movq %rsp, memory_host_stack + 8
    pushq %rsi
    GUEST_REGISTERS_LOAD
    popq %rbx
    movl $DIAGNOSE_ENTER, %eax
    vmcall
    jmp 1f

memory_exit_point:
    GUEST_REGISTERS_SAVE
    movq %rax, 0(%rdi)
    movq 8(%rsp), %rsp
    xorl %eax, %eax
1:  CP_REGISTERS_POP
    ret

    .bss
    .balign 16
    .skip 4096 /* what is pushed here is little, but an NMI's handler may run on it */
memory_host_stack:
    .skip 16 /* gpr, and RSP of memory_switch */
    .section .note.GNU-stack, "", @progbits
