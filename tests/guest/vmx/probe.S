/* The hypervisor whose cost vmx_probe measures: at an exit it notes the time, reads four fields, and puts RIP past a
 * CPUID by one VMWRITE; anything else ends the run. 15 + 7 + 8 + 4 + 15 + 1 = 50 instructions from exit to VMRESUME. */
#include "tests/guest/runtime/registers.h"

#define EXIT_REASON 0x4402
#define EXIT_INSTRUCTION_LENGTH 0x440C
#define EXIT_QUALIFICATION 0x6400
#define GUEST_RIP 0x681E
#define HOST_RSP 0x6C14
#define REASON_CPUID 10

        .text
        .global probe_run, probe_exited, probe_l2, probe_l2_compute, probe_compute, probe_stamp, probe_rounds

/* uint64_t probe_run(void): VMLAUNCHes the current VMCS; the reason of the exit that was
 * no CPUID, ~0 if an entry failed. */
probe_run:
        KEPT_PUSH
        mov     $HOST_RSP, %eax
        vmwrite %rsp, %rax
        mov     %rsp, probe_stack
        vmlaunch
        mov     $-1, %rax
        jmp     2f

probe_exited:
        push    %rax
        push    %rcx
        push    %rdx
        push    %rbx
        push    %rbp
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        rdtsc
        shl     $32, %rdx
        or      %rdx, %rax
        mov     probe_stamp, %rcx
        mov     %rax, (%rcx)
        add     $8, %rcx
        mov     %rcx, probe_stamp
        mov     $EXIT_REASON, %eax
        vmread  %rax, %rbx
        mov     $EXIT_QUALIFICATION, %eax
        vmread  %rax, %rcx
        mov     $EXIT_INSTRUCTION_LENGTH, %eax
        vmread  %rax, %rdi
        mov     $GUEST_RIP, %eax
        vmread  %rax, %rsi
        cmp     $REASON_CPUID, %ebx
        jne     1f
        add     %rdi, %rsi
        vmwrite %rsi, %rax
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rdi
        pop     %rsi
        pop     %rbp
        pop     %rbx
        pop     %rdx
        pop     %rcx
        pop     %rax
        vmresume
        mov     $-1, %rbx
1:      mov     %rbx, %rax
        mov     probe_stack, %rsp
2:      KEPT_POP
        ret

/* L2: probe_rounds times CPUID, four instructions a round, then VMCALL. */
probe_l2:
        mov     probe_rounds, %r8
1:      xor     %eax, %eax
        cpuid
        dec     %r8
        jnz     1b
        vmcall

/* L2: 2 * probe_rounds instructions of plain computing, their time behind where probe_stamp points, VMCALL. */
probe_l2_compute:
        call    probe_compute
        mov     probe_stamp, %rcx
        mov     %rax, 8(%rcx)
        vmcall

/* uint64_t probe_compute(void): the same anywhere; ticks that 2 * probe_rounds + 4 instructions took. */
probe_compute:
        rdtsc
        shl     $32, %rdx
        or      %rdx, %rax
        mov     %rax, %r9
        mov     probe_rounds, %r8
1:      dec     %r8
        jnz     1b
        rdtsc
        shl     $32, %rdx
        or      %rdx, %rax
        sub     %r9, %rax
        ret

        .data
        .balign 8
probe_stamp:    .quad 0
probe_rounds:   .quad 0
probe_stack:    .quad 0
