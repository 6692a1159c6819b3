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

static bool wants_pause(const struct nest_route_state *state, const struct vmcs *inner, const struct exit *exit)
{
    (void)state, (void)exit;
    return (inner->processor_controls & CPU_PAUSE_EXITING) || (nest_secondary(inner) & CPU2_PAUSE_LOOP_EXITING);
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

/* ---- the table ------------------------------------------------------------------------ */

static const struct row {
    bool always;
    uint32_t pin, primary, secondary; /* any of these set */
    wants_fn *wants;
} rows[EXIT_REASONS] = {
    [EXIT_EXCEPTION_NMI] = {.wants = wants_exception},
    [EXIT_EXTERNAL_INTERRUPT] = {.pin = PIN_EXTERNAL_INTERRUPT_EXITING},
    [EXIT_TRIPLE_FAULT] = {.always = true},
    [EXIT_INIT] = {.always = true},
    [EXIT_SIPI] = {.always = true},
    [EXIT_INTERRUPT_WINDOW] = {.primary = CPU_INTERRUPT_WINDOW_EXITING},
    [EXIT_NMI_WINDOW] = {.primary = CPU_NMI_WINDOW_EXITING},
    [EXIT_TASK_SWITCH] = {.always = true},
    [EXIT_CPUID] = {.always = true},
    [EXIT_GETSEC] = {.always = true},
    [EXIT_HLT] = {.primary = CPU_HLT_EXITING},
    [EXIT_INVD] = {.always = true},
    [EXIT_INVLPG] = {.primary = CPU_INVLPG_EXITING},
    [EXIT_RDPMC] = {.primary = CPU_RDPMC_EXITING},
    [EXIT_RDTSC] = {.primary = CPU_RDTSC_EXITING},
    [EXIT_VMCALL] = {.always = true},
    [EXIT_VMCLEAR] = {.always = true},
    [EXIT_VMLAUNCH] = {.always = true},
    [EXIT_VMPTRLD] = {.always = true},
    [EXIT_VMPTRST] = {.always = true},
    [EXIT_VMREAD] = {.wants = wants_field},
    [EXIT_VMRESUME] = {.always = true},
    [EXIT_VMWRITE] = {.wants = wants_field},
    [EXIT_VMXOFF] = {.always = true},
    [EXIT_VMXON] = {.always = true},
    [EXIT_CR_ACCESS] = {.wants = wants_cr_access},
    [EXIT_DR_ACCESS] = {.primary = CPU_MOV_DR_EXITING},
    [EXIT_IO] = {.wants = wants_io},
    [EXIT_RDMSR] = {.wants = wants_msr},
    [EXIT_WRMSR] = {.wants = wants_msr},
    [EXIT_MWAIT] = {.primary = CPU_MWAIT_EXITING},
    [EXIT_MTF] = {.primary = CPU_MONITOR_TRAP_FLAG},
    [EXIT_MONITOR] = {.primary = CPU_MONITOR_EXITING},
    [EXIT_PAUSE] = {.wants = wants_pause},
    [EXIT_TPR] = {.primary = CPU_TPR_SHADOW},
    [EXIT_GDTR_IDTR] = {.secondary = CPU2_DESCRIPTOR_TABLE_EXITING},
    [EXIT_LDTR_TR] = {.secondary = CPU2_DESCRIPTOR_TABLE_EXITING},
    [EXIT_INVEPT] = {.always = true},
    [EXIT_RDTSCP] = {.primary = CPU_RDTSC_EXITING},
    [EXIT_PREEMPTION_TIMER] = {.wants = wants_timer},
    [EXIT_INVVPID] = {.always = true},
    [EXIT_WBINVD] = {.secondary = CPU2_WBINVD_EXITING},
    [EXIT_XSETBV] = {.always = true},
    [EXIT_RDRAND] = {.secondary = CPU2_RDRAND_EXITING},
    [EXIT_INVPCID] = {.wants = wants_invpcid},
    [EXIT_VMFUNC] = {.secondary = CPU2_VM_FUNCTIONS},
    [EXIT_RDSEED] = {.secondary = CPU2_RDSEED_EXITING},
};

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
