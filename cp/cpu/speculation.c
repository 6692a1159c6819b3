/* Owns what cp/vcpu/speculation.h needs of the processor: what it says of itself, and the orders carried out. On a
 * processor that asks for nothing, nothing stands between the event loop and the backend. */
#include "cp/vcpu/speculation.h"

#include "cp/cpu/cpu.h"
#include "cp/cpu/ops.h"
#include "cp/cpu/svm.h"
#include "cp/vcpu/backend.h"
#include "cp/vcpu/edge.h"

enum { LEAF_STRUCTURED = 7, CAPABILITIES_OFFERED = 1 << 29, SELECTOR_DATA = 16 };
enum { MSR_EFER = 0xC0000080u, EFER_AUTOMATIC_IBRS = 1 << 21 };

void cpu_speculation_write(uint32_t msr, uint64_t value)
{
    op_wrmsr(msr, value);
}

void cpu_buffers_clear(void)
{
    /* only the form with a segment in storage, one that may be written to, clears */
    static const uint16_t segment = SELECTOR_DATA;
    op_verw(&segment);
}

static struct cpuid_result cpuid_known(uint32_t leaf, uint32_t subleaf)
{
    if (leaf > op_cpuid(leaf & 0x80000000u, 0).eax || (leaf == LEAF_STRUCTURED && subleaf > op_cpuid(leaf, 0).eax))
        return (struct cpuid_result){0};
    return op_cpuid(leaf, subleaf);
}

static void facts_read(uint64_t facts[SPECULATION_FACTS])
{
    struct cpuid_result structured = cpuid_known(LEAF_STRUCTURED, 0), security = cpuid_known(0x80000021u, 0);

    facts[FACT_STRUCTURED_EBX] = structured.ebx;
    facts[FACT_STRUCTURED_EDX] = structured.edx;
    facts[FACT_CONTROL_EDX] = cpuid_known(LEAF_STRUCTURED, 2).edx;
    facts[FACT_EXTENDED_EBX] = cpuid_known(0x80000008u, 0).ebx;
    facts[FACT_SECURITY_EAX] = security.eax;
    facts[FACT_SECURITY_ECX] = security.ecx;
    facts[FACT_CAPABILITIES] = structured.edx & CAPABILITIES_OFFERED ? op_rdmsr(MSR_ARCH_CAPABILITIES) : 0;
}

static const struct cpu_backend *guarded; /* what runs guests between the two */

static bool enter(struct vcpu *vcpu, uint64_t deadline, uint64_t now)
{
    speculation_enter(vcpu->spec_ctrl);
    bool entered = guarded->enter(vcpu, deadline, now);
    speculation_leave(vcpu->spec_ctrl);
    return entered;
}

void cpu_speculation_start(void)
{
    static struct cpu_backend guard;
    uint64_t facts[SPECULATION_FACTS];

    facts_read(facts);
    speculation = speculation_decide(facts);
    if (speculation.automatic)
        op_wrmsr(MSR_EFER, op_rdmsr(MSR_EFER) | EFER_AUTOMATIC_IBRS);
    if (speculation.own)
        op_wrmsr(MSR_SPEC_CTRL, speculation.own);
    svm_own.stuffs_returns = speculation.at_exit & SPECULATION_RETURNS;
    if (!speculation_guards())
        return;
    guarded = cpu_backend;
    guard = *cpu_backend;
    guard.enter = enter;
    cpu_backend = &guard;
}
