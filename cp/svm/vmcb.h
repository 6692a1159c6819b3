/* The virtual machine control block of AMD-V, and the numbers that go into it. APM volume 2, "VMCB
 * Layout", "SVM Intercept Codes". */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct vmcb_segment {
    uint16_t selector, rights; /* descriptor bits 40-47 and 52-55, side by side */
    uint32_t limit;
    uint64_t base;
};

struct vmcb {
    uint16_t cr_reads, cr_writes, dr_reads, dr_writes; /* a bit a register */
    uint32_t exceptions;                               /* a bit a vector */
    uint32_t intercepts, intercepts2, intercepts3;
    uint8_t reserved0[0x40 - 0x18];
    uint64_t io_map, msr_map, tsc_offset;
    uint32_t asid;
    uint8_t tlb_control, reserved1[3];
    uint64_t virtual_interrupt, interrupt_shadow;
    uint64_t exit_code, exit_info1, exit_info2, exit_interrupt_info;
    uint64_t nested_paging, reserved2[2];
    uint64_t event_injection, nested_cr3, lbr_virtualization, clean, next_rip;
    uint8_t reserved3[0x400 - 0xD0];

    struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
    uint8_t reserved4[0xCB - 0xA0], cpl, reserved5[4];
    uint64_t efer;
    uint8_t reserved6[0x148 - 0xD8];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
    uint8_t reserved7[0x1D8 - 0x180];
    uint64_t rsp, reserved8[3], rax;
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2, reserved9[4];
    uint64_t pat, debugctl;
    uint8_t reserved10[0x1000 - 0x400 - 0x278];
};

#define VMCB_AT(member, offset) _Static_assert(offsetof(struct vmcb, member) == (offset), #member " is misplaced")
VMCB_AT(io_map, 0x40);
VMCB_AT(virtual_interrupt, 0x60);
VMCB_AT(exit_code, 0x70);
VMCB_AT(nested_paging, 0x90);
VMCB_AT(event_injection, 0xA8);
VMCB_AT(next_rip, 0xC8);
VMCB_AT(cpl, 0x4CB);
VMCB_AT(efer, 0x4D0);
VMCB_AT(cr4, 0x548);
VMCB_AT(rip, 0x578);
VMCB_AT(rsp, 0x5D8);
VMCB_AT(rax, 0x5F8);
VMCB_AT(cr2, 0x640);
VMCB_AT(pat, 0x668);
_Static_assert(sizeof(struct vmcb) == 4096, "a VMCB is a page");

enum vmcb_intercept {
    VMCB_INTR = 1u << 0, VMCB_NMI = 1u << 1, VMCB_INIT = 1u << 3, VMCB_VINTR = 1u << 4, VMCB_CR0_SELECTIVE = 1u << 5,
    VMCB_DESCRIPTOR_TABLES = 0xFFu << 6, /* reads and writes of IDTR, GDTR, LDTR, TR */
    VMCB_RDTSC = 1u << 14, VMCB_RDPMC = 1u << 15, VMCB_CPUID = 1u << 18, VMCB_IRET = 1u << 20,
    VMCB_INTN = 1u << 21, VMCB_INVD = 1u << 22, VMCB_PAUSE = 1u << 23, VMCB_HLT = 1u << 24, VMCB_INVLPG = 1u << 25,
    VMCB_INVLPGA = 1u << 26, VMCB_IO = 1u << 27, VMCB_MSR = 1u << 28, VMCB_SHUTDOWN = 1u << 31,
};

enum vmcb_intercept2 {
    VMCB_SVM_INSTRUCTIONS = 0x7F, /* VMRUN VMMCALL VMLOAD VMSAVE STGI CLGI SKINIT */
    VMCB_RDTSCP = 1u << 7, VMCB_ICEBP = 1u << 8, VMCB_WBINVD = 1u << 9, VMCB_MONITOR = 1u << 10,
    VMCB_MWAIT = 1u << 11, VMCB_XSETBV = 1u << 13,
};

enum vmcb_intercept3 { VMCB_INVPCID = 1u << 2 };

enum svm_exit_code {
    SVM_EXIT_CR_READ = 0x00, SVM_EXIT_CR_WRITE = 0x10, SVM_EXIT_DR_READ = 0x20, SVM_EXIT_DR_WRITE = 0x30,
    SVM_EXIT_EXCEPTION = 0x40, SVM_EXIT_INTR = 0x60, SVM_EXIT_NMI = 0x61, SVM_EXIT_INIT = 0x63, SVM_EXIT_VINTR = 0x64,
    SVM_EXIT_CR0_SELECTIVE = 0x65, SVM_EXIT_IDTR_READ = 0x66, SVM_EXIT_GDTR_READ, SVM_EXIT_LDTR_READ, SVM_EXIT_TR_READ,
    SVM_EXIT_IDTR_WRITE, SVM_EXIT_GDTR_WRITE, SVM_EXIT_LDTR_WRITE, SVM_EXIT_TR_WRITE, SVM_EXIT_RDTSC = 0x6E,
    SVM_EXIT_RDPMC = 0x6F, SVM_EXIT_CPUID = 0x72, SVM_EXIT_IRET = 0x74, SVM_EXIT_INTN = 0x75, SVM_EXIT_INVD = 0x76,
    SVM_EXIT_PAUSE = 0x77, SVM_EXIT_HLT = 0x78, SVM_EXIT_INVLPG = 0x79, SVM_EXIT_INVLPGA = 0x7A, SVM_EXIT_IO = 0x7B,
    SVM_EXIT_MSR = 0x7C, SVM_EXIT_SHUTDOWN = 0x7F, SVM_EXIT_VMRUN = 0x80, SVM_EXIT_VMMCALL = 0x81,
    SVM_EXIT_SKINIT = 0x86, SVM_EXIT_RDTSCP = 0x87, SVM_EXIT_ICEBP = 0x88, SVM_EXIT_WBINVD = 0x89,
    SVM_EXIT_MONITOR = 0x8A, SVM_EXIT_MWAIT = 0x8B, SVM_EXIT_XSETBV = 0x8D, SVM_EXIT_INVPCID = 0xA2, SVM_EXIT_CODES,
    SVM_EXIT_NPF = 0x400,
};
/* EXITINFO1 of SVM_EXIT_NPF, beside the bits of a page fault's error code */
#define SVM_NPF_TABLE (1ull << 33) /* an entry of the guest's page tables, not the translated address itself */
#define SVM_EXIT_INVALID (~0ull)
/* QEMU's for that, and for a guest's MOV to CR3 with reserved bits */
#define SVM_EXIT_ERROR 0xFFFFFFFFull

/* virtual_interrupt */
#define VMCB_V_IRQ (1ull << 8)
#define VMCB_V_PRIORITY_MAX (15ull << 16)
#define VMCB_V_IGNORE_TPR (1ull << 20)
#define VMCB_V_INTR_MASKING (1ull << 24)

/* event_injection, exit_interrupt_info */
enum vmcb_event { VMCB_EVENT_EXTERNAL, VMCB_EVENT_NMI = 2, VMCB_EVENT_EXCEPTION, VMCB_EVENT_SOFTWARE };
#define VMCB_EVENT_VALID (1ull << 31)

enum { VMCB_TLB_FLUSH_ALL = 1 };
#define SVM_EFER_SVME (1ull << 12)

/* Outside 64-bit mode RIP wraps at 4 GiB. */
static inline void vmcb_rip_wrap(struct vmcb *vmcb)
{
    if (vmcb->rip >> 32 && !((vmcb->efer >> 10 & 1) && (vmcb->cs.rights >> 9 & 1)))
        vmcb->rip = (uint32_t)vmcb->rip;
}
