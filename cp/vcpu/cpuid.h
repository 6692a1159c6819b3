/* What CPUID says in a virtual machine. Computed once from the processor's own answers and CP's policy; the policy on
 * control registers and MSRs asks here, so that what CPUID does not offer faults as on hardware. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct vm;

struct cpuid_answer {
    uint32_t eax, ebx, ecx, edx;
};

/* Walks of the processor, or of one that stands for it below, set the accessed bit of PAE's top entries, where it is
 * reserved: then it is not looked at, and guests are told. */
extern bool cpuid_marks_pdptes;

/* The processor's own CPUID; `controls2`: secondary controls in force (RDTSCP, INVPCID exist only with theirs). */
typedef struct cpuid_answer (*cpuid_source)(uint32_t leaf, uint32_t subleaf);
void cpuid_policy_init(cpuid_source, uint32_t controls2, uint64_t xcr0_supported, uint64_t tsc_hz);

/* For exit_cpuid(), which it becomes a part of as long as nobody else calls it. */
struct cpuid_answer cpuid_answer(struct vm *, uint32_t leaf, uint32_t subleaf);
struct cpuid_answer cpuid_processor(struct vm *); /* leaf 1 */

uint64_t cpuid_cr4_allowed(const struct vm *); /* CR4 bits a guest may set */
bool cpuid_machine_check(void);
/* An AMD processor has no VMX, so that systems do not look for it there: a machine that is offered VMX all the same is
 * shown one of Intel's, unless the directory says "host-vendor". */
bool cpuid_as_intel(const struct vm *);
bool cpuid_shows_amd(const struct vm *); /* whose systems look for AMD's MSRs */
bool cpuid_has_clock_page(const struct vm *); /* cp/vcpu/clock_page.h */
/* of an MSR of cp/vcpu/speculation.h a guest may set, or reads; 0: there is none */
uint64_t cpuid_speculation_bits(uint32_t msr);
uint64_t cpuid_efer_allowed(void);
uint64_t cpuid_xcr0_allowed(void);
/* SDM "XSETBV": x87 always, AVX only with SSE, AVX-512's three together and only with AVX, MPX' two together. */
bool cpuid_xcr0_valid(uint64_t value);
unsigned cpuid_physical_bits(void);
bool cpuid_has_tzcnt(void), cpuid_has_lzcnt(void); /* which are BSF and BSR elsewhere */
unsigned cpuid_zmm_offset(void); /* in an XSAVE area, of the upper halves of ZMM0 to ZMM15; 0: there are none */
