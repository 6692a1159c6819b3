/* Owns the hardware regions of nested guests: vmcs02 and shadow VMCSs, one slot each in the virtual CPU's own frame,
 * and the copying of fields, which vmcs-shadow/sync.h unrolls from the field table. A function leaves current whatever
 * VMCS it worked on: the next access loads what it needs, since under another CP every VMPTRLD is an exit. */
#include "cp/cpu/nested.h"

#include <stddef.h>

#include "cp/cpu/ops.h"
#include "cp/cpu/panic.h"
#include "cp/cpu/vmx.h"
#include "cp/cpu/vmx_ops.h"
#include "cp/storage/frame.h"
#include "vmcs-shadow/bitmap.h"

#define VMCS_SYNC_READ(encoding) op_vmread(encoding)
#define VMCS_SYNC_WRITE(encoding, value) op_vmwrite(encoding, value)
#include "vmcs-shadow/sync.h"

enum { INVEPT_SINGLE = 1, INVVPID_SINGLE = 1 };

/* [closed]: see vmcs-shadow/bitmap.h; the same for every guest: what is offered does not differ */
static void *read_bitmap[2], *write_bitmap[2];

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
        if (vmx_region_create(region, shadow ? VMCS_SHADOW_INDICATOR : 0))
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
    vmx_region_destroy(region);
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

static void push(struct vcpu *vcpu, const struct vmcs *image, const struct vmcs_set *fields)
{
    struct vmx_vcpu *own = vcpu->backend;
    struct vmcs_set rest = *fields;

    vmx_region_load(own->active);
    if (vmcs_set_has(fields, VMCS_INDEX_GUEST_RIP)) { /* after every exit of L2 that its hypervisor saw */
        op_vmwrite(VMCS_GUEST_RIP, image->guest_rip);
        vmcs_set_remove(&rest, VMCS_INDEX_GUEST_RIP);
    }
    if (vmcs_set_has(fields, VMCS_INDEX_GUEST_RSP)) {
        op_vmwrite(VMCS_GUEST_RSP, image->guest_rsp);
        vmcs_set_remove(&rest, VMCS_INDEX_GUEST_RSP);
    }
    if (vmcs_set_empty(&rest))
        return;
    vmcs_sync_push(image, &rest);
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

static void load_l1(struct vcpu *vcpu, const struct vmcs *state)
{
    struct vmx_vcpu *own = vcpu->backend;

    use(vcpu, NULL);
    if (!state)
        return;
    vmx_region_load(&own->first);
    vmcs_sync_write_l1(state, cpu_this.vmx.fields);
}

static bool bitmaps_create(const struct vmx_capability *offered)
{
    struct vmcs_set readable, writable;

    if (read_bitmap[1] && write_bitmap[1])
        return true;
    vmcs_bitmap_sets(&readable, &writable, offered, &cpu_this.vmx);
    for (unsigned closed = 0; closed < 2; closed++) {
        if (!read_bitmap[closed])
            read_bitmap[closed] = frame_alloc(&frame_cp_account);
        if (!write_bitmap[closed])
            write_bitmap[closed] = frame_alloc(&frame_cp_account);
        if (!read_bitmap[closed] || !write_bitmap[closed])
            return false;
        vmcs_bitmap_build(read_bitmap[closed], &readable);
        vmcs_bitmap_build(write_bitmap[closed], &writable);
        vmcs_bitmap_close(&readable, &writable);
    }
    return true;
}

static void link(struct vcpu *vcpu, void *region, bool closed, const struct vmx_capability *offered)
{
    struct vmx_vcpu *own = vcpu->backend;
    bool on = region && bitmaps_create(offered);

    vmx_region_load(&own->first);
    if (on) {
        vmx_write(VMCS_VMREAD_BITMAP, frame_address(read_bitmap[closed]).a);
        vmx_write(VMCS_VMWRITE_BITMAP, frame_address(write_bitmap[closed]).a);
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

static void flush_ept(uint64_t eptp)
{
    op_invept(INVEPT_SINGLE, (struct op_invalidation){eptp, 0});
}

static void flush_vpid(uint16_t vpid)
{
    op_invvpid(INVVPID_SINGLE, (struct op_invalidation){vpid, 0});
}

static uint16_t vpid_first(struct vcpu *vcpu, uint16_t *count)
{
    const struct vmx_vcpu *own = vcpu->backend;
    *count = vmx_controls.cpu2 & CPU2_VPID ? VMX_VPIDS - 1 : 0;
    return (uint16_t)(own->vpid + 1);
}

static bool is_free_msr(uint32_t msr)
{
    return (msr >= 0xC0000081u && msr <= 0xC0000084u) || msr == 0xC0000102u ||
           (msr == 0xC0000103u && vmx_controls.cpu2 & CPU2_RDTSCP);
}

static bool free_msr_read(uint32_t msr, uint64_t *value)
{
    if (!is_free_msr(msr))
        return false;
    *value = op_rdmsr(msr);
    return true;
}

static bool free_msr_valid(uint32_t msr, uint64_t value)
{
    bool address = msr == 0xC0000082u || msr == 0xC0000083u || msr == 0xC0000102u;
    bool half = msr == 0xC0000084u || msr == 0xC0000103u;
    return (!address || (uint64_t)((int64_t)(value << 16) >> 16) == value) && (!half || !(value >> 32));
}

static bool free_msr_write(uint32_t msr, uint64_t value)
{
    if (!is_free_msr(msr) || !free_msr_valid(msr, value))
        return false;
    op_wrmsr(msr, value);
    return true;
}

const struct cpu_nested vmx_nested = {
    capability, base, region_alloc, region_free, region_address, use, push, guest_pull, load_l1, link,
    shadow_pull, shadow_pull_all, shadow_push, flush_ept, flush_vpid, vpid_first, free_msr_read, free_msr_write, true, false,
};
