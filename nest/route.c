/* Exit routing.  In: an exit and the VMCSs that were merged.  Out: who gets it.
 * One row for each exit reason; SDM "VMX Non-Root Operation", "Instructions That Cause VM Exits". */
#include "nest/route.h"
#include "nest/merge.h"

enum { EVENT_TYPE_SHIFT = 8, TYPE_NMI = 2, VECTOR_PAGE_FAULT = 14, VECTOR_MACHINE_CHECK = 18 };
enum { RCX = 1 };

typedef bool wants_fn(const struct nest_route_state *state, const struct vmcs *inner, const struct exit *exit);

static uint64_t get_register(const struct nest_route_state *state, unsigned number)
{
    return number == 4 ? state->host->get(state->host->context, VMCS_GUEST_RSP) : state->host->gpr[number];
}

/* One bit of a bitmap in L1's storage; what cannot be read was united as all ones. */
static bool bitmap_bit(const struct nest_route_state *state, uint64_t gpa, uint32_t bit)
{
    uint8_t byte;
    return !state->host->read(state->host->context, gpa + bit / 8, &byte, 1) || (byte >> bit % 8 & 1);
}

/* ---- exceptions ---------------------------------------------------------------- */

static bool wants_exception(const struct nest_route_state *state, const struct vmcs *inner, const struct exit *exit)
{
    unsigned vector = exit->interruption_info & 0xFF;
    if ((exit->interruption_info >> EVENT_TYPE_SHIFT & 7) == TYPE_NMI)
        return state->virtual_nmi && (inner->pin_controls & PIN_NMI_EXITING);
    bool bit = vector < 32 && (inner->exception_bitmap >> vector & 1);
    if (vector != VECTOR_PAGE_FAULT)
        return bit;
    bool match = (exit->interruption_error & inner->page_fault_mask) == inner->page_fault_match;
    return match ? bit : !bit;
}

/* ---- control registers: SDM "Exit Qualification for Control-Register Accesses" ------ */

enum { TO_CR, FROM_CR, CLTS, LMSW };
enum { CR0_PE_BIT = 1, CR0_TS_BIT = 8, LMSW_BITS = 0xE };

static bool wants_mov_to_cr3(const struct vmcs *inner, uint64_t value)
{
    const uint64_t targets[] = {inner->cr3_target_0, inner->cr3_target_1, inner->cr3_target_2, inner->cr3_target_3};
    if (!(inner->processor_controls & CPU_CR3_LOAD_EXITING))
        return false;
    for (unsigned i = 0; i < inner->cr3_target_count && i < 4; i++)
        if (targets[i] == value)
            return false;
    return true;
}

static bool wants_mov_to_cr(const struct vmcs *inner, unsigned number, uint64_t value)
{
    switch (number) {
    case 0:
        return inner->cr0_mask & (value ^ inner->cr0_shadow);
    case 3:
        return wants_mov_to_cr3(inner, value);
    case 4:
        return inner->cr4_mask & (value ^ inner->cr4_shadow);
    default:
        return inner->processor_controls & CPU_CR8_LOAD_EXITING;
    }
}

/* LMSW can set PE but not clear it. */
static bool wants_lmsw(const struct vmcs *inner, uint64_t source)
{
    uint64_t differ = inner->cr0_mask & (source ^ inner->cr0_shadow);
    return (differ & LMSW_BITS) || (differ & source & CR0_PE_BIT);
}

static bool wants_cr_access(const struct nest_route_state *state, const struct vmcs *inner, const struct exit *exit)
{
    unsigned number = exit->qualification & 15;
    switch (exit->qualification >> 4 & 3) {
    case TO_CR:
        return wants_mov_to_cr(inner, number, get_register(state, exit->qualification >> 8 & 15));
    case FROM_CR:
        return inner->processor_controls & (number == 3 ? CPU_CR3_STORE_EXITING : CPU_CR8_STORE_EXITING);
    case CLTS:
        return inner->cr0_mask & inner->cr0_shadow & CR0_TS_BIT;
    default:
        return wants_lmsw(inner, exit->qualification >> 16 & 0xFFFF);
    }
}

/* ---- ports and MSRs ---------------------------------------------------------------- */

static bool wants_io(const struct nest_route_state *state, const struct vmcs *inner, const struct exit *exit)
{
    uint32_t port = exit->qualification >> 16 & 0xFFFF, bytes = (exit->qualification & 7) + 1;
    enum nest_io mode = nest_io_mode(inner->processor_controls);
    if (mode != NEST_IO_BITMAPS)
        return mode == NEST_IO_ALL;
    for (uint32_t at = port; at < port + bytes; at++)
        if (at > 0xFFFF || bitmap_bit(state, at < 0x8000 ? inner->io_bitmap_a : inner->io_bitmap_b, at & 0x7FFF))
            return true;
    return false;
}

static bool wants_msr(const struct nest_route_state *state, const struct vmcs *inner, const struct exit *exit)
{
    uint32_t msr = (uint32_t)state->host->gpr[RCX];
    uint32_t base = (exit->reason & 0xFFFF) == EXIT_WRMSR ? 2048 * 8 : 0;
    if (!(inner->processor_controls & CPU_MSR_BITMAPS))
        return true;
    if (msr < 0x2000)
        return bitmap_bit(state, inner->msr_bitmap, base + msr);
    if (msr - 0xC0000000u < 0x2000)
        return bitmap_bit(state, inner->msr_bitmap, base + 1024 * 8 + (msr - 0xC0000000u));
    return true;
}

/* ---- others ------------------------------------------------------------------------- */

static bool wants_timer(const struct nest_route_state *state, const struct vmcs *inner, const struct exit *exit)
{
    (void)exit;
    return (inner->pin_controls & PIN_PREEMPTION_TIMER) && state->timer_expired;
}

static bool wants_invpcid(const struct nest_route_state *state, const struct vmcs *inner, const struct exit *exit)
{
    (void)state, (void)exit;
    return (nest_secondary(inner) & CPU2_INVPCID) && (inner->processor_controls & CPU_INVLPG_EXITING);
}

static bool wants_field(const struct nest_route_state *state, const struct vmcs *inner, const struct exit *exit)
{
    bool write = (exit->reason & 0xFFFF) == EXIT_VMWRITE;
    uint64_t encoding = get_register(state, exit->instruction_info >> 28 & 15);
    if (!(nest_secondary(inner) & CPU2_VMCS_SHADOWING) || encoding >> 15)
        return true;
    return bitmap_bit(state, write ? inner->vmwrite_bitmap : inner->vmread_bitmap, (uint32_t)encoding);
}

/* nest_exit() has asked EPT12 itself, before it asks here; and CP, not hardware, writes L1's log. */
static bool judged_before(const struct nest_route_state *state, const struct vmcs *inner, const struct exit *exit)
{
    (void)state, (void)inner, (void)exit;
    return false;
}

/* ---- the table ------------------------------------------------------------------------ */

/* ALWAYS exits; ASKED exits if any of these controls is 1; WANTS asks a function, which looks at these. */
#define ROWS \
    WANTS(EXCEPTION_NMI, PIN_NMI_EXITING, 0, 0, wants_exception) \
    ASKED(EXTERNAL_INTERRUPT, PIN_EXTERNAL_INTERRUPT_EXITING, 0, 0) \
    ALWAYS(TRIPLE_FAULT) \
    ALWAYS(INIT) \
    ALWAYS(SIPI) \
    ASKED(INTERRUPT_WINDOW, 0, CPU_INTERRUPT_WINDOW_EXITING, 0) \
    ASKED(NMI_WINDOW, 0, CPU_NMI_WINDOW_EXITING, 0) \
    ALWAYS(TASK_SWITCH) \
    ALWAYS(CPUID) \
    ALWAYS(GETSEC) \
    ASKED(HLT, 0, CPU_HLT_EXITING, 0) \
    ALWAYS(INVD) \
    ASKED(INVLPG, 0, CPU_INVLPG_EXITING, 0) \
    ASKED(RDPMC, 0, CPU_RDPMC_EXITING, 0) \
    ASKED(RDTSC, 0, CPU_RDTSC_EXITING, 0) \
    ALWAYS(VMCALL) \
    ALWAYS(VMCLEAR) \
    ALWAYS(VMLAUNCH) \
    ALWAYS(VMPTRLD) \
    ALWAYS(VMPTRST) \
    WANTS(VMREAD, 0, 0, CPU2_VMCS_SHADOWING, wants_field) \
    ALWAYS(VMRESUME) \
    WANTS(VMWRITE, 0, 0, CPU2_VMCS_SHADOWING, wants_field) \
    ALWAYS(VMXOFF) \
    ALWAYS(VMXON) \
    WANTS(CR_ACCESS, 0, \
          CPU_CR3_LOAD_EXITING | CPU_CR3_STORE_EXITING | CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING, 0, \
          wants_cr_access) \
    ASKED(DR_ACCESS, 0, CPU_MOV_DR_EXITING, 0) \
    WANTS(IO, 0, CPU_UNCONDITIONAL_IO_EXITING | CPU_IO_BITMAPS, 0, wants_io) \
    WANTS(RDMSR, 0, CPU_MSR_BITMAPS, 0, wants_msr) \
    WANTS(WRMSR, 0, CPU_MSR_BITMAPS, 0, wants_msr) \
    ASKED(MWAIT, 0, CPU_MWAIT_EXITING, 0) \
    ASKED(MTF, 0, CPU_MONITOR_TRAP_FLAG, 0) \
    ASKED(MONITOR, 0, CPU_MONITOR_EXITING, 0) \
    ASKED(PAUSE, 0, CPU_PAUSE_EXITING, CPU2_PAUSE_LOOP_EXITING) \
    ASKED(TPR, 0, CPU_TPR_SHADOW, 0) \
    ASKED(GDTR_IDTR, 0, 0, CPU2_DESCRIPTOR_TABLE_EXITING) \
    ASKED(LDTR_TR, 0, 0, CPU2_DESCRIPTOR_TABLE_EXITING) \
    WANTS(EPT_VIOLATION, 0, 0, CPU2_EPT, judged_before) \
    WANTS(EPT_MISCONFIG, 0, 0, CPU2_EPT, judged_before) \
    ALWAYS(INVEPT) \
    ASKED(RDTSCP, 0, CPU_RDTSC_EXITING, 0) \
    WANTS(PREEMPTION_TIMER, PIN_PREEMPTION_TIMER, 0, 0, wants_timer) \
    ALWAYS(INVVPID) \
    ASKED(WBINVD, 0, 0, CPU2_WBINVD_EXITING) \
    ALWAYS(XSETBV) \
    ASKED(RDRAND, 0, 0, CPU2_RDRAND_EXITING) \
    WANTS(INVPCID, 0, CPU_INVLPG_EXITING, CPU2_INVPCID, wants_invpcid) \
    ASKED(VMFUNC, 0, 0, CPU2_VM_FUNCTIONS) \
    ASKED(RDSEED, 0, 0, CPU2_RDSEED_EXITING) \
    WANTS(PML_FULL, 0, 0, CPU2_PML, judged_before)

static const struct row {
    bool always;
    uint32_t pin, primary, secondary; /* any of these set */
    wants_fn *wants;
} rows[EXIT_REASONS] = {
#define ALWAYS(reason) [EXIT_##reason] = {.always = true},
#define ASKED(reason, p, c, c2) [EXIT_##reason] = {.pin = p, .primary = c, .secondary = c2},
#define WANTS(reason, p, c, c2, function) [EXIT_##reason] = {.wants = function},
    ROWS
#undef ALWAYS
#undef ASKED
#undef WANTS
};

/* Each control that is offered has a part in the row of each exit that controls.def names for it. */
enum {
#define ALWAYS(reason)
#define ASKED(reason, p, c, c2) ROUTE_PIN_##reason = (p), ROUTE_CPU_##reason = (c), ROUTE_CPU2_##reason = (c2),
#define WANTS(reason, p, c, c2, function) ASKED(reason, p, c, c2)
    ROWS
#undef ALWAYS
#undef ASKED
#undef WANTS
    ROUTE_PIN_NONE = ~0u, ROUTE_CPU_NONE = ~0u, ROUTE_CPU2_NONE = ~0u, ROUTE_EXIT_NONE = ~0u, ROUTE_ENTRY_NONE = ~0u
};
#define ROUTED_NO(word, NAME, reason)
#define ROUTED_YES(word, NAME, reason) \
    _Static_assert(ROUTE_##word##_##reason & word##_##NAME, \
                   #word "_" #NAME " is offered, but has no part in the row of " #reason);
#define CONTROL(word, NAME, bit, offered, merge, exit, exit2) \
    ROUTED_##offered(word, NAME, exit) ROUTED_##offered(word, NAME, exit2)
#include "vmcs-shadow/controls.def"
#undef CONTROL

bool nest_inner_wants(const struct nest_route_state *state, const struct vmcs *inner, const struct exit *exit)
{
    unsigned reason = exit->reason & 0xFFFF;
    if (reason >= EXIT_REASONS)
        return false;
    const struct row *row = &rows[reason];
    if (row->wants)
        return row->wants(state, inner, exit);
    return row->always || (row->pin & inner->pin_controls) || (row->primary & inner->processor_controls) ||
           (row->secondary & nest_secondary(inner));
}

bool nest_cp_wants(const struct nest_route_state *state, const struct vmcs *cp, const struct vmcs *inner,
                   const struct exit *exit)
{
    unsigned vector = exit->interruption_info & 0xFF, type = exit->interruption_info >> EVENT_TYPE_SHIFT & 7;
    (void)cp;
    switch (exit->reason & 0xFFFF) {
    case EXIT_EXCEPTION_NMI:
        return vector == VECTOR_MACHINE_CHECK || (type == TYPE_NMI && !state->virtual_nmi);
    case EXIT_EXTERNAL_INTERRUPT: /* of the real machine; one for L1 comes by nest_reflect() */
    case EXIT_INIT:
    case EXIT_SIPI:
    case EXIT_ENTRY_MCE:
    case EXIT_PML_FULL:
    case EXIT_APIC_ACCESS:
    case EXIT_APIC_WRITE:
    case EXIT_EOI:
        return true;
    case EXIT_PREEMPTION_TIMER:
        return !wants_timer(state, inner, exit);
    default:
        return false;
    }
}

bool nest_route_is_innermost(unsigned basic_reason)
{
    return basic_reason < EXIT_REASONS && rows[basic_reason].always && basic_reason != EXIT_INIT &&
           basic_reason != EXIT_SIPI;
}

int nest_route(const struct nest_route_state *state, const struct vmcs *cp, const struct vmcs *const *list,
               unsigned length, const struct exit *exit)
{
    if (!length || nest_cp_wants(state, cp, list[length - 1], exit))
        return -1;
    for (unsigned i = length; i > 0; i--)
        if (nest_inner_wants(state, list[i - 1], exit))
            return (int)i - 1;
    return -1;
}
