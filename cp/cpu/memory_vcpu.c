/* Owns the pages that stand for VMCSs of a virtual CPU when the CP below offers the memory
 * way: making them, entering, exits. */
#include "cp/cpu/memory.h"

#include <errno.h>

#include "cp/cpu/cpu.h"
#include "cp/cpu/ops.h"
#include "cp/cpu/vmx_ops.h"
#include "cp/storage/frame.h"
#include "cp/vcpu/backend.h"
#include "cp/vcpu/nested.h"
#include "cp/vcpu/vm.h"

bool memory_delegates;

int memory_region_create(struct memory_region *region, struct frame_account *account, uint32_t indicator)
{
    *region = (struct memory_region){.page = frame_alloc(account)};
    if (!region->page)
        return -ENOMEM;
    region->page->revision = (uint32_t)(cpu_this.vmx.msr[VMX_BASIC] & VMX_BASIC_REVISION_MASK) | indicator;
    region->page->form = VMCS_PAGE_FORM;
    return 0;
}

void memory_region_clear(struct memory_region *region)
{
    op_vmclear(frame_address(region->page));
}

void memory_region_destroy(struct memory_region *region, struct frame_account *account)
{
    if (region->page)
        memory_region_clear(region);
    frame_free(account, region->page);
    region->page = NULL;
}

void memory_host_state_write(struct memory_region *region)
{
    struct vmcs image;
    struct vmcs_set set = {{0}};

    vmx_host_state(&image, &set, memory_exit_point);
    image.host_rsp = (uint64_t)memory_host_stack;
    vmcs_set_add(&set, VMCS_INDEX_HOST_RSP);
    vmcs_page_write_set(region->page, &image, &set);
}

static int memory_create(struct vcpu *vcpu)
{
    struct frame_account *account = &vcpu->vm->storage.account;
    struct memory_vcpu *own = frame_alloc(account);
    struct vmcs_set set = {{0}};

    if (!own)
        return -ENOMEM;
    if (memory_region_create(&own->first, account, 0) || !guest_entry(&vcpu->vm->storage, gpa(0))) {
        memory_region_destroy(&own->first, account);
        frame_free(account, own);
        return -ENOMEM;
    }
    own->vpid = vmx_vpid_next();
    own->active = &own->first;
    vcpu->backend = own;
    memory_host_state_write(&own->first);
    vmx_own_controls(&own->first.page->fields, &set, vcpu, own->vpid);
    vmcs_page_write_set(own->first.page, &own->first.page->fields, &set);
    vmx_flush_ept(own->first.page->fields.ept_pointer);
    return 0;
}

static void memory_destroy(struct vcpu *vcpu)
{
    struct memory_vcpu *own = vcpu->backend;

    if (!own)
        return;
    memory_region_destroy(&own->first, &vcpu->vm->storage.account);
    frame_free(&vcpu->vm->storage.account, own);
    vcpu->backend = NULL;
}

static uint64_t memory_read(struct vcpu *vcpu, enum vmcs_field field)
{
    const struct memory_region *region = ((struct memory_vcpu *)vcpu->backend)->active;
    return vmcs_get(&region->page->fields, vmcs_field_find(field));
}

static void memory_write(struct vcpu *vcpu, enum vmcs_field field, uint64_t value)
{
    struct memory_region *region = ((struct memory_vcpu *)vcpu->backend)->active;
    enum vmcs_index index = vmcs_field_find(field);

    vmcs_page_write(region->page, index, value);
    vmcs_set_add(&region->touched, index);
}

/* As vmx_exit_capture(), where to read a field costs nothing. */
static void exit_capture(struct exit *exit, const struct vmcs *fields)
{
    exit->reason = fields->exit_reason;
    exit->qualification = fields->exit_qualification;
    exit->rip = fields->guest_rip;
    exit->instruction_length = fields->exit_instruction_length;
    exit->instruction_info = fields->exit_instruction_info;
    exit->guest_physical = fields->guest_physical_address;
    exit->guest_linear = fields->guest_linear_address;
    exit->interruption_info = fields->exit_interruption_info;
    exit->interruption_error = fields->exit_interruption_error_code;
    exit->idt_vectoring_info = fields->idt_vectoring_info;
    exit->idt_vectoring_error = fields->idt_vectoring_error_code;
}

static bool memory_enter(struct vcpu *vcpu, uint64_t deadline, uint64_t now)
{
    const struct memory_vcpu *own = vcpu->backend;
    struct vmcs_page *page = own->active->page;
    uint64_t ticks = vmx_timer_ticks(deadline, now);

    vmcs_page_write(page, VMCS_INDEX_PREEMPTION_TIMER, ticks);
    page->delegation.state = 0;
    if (page == own->first.page && memory_delegates)
        nested_delegate(vcpu, &page->delegation);
    page->rax = vcpu->gpr[RAX];
    page->rbx = vcpu->gpr[RBX];
    if (memory_switch(vcpu->gpr, frame_address(page).a)) {
        vcpu->exit = (struct exit){.reason = page->fields.instruction_error};
        return false;
    }
    exit_capture(&vcpu->exit, &page->fields);
    nested_delegated(vcpu, &page->delegation);
    return true;
}

static void memory_flush_storage(struct vcpu *vcpu)
{
    struct memory_vcpu *own = vcpu->backend;

    guest_entry(&vcpu->vm->storage, gpa(0)); /* the root, if frames are left */
    uint64_t eptp = vmx_eptp(&vcpu->vm->storage);
    vmcs_page_write(own->first.page, VMCS_INDEX_EPT_POINTER, eptp);
    vmx_flush_ept(eptp);
}

static void memory_flush_linear(struct vcpu *vcpu)
{
    vmx_flush_vpid(((struct memory_vcpu *)vcpu->backend)->vpid);
}

static void memory_park(struct vcpu *vcpu)
{
    (void)vcpu; /* a page has all of it whenever it does not run */
}

const struct cpu_backend cpu_memory = {
    .name = "VMX",
    .start = vmx_start,
    .create = memory_create,
    .destroy = memory_destroy,
    .enter = memory_enter,
    .read = memory_read,
    .write = memory_write,
    .flush_storage = memory_flush_storage,
    .flush_linear = memory_flush_linear,
    .park = memory_park,
};
