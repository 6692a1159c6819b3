/* Into L2 and back. */
#include "tests/guest/runtime/registers.h"

#define VMCS_HOST_RSP 0x6C14
#define VM_DONE 0x600D
#define DIAGNOSE_ENTER 0x14 /* cp/diagnose.h */

        .text
/* uint64_t vm_enter(struct vm_registers *, bool launched) */
        .global vm_enter, vm_enter_page, vm_exited, vm_l2_start
vm_enter:
        KEPT_PUSH
        push    %rdi
        mov     $VMCS_HOST_RSP, %eax
        vmwrite %rsp, %rax
        test    %esi, %esi
        mov     0(%rdi), %rax
        mov     8(%rdi), %rbx
        VM_REGISTERS_LOAD
        jnz     1f
        vmlaunch
        jmp     2f
1:      vmresume
2:      mov     $1, %eax
        jc      3f
        mov     $2, %eax
3:      pop     %rdi
        jmp     4f
vm_exited:
        xchg    %rdi, (%rsp)
        mov     %rax, 0(%rdi)
        mov     %rbx, 8(%rdi)
        mov     %rcx, 16(%rdi)
        mov     %rdx, 24(%rdi)
        mov     %rsi, 32(%rdi)
        pop     %rax
        mov     %rax, 40(%rdi)
        mov     %rbp, 48(%rdi)
        mov     %r8, 56(%rdi)
        mov     %r9, 64(%rdi)
        mov     %r10, 72(%rdi)
        mov     %r11, 80(%rdi)
        mov     %r12, 88(%rdi)
        mov     %r13, 96(%rdi)
        mov     %r14, 104(%rdi)
        mov     %r15, 112(%rdi)
        xor     %eax, %eax
4:      KEPT_POP
        ret

/* uint64_t vm_enter_page(struct vm_registers *, const struct vmcs_page *, natural_t *host_rsp): exits to vm_exited
 * too. */
vm_enter_page:
        KEPT_PUSH
        push    %rdi
        mov     %rsp, (%rdx)
        mov     %rsi, %rbx
        mov     $DIAGNOSE_ENTER, %eax
        VM_REGISTERS_LOAD
        vmcall
        pop     %rdi
        jmp     4b

/* L2 begins here: RDI its argument, RBX its body. */
vm_l2_start:
        cld
        call    *%rbx
1:      mov     $VM_DONE, %eax
        vmcall
        jmp     1b
