/* What CPUID of an AMD processor becomes for a machine that is shown one of Intel's, since it is offered VMX. Pure. */
#pragma once
#include <stdbool.h>

#include "cp/vcpu/cpuid.h"

/* Speculation controls: leaf 7, EDX, and AMD's, leaf 80000008, EBX. */
enum { EDX_MD_CLEAR = 1 << 10, EDX_IBRS = 1 << 26, EDX_STIBP = 1 << 27, EDX_L1D_FLUSH = 1 << 28,
       EDX_CAPABILITIES = 1 << 29, EBX_IBPB = 1 << 12, EBX_IBRS = 1 << 14, EBX_STIBP = 1 << 15, EBX_SSBD = 1 << 24,
       EBX_SSB_NO = 1 << 26, EBX_IBPB_RET = 1 << 30 };
#define EDX_SSBD (1u << 31)

bool cpuid_vendor_is_amd(struct cpuid_answer leaf_0);
/* `amd`: what the policy made of the processor's answer, which is `source`'s. */
struct cpuid_answer cpuid_vendor_as_intel(uint32_t leaf, uint32_t subleaf, struct cpuid_answer amd,
                                          cpuid_source source);
