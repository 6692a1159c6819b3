/* A virtual CPU's architectural state by VMCS field: power-on values, the state a multiboot image starts in, what mode
 * it is in. Pure: everything goes through vcpu_read and vcpu_write. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/vcpu/vcpu.h"

/* SDM "Processor State After Reset", as far as it is in the VMCS and the general registers: RESET; INIT, which
 * leaves the caches' bits of CR0 and the MSRs. Events that waited are forgotten. */
void registers_reset(struct vcpu *);
void registers_init(struct vcpu *);
/* Protected mode with flat 4 GiB segments, paging off, interrupts off: Multiboot Specification "Machine state". */
void registers_start_flat(struct vcpu *, uint32_t eip, uint32_t eax, uint32_t ebx);

#define CR0_PE (1ull << 0)
#define CR0_EM (1ull << 2)
#define CR0_TS (1ull << 3)
#define CR0_ET (1ull << 4)
#define CR0_NE (1ull << 5)
#define CR0_WP (1ull << 16)
#define CR0_NW (1ull << 29)
#define CR0_CD (1ull << 30)
#define CR0_PG (1ull << 31)
#define CR4_PSE (1ull << 4)
#define CR4_PAE (1ull << 5)
#define CR4_MCE (1ull << 6)
#define CR4_PGE (1ull << 7)
#define CR4_OSFXSR (1ull << 9)
#define CR4_LA57 (1ull << 12)
#define CR4_VMXE (1ull << 13)
#define CR4_PCIDE (1ull << 17)
#define CR4_OSXSAVE (1ull << 18)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)
#define EFER_SCE (1ull << 0)
#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)
#define EFER_NXE (1ull << 11)
#define RFLAGS_TF (1ull << 8)
#define RFLAGS_IF (1ull << 9)
#define RFLAGS_RF (1ull << 16)
#define RFLAGS_VM (1ull << 17)
#define DEBUGCTL_LBR (1ull << 0)
#define DEBUGCTL_BTF (1ull << 1)
#define DR6_BREAKPOINTS 0xFull
#define DR6_BD (1ull << 13)
#define DR6_BS (1ull << 14)
#define DR7_GD (1ull << 13)

/* Bits of CR4 that are set whenever a guest runs, and that the guest sees set only if it set them itself: VMX needs
 * VMXE, and a machine check while MCE is clear shuts the processor down, whoever runs. Set by cpuid_policy_init(). */
extern uint64_t registers_cr4_own;

/* CR0 and CR4 as the guest sees them: read shadow under the guest/host mask. */
uint64_t registers_cr0(struct vcpu *);
uint64_t registers_cr4(struct vcpu *);
unsigned registers_cpl(struct vcpu *);
bool registers_long_mode(struct vcpu *); /* 64-bit code segment */
bool registers_steps(struct vcpu *); /* a #DB follows each instruction: SDM "Single-Step Exception Condition" */
unsigned registers_code_size(struct vcpu *); /* 2, 4 or 8: enum decode_mode */
