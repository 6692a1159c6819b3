/* Owns a virtual CPU under SVM: CP's own controls, reaching its fields, entering. What
 * an exit means is svm_exit.c's. */
#include <errno.h>
#include <string.h>

#include "cp/cpu/cpu.h"
#include "cp/cpu/ops.h"
#include "cp/cpu/svm.h"
#include "cp/cpu/svm_debug.h"
#include "cp/cpu/vmx.h"
#include "cp/storage/frame.h"
#include "cp/svm/assert.h"
#include "cp/svm/return.h"
#include "cp/vcpu/backend.h"
#include "cp/vcpu/vm.h"

enum { BLOCKED_BY_SHADOW = 3, BLOCKED_NMI = 8, ACTIVITY_HLT = 1 };
#define FLAG_TRAP (1ull << 8)
#define DR7_ENABLES 0xFFull
#define FLAG_IF (1ull << 9)

/* CP's own controls, which nest/ merges those of a guest hypervisor with. */
static void controls_write(const struct vcpu *vcpu, struct svm_state *state)
{
    struct vmcs image;
    struct vmcs_set set = {{0}};

    vmx_own_controls(&image, &set, vcpu, SVM_VPID_FIRST);
    for (unsigned index = 0; index < VMCS_FIELDS; index++)
        if (vmcs_set_has(&set, index))
            svm_field_write(state, index, vmcs_get(&image, index));
}

static int svm_create(struct vcpu *vcpu)
{
    struct frame_account *account = &vcpu->vm->storage.account;
    struct svm_vcpu *own = frame_alloc(account);

    _Static_assert(sizeof *own <= PAGE_SIZE, "it is one frame");
    if (!own || !guest_entry(&vcpu->vm->storage, gpa(0)) || !svm_region_begin(&own->first, account)) {
        frame_free(account, own);
        return -ENOMEM;
    }
    own->active = &own->first;
    controls_write(vcpu, &own->first.state);
    vcpu->backend = own;
    return 0;
}

static void svm_destroy(struct vcpu *vcpu)
{
    struct svm_vcpu *own = vcpu->backend;

    if (!own)
        return;
    frame_free(&vcpu->vm->storage.account, own->first.state.vmcb);
    frame_free(&vcpu->vm->storage.account, own);
    vcpu->backend = NULL;
}

/* What nearly every exit asks for goes the short way. */
static uint64_t svm_read(struct vcpu *vcpu, enum vmcs_field field)
{
    const struct svm_state *state = &((struct svm_vcpu *)vcpu->backend)->active->state;

    if (field == VMCS_GUEST_RIP)
        return state->vmcb->rip;
    if (field == VMCS_GUEST_INTERRUPTIBILITY && !(state->vmcb->interrupt_shadow & 1))
        return state->image.guest_interruptibility & ~(uint32_t)BLOCKED_BY_SHADOW;
    return svm_field_read(state, vmcs_field_find(field));
}

static void svm_write(struct vcpu *vcpu, enum vmcs_field field, uint64_t value)
{
    struct svm_state *state = &((struct svm_vcpu *)vcpu->backend)->active->state;

    if (field == VMCS_GUEST_RIP)
        state->vmcb->rip = value;
    else
        svm_field_write(state, vmcs_field_find(field), value);
}

/* ---- entering ------------------------------------------------------------------- */

static bool made_up(struct vcpu *vcpu, const struct vmcb *vmcb, uint32_t reason)
{
    vcpu->exit = (struct exit){.reason = reason, .rip = vmcb->rip};
    return true;
}

/* Cases in which nothing is run: an interrupt window that is open already, and HLT as an activity state, which SVM does
 * not have. */
static bool nothing_to_run(struct vcpu *vcpu, struct svm_region *region, uint64_t deadline)
{
    const struct vmcs *image = &region->state.image;
    struct vmcb *vmcb = region->state.vmcb;

    if (vmcb->event_injection & VMCB_EVENT_VALID)
        return false;
    bool shadow = vmcb->interrupt_shadow & 1;
    if ((image->processor_controls & CPU_NMI_WINDOW_EXITING) && !shadow &&
        !(image->guest_interruptibility & BLOCKED_NMI))
        return made_up(vcpu, vmcb, EXIT_NMI_WINDOW);
    if (image->guest_activity_state != ACTIVITY_HLT)
        return false;
    if ((image->processor_controls & CPU_INTERRUPT_WINDOW_EXITING) && !shadow && (vmcb->rflags & FLAG_IF))
        return made_up(vcpu, vmcb, EXIT_INTERRUPT_WINDOW);
    cpu_idle(deadline);
    return made_up(vcpu, vmcb, op_rdtsc() >= deadline ? EXIT_PREEMPTION_TIMER : EXIT_EXTERNAL_INTERRUPT);
}

/* Single-steps the guest until an NMI can be taken: until the end of an interrupt shadow, or of the IRET that unblocks
 * NMIs. Not while an event is being delivered, since that would push TF. */
static void step_if_needed(struct svm_region *region)
{
    struct vmcb *vmcb = region->state.vmcb;
    const struct vmcs *image = &region->state.image;

    bool opens = !(image->guest_interruptibility & BLOCKED_NMI) || region->state.returning;
    region->stepping = (image->processor_controls & CPU_NMI_WINDOW_EXITING) && opens &&
                       !(vmcb->event_injection & VMCB_EVENT_VALID) && !(vmcb->rflags & FLAG_TRAP);
    if (region->stepping)
        vmcb->rflags |= FLAG_TRAP;
}

static void own_follow(const struct vmcb *vmcb)
{
    uint64_t cr0 = (vmcb->cr0 ^ svm_own.cr0) & svm_own.cr0_follows,
             cr4 = (vmcb->cr4 ^ svm_own.cr4) & svm_own.cr4_follows;

    svm_own.cr0 ^= cr0;
    svm_own.cr4 ^= cr4;
    if (cr0)
        op_write_cr0(op_read_cr0() ^ cr0);
    if (cr4)
        op_write_cr4(op_read_cr4() ^ cr4);
}

/* CP leaves the guest's CR2 and DR6 in the processor, but VMRUN loads them from the VMCB. Which instruction cast the
 * interrupt shadow is known only as long as RIP has not moved since the entry. */
static void run(struct vcpu *vcpu, struct svm_region *region)
{
    struct vmcb *vmcb = region->state.vmcb;
    uint64_t rip = vmcb->rip;
    bool armed = svm_own.software && ((vmcb->interrupt_shadow & 1) || (vmcb->dr7 & DR7_ENABLES)) && svm_debug_arm(vmcb);

    svm_asid_prepare(region);
    own_follow(vmcb);
    vmcb->rax = vcpu->gpr[RAX];
    vmcb->cr2 = op_read_cr2();
    vmcb->dr6 = op_read_dr6();
    if (svm_own.stuffs_returns)
        svm_run_stuffing(vcpu->gpr, frame_address(vmcb).a, svm_host);
    else
        svm_run(vcpu->gpr, frame_address(vmcb).a, svm_host, armed);
    vcpu->gpr[RAX] = vmcb->rax;
    vmcb_rip_wrap(vmcb); /* QEMU does not, behind CLTS and MOV to CR3 */
    if (op_read_cr2() != vmcb->cr2) /* the exit leaves them as they were, but nobody promises it */
        op_write_cr2(vmcb->cr2);
    if (op_read_dr6() != vmcb->dr6)
        svm_debug_load_dr6(vmcb);
    vmcb->event_injection = 0;
    if (vmcb->rip != rip || !(vmcb->interrupt_shadow & 1))
        region->state.image.guest_interruptibility &= ~(uint32_t)BLOCKED_BY_SHADOW;
}

/* An event is injected first, and then an NMI waits, or the guest's time is over: it is to be left before the first
 * instruction of the event's handler. So CP's timer interrupt waits as the guest is entered. Else the guest goes on:
 * the local APIC's timer, unlike VMX's, counts already while it is entered, so it gets what an entry may take, too. */
static void timer_set(const struct svm_region *region, uint64_t deadline, uint64_t now)
{
    bool nmi = region->state.image.processor_controls & CPU_NMI_WINDOW_EXITING;

    if ((nmi || now >= deadline) && (region->state.vmcb->event_injection & VMCB_EVENT_VALID))
        apic_timer_expire();
    else
        apic_timer_set(deadline - now < svm_own.entry_ticks ? now + svm_own.entry_ticks : deadline);
}

static __attribute__((noinline)) bool controls_apply(struct vcpu *vcpu, struct svm_region *region)
{
    svm_control_apply(&region->state, &svm_maps);
    unsigned broken = svm_assert(&region->state, &svm_maps);
    if (broken)
        vcpu->exit = (struct exit){.reason = CPU_UNSOUND, .qualification = broken};
    return !broken;
}

static bool svm_vcpu_enter(struct vcpu *vcpu, uint64_t deadline, uint64_t now)
{
    struct svm_region *region = ((struct svm_vcpu *)vcpu->backend)->active;

    bool over = now >= deadline;

    svm_event_inject(region);
    /* SDM "VMX-Preemption Timer": debug exceptions that are pending come before it */
    if (region->state.image.guest_pending_debug_exceptions && svm_debug_pending(vcpu, region, over))
        return true;
    if (over && !(region->state.vmcb->event_injection & VMCB_EVENT_VALID))
        return made_up(vcpu, region->state.vmcb, EXIT_PREEMPTION_TIMER);
    timer_set(region, deadline, now);
    do {
        svm_return_prepare(&region->state);
        if (region->state.controls_stale && !controls_apply(vcpu, region))
            return false;
        if (nothing_to_run(vcpu, region, deadline))
            return true;
        step_if_needed(region);
        run(vcpu, region);
        if (svm_exit_refuses(vcpu, region)) {
            vcpu->exit = (struct exit){.reason = EXIT_ENTRY_GUEST_STATE};
            return false;
        }
    } while (!svm_exit_handle(vcpu, region, deadline));
    return true;
}

static void svm_flush_storage(struct vcpu *vcpu)
{
    struct svm_vcpu *own = vcpu->backend;

    own->code.used = 0;
    guest_entry(&vcpu->vm->storage, gpa(0)); /* the root, if frames are left */
    svm_field_write(&own->first.state, VMCS_INDEX_EPT_POINTER, vmx_eptp(&vcpu->vm->storage));
    svm_asids_drop();
}

static void svm_flush_linear(struct vcpu *vcpu)
{
    svm_tag_void(&((struct svm_vcpu *)vcpu->backend)->active->tag);
}

static void svm_park(struct vcpu *vcpu)
{
    (void)vcpu; /* a VMCB is in storage whenever it does not run */
}

const struct cpu_backend cpu_svm = {
    .name = "SVM",
    .start = svm_start,
    .create = svm_create,
    .destroy = svm_destroy,
    .enter = svm_vcpu_enter,
    .read = svm_read,
    .write = svm_write,
    .flush_storage = svm_flush_storage,
    .flush_linear = svm_flush_linear,
    .park = svm_park,
    .nested_page_tables = true,
    .keeps_system_call_msrs = true,
};
