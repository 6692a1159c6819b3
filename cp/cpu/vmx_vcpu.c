/* Owns the VMX control block of a virtual CPU: its regions, CP's own fields in them, entering and capturing exits. */
#include <errno.h>
#include <string.h>

#include "cp/cpu/ops.h"
#include "cp/cpu/vmx.h"
#include "cp/cpu/vmx_ops.h"
#include "cp/panic.h"
#include "cp/storage/frame.h"
#include "cp/vcpu/backend.h"
#include "cp/vcpu/speculation.h"
#include "cp/vcpu/vm.h"

struct vcpu *vcpu_current;

void vmx_write(enum vmcs_field field, uint64_t value)
{
    if (!op_vmwrite(field, value))
        panic("VMWRITE %s failed", vmcs_field_name(field));
}

void vmx_region_load(struct vmx_region *region)
{
    if (cpu_this.loaded == region)
        return;
    if (!op_vmptrld(frame_address(region->page)))
        panic("VMPTRLD %p failed", region->page);
    cpu_this.loaded = region;
    vcpu_current = NULL;
}

/* The same, and from here on vcpu_read and vcpu_write of this virtual CPU need not look. */
static void vcpu_load(struct vcpu *vcpu)
{
    struct vmx_vcpu *own = vcpu->backend;

    vmx_region_load(own->active);
    vcpu_current = vcpu;
}

int vmx_region_create(struct vmx_region *region, struct frame_account *account, uint32_t indicator)
{
    *region = (struct vmx_region){.page = frame_alloc(account)};
    if (!region->page)
        return -ENOMEM;
    *(uint32_t *)region->page = (uint32_t)(cpu_this.vmx.msr[VMX_BASIC] & VMX_BASIC_REVISION_MASK) | indicator;
    if (!op_vmclear(frame_address(region->page)))
        panic("VMCLEAR of a new region failed");
    return 0;
}

static void region_park(struct vmx_region *region)
{
    if (!region->page)
        return;
    op_vmclear(frame_address(region->page));
    region->launched = false;
    if (cpu_this.loaded == region)
        cpu_this.loaded = NULL, vcpu_current = NULL;
}

void vmx_region_destroy(struct vmx_region *region, struct frame_account *account)
{
    region_park(region);
    frame_free(account, region->page);
    region->page = NULL;
}

static void fields_write(const struct vmcs *image, const struct vmcs_set *set)
{
    for (unsigned index = 0; index < VMCS_FIELDS; index++)
        if (vmcs_set_has(set, index))
            vmx_write(vmcs_field_rows[index].encoding, vmcs_get(image, index));
}

static const void *exit_point(void)
{
    return speculation.at_exit & SPECULATION_RETURNS ? vmx_exit_point_stuffing : vmx_exit_point;
}

void vmx_host_state_write(void)
{
    struct vmcs image;
    struct vmcs_set set = {{0}};

    vmx_host_state(&image, &set, exit_point());
    fields_write(&image, &set);
}

static int vmx_create(struct vcpu *vcpu)
{
    struct frame_account *account = &vcpu->vm->storage.account;
    struct vmx_vcpu *own = frame_alloc(account);
    if (!own)
        return -ENOMEM;
    struct vmcs image;
    struct vmcs_set set = {{0}};
    if (vmx_region_create(&own->first, account, 0) || !guest_entry(&vcpu->vm->storage, gpa(0))) {
        vmx_region_destroy(&own->first, account);
        frame_free(account, own);
        return -ENOMEM;
    }
    own->vpid = vmx_vpid_next();
    own->active = &own->first;
    vcpu->backend = own;
    vmx_region_load(&own->first);
    vmx_host_state(&image, &set, exit_point());
    vmx_own_controls(&image, &set, vcpu, own->vpid);
    fields_write(&image, &set);
    vmx_flush_ept(image.ept_pointer);
    return 0;
}

static void vmx_destroy(struct vcpu *vcpu)
{
    struct vmx_vcpu *own = vcpu->backend;
    if (!own)
        return;
    vmx_region_destroy(&own->first, &vcpu->vm->storage.account);
    frame_free(&vcpu->vm->storage.account, own);
    vcpu->backend = NULL;
}

static uint64_t vmx_vcpu_read(struct vcpu *vcpu, enum vmcs_field field)
{
    vcpu_load(vcpu);
    return op_vmread(field);
}

static void vmx_vcpu_write(struct vcpu *vcpu, enum vmcs_field field, uint64_t value)
{
    vcpu_load(vcpu);
    vmx_write(field, value);
}

/* What an exit's reason gives a meaning to, beside what every exit has. */
enum { WANT_ADDRESSES = 1, WANT_INTERRUPTION = 2, WANT_INSTRUCTION = 4 };
static const uint8_t wanted[256] = {
    [EXIT_EXCEPTION_NMI] = WANT_INTERRUPTION,
    [EXIT_EPT_VIOLATION] = WANT_ADDRESSES,
    [EXIT_EPT_MISCONFIG] = WANT_ADDRESSES,
    [EXIT_VMCLEAR ... EXIT_VMXON] = WANT_INSTRUCTION,
    [EXIT_GDTR_IDTR ... EXIT_LDTR_TR] = WANT_INSTRUCTION,
    [EXIT_INVEPT] = WANT_INSTRUCTION,
    [EXIT_INVVPID] = WANT_INSTRUCTION,
    [EXIT_RDRAND ... EXIT_INVPCID] = WANT_INSTRUCTION,
    [EXIT_RDSEED] = WANT_INSTRUCTION,
    [EXIT_XSAVES ... EXIT_XRSTORS] = WANT_INSTRUCTION,
    [EXIT_IO] = WANT_INSTRUCTION,
};

static inline __attribute__((always_inline)) void capture_more(struct exit *exit, unsigned more)
{
    if (more & WANT_ADDRESSES) {
        exit->guest_physical = op_vmread(VMCS_GUEST_PHYSICAL_ADDRESS);
        exit->guest_linear = op_vmread(VMCS_GUEST_LINEAR_ADDRESS);
    }
    if (more & WANT_INTERRUPTION) {
        exit->interruption_info = (uint32_t)op_vmread(VMCS_EXIT_INTERRUPTION_INFO);
        exit->interruption_error = (uint32_t)op_vmread(VMCS_EXIT_INTERRUPTION_ERROR_CODE);
    }
    if (more & WANT_INSTRUCTION)
        exit->instruction_info = (uint32_t)op_vmread(VMCS_EXIT_INSTRUCTION_INFO);
}

void vmx_exit_capture(struct exit *exit)
{
    exit->reason = (uint32_t)op_vmread(VMCS_EXIT_REASON);
    exit->qualification = op_vmread(VMCS_EXIT_QUALIFICATION);
    exit->rip = op_vmread(VMCS_GUEST_RIP);
    exit->instruction_length = (uint32_t)op_vmread(VMCS_EXIT_INSTRUCTION_LENGTH);
    exit->idt_vectoring_info = (uint32_t)op_vmread(VMCS_IDT_VECTORING_INFO);
    unsigned more = wanted[(uint8_t)exit->reason];
    if (more)
        capture_more(exit, more);
    if (exit->idt_vectoring_info >> 31)
        exit->idt_vectoring_error = (uint32_t)op_vmread(VMCS_IDT_VECTORING_ERROR_CODE);
}

static __attribute__((noinline)) bool not_entered(struct vcpu *vcpu)
{
    vcpu->exit = (struct exit){.reason = (uint32_t)op_vmread(VMCS_INSTRUCTION_ERROR)};
    return false;
}

static bool vmx_vcpu_enter(struct vcpu *vcpu, uint64_t deadline, uint64_t now)
{
    struct vmx_vcpu *own = vcpu->backend;
    struct vmx_region *region = own->active;

    vcpu_load(vcpu);
    op_vmwrite(VMCS_PREEMPTION_TIMER, vmx_timer_ticks(deadline, now));
    if (vmx_enter(vcpu->gpr, region->launched, &region->host_rsp))
        return not_entered(vcpu);
    region->launched = true;
    vmx_exit_capture(&vcpu->exit);
    return true;
}

static void vmx_flush_storage(struct vcpu *vcpu)
{
    struct vmx_vcpu *own = vcpu->backend;

    guest_entry(&vcpu->vm->storage, gpa(0)); /* the root, if frames are left */
    vmx_region_load(&own->first);
    vmx_write(VMCS_EPT_POINTER, vmx_eptp(&vcpu->vm->storage));
    vmx_flush_ept(vmx_eptp(&vcpu->vm->storage));
}

static void vmx_flush_linear(struct vcpu *vcpu)
{
    struct vmx_vcpu *own = vcpu->backend;
    vmx_flush_vpid(own->vpid);
}

static void vmx_park(struct vcpu *vcpu)
{
    struct vmx_vcpu *own = vcpu->backend;
    region_park(&own->first);
}

const struct cpu_backend cpu_vmx = {
    .name = "VMX",
    .start = vmx_start,
    .create = vmx_create,
    .destroy = vmx_destroy,
    .enter = vmx_vcpu_enter,
    .read = vmx_vcpu_read,
    .write = vmx_vcpu_write,
    .flush_storage = vmx_flush_storage,
    .flush_linear = vmx_flush_linear,
    .park = vmx_park,
};
