#include "tests/unit/fake/vmx_cpu.h"

#include <stdlib.h>

#include "cp/vcpu/vm.h"
#include "tests/unit/fake/vmx_region.h"

enum { MSR_FIRST = 0xC0000080u, MSR_STAR = 0xC0000081u, MSR_TSC_AUX = 0xC0000103u };

static struct fake_vmx *processor; /* of the machine made last, for what is asked of no virtual CPU */
static uint64_t tsc_aux;
bool (*fake_cpu_run)(struct vcpu *, uint64_t deadline);
unsigned fake_cpu_flushes;

static const struct nest_host *regions(void)
{
    static struct nest_host host;
    if (!host.region_alloc)
        fake_region_serve(&host);
    return &host;
}

/* ---- struct cpu_backend -------------------------------------------------------------------- */

static int create(struct vcpu *vcpu)
{
    static const struct nest nothing;
    processor = vcpu->backend = calloc(1, sizeof(*processor));
    fake_vmx_power_up(processor);
    processor->of = &nothing;
    processor->host_page_bytes = 4096;
    return 0;
}

static void destroy(struct vcpu *vcpu)
{
    fake_vmx_power_down(vcpu->backend);
    if (fake_cpu_of(vcpu)->complaint)
        abort();
    free(vcpu->backend);
}

static bool enter(struct vcpu *vcpu, uint64_t deadline, uint64_t now)
{
    struct fake_vmx *m = vcpu->backend;

    (void)now;
    if (m->loaded->shadow)
        fake_vmx_complain(m, "a shadow VMCS was entered");
    m->loaded->held.exit_instruction_length = 0;
    bool ran = fake_cpu_run(vcpu, deadline);
    if (ran) {
        m->loaded->launched = true;
        m->loaded->held.entry_interruption_info &= 0x7FFFFFFF;
        m->loaded->held.exit_instruction_length = vcpu->exit.instruction_length;
    }
    return ran;
}

static uint64_t read(struct vcpu *vcpu, enum vmcs_field field)
{
    return vmcs_field_read(&fake_cpu_of(vcpu)->loaded->held, field, true);
}

static void write(struct vcpu *vcpu, enum vmcs_field field, uint64_t value)
{
    vmcs_field_write(&fake_cpu_of(vcpu)->loaded->held, field, value, true);
}

/* as cp/cpu's does, it finds the map's root, which comes with the first touch */
static void flush_storage(struct vcpu *vcpu)
{
    guest_bring_in(&vcpu->vm->storage, gpa(0));
    fake_cpu_flushes++;
}

static void nothing(struct vcpu *vcpu)
{
    (void)vcpu;
}

const struct cpu_backend fake_cpu_backend = {
    .name = "fake", .create = create, .destroy = destroy, .enter = enter, .read = read, .write = write,
    .flush_storage = flush_storage, .flush_linear = nothing, .park = nothing,
};

/* ---- struct cpu_nested --------------------------------------------------------------------- */

static const struct vmx_capability *capability(void)
{
    return &processor->hardware;
}

static void base(struct vcpu *vcpu, struct vmcs *vmcs01)
{
    struct fake_vmx *m = vcpu->backend;
    *vmcs01 = m->base;
    m->of = vcpu->nest;
}

static void *region_alloc(struct vcpu *vcpu, bool shadow)
{
    return regions()->region_alloc(vcpu->backend, shadow);
}

static void region_free(struct vcpu *vcpu, void *region)
{
    regions()->region_free(vcpu->backend, region);
}

static uint64_t region_address(void *region)
{
    return regions()->region_address(NULL, region);
}

static void use(struct vcpu *vcpu, void *region)
{
    struct fake_vmx *m = vcpu->backend;
    fake_region_load(m, region ? region : &m->first);
}

static void push(struct vcpu *vcpu, const struct vmcs *image, struct vmcs_set *fields)
{
    fake_region_push(vcpu->backend, image, fields);
    vmcs_set_clear(fields);
}

static void guest_pull(struct vcpu *vcpu, void *region, struct vmcs *image, struct vmcs_set *changed, bool closed)
{
    regions()->guest_pull(vcpu->backend, region, image, changed, closed);
}

static void load_l1(struct vcpu *vcpu, const struct vmcs *state)
{
    regions()->load_l1(vcpu->backend, state);
}

static void link_region(struct vcpu *vcpu, void *region, bool closed, const struct vmx_capability *offered)
{
    (void)offered;
    regions()->link(vcpu->backend, region, closed);
}

static void shadow_pull(struct vcpu *vcpu, void *region, struct vmcs *copy, struct vmcs_set *changed, bool closed)
{
    regions()->shadow_pull(vcpu->backend, region, copy, changed, closed);
}

static void shadow_pull_all(struct vcpu *vcpu, void *region, struct vmcs *copy)
{
    regions()->shadow_pull_all(vcpu->backend, region, copy);
}

static void shadow_push(struct vcpu *vcpu, void *region, const struct vmcs *copy, const struct vmcs_set *fields,
                        bool exit_information)
{
    regions()->shadow_push(vcpu->backend, region, copy, fields, exit_information);
}

static void flush_ept(uint64_t eptp)
{
    processor->flushes_ept++;
    for (unsigned i = 0; i < FAKE_CACHED; i++)
        if ((processor->cached[i].eptp & EPT_TABLE_MASK) == (eptp & EPT_TABLE_MASK))
            processor->cached[i].valid = false;
}

static void flush_vpid(uint16_t vpid)
{
    if (!vpid)
        fake_vmx_complain(processor, "INVVPID of VPID 0");
    processor->flushes_vpid++;
}

static uint16_t vpid_first(struct vcpu *vcpu, uint16_t *count)
{
    (void)vcpu;
    *count = 16;
    return 16;
}

static uint64_t *free_msr(uint32_t msr)
{
    return msr == MSR_TSC_AUX ? &tsc_aux : msr >= MSR_STAR && msr < MSR_STAR + 4 ? &processor->msrs[msr - MSR_FIRST] : NULL;
}

static bool free_msr_read(uint32_t msr, uint64_t *value)
{
    const uint64_t *at = free_msr(msr);
    return at ? *value = *at, true : false;
}

static bool free_msr_write(uint32_t msr, uint64_t value)
{
    uint64_t *at = free_msr(msr);
    return at ? *at = value, true : false;
}

const struct cpu_nested fake_cpu_nested = {
    capability, base, region_alloc, region_free, region_address, use, push, guest_pull, load_l1, link_region,
    shadow_pull, shadow_pull_all, shadow_push, flush_ept, flush_vpid, vpid_first, free_msr_read, free_msr_write, true,
};
