/* Virtual VMX in the run loop, its life: made when a guest first asks about VMX, its MSRs, CR0 and
 * CR4, CP's own changes, its end. */
#include "cp/vcpu/nested.h"

#include <stddef.h>

#include "cp/nested/hardware.h"
#include "cp/nested/host.h"
#include "cp/time/timer.h"
#include "cp/vcpu/backend.h"
#include "cp/vcpu/cpuid.h"
#include "cp/vcpu/handlers.h"
#include "cp/vcpu/registers.h"

/* All that a machine with virtual VMX needs beside its VMCSs. */
struct nested {
    struct nest nest; /* first: vcpu.nest points here */
    struct nest_host host;
    struct vmx_capability offered;
    struct timer halted;      /* armed while L2 waits in HLT and L1 has a timer to take it out */
};

enum { NESTED_PAGES = (sizeof(struct nested) + PAGE_MASK) / PAGE_SIZE };

/* Without hardware shadow regions a guest's guest exits at every VMREAD. A shadow VMCS would cost its hypervisor even
 * more exits, unless that VMCS is a page which it shares with CP. */
static bool offers_shadowing(const struct vm *vm)
{
    return vm->config.nesting >= (cpu_nested->hardware.link ? NEST_SHADOW : NEST_MEMORY);
}

static void create(struct vm *vm, struct nested *nested)
{
    struct vmcs vmcs01 = {0};
    struct nest_setup setup = {
        .host = &nested->host, .hardware = &cpu_nested->hardware, .cpu = &vm->vcpu, .mode = vm->config.nesting,
        .policy = {.cr0_ones = CR0_NE, .cr0_zeroes = CR0_CD | CR0_NW, .cr4_ones = registers_cr4_own,
                   .cr4_zeroes = ~cpuid_cr4_allowed(vm) & ~registers_cr4_own,
                   .physical_bits = (uint8_t)cpuid_physical_bits(),
                   .nested_page_tables = cpu_backend->nested_page_tables, .marks_pdptes = cpuid_marks_pdptes},
        .capability = cpu_nested->capability(), .offered = &nested->offered, .vmcs01 = &vmcs01,
    };

    setup.policy.vpid_first = cpu_nested->vpid_first(&vm->vcpu, &setup.policy.vpid_count);
    capability_offer(&nested->offered, setup.capability, offers_shadowing(vm));
    cpu_nested->base(&vm->vcpu, &vmcs01);
    nested_host_fill(&nested->host, vm);
    nest_init(&nested->nest, &setup);
}

struct nest *nested_of(struct vm *vm)
{
    if (vm->vcpu.nest || vm->config.nesting == NEST_OFF || !cpu_nested)
        return vm->vcpu.nest;
    struct nested *nested = frame_alloc_run(&vm->storage.account, NESTED_PAGES);
    if (!nested)
        return NULL;
    vm->vcpu.nest = &nested->nest;
    create(vm, nested);
    return vm->vcpu.nest;
}

int nested_read_msr(struct vm *vm, uint32_t msr, uint64_t *value)
{
    const struct nest *nest = nested_of(vm);
    return nest && nest_is_msr(msr) && nest_rdmsr(nest, msr, value) ? 0 : -1;
}

int nested_write_msr(struct vm *vm, uint32_t msr, uint64_t value)
{
    struct nest *nest = nested_of(vm);
    return nest && nest_is_msr(msr) && nest_wrmsr(nest, msr, value) ? 0 : -1;
}

bool nested_allows_cr(struct vm *vm, unsigned number, uint64_t value)
{
    return !vm->vcpu.nest || nest_allows_cr(vm->vcpu.nest, number, value);
}

uint64_t nested_merged_cr(struct vm *vm, unsigned number, uint64_t value)
{
    return vm->vcpu.nest ? nest_cr_merged(vm->vcpu.nest, number, value) : value;
}

struct nest_cr nested_cr(struct vm *vm, unsigned number, uint64_t value)
{
    if (vm->vcpu.nest)
        return nest_cr_write(vm->vcpu.nest, number, value);
    uint64_t real = number == 0 ? (value & ~(CR0_CD | CR0_NW)) | CR0_NE : value | registers_cr4_own;
    return (struct nest_cr){real, value};
}

static void timer_of_l1(struct timer *timer)
{
    struct vm *vm = timer->owner;

    if (nested_runs(&vm->vcpu))
        vm_unhalt(vm);
}

void nested_halt(struct vm *vm)
{
    vcpu_write(&vm->vcpu, VMCS_GUEST_ACTIVITY_STATE, ACTIVITY_HLT);
    vm->vcpu.window = true; /* looked at before the next entry */
}

void nested_wait(struct vm *vm)
{
    struct nested *nested = (struct nested *)vm->vcpu.nest;

    vm->state = VM_WAITING;
    timer_cancel(&nested->halted);
    if (nested->nest.timer_deadline == NEST_NO_TIMER)
        return;
    nested->halted.owner = vm;
    nested->halted.expire = timer_of_l1;
    timer_arm(&nested->halted, nested->nest.timer_deadline);
}

uint64_t nested_timer_start(struct vm *vm, uint64_t now)
{
    return nest_timer_start(vm->vcpu.nest, now);
}

bool nested_will_wake(const struct vm *vm)
{
    const struct nested *nested = (const struct nested *)vm->vcpu.nest;

    return nested && nested->halted.armed;
}

void nested_destroy(struct vm *vm)
{
    struct nested *nested = (struct nested *)vm->vcpu.nest;

    if (!nested)
        return;
    timer_cancel(&nested->halted);
    cpu_nested->use(&vm->vcpu, NULL);
    nest_destroy(&nested->nest);
    frame_free_run(&vm->storage.account, nested, NESTED_PAGES);
    vm->vcpu.nest = NULL;
}

void nested_delegate(struct vcpu *vcpu, struct vmcs_delegation *delegation)
{
    if (vcpu->nest)
        nest_delegate(vcpu->nest, delegation);
    else
        delegation->state = 0;
}

void nested_delegated(struct vcpu *vcpu, const struct vmcs_delegation *delegation)
{
    if (delegation->state)
        nest_delegated(vcpu->nest, delegation);
}

bool nested_shrink(struct vm *vm)
{
    return vm->vcpu.nest && nest_shrink(vm->vcpu.nest);
}

void nested_control(struct vm *vm, enum vmcs_index index, uint64_t value)
{
    if (vm->vcpu.nest)
        nest_base_write(vm->vcpu.nest, index, value);
}

void nested_write_own(struct vm *vm, enum vmcs_field field, uint64_t value)
{
    struct vcpu *vcpu = &vm->vcpu;

    cpu_nested->use(vcpu, NULL);
    vcpu_write(vcpu, field, value);
    cpu_nested->use(vcpu, nest_region(vcpu->nest));
}

bool nested_translate(struct vcpu *vcpu, uint64_t *at, bool write)
{
    return !nested_runs(vcpu) || nest_translate(vcpu->nest, *at, write ? NEST_WRITE : NEST_READ, at);
}
