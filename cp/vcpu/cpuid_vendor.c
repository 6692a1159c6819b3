#include "cp/vcpu/cpuid_vendor.h"

#include <string.h>

/* A server of 2023: it is affected by little that an AMD processor is not, and has whatever that may have. */
enum { SAPPHIRE_RAPIDS = 0x000806F8 };
enum { LEAF2_SEE_LEAF_4 = 0xFF01, AMD_CACHES = 0x8000001Du, CACHE_BITS = 0x3FFF };

bool cpuid_vendor_is_amd(struct cpuid_answer a)
{
    return a.ebx == 0x68747541 && a.edx == 0x69746E65 && a.ecx == 0x444D4163; /* AuthenticAMD */
}

static struct cpuid_answer vendor(struct cpuid_answer a)
{
    memcpy(&a.ebx, "Genu", 4);
    memcpy(&a.edx, "ineI", 4);
    memcpy(&a.ecx, "ntel", 4);
    return a;
}

/* Bit 26 of Intel's is two of AMD's. */
static uint32_t speculation(uint32_t ebx)
{
    uint32_t edx = EDX_CAPABILITIES;

    if ((ebx & EBX_IBRS) && (ebx & EBX_IBPB))
        edx |= EDX_IBRS;
    if (ebx & EBX_STIBP)
        edx |= EDX_STIBP;
    if (ebx & EBX_SSBD)
        edx |= EDX_SSBD;
    return edx;
}

/* AMD's leaf of caches has the form of Intel's; a processor that has neither shows none. */
static struct cpuid_answer cache(uint32_t subleaf, struct cpuid_answer a, cpuid_source source)
{
    if (a.eax || source(0x80000000u, 0).eax < AMD_CACHES)
        return a;
    a = source(AMD_CACHES, subleaf);
    a.eax &= CACHE_BITS;
    return a;
}

struct cpuid_answer cpuid_vendor_as_intel(uint32_t leaf, uint32_t subleaf, struct cpuid_answer a, cpuid_source source)
{
    switch (leaf) {
    case 0x00:
        return vendor(a);
    case 0x01:
        a.eax = SAPPHIRE_RAPIDS;
        return a;
    case 0x02:
        return (struct cpuid_answer){LEAF2_SEE_LEAF_4, 0, 0, 0};
    case 0x04:
        return cache(subleaf, a, source);
    case 0x07:
        a.edx |= speculation(source(0x80000008u, 0).ebx);
        return a;
    case 0x80000005u: /* reserved there */
        return (struct cpuid_answer){0};
    case 0x80000006u: /* but for the second level's cache */
        return (struct cpuid_answer){.ecx = a.ecx};
    default:
        return a;
    }
}
