/* VMCS regions of the fake machine as hardware keeps them: active contents apart from those in memory. */
#include "tests/unit/fake/vmx_region.h"

static struct fake_vmx *machine; /* whose VMCS VMCS_SYNC_READ and VMCS_SYNC_WRITE reach */

static uint64_t sync_read(uint32_t encoding)
{
    machine->vmreads++;
    return vmcs_field_read(&machine->loaded->held, encoding, true);
}

static void sync_write(uint32_t encoding, uint64_t value)
{
    machine->vmwrites++;
    vmcs_field_write(&machine->loaded->held, encoding, value, true);
}
#define VMCS_SYNC_READ(encoding) sync_read(encoding)
#define VMCS_SYNC_WRITE(encoding, value) sync_write(encoding, value)
#include "vmcs-shadow/sync.h"

void fake_region_load(struct fake_vmx *m, struct fake_region *region)
{
    if (!region->active)
        region->held = region->memory;
    region->active = true;
    m->loaded = region;
}

static void clear_region(struct fake_region *region)
{
    if (region->active)
        region->memory = region->held;
    region->active = region->launched = false;
}

static void *region_alloc(struct vcpu *cpu, bool shadow)
{
    struct fake_vmx *m = fake_vmx_of(cpu);
    for (unsigned i = 0; i < FAKE_REGIONS && m->regions_held < m->regions_limit; i++)
        if (!m->regions[i].used) {
            m->regions[i] = (struct fake_region){.used = true, .shadow = shadow};
            m->regions_held++;
            return &m->regions[i];
        }
    return NULL;
}

static void region_free(struct vcpu *cpu, void *region)
{
    struct fake_vmx *m = fake_vmx_of(cpu);
    struct fake_region *r = region;
    if (!r->used)
        fake_vmx_complain(m, "a region was freed twice");
    if (m->link == r)
        fake_vmx_complain(m, "a region was freed that vmcs01 links to");
    bool links_above = m->of->in_guest && m->of->current->chain; /* L2's own: asked for when L2 runs again */
    for (unsigned i = 0; i < FAKE_REGIONS && !links_above; i++)
        if (m->regions[i].used && !m->regions[i].shadow && &m->regions[i] == m->loaded && m->of->in_guest &&
            m->loaded->held.vmcs_link_pointer == (uint64_t)(uintptr_t)r)
            fake_vmx_complain(m, "a region was freed that the running vmcs02 links to");
    clear_region(r);
    if (m->loaded == r)
        m->loaded = &m->first;
    r->used = false;
    m->regions_held--;
}

static uint64_t region_address(void *region)
{
    return (uint64_t)(uintptr_t)region;
}

static void shadow_pull(struct vcpu *cpu, void *region, struct vmcs *copy, struct vmcs_set *changed, bool closed)
{
    struct fake_vmx *m = machine = fake_vmx_of(cpu);
    struct fake_region *before = m->loaded;
    fake_region_load(m, region);
    if (closed)
        vmcs_sync_pull_written_hot(copy, changed, m->hardware.fields);
    else
        vmcs_sync_pull_written(copy, changed, m->hardware.fields);
    fake_region_load(m, before);
}

static void shadow_pull_all(struct vcpu *cpu, void *region, struct vmcs *copy)
{
    struct fake_vmx *m = machine = fake_vmx_of(cpu);
    struct fake_region *before = m->loaded;
    fake_region_load(m, region);
    vmcs_sync_pull_all(copy, m->hardware.fields);
    fake_region_load(m, before);
}

static void shadow_push(struct vcpu *cpu, void *region, const struct vmcs *copy, const struct vmcs_set *fields,
                        bool exit)
{
    struct fake_vmx *m = machine = fake_vmx_of(cpu);
    struct fake_region *before = m->loaded;
    fake_region_load(m, region);
    vmcs_sync_push_existing(copy, fields, m->hardware.fields);
    if (exit)
        vmcs_sync_push_exit(copy, m->hardware.fields);
    fake_region_load(m, before);
}

static void guest_pull(struct vcpu *cpu, void *region, struct vmcs *image, struct vmcs_set *changed, bool closed)
{
    struct fake_vmx *m = machine = fake_vmx_of(cpu);
    struct fake_region *before = m->loaded;
    fake_region_load(m, region);
    if (closed)
        vmcs_sync_pull_guest_hot(image, changed, m->hardware.fields);
    else
        vmcs_sync_pull_guest(image, changed, m->hardware.fields);
    fake_region_load(m, before);
}

static void load_l1(struct vcpu *cpu, void *region, const struct vmcs *state)
{
    struct fake_vmx *m = machine = fake_vmx_of(cpu);
    fake_region_load(m, region ? region : &m->first);
    if (state)
        vmcs_sync_write_l1(state, m->hardware.fields);
}

static void link_region(struct vcpu *cpu, void *region, bool closed, const struct vmx_capability *offered)
{
    (void)offered;
    struct fake_vmx *m = fake_vmx_of(cpu);
    m->link = region;
    m->closed = closed;
}

static bool field_bitmaps(const struct vmx_capability *offered, bool closed, uint64_t *read, uint64_t *write)
{
    (void)offered;
    *read = closed ? (uint64_t)(uintptr_t)machine->closed_bitmaps[0] : machine->base.vmread_bitmap;
    *write = closed ? (uint64_t)(uintptr_t)machine->closed_bitmaps[1] : machine->base.vmwrite_bitmap;
    return true;
}

void fake_region_push(struct fake_vmx *m, const struct vmcs *image, const struct vmcs_set *fields)
{
    machine = m;
    vmcs_sync_push(image, fields);
}

static void flush_ept(struct vcpu *cpu, uint64_t eptp)
{
    struct fake_vmx *m = fake_vmx_of(cpu);
    m->flushes_ept++;
    for (unsigned i = 0; i < FAKE_CACHED; i++)
        if ((m->cached[i].eptp & EPT_TABLE_MASK) == (eptp & EPT_TABLE_MASK))
            m->cached[i].valid = false;
}

static void flush_vpid(struct vcpu *cpu, uint16_t vpid)
{
    struct fake_vmx *m = fake_vmx_of(cpu);
    if (!vpid)
        fake_vmx_complain(m, "INVVPID of VPID 0");
    m->flushes_vpid++;
}

const struct nest_hardware fake_region_hardware = {
    .region_alloc = region_alloc, .region_free = region_free, .region_address = region_address,
    .guest_pull = guest_pull, .load_l1 = load_l1, .link = link_region,
    .field_bitmaps = field_bitmaps, .shadow_pull = shadow_pull,
    .shadow_pull_all = shadow_pull_all, .shadow_push = shadow_push, .flush_ept = flush_ept, .flush_vpid = flush_vpid,
};
