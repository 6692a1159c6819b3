/* What a processor's speculation gives away between guests, and between a guest and CP, and what is done against it:
 * one table from what CPUID and IA32_ARCH_CAPABILITIES say to actions, and their order. SDM "Speculation-Related
 * Features"; APM "Speculation Control MSRs". What is not done: docs/security.md. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct vcpu;

enum speculation_fact {
    FACT_STRUCTURED_EBX, FACT_STRUCTURED_EDX, /* CPUID leaf 7, subleaf 0 */
    FACT_CONTROL_EDX,                         /* leaf 7, subleaf 2 */
    FACT_EXTENDED_EBX,                        /* leaf 80000008 */
    FACT_SECURITY_EAX, FACT_SECURITY_ECX,     /* leaf 80000021 */
    FACT_CAPABILITIES,                        /* IA32_ARCH_CAPABILITIES, 0: there is none */
    SPECULATION_FACTS
};

enum speculation_action {
    SPECULATION_BARRIER = 1 << 0,  /* branches predicted from here on owe nothing to what ran before: IBPB */
    SPECULATION_L1D = 1 << 1,      /* flush of the first level's data cache */
    SPECULATION_BUFFERS = 1 << 2,  /* VERW, which clears the buffers between a core and its caches */
    SPECULATION_RETURNS = 1 << 3,  /* the return stack buffer filled anew */
    SPECULATION_RESTRICT = 1 << 4, /* SPEC_CTRL written, where IBRS must be set anew after each exit */
};

struct speculation_plan {
    /* enum speculation_action; at_exit RETURNS is the world switch's, first of all */
    uint8_t at_switch, at_entry, at_exit;
    uint64_t own;                         /* SPEC_CTRL while CP runs, and at least while a guest does */
    bool has_control;                     /* there is a SPEC_CTRL */
    bool automatic;                       /* EFER's automatic IBRS is there */
    uint64_t guest_capabilities;          /* IA32_ARCH_CAPABILITIES as guests read it */
};

/* IA32_ARCH_CAPABILITIES that says of AMD's processors what they are not affected by */
extern const uint64_t speculation_unaffected;

extern struct speculation_plan speculation; /* of this processor; nothing is done until it is set */

enum { MSR_SPEC_CTRL = 0x48, MSR_PRED_CMD = 0x49, MSR_ARCH_CAPABILITIES = 0x10A, MSR_FLUSH_CMD = 0x10B };
enum { SPEC_CTRL_IBRS = 1, SPEC_CTRL_STIBP = 2, SPEC_CTRL_SSBD = 4, SPEC_CTRL_RRSBA_DIS_S = 1 << 6,
       SPEC_CTRL_BHI_DIS_S = 1 << 10 };
enum { PRED_CMD_IBPB = 1, FLUSH_CMD_L1D = 1 };

struct speculation_plan speculation_decide(const uint64_t facts[SPECULATION_FACTS]);

/* The processor goes to another guest than it had last. */
void speculation_switch(void);
/* Before and after a guest runs, as near to it as can be; guest: the SPEC_CTRL it wants. Only
 * where something is to be done. */
bool speculation_guards(void);
void speculation_enter(uint64_t guest);
void speculation_leave(uint64_t guest);
