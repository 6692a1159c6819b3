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

static void *region_alloc(void *context, bool shadow)
{
    struct fake_vmx *m = context;
    for (unsigned i = 0; i < FAKE_REGIONS && m->regions_held < m->regions_limit; i++)
        if (!m->regions[i].used) {
            m->regions[i] = (struct fake_region){.used = true, .shadow = shadow};
            m->regions_held++;
            return &m->regions[i];
        }
    return NULL;
}

static void region_free(void *context, void *region)
{
    struct fake_vmx *m = context;
    struct fake_region *r = region;
    if (!r->used)
        fake_vmx_complain(m, "a region was freed twice");
    if (m->link == r)
        fake_vmx_complain(m, "a region was freed that vmcs01 links to");
    for (unsigned i = 0; i < FAKE_REGIONS; i++)
        if (m->regions[i].used && !m->regions[i].shadow && &m->regions[i] == m->loaded && m->of->in_guest &&
            m->loaded->held.vmcs_link_pointer == (uint64_t)(uintptr_t)r)
            fake_vmx_complain(m, "a region was freed that the running vmcs02 links to");
    clear_region(r);
    if (m->loaded == r)
        m->loaded = &m->first;
    r->used = false;
    m->regions_held--;
}

static uint64_t region_address(void *context, void *region)
{
    (void)context;
    return (uint64_t)(uintptr_t)region;
}

static void shadow_pull(void *context, void *region, struct vmcs *copy, struct vmcs_set *changed, bool closed)
{
    struct fake_vmx *m = machine = context;
    struct fake_region *before = m->loaded;
    fake_region_load(m, region);
    if (closed)
        vmcs_sync_pull_written_hot(copy, changed, m->hardware.fields);
    else
        vmcs_sync_pull_written(copy, changed, m->hardware.fields);
    fake_region_load(m, before);
}

static void shadow_pull_all(void *context, void *region, struct vmcs *copy)
{
    struct fake_vmx *m = machine = context;
    struct fake_region *before = m->loaded;
    fake_region_load(m, region);
    vmcs_sync_pull_all(copy, m->hardware.fields);
    fake_region_load(m, before);
}

static void shadow_push(void *context, void *region, const struct vmcs *copy, const struct vmcs_set *fields, bool exit)
{
    struct fake_vmx *m = machine = context;
    struct fake_region *before = m->loaded;
    fake_region_load(m, region);
    vmcs_sync_push_existing(copy, fields, m->hardware.fields);
    if (exit)
        vmcs_sync_push_exit(copy, m->hardware.fields);
    fake_region_load(m, before);
}

static void guest_pull(void *context, void *region, struct vmcs *image, struct vmcs_set *changed, bool closed)
{
    struct fake_vmx *m = machine = context;
    struct fake_region *before = m->loaded;
    fake_region_load(m, region);
    if (closed)
        vmcs_sync_pull_guest_hot(image, changed, m->hardware.fields);
    else
        vmcs_sync_pull_guest(image, changed, m->hardware.fields);
    fake_region_load(m, before);
}

static void load_l1(void *context, const struct vmcs *state)
{
    struct fake_vmx *m = machine = context;
    fake_region_load(m, &m->first);
    if (state)
        vmcs_sync_write_l1(state, m->hardware.fields);
}

static void link_region(void *context, void *region, bool closed)
{
    struct fake_vmx *m = context;
    m->link = region;
    m->closed = closed;
}

void fake_region_push(struct fake_vmx *m, const struct vmcs *image, const struct vmcs_set *fields)
{
    machine = m;
    vmcs_sync_push(image, fields);
}

void fake_region_serve(struct nest_host *host)
{
    host->region_alloc = region_alloc;
    host->region_free = region_free;
    host->region_address = region_address;
    host->shadow_pull = shadow_pull;
    host->shadow_pull_all = shadow_pull_all;
    host->shadow_push = shadow_push;
    host->guest_pull = guest_pull;
    host->load_l1 = load_l1;
    host->link = link_region;
}
