/* Owns the hardware regions of nested guests: vmcs02 and shadow VMCSs, one slot each in the virtual CPU's own frame,
 * and the copying of fields, which vmcs-shadow/sync.h unrolls from the field table. A function leaves current whatever
 * VMCS it worked on: the next access loads what it needs, since under another CP every VMPTRLD is an exit. */
#include "cp/nested/hardware.h"

#include <stddef.h>

#include "cp/cpu/ops.h"
#include "cp/cpu/vmx.h"
#include "cp/cpu/vmx_ops.h"
#include "cp/panic.h"
#include "cp/storage/frame.h"
#include "cp/vcpu/vm.h"

#define VMCS_SYNC_READ(encoding) op_vmread(encoding)
#define VMCS_SYNC_WRITE(encoding, value) op_vmwrite(encoding, value)
#include "vmcs-shadow/sync.h"

static const struct vmx_capability *capability(void)
{
    return &cpu_this.vmx;
}

static void base(struct vcpu *vcpu, struct vmcs *vmcs01)
{
    struct vmx_vcpu *own = vcpu->backend;

    vmx_region_load(&own->first);
    for (unsigned index = 0; index < VMCS_FIELDS; index++)
        if (capability_has_field(&cpu_this.vmx, index))
            vmcs_set(vmcs01, index, op_vmread(vmcs_field_rows[index].encoding));
}

static void *region_alloc(struct vcpu *vcpu, bool shadow)
{
    struct vmx_vcpu *own = vcpu->backend;

    for (unsigned i = 0; i < VMX_REGIONS; i++) {
        struct vmx_region *region = &own->nested[i];
        if (region->page)
            continue;
        if (vmx_region_create(region, &vcpu->vm->storage.account, shadow ? VMCS_SHADOW_INDICATOR : 0))
            return NULL;
        if (!shadow) {
            vmx_region_load(region);
            vmx_host_state_write();
        }
        return region;
    }
    return NULL;
}

static void region_free(struct vcpu *vcpu, void *region)
{
    struct vmx_vcpu *own = vcpu->backend;

    if (own->active == region)
        own->active = &own->first;
    vmx_region_destroy(region, &vcpu->vm->storage.account);
}

static uint64_t region_address(void *region)
{
    return frame_address(((struct vmx_region *)region)->page).a;
}

static void use(struct vcpu *vcpu, void *region)
{
    struct vmx_vcpu *own = vcpu->backend;
    own->active = region ? region : &own->first;
    vcpu_current = NULL;
}

static void push(struct vcpu *vcpu, const struct vmcs *image, struct vmcs_set *fields)
{
    struct vmx_vcpu *own = vcpu->backend;

    vmx_region_load(own->active);
    if (vmcs_set_has(fields, VMCS_INDEX_GUEST_RIP)) { /* after every exit of L2 that its hypervisor saw */
        op_vmwrite(VMCS_GUEST_RIP, image->guest_rip);
        vmcs_set_remove(fields, VMCS_INDEX_GUEST_RIP);
    }
    if (vmcs_set_has(fields, VMCS_INDEX_GUEST_RSP)) {
        op_vmwrite(VMCS_GUEST_RSP, image->guest_rsp);
        vmcs_set_remove(fields, VMCS_INDEX_GUEST_RSP);
    }
    if (vmcs_set_empty(fields))
        return;
    vmcs_sync_push(image, fields);
    vmcs_set_clear(fields);
    own->active->host_rsp = 0; /* a host-state field of the image is not the stack's address now */
}

static void guest_pull(struct vcpu *vcpu, void *region, struct vmcs *image, struct vmcs_set *changed, bool closed)
{
    (void)vcpu;
    vmx_region_load(region);
    if (closed)
        vmcs_sync_pull_guest_hot(image, changed, cpu_this.vmx.fields);
    else
        vmcs_sync_pull_guest(image, changed, cpu_this.vmx.fields);
}

static void load_l1(struct vcpu *vcpu, void *region, const struct vmcs *state)
{
    struct vmx_vcpu *own = vcpu->backend;

    use(vcpu, region);
    if (!state)
        return;
    vmx_region_load(own->active);
    vmcs_sync_write_l1(state, cpu_this.vmx.fields);
}

static void link(struct vcpu *vcpu, void *region, bool closed, const struct vmx_capability *offered)
{
    struct vmx_vcpu *own = vcpu->backend;
    uint64_t read, write;
    bool on = region && vmx_field_bitmaps(offered, closed, &read, &write);

    vmx_region_load(&own->first);
    if (on) {
        vmx_write(VMCS_VMREAD_BITMAP, read);
        vmx_write(VMCS_VMWRITE_BITMAP, write);
    }
    if (on != own->shadowing)
        vmx_write(VMCS_SECONDARY_CONTROLS, op_vmread(VMCS_SECONDARY_CONTROLS) ^ CPU2_VMCS_SHADOWING);
    own->shadowing = on;
    vmx_write(VMCS_VMCS_LINK_POINTER, on ? region_address(region) : ~0ull);
}

static void shadow_pull(struct vcpu *vcpu, void *region, struct vmcs *copy, struct vmcs_set *changed, bool closed)
{
    (void)vcpu;
    vmx_region_load(region);
    if (closed)
        vmcs_sync_pull_written_hot(copy, changed, cpu_this.vmx.fields);
    else
        vmcs_sync_pull_written(copy, changed, cpu_this.vmx.fields);
}

static void shadow_pull_all(struct vcpu *vcpu, void *region, struct vmcs *copy)
{
    (void)vcpu;
    vmx_region_load(region);
    vmcs_sync_pull_all(copy, cpu_this.vmx.fields);
}

static void shadow_push(struct vcpu *vcpu, void *region, const struct vmcs *copy, const struct vmcs_set *fields,
                        bool exit_information)
{
    (void)vcpu;
    vmx_region_load(region);
    if (!vmcs_set_empty(fields))
        vmcs_sync_push(copy, fields);
    if (exit_information)
        vmcs_sync_push_exit(copy, cpu_this.vmx.fields);
}

static uint16_t vpid_first(struct vcpu *vcpu, uint16_t *count)
{
    return vmx_vpids_of_guests(((const struct vmx_vcpu *)vcpu->backend)->vpid, count);
}

const struct cpu_nested vmx_nested = {
    .hardware = {.region_alloc = region_alloc, .region_free = region_free, .region_address = region_address,
                 .guest_pull = guest_pull, .load_l1 = load_l1, .link = link, .field_bitmaps = vmx_field_bitmaps,
                 .shadow_pull = shadow_pull,
                 .shadow_pull_all = shadow_pull_all, .shadow_push = shadow_push, .flush_ept = vmx_nested_flush_ept,
                 .flush_vpid = vmx_nested_flush_vpid},
    .capability = capability, .base = base, .use = use, .push = push, .vpid_first = vpid_first,
    .free_msr_read = vmx_free_msr_read, .free_msr_write = vmx_free_msr_write,
};
