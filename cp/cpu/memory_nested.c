/* Owns what nest/ needs of a machine whose VMCSs are pages: a vmcs02 is another page, and so is what a guest's VMREAD
 * and VMWRITE reach, which the CP below keeps in step with its hardware. */
#include <stddef.h>

#include "cp/cpu/cpu.h"
#include "cp/cpu/memory.h"
#include "cp/nested/hardware.h"
#include "cp/storage/frame.h"
#include "cp/vcpu/vm.h"
#include "vmcs-shadow/sync.h"

static const struct vmx_capability *capability(void)
{
    return &cpu_this.vmx;
}

static void base(struct vcpu *vcpu, struct vmcs *vmcs01)
{
    *vmcs01 = ((struct memory_vcpu *)vcpu->backend)->first.page->fields;
}

static void *region_alloc(struct vcpu *vcpu, bool shadow)
{
    struct memory_vcpu *own = vcpu->backend;

    for (unsigned i = 0; i < VMX_REGIONS; i++) {
        struct memory_region *region = &own->nested[i];
        if (region->page)
            continue;
        if (memory_region_create(region, &vcpu->vm->storage.account, shadow ? VMCS_SHADOW_INDICATOR : 0))
            return NULL;
        if (!shadow)
            memory_host_state_write(region);
        return region;
    }
    return NULL;
}

static void region_free(struct vcpu *vcpu, void *region)
{
    struct memory_vcpu *own = vcpu->backend;

    if (own->active == region)
        own->active = &own->first;
    memory_region_destroy(region, &vcpu->vm->storage.account);
}

static uint64_t region_address(void *region)
{
    return frame_address(((struct memory_region *)region)->page).a;
}

static void use(struct vcpu *vcpu, void *region)
{
    struct memory_vcpu *own = vcpu->backend;
    own->active = region ? region : &own->first;
}

static void push(struct vcpu *vcpu, const struct vmcs *image, struct vmcs_set *fields)
{
    vmcs_page_write_set(((struct memory_vcpu *)vcpu->backend)->active->page, image, fields);
    vmcs_set_clear(fields);
}

static void guest_pull(struct vcpu *vcpu, void *at, struct vmcs *image, struct vmcs_set *changed, bool closed)
{
    struct memory_region *region = at;
    struct vmcs_page *page = region->page;

    (void)vcpu, (void)closed; /* what did not change costs nothing */
    vmcs_page_take(image, &page->fields, &region->touched, &vmcs_set_guest, changed);
    vmcs_page_take(image, &page->fields, &page->changed, &vmcs_set_guest, changed);
}

static void load_l1(struct vcpu *vcpu, void *region, const struct vmcs *state)
{
    use(vcpu, region);
    if (state)
        vmcs_page_write_l1(((struct memory_vcpu *)vcpu->backend)->active->page, state);
}

static void link(struct vcpu *vcpu, void *region, bool closed, const struct vmx_capability *offered)
{
    struct vmcs_page *page = ((struct memory_vcpu *)vcpu->backend)->first.page;
    uint64_t read, write;
    bool on = region && vmx_field_bitmaps(offered, closed, &read, &write);
    uint32_t controls = page->fields.secondary_controls & ~(uint32_t)CPU2_VMCS_SHADOWING;

    if (on) {
        vmcs_page_write(page, VMCS_INDEX_VMREAD_BITMAP, read);
        vmcs_page_write(page, VMCS_INDEX_VMWRITE_BITMAP, write);
    }
    vmcs_page_write(page, VMCS_INDEX_SECONDARY_CONTROLS, on ? controls | CPU2_VMCS_SHADOWING : controls);
    vmcs_page_write(page, VMCS_INDEX_VMCS_LINK_POINTER, on ? region_address(region) : ~0ull);
}

static void shadow_pull(struct vcpu *vcpu, void *at, struct vmcs *copy, struct vmcs_set *changed, bool closed)
{
    struct vmcs_page *page = ((struct memory_region *)at)->page;

    (void)vcpu, (void)closed;
    vmcs_page_take(copy, &page->fields, &page->changed, &vmcs_set_written, changed);
}

static void shadow_pull_all(struct vcpu *vcpu, void *at, struct vmcs *copy)
{
    (void)vcpu;
    memory_region_clear(at);
    *copy = ((struct memory_region *)at)->page->fields;
}

static void shadow_push(struct vcpu *vcpu, void *at, const struct vmcs *copy, const struct vmcs_set *fields,
                        bool exit_information)
{
    struct vmcs_page *page = ((struct memory_region *)at)->page;

    (void)vcpu;
    vmcs_page_write_set(page, copy, fields);
    if (exit_information)
        vmcs_page_copy_exit(&page->fields, copy, &page->written);
}

static uint16_t vpid_first(struct vcpu *vcpu, uint16_t *count)
{
    return vmx_vpids_of_guests(((const struct memory_vcpu *)vcpu->backend)->vpid, count);
}

const struct cpu_nested memory_nested = {
    .hardware = {.region_alloc = region_alloc, .region_free = region_free, .region_address = region_address,
                 .guest_pull = guest_pull, .load_l1 = load_l1, .link = link, .field_bitmaps = vmx_field_bitmaps,
                 .shadow_pull = shadow_pull,
                 .shadow_pull_all = shadow_pull_all, .shadow_push = shadow_push, .flush_ept = vmx_nested_flush_ept,
                 .flush_vpid = vmx_nested_flush_vpid},
    .capability = capability, .base = base, .use = use, .push = push, .vpid_first = vpid_first,
    .free_msr_read = vmx_free_msr_read, .free_msr_write = vmx_free_msr_write,
};
