/* The hypervisor whose cost vmx_probe measures when its VMCS is a page: what probe.S has, the fields being read and
 * written by a function of the payload. */
#include "tests/guest/runtime/registers.h"

#define DIAGNOSE_ENTER 0x14 /* cp/diagnose.h */

        .text
        .global probe_page_run, probe_page_exited

/* uint64_t probe_page_run(struct vmcs_page *, natural_t *host_rsp): enters; 0 at the exit that probe_page_step() does
 * not go on from, else the status of the call that failed. */
probe_page_run:
        KEPT_PUSH
        mov     %rdi, probe_page
        mov     %rsp, (%rsi)
        mov     %rsp, probe_page_stack
        jmp     1f

probe_page_exited:
        FRAME_PUSH
        mov     %rsp, %rdi
        call    probe_page_step
        test    %al, %al
        mov     $0, %eax
        jz      2f
        add     $16, %rsp       /* RAX and RBX are in the page */
        FRAME_POP_REST
1:      mov     $DIAGNOSE_ENTER, %eax
        mov     probe_page, %rbx
        vmcall
2:      mov     probe_page_stack, %rsp
        KEPT_POP
        ret

        .data
        .balign 8
probe_page:             .quad 0
probe_page_stack:       .quad 0
