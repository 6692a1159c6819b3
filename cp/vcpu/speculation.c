/* Owns the decision what is done against speculation, and in which order. In: what the processor says of itself. Out: a
 * plan, and orders to the edge while guests come and go. */
#include "cp/vcpu/speculation.h"

#include <stddef.h>

#include "cp/vcpu/edge.h"

#define BIT(n) (1ull << (n))

/* CPUID leaf 7: EBX, EDX; subleaf 2: EDX */
#define RTM BIT(11)
#define MD_CLEAR BIT(10)
#define IBRS_IBPB BIT(26)
#define L1D_FLUSH BIT(28)
#define RRSBA_CTRL BIT(2)
#define BHI_CTRL BIT(4)
/* 80000008 EBX; 80000021 EAX, ECX */
#define AMD_IBPB BIT(12)
#define AMD_IBRS BIT(14)
#define AMD_IBRS_STAYS BIT(16)
#define AMD_SSBD BIT(24)
#define VERW_CLEAR BIT(5)
#define AUTOMATIC_IBRS BIT(8)
#define TSA_SQ_NO BIT(1)
#define TSA_L1_NO BIT(2)
/* IA32_ARCH_CAPABILITIES */
#define RDCL_NO BIT(0)
#define IBRS_ALL BIT(1)
#define SKIP_L1D_FLUSH BIT(3)
#define SSB_NO BIT(4)
#define MDS_NO BIT(5)
#define PSCHANGE_MC_NO BIT(6)
#define TAA_NO BIT(8)
#define SBDR_SSDP_NO BIT(13)
#define FBSDP_NO BIT(14)
#define PSDP_NO BIT(15)
#define FB_CLEAR BIT(17)
#define RRSBA BIT(19)
#define BHI_NO BIT(20)
#define PBRSB_NO BIT(24)
#define GDS_NO BIT(26)
#define RFDS_NO BIT(27)
#define RFDS_CLEAR BIT(28)
#define ITS_NO BIT(62)

struct condition {
    enum speculation_fact fact;
    uint64_t bits;
};

enum moment { AT_SWITCH, AT_ENTRY, AT_EXIT };

/* The action is taken where the processor can (all bits of both), unless it says that it need not (any bit). */
static const struct rule {
    enum moment moment;
    enum speculation_action action;
    struct condition can, and, unless;
} rules[] = {
    /* branch targets one guest trained for another */
    {AT_SWITCH, SPECULATION_BARRIER, {FACT_STRUCTURED_EDX, IBRS_IBPB}, {0}, {0}},
    {AT_SWITCH, SPECULATION_BARRIER, {FACT_EXTENDED_EBX, AMD_IBPB}, {0}, {0}},
    /* L1 terminal fault */
    {AT_ENTRY, SPECULATION_L1D, {FACT_STRUCTURED_EDX, L1D_FLUSH}, {0}, {FACT_CAPABILITIES, RDCL_NO | SKIP_L1D_FLUSH}},
    /* microarchitectural data sampling; the same by transactions that abort */
    {AT_ENTRY, SPECULATION_BUFFERS, {FACT_STRUCTURED_EDX, MD_CLEAR}, {0}, {FACT_CAPABILITIES, MDS_NO}},
    {AT_ENTRY, SPECULATION_BUFFERS, {FACT_STRUCTURED_EDX, MD_CLEAR}, {FACT_STRUCTURED_EBX, RTM},
     {FACT_CAPABILITIES, TAA_NO}},
    /* stale data of devices' registers, in three places */
    {AT_ENTRY, SPECULATION_BUFFERS, {FACT_CAPABILITIES, FB_CLEAR}, {0}, {FACT_CAPABILITIES, SBDR_SSDP_NO}},
    {AT_ENTRY, SPECULATION_BUFFERS, {FACT_CAPABILITIES, FB_CLEAR}, {0}, {FACT_CAPABILITIES, FBSDP_NO}},
    {AT_ENTRY, SPECULATION_BUFFERS, {FACT_CAPABILITIES, FB_CLEAR}, {0}, {FACT_CAPABILITIES, PSDP_NO}},
    /* register file data sampling */
    {AT_ENTRY, SPECULATION_BUFFERS, {FACT_CAPABILITIES, RFDS_CLEAR}, {0}, {FACT_CAPABILITIES, RFDS_NO}},
    /* AMD's transient scheduler attacks, in two places */
    {AT_ENTRY, SPECULATION_BUFFERS, {FACT_SECURITY_EAX, VERW_CLEAR}, {0}, {FACT_SECURITY_ECX, TSA_SQ_NO}},
    {AT_ENTRY, SPECULATION_BUFFERS, {FACT_SECURITY_EAX, VERW_CLEAR}, {0}, {FACT_SECURITY_ECX, TSA_L1_NO}},
    /* returns a guest trained for CP: all of them, or with IBRS that stays the first */
    {AT_EXIT, SPECULATION_RETURNS, {FACT_STRUCTURED_EDX, IBRS_IBPB}, {0}, {FACT_CAPABILITIES, IBRS_ALL}},
    {AT_EXIT, SPECULATION_RETURNS, {FACT_STRUCTURED_EDX, IBRS_IBPB}, {0}, {FACT_CAPABILITIES, PBRSB_NO}},
    {AT_EXIT, SPECULATION_RETURNS, {FACT_EXTENDED_EBX, AMD_IBPB}, {0}, {FACT_SECURITY_EAX, AUTOMATIC_IBRS}},
    /* branch targets a guest trained for CP */
    {AT_EXIT, SPECULATION_RESTRICT, {FACT_STRUCTURED_EDX, IBRS_IBPB}, {0}, {FACT_CAPABILITIES, IBRS_ALL}},
    {AT_EXIT, SPECULATION_RESTRICT, {FACT_EXTENDED_EBX, AMD_IBRS}, {0}, {FACT_EXTENDED_EBX, AMD_IBRS_STAYS}},
};

/* Bits of SPEC_CTRL that stay set. */
static const struct own_bit {
    uint64_t bit;
    struct condition can, and, unless;
} own_bits[] = {
    {SPEC_CTRL_IBRS, {FACT_STRUCTURED_EDX, IBRS_IBPB}, {0}, {0}},
    {SPEC_CTRL_IBRS, {FACT_EXTENDED_EBX, AMD_IBRS}, {0}, {FACT_SECURITY_EAX, AUTOMATIC_IBRS}},
    /* returns that find the buffer empty, by branch targets of the same mode; branch history */
    {SPEC_CTRL_RRSBA_DIS_S, {FACT_CONTROL_EDX, RRSBA_CTRL}, {FACT_CAPABILITIES, RRSBA}, {0}},
    {SPEC_CTRL_BHI_DIS_S, {FACT_CONTROL_EDX, BHI_CTRL}, {0}, {FACT_CAPABILITIES, BHI_NO}},
};

/* What guests are told about the processor's speculation: what it is not affected by, and what VERW does. They are
 * given no control of the rest. */
static const uint64_t told = RDCL_NO | IBRS_ALL | SKIP_L1D_FLUSH | SSB_NO | MDS_NO | PSCHANGE_MC_NO | TAA_NO |
                             SBDR_SSDP_NO | FBSDP_NO | PSDP_NO | FB_CLEAR | RRSBA | BHI_NO | PBRSB_NO | GDS_NO |
                             RFDS_NO | RFDS_CLEAR;

const uint64_t speculation_unaffected = RDCL_NO | SKIP_L1D_FLUSH | MDS_NO | PSCHANGE_MC_NO | TAA_NO | SBDR_SSDP_NO |
                                        FBSDP_NO | PSDP_NO | BHI_NO | PBRSB_NO | GDS_NO | RFDS_NO | ITS_NO;

struct speculation_plan speculation;

static bool all(const uint64_t *facts, struct condition c)
{
    return (facts[c.fact] & c.bits) == c.bits;
}

static bool holds(const uint64_t *facts, struct condition can, struct condition and, struct condition unless)
{
    return all(facts, can) && all(facts, and) && !(facts[unless.fact] & unless.bits);
}

#if __has_attribute(noipa) /* a test gives CP other facts here with a debugger: no emulator has them */
__attribute__((noipa))
#endif
struct speculation_plan speculation_decide(const uint64_t facts[SPECULATION_FACTS])
{
    struct speculation_plan plan = {0};
    uint8_t *const at[] = {[AT_SWITCH] = &plan.at_switch, [AT_ENTRY] = &plan.at_entry, [AT_EXIT] = &plan.at_exit};

    for (const struct rule *r = rules; r < rules + sizeof rules / sizeof *rules; r++)
        if (holds(facts, r->can, r->and, r->unless))
            *at[r->moment] |= (uint8_t)r->action;
    for (const struct own_bit *b = own_bits; b < own_bits + sizeof own_bits / sizeof *own_bits; b++)
        if (holds(facts, b->can, b->and, b->unless))
            plan.own |= b->bit;
    plan.automatic = facts[FACT_SECURITY_EAX] & AUTOMATIC_IBRS;
    if (plan.automatic) /* IBRS needs nothing more then */
        plan.at_exit &= (uint8_t)~SPECULATION_RESTRICT;
    plan.has_control = (facts[FACT_STRUCTURED_EDX] & IBRS_IBPB) || (facts[FACT_EXTENDED_EBX] & (AMD_IBRS | AMD_SSBD));
    plan.guest_capabilities = facts[FACT_CAPABILITIES] & told;
    if (plan.at_entry & SPECULATION_L1D) /* a guest's guest is entered by CP as well */
        plan.guest_capabilities |= SKIP_L1D_FLUSH;
    return plan;
}

void speculation_switch(void)
{
    if (speculation.at_switch & SPECULATION_BARRIER)
        cpu_speculation_write(MSR_PRED_CMD, PRED_CMD_IBPB);
}

bool speculation_guards(void)
{
    return speculation.at_entry || speculation.at_exit || speculation.has_control;
}

/* The buffers last: what is loaded or stored after that is this guest's. */
void speculation_enter(uint64_t guest)
{
    if (guest & ~speculation.own)
        cpu_speculation_write(MSR_SPEC_CTRL, guest | speculation.own);
    if (speculation.at_entry & SPECULATION_L1D)
        cpu_speculation_write(MSR_FLUSH_CMD, FLUSH_CMD_L1D);
    if (speculation.at_entry & SPECULATION_BUFFERS)
        cpu_buffers_clear();
}

void speculation_leave(uint64_t guest)
{
    if ((speculation.at_exit & SPECULATION_RESTRICT) || (guest & ~speculation.own))
        cpu_speculation_write(MSR_SPEC_CTRL, speculation.own);
}
