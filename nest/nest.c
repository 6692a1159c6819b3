/* Life of a virtual VMX: coming up, reset, CP's own changes, and what CP asks about it while L2 runs. */
#include "nest/chain.h"
#include "nest/enter.h"
#include "nest/ept.h"
#include "nest/instruction.h"
#include "nest/recompute.h"

enum { FEATURE_LOCKED_ON = FEATURE_LOCK | FEATURE_VMX };

void nest_init(struct nest *nest, const struct nest_setup *setup)
{
    *nest = (struct nest){
        .host = setup->host, .hardware = setup->hardware, .cpu = setup->cpu, .mode = setup->mode,
        .policy = setup->policy, .capability = setup->capability, .offered = setup->offered, .vmcs01 = *setup->vmcs01,
        .outer = nest, .root = nest, .innermost = nest,
    };
    nest->feature_control = FEATURE_LOCKED_ON; /* firmware's part, and most machines have none */
}

/* What L1 invalidated while vmcs01 was without its VPID may still be cached under it. */
static void tag(struct nest *nest)
{
    const struct nest_host *host = nest->host;
    if (!nest->untagged)
        return;
    uint64_t controls = host->get(host->context, VMCS_SECONDARY_CONTROLS);
    host->set(host->context, VMCS_SECONDARY_CONTROLS, controls | CPU2_VPID);
    nest->hardware->flush_vpid(nest->cpu, nest->vmcs01.vpid);
    nest->untagged = false;
}

void nest_reset(struct nest *nest, bool power_up)
{
    nest->in_guest = false;
    if (!nest->chain)
        nest->innermost = nest;
    tag(nest);
    nest_active_drop_all(nest);
    nest_ept_free_all(nest);
    for (unsigned i = 0; i < 2; i++) {
        if (nest->field_bitmaps[i])
            nest->host->frame_free(nest->host->context, nest->field_bitmaps[i]);
        nest->field_bitmaps[i] = NULL;
    }
    nest->vmxon = nest->is_delegated = false;
    nest->vmxon_gpa = 0;
    for (unsigned i = 0; i < NEST_MEMOS; i++)
        nest->memos[i].used = 0;
    nest->timer_deadline = NEST_NO_TIMER;
    nest->event = (struct nest_event){0};
    if (power_up)
        nest->feature_control = FEATURE_LOCKED_ON;
}

void nest_destroy(struct nest *nest)
{
    nest_reset(nest, true);
}

bool nest_set_mode(struct nest *nest, enum nest_mode mode)
{
    if (nest->vmxon)
        return false;
    nest->mode = mode;
    return true;
}

void nest_base_write(struct nest *nest, enum vmcs_index index, uint64_t value)
{
    if (vmcs_get(&nest->vmcs01, index) == value)
        return;
    nest_must("a field that is CP's alone is as it was", vmcs_set_has(&vmcs_set_merged, index));
    vmcs_set(&nest->vmcs01, index, value);
    nest->base_written = true;
}

void *nest_region(const struct nest *root)
{
    return root->innermost->current->region02;
}

bool nest_steps(const struct nest *root)
{
    return root->innermost->current->vmcs12.processor_controls & CPU_MONITOR_TRAP_FLAG;
}

enum nest_arrival nest_interrupt_arrives(const struct nest *nest, bool *acknowledge)
{
    const struct vmcs *vmcs12 = &nest->current->vmcs12;
    *acknowledge = vmcs12->exit_controls & EXIT_ACKNOWLEDGE_INTERRUPT;
    return vmcs12->pin_controls & PIN_EXTERNAL_INTERRUPT_EXITING ? NEST_ARRIVAL_EXIT : NEST_ARRIVAL_DELIVER;
}

/* With virtual NMIs the bit blocks those that L1 injects, else the CPU's own. */
enum nest_arrival nest_nmi_arrives(const struct nest *nest, bool blocked)
{
    uint32_t pin = nest->current->vmcs12.pin_controls;
    return (pin & PIN_NMI_EXITING) && (!blocked || (pin & PIN_VIRTUAL_NMIS)) ? NEST_ARRIVAL_EXIT
                                                                            : NEST_ARRIVAL_DELIVER;
}

bool nest_is_inactive(const struct nest *nest)
{
    return nest->current->vmcs12.guest_activity_state;
}

uint32_t nest_windows(const struct nest *nest)
{
    return nest->current->vmcs12.processor_controls & (CPU_INTERRUPT_WINDOW_EXITING | CPU_NMI_WINDOW_EXITING);
}

uint64_t nest_timer_start(struct nest *root, uint64_t now)
{
    root->innermost->timer_deadline = now + root->innermost->timer_ticks;
    return nest_deadline(root);
}

bool nest_timer_expired(const struct nest *nest, uint64_t now)
{
    return nest->timer_deadline != NEST_TIMER_FRESH && now >= nest->timer_deadline;
}

static struct nest_cr cr_of(uint64_t value, uint64_t ones, uint64_t zeroes)
{
    return (struct nest_cr){.real = (value | ones) & ~zeroes, .shadow = value};
}

/* Bits that L1 keeps stay in the register as L1 gave them, and read as its shadow has them. */
static struct nest_cr keep(struct nest_cr cr, uint64_t mask12, uint64_t guest12, uint64_t shadow12)
{
    cr.real = (cr.real & ~mask12) | (guest12 & mask12);
    cr.shadow = (cr.shadow & ~mask12) | (shadow12 & mask12);
    return cr;
}

void nest_caches_follow(struct nest *nest, uint64_t caches)
{
    if (__builtin_expect(nest->caches == caches, 1))
        return;
    nest->caches = caches;
    for (unsigned i = 0; i < nest->active_top; i++)
        if (nest->active[i])
            nest->active[i]->stale.parts |= NEST_STALE_RULES | NEST_STALE_REGISTERS;
}

uint64_t nest_cr_merged(const struct nest *nest, unsigned number, uint64_t value)
{
    if (!nest->in_guest)
        return value;
    const struct vmcs *vmcs12 = &nest->current->vmcs12, *vmcs02 = &nest->current->vmcs02;
    uint64_t kept = number == 0 ? vmcs12->cr0_mask : vmcs12->cr4_mask;
    return (value & ~kept) | ((number == 0 ? vmcs02->guest_cr0 : vmcs02->guest_cr4) & kept);
}

struct nest_cr nest_cr_write(struct nest *nest, unsigned number, uint64_t value)
{
    uint64_t kept = nest->in_guest ? nest->current->vmcs12.cr0_mask : 0;
    if (number == 0)
        nest_caches_follow(nest, ((value & ~kept) | (nest->caches & kept)) & NEST_CACHES);
    const struct nest_policy *policy = &nest->policy;
    struct nest_cr cr = number == 0 ? cr_of(value, policy->cr0_ones, policy->cr0_zeroes)
                                    : cr_of(value, policy->cr4_ones, policy->cr4_zeroes);
    if (!nest->in_guest)
        return cr;
    const struct vmcs *vmcs12 = &nest->current->vmcs12, *vmcs02 = &nest->current->vmcs02;
    return number == 0 ? keep(cr, vmcs12->cr0_mask, vmcs02->guest_cr0, vmcs12->cr0_shadow)
                       : keep(cr, vmcs12->cr4_mask, vmcs02->guest_cr4, vmcs12->cr4_shadow);
}
