#include "cp/vcpu/cpuid.h"

#include <string.h>

#include "cp/device/lapic.h"
#include "cp/diagnose.h"
#include "cp/panic.h"
#include "cp/time/ratio.h"
#include "cp/vcpu/context.h"
#include "cp/vcpu/cpuid_vendor.h"
#include "cp/vcpu/registers.h"
#include "cp/vcpu/speculation.h"
#include "cp/vcpu/vm.h"
#include "cp/vcpu/xstate.h"
#include "vmcs-shadow/control.h"

enum { LEAVES = 64, BASIC_MAX = 0x16, EXTENDED_FIRST = 0x80000000u, EXTENDED_MAX = 0x80000008u };
enum { LEAF1_ECX_VMX = 1 << 5, LEAF1_ECX_XSAVE = 1 << 26, LEAF1_ECX_OSXSAVE = 1 << 27, LEAF1_ECX_HYPERVISOR = 1u << 31,
       LEAF1_ECX_X2APIC = 1 << 21, LEAF1_ECX_DEADLINE = 1 << 24, LEAF1_EDX_MCE = 1 << 7, LEAF1_EDX_APIC = 1 << 9,
       LEAF1_EDX_MTRR = 1 << 12 };
enum { LEAF7_EBX_TSC_ADJUST = 1 << 1, LEAF7_EBX_INVPCID = 1 << 10, EXT7_EDX_INVARIANT_TSC = 1 << 8,
       EXT1_EDX_RDTSCP = 1 << 27, EXT1_EDX_NX = 1 << 20, LEAF7_ECX_RDPID = 1 << 22 };
/* KVM's leaves, behind CP's own: Linux looks for them at each multiple of 100H. Its clock, and that nothing here is so
 * slow that accesses to ports must be kept apart. */
enum { LEAF_KVM = 0x40000100, LEAF_KVM_FEATURES, KVM_NO_IO_DELAY = 1 << 1, KVM_CLOCK = 1 << 3,
       KVM_CLOCK_STABLE = 1 << 24 };
#define KVM_SIGNATURE "KVMKVMKVM\0\0"

enum { LINEAR_BITS = 48 }; /* LA57 is not offered */

bool cpuid_marks_pdptes;

enum { XSAVE_COMPONENTS = XSTATE_LEAVES, XSAVE_LEGACY_BYTES = 576, XSAVE_ALIGNED = 2 };
_Static_assert(!(XSTATE_KNOWN >> XSTATE_LEAVES), "a component is offered that leaf 0DH has no subleaf of");

/* SDM "CPUID": which bits of the processor's answer a guest sees. What is not here CP does not hand on: performance
 * counters, MONITOR, SMX, SGX, speculation controls beyond IBRS, STIBP and SSBD, CET, PKS, AMX. */
#define SPECULATION_EDX (EDX_MD_CLEAR | EDX_IBRS | EDX_STIBP | EDX_L1D_FLUSH | EDX_CAPABILITIES | EDX_SSBD)
#define SPECULATION_EBX (EBX_IBPB | EBX_IBRS | EBX_STIBP | EBX_SSBD | EBX_SSB_NO | EBX_IBPB_RET)

struct leaf_policy {
    uint32_t leaf;
    uint32_t subleaves; /* 0: ECX does not matter */
    struct cpuid_answer mask, set;
};

#define ALL 0xFFFFFFFFu
static const struct leaf_policy policy[] = {
    {0x00, 0, {0, ALL, ALL, ALL}, {BASIC_MAX, 0, 0, 0}},
    {0x01, 0, {ALL, 0x0000FF00, 0x76DA3223u & ~(uint32_t)LEAF1_ECX_OSXSAVE, 0x0F8BFBFF},
              {0, 0x00010000, LEAF1_ECX_HYPERVISOR | LEAF1_ECX_X2APIC | LEAF1_ECX_DEADLINE | LEAF1_ECX_VMX,
               LEAF1_EDX_APIC | LEAF1_EDX_MTRR}},
    {0x02, 0, {ALL, ALL, ALL, ALL}, {0}},
    {0x04, 4, {0x00003FFF, ALL, ALL, ALL}, {0}},
    {0x07, 1, {0, 0xF1BF27A9u, 0x00405F42, SPECULATION_EDX}, {0, LEAF7_EBX_TSC_ADJUST, 0, 0}},
    {0x0B, 2, {0}, {0}}, /* made below */
    {0x0D, XSAVE_COMPONENTS, {ALL, ALL, ALL, ALL}, {0}},
    {0x15, 0, {0}, {0}},
    {0x16, 0, {ALL, ALL, ALL, 0}, {0}},
    {0x80000000u, 0, {0}, {EXTENDED_MAX, 0, 0, 0}},
    {0x80000001u, 0, {ALL, 0, 0x00000131, 0x2C100800}, {0}},
    {0x80000002u, 0, {ALL, ALL, ALL, ALL}, {0}},
    {0x80000003u, 0, {ALL, ALL, ALL, ALL}, {0}},
    {0x80000004u, 0, {ALL, ALL, ALL, ALL}, {0}},
    {0x80000005u, 0, {ALL, ALL, ALL, ALL}, {0}},
    {0x80000006u, 0, {ALL, ALL, ALL, ALL}, {0}},
    {0x80000007u, 0, {0}, {0, 0, 0, EXT7_EDX_INVARIANT_TSC}}, /* CP itself keeps time by it */
    {0x80000008u, 0, {0xFF, SPECULATION_EBX, 0, 0}, {LINEAR_BITS << 8, 0, 0, 0}},
};

struct row {
    uint32_t leaf;
    uint16_t subleaf;
    bool varies; /* with the machine or its state */
    struct cpuid_answer answer;
};
_Static_assert(sizeof(struct row) == 24, "indexed at every CPUID of a guest");

static struct row rows[LEAVES];
static bool amd; /* the processor is one of AMD's; then ... */
static struct cpuid_answer as_intel[LEAVES]; /* ... these are the rows for a machine that is not shown that */
static unsigned rows_used;
static uint8_t basic_first[BASIC_MAX + 1], basic_count[BASIC_MAX + 1]; /* rows of a basic leaf */
static const uint32_t basic_indexed = 1 << 4 | 1 << 7 | 1 << 0xB | 1 << 0xD; /* leaves in which ECX counts */
static uint64_t xcr0_offered;
static unsigned physical_bits; /* MAXPHYADDR: asked for at every walk of a guest's page tables */
static uint32_t xsave_size_all; /* area for every component offered */

static struct cpuid_answer masked(struct cpuid_answer a, const struct leaf_policy *p)
{
    return (struct cpuid_answer){(a.eax & p->mask.eax) | p->set.eax, (a.ebx & p->mask.ebx) | p->set.ebx,
                                 (a.ecx & p->mask.ecx) | p->set.ecx, (a.edx & p->mask.edx) | p->set.edx};
}

static struct row *row_find(uint32_t leaf, uint32_t subleaf)
{
    for (struct row *r = rows; r < rows + rows_used; r++)
        if (r->leaf == leaf && r->subleaf == subleaf)
            return r;
    return NULL;
}

static void row_add(uint32_t leaf, uint32_t subleaf, struct cpuid_answer answer)
{
    CP_ASSERT(rows_used < LEAVES);
    if (leaf <= BASIC_MAX) {
        if (!basic_count[leaf])
            basic_first[leaf] = (uint8_t)rows_used;
        basic_count[leaf]++;
    }
    bool varies = leaf == 1 || leaf == 0xD || leaf == DIAGNOSE_LEAF_ASSISTS || leaf == LEAF_KVM ||
                  leaf == LEAF_KVM_FEATURES;
    rows[rows_used++] = (struct row){leaf, (uint16_t)subleaf, varies, answer};
}

/* Only the components offered, and no supervisor state: XSAVEOPT, XSAVEC and XGETBV with ECX=1 stay. EBX of the first
 * two follows XCR0: xsave_now(). */
static struct cpuid_answer xsave_leaf(uint32_t subleaf, struct cpuid_answer a)
{
    if (subleaf == 0)
        return (struct cpuid_answer){(uint32_t)xcr0_offered, 0, xsave_size_all, (uint32_t)(xcr0_offered >> 32)};
    if (subleaf == 1)
        return (struct cpuid_answer){a.eax & 7, 0, 0, 0};
    return xcr0_offered >> subleaf & 1 ? a : (struct cpuid_answer){0};
}

static uint32_t xsave_area(cpuid_source source)
{
    uint32_t end = XSAVE_LEGACY_BYTES;
    for (unsigned i = 2; i < XSAVE_COMPONENTS; i++) {
        struct cpuid_answer a = source(0xD, i);
        if ((xcr0_offered >> i & 1) && a.ebx + a.eax > end)
            end = a.ebx + a.eax;
    }
    return end;
}

/* TSC = ECX * EBX / EAX, and ECX is the APIC timer's clock. Linux computes ECX / 1000 * EBX / EAX in 32 bits. The exact
 * rate is in DIAGNOSE_LEAF_CLOCK. */
static struct cpuid_answer clock_leaf(uint64_t tsc_hz)
{
    struct ratio tsc = ratio_nearest(tsc_hz, LAPIC_TIMER_HZ, UINT32_MAX / (LAPIC_TIMER_HZ / 1000));

    return (struct cpuid_answer){tsc.denominator, tsc.numerator, LAPIC_TIMER_HZ, 0};
}

static struct cpuid_answer made(const struct leaf_policy *p, uint32_t subleaf, struct cpuid_answer a, uint64_t tsc_hz)
{
    switch (p->leaf) {
    case 0x0B: /* one thread in one core */
        return (struct cpuid_answer){0, 1, 0x100 * (subleaf + 1) + subleaf, 0};
    case 0x0D:
        return xsave_leaf(subleaf, a);
    case 0x15:
        return clock_leaf(tsc_hz);
    default:
        return masked(a, p);
    }
}

static void signature_leaf(uint32_t leaf, uint32_t last, const char signature[12])
{
    struct cpuid_answer name = {.eax = last};

    memcpy(&name.ebx, signature, 4);
    memcpy(&name.ecx, signature + 4, 4);
    memcpy(&name.edx, signature + 8, 4);
    row_add(leaf, 0, name);
}

static void hypervisor_leaves(uint64_t tsc_hz)
{
    signature_leaf(DIAGNOSE_LEAF_SIGNATURE, DIAGNOSE_LEAF_CLOCK, DIAGNOSE_SIGNATURE);
    row_add(DIAGNOSE_LEAF_ASSISTS, 0,
            (struct cpuid_answer){DIAGNOSE_ASSIST_COMMAND | DIAGNOSE_ASSIST_TIMES | DIAGNOSE_ASSIST_CHAIN |
                                      DIAGNOSE_ASSIST_ENTER | DIAGNOSE_ASSIST_CONSOLE |
                                      DIAGNOSE_ASSIST_LINE | DIAGNOSE_ASSIST_SPOOL | DIAGNOSE_ASSIST_DISK |
                                      DIAGNOSE_ASSIST_DIRECTORY | DIAGNOSE_ASSIST_SPECIAL |
                                      DIAGNOSE_ASSIST_MACHINE | DIAGNOSE_ASSIST_DELEGATE,
                                  DIAGNOSE_EXACT_INTERRUPTS | (cpuid_marks_pdptes ? DIAGNOSE_MARKED_PDPTES : 0), 0, 0});
    row_add(DIAGNOSE_LEAF_CLOCK, 0, (struct cpuid_answer){(uint32_t)(tsc_hz / 1000), 0, 0, 0});
    signature_leaf(LEAF_KVM, LEAF_KVM_FEATURES, KVM_SIGNATURE);
    row_add(LEAF_KVM_FEATURES, 0, (struct cpuid_answer){KVM_NO_IO_DELAY | KVM_CLOCK | KVM_CLOCK_STABLE, 0, 0, 0});
}

static void rows_as_intel(cpuid_source source)
{
    for (unsigned i = 0; i < rows_used; i++) {
        as_intel[i] = cpuid_vendor_as_intel(rows[i].leaf, rows[i].subleaf, rows[i].answer, source);
        rows[i].varies |= !!memcmp(&as_intel[i], &rows[i].answer, sizeof *as_intel);
    }
}

static void drop_unbacked(uint32_t controls2)
{
    if (!(controls2 & CPU2_INVPCID))
        row_find(7, 0)->answer.ebx &= ~(uint32_t)LEAF7_EBX_INVPCID;
    if (!(controls2 & CPU2_RDTSCP)) {
        row_find(0x80000001u, 0)->answer.edx &= ~(uint32_t)EXT1_EDX_RDTSCP;
        row_find(7, 0)->answer.ecx &= ~(uint32_t)LEAF7_ECX_RDPID;
    }
    if (!xcr0_offered)
        row_find(1, 0)->answer.ecx &= ~(uint32_t)LEAF1_ECX_XSAVE;
}

void cpuid_policy_init(cpuid_source source, uint32_t controls2, uint64_t xcr0_supported, uint64_t tsc_hz)
{
    rows_used = 0;
    memset(basic_count, 0, sizeof basic_count);
    xcr0_offered = xcr0_supported;
    xsave_size_all = xsave_area(source);
    for (const struct leaf_policy *p = policy; p < policy + sizeof policy / sizeof *policy; p++)
        for (uint32_t sub = 0; sub == 0 || sub < p->subleaves; sub++)
            row_add(p->leaf, sub, made(p, sub, source(p->leaf, sub), tsc_hz));
    drop_unbacked(controls2);
    registers_cr4_own = CR4_VMXE | (cpuid_machine_check() ? CR4_MCE : 0);
    physical_bits = row_find(0x80000008u, 0)->answer.eax & 0xFF;
    hypervisor_leaves(tsc_hz);
    amd = cpuid_vendor_is_amd(row_find(0, 0)->answer);
    if (amd)
        rows_as_intel(source);
}

/* A leaf beyond the highest basic one answers as the highest does. SDM "CPUID". */
static const struct row *lookup_other(uint32_t leaf)
{
    bool extended = leaf >= EXTENDED_FIRST && leaf <= EXTENDED_MAX;
    bool hypervisor = leaf >= DIAGNOSE_LEAF_SIGNATURE && leaf < LEAF_KVM + 0x100;
    return row_find(extended || hypervisor ? leaf : BASIC_MAX, 0);
}

static const struct row *lookup(uint32_t leaf, uint32_t subleaf)
{
    if (leaf > BASIC_MAX)
        return lookup_other(leaf);
    if (subleaf && basic_indexed >> leaf & 1)
        return subleaf < basic_count[leaf] ? &rows[basic_first[leaf] + subleaf] : NULL;
    return basic_count[leaf] ? &rows[basic_first[leaf]] : NULL;
}

static struct cpuid_answer features(const struct vm *vm, struct cpuid_answer a, uint64_t cr4)
{
    if (vm->config.nesting == NEST_OFF)
        a.ecx &= ~(uint32_t)LEAF1_ECX_VMX;
    if (!lapic_enabled(&vm->machine.lapic))
        a.edx &= ~(uint32_t)LEAF1_EDX_APIC;
    if (cr4 & CR4_OSXSAVE)
        a.ecx |= LEAF1_ECX_OSXSAVE;
    return a;
}

/* The area the components in `xcr0` need: where each has its place, or one after the other as XSAVEC packs them */
static uint32_t xsave_size(uint64_t xcr0, bool compact)
{
    uint32_t end = XSAVE_LEGACY_BYTES;

    for (unsigned i = 2; i < XSAVE_COMPONENTS; i++) {
        struct cpuid_answer a = lookup(0xD, i)->answer;
        uint32_t start = !compact ? a.ebx : a.ecx & XSAVE_ALIGNED ? (end + 63) & ~63u : end;
        if ((xcr0 >> i & 1) && start + a.eax > end)
            end = start + a.eax;
    }
    return end;
}

static struct cpuid_answer xsave_now(struct vm *vm, struct cpuid_answer a, uint32_t subleaf)
{
    if (subleaf < 2 && xcr0_offered)
        a.ebx = xsave_size(context_xcr0(&vm->vcpu), subleaf);
    return a;
}

static struct cpuid_answer assists(const struct vm *vm, struct cpuid_answer a)
{
    if (context_xsetbv_is_unseen())
        a.ebx |= DIAGNOSE_UNSEEN_XSETBV;
    if (vm->config.nesting < NEST_MEMORY)
        a.eax &= ~(uint32_t)DIAGNOSE_ASSIST_ENTER;
    if (vm->config.nesting < NEST_CHAIN)
        a.eax &= ~(uint32_t)DIAGNOSE_ASSIST_DELEGATE;
    if (machine_forbids(&vm->config, "MACHINE"))
        a.eax &= ~(uint32_t)DIAGNOSE_ASSIST_MACHINE;
    if (machine_granted(&vm->config, GRANT_NO_DIAGNOSE))
        a.eax = 0;
    return a;
}

/* A row that is not the same for every machine at every time. */
__attribute__((noinline)) static struct cpuid_answer answer_now(struct vm *vm, const struct row *row)
{
    struct cpuid_answer a = cpuid_as_intel(vm) ? as_intel[row - rows] : row->answer;

    switch (row->leaf) {
    case 1:
        return features(vm, a, vcpu_read(&vm->vcpu, VMCS_GUEST_CR4));
    case 0xD:
        return xsave_now(vm, a, row->subleaf);
    case DIAGNOSE_LEAF_ASSISTS:
        return assists(vm, a);
    case LEAF_KVM:
    case LEAF_KVM_FEATURES:
        return cpuid_has_clock_page(vm) ? a : (struct cpuid_answer){0};
    default:
        return a;
    }
}

struct cpuid_answer cpuid_answer(struct vm *vm, uint32_t leaf, uint32_t subleaf)
{
    const struct row *row = lookup(leaf, subleaf);

    if (!row)
        return (struct cpuid_answer){0, 0, leaf == 0xB ? subleaf & 0xFF : 0, 0};
    return row->varies ? answer_now(vm, row) : row->answer;
}

struct cpuid_answer cpuid_processor(struct vm *vm)
{
    return answer_now(vm, row_find(1, 0));
}

/* CR4 bits and the CPUID bit that offers each: SDM "Control Registers". */
struct cr4_rule {
    uint64_t bits;
    uint32_t leaf;
    uint32_t ebx, ecx, edx; /* any of these; all zero: always */
};

static const struct cr4_rule cr4_rules[] = {
    {0x7FF & ~0x40ull & ~0x100ull, 1, 0, 0, 0}, /* VME PVI TSD DE PSE PAE PGE OSFXSR OSXMMEXCPT; no PCE */
    {1 << 6, 1, 0, 0, LEAF1_EDX_MCE},           /* MCE */
    {1 << 11, 7, 0, 1 << 2, 0},                 /* UMIP */
    {1 << 16, 7, 1 << 0, 0, 0},                 /* FSGSBASE */
    {1 << 17, 1, 0, 1 << 17, 0},                /* PCIDE */
    {1 << 18, 1, 0, 1 << 26, 0},                /* OSXSAVE */
    {1 << 20, 7, 1 << 7, 0, 0},                 /* SMEP */
    {1 << 21, 7, 1 << 20, 0, 0},                /* SMAP */
};

uint64_t cpuid_cr4_allowed(const struct vm *vm)
{
    uint64_t allowed = vm->config.nesting == NEST_OFF ? 0 : CR4_VMXE;

    for (const struct cr4_rule *r = cr4_rules; r < cr4_rules + sizeof cr4_rules / sizeof *cr4_rules; r++) {
        const struct cpuid_answer *a = &row_find(r->leaf, 0)->answer;
        if (!(r->ebx | r->ecx | r->edx) || (a->ebx & r->ebx) || (a->ecx & r->ecx) || (a->edx & r->edx))
            allowed |= r->bits;
    }
    return allowed;
}

bool cpuid_as_intel(const struct vm *vm)
{
    return amd && vm->config.nesting != NEST_OFF && !machine_granted(&vm->config, GRANT_HOST_VENDOR);
}

bool cpuid_shows_amd(const struct vm *vm) { return amd && !cpuid_as_intel(vm); }

bool cpuid_has_clock_page(const struct vm *vm) { return !machine_granted(&vm->config, GRANT_NO_KVM_CLOCK); }

bool cpuid_machine_check(void) { return row_find(1, 0)->answer.edx & LEAF1_EDX_MCE; }

/* Intel's way to say that a control is there, or AMD's. */
static bool speculation_offered(uint32_t edx, uint32_t ebx)
{
    return (row_find(7, 0)->answer.edx & edx) || (row_find(0x80000008u, 0)->answer.ebx & ebx);
}

static const struct speculation_msr {
    uint32_t msr;
    uint64_t bits;
    uint32_t edx, ebx;
} speculation_msrs[] = {
    {MSR_SPEC_CTRL, SPEC_CTRL_IBRS, EDX_IBRS, EBX_IBRS}, {MSR_SPEC_CTRL, SPEC_CTRL_STIBP, EDX_STIBP, EBX_STIBP},
    {MSR_SPEC_CTRL, SPEC_CTRL_SSBD, EDX_SSBD, EBX_SSBD}, {MSR_PRED_CMD, PRED_CMD_IBPB, EDX_IBRS, EBX_IBPB},
    {MSR_FLUSH_CMD, FLUSH_CMD_L1D, EDX_L1D_FLUSH, 0},    {MSR_ARCH_CAPABILITIES, ~0ull, EDX_CAPABILITIES, 0},
};

uint64_t cpuid_speculation_bits(uint32_t msr)
{
    uint64_t bits = 0;

    const struct speculation_msr *end = speculation_msrs + sizeof speculation_msrs / sizeof *speculation_msrs;
    for (const struct speculation_msr *m = speculation_msrs; m < end; m++)
        if (m->msr == msr && speculation_offered(m->edx, m->ebx))
            bits |= m->bits;
    return bits;
}

uint64_t cpuid_efer_allowed(void)
{
    bool nx = row_find(0x80000001u, 0)->answer.edx & EXT1_EDX_NX;
    return EFER_SCE | EFER_LME | EFER_LMA | (nx ? EFER_NXE : 0);
}

uint64_t cpuid_xcr0_allowed(void) { return xcr0_offered; }

bool cpuid_xcr0_valid(uint64_t value)
{
    enum { X87 = 1, SSE = 2, AVX = 4, MPX = 0x18, AVX512 = 0xE0 };
    if ((value & ~xcr0_offered) || !(value & X87))
        return false;
    if ((value & AVX) && !(value & SSE))
        return false;
    if ((value & MPX) && (value & MPX) != MPX)
        return false;
    return !(value & AVX512) || ((value & AVX512) == AVX512 && (value & AVX));
}
unsigned cpuid_physical_bits(void) { return physical_bits; }

bool cpuid_has_tzcnt(void)
{
    const struct row *r = row_find(7, 0);
    return r && r->answer.ebx >> 3 & 1;
}

bool cpuid_has_lzcnt(void)
{
    const struct row *r = row_find(0x80000001u, 0);
    return r && r->answer.ecx >> 5 & 1;
}

unsigned cpuid_zmm_offset(void)
{
    const struct row *r = row_find(0xD, 6);
    return r ? r->answer.ebx : 0;
}
