#include "tests/unit/fake/vmx_cpu.h"

#include <stdlib.h>

#include "cp/vcpu/vm.h"
#include "tests/unit/fake/vmx_region.h"

enum { MSR_FIRST = 0xC0000080u, MSR_STAR = 0xC0000081u, MSR_TSC_AUX = 0xC0000103u };

static struct fake_vmx *processor; /* of the machine made last, for what is asked of no virtual CPU */
static uint64_t tsc_aux;
bool (*fake_cpu_run)(struct vcpu *, uint64_t deadline);
unsigned fake_cpu_flushes;

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

/* as cp/cpu's does, it finds the map's root, which comes with the first entry */
static void flush_storage(struct vcpu *vcpu)
{
    guest_entry(&vcpu->vm->storage, gpa(0));
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

/* The fake processor, as its own functions know it. */
static struct vcpu *own(struct vcpu *vcpu)
{
    return fake_vmx_cpu(vcpu->backend);
}

static void *region_alloc(struct vcpu *vcpu, bool shadow)
{
    return fake_region_hardware.region_alloc(own(vcpu), shadow);
}

static void region_free(struct vcpu *vcpu, void *region)
{
    fake_region_hardware.region_free(own(vcpu), region);
}

static uint64_t region_address(void *region)
{
    return fake_region_hardware.region_address(region);
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
    fake_region_hardware.guest_pull(own(vcpu), region, image, changed, closed);
}

static void load_l1(struct vcpu *vcpu, void *region, const struct vmcs *state)
{
    fake_region_hardware.load_l1(own(vcpu), region, state);
}

static void link_region(struct vcpu *vcpu, void *region, bool closed, const struct vmx_capability *offered)
{
    fake_region_hardware.link(own(vcpu), region, closed, offered);
}

static void shadow_pull(struct vcpu *vcpu, void *region, struct vmcs *copy, struct vmcs_set *changed, bool closed)
{
    fake_region_hardware.shadow_pull(own(vcpu), region, copy, changed, closed);
}

static void shadow_pull_all(struct vcpu *vcpu, void *region, struct vmcs *copy)
{
    fake_region_hardware.shadow_pull_all(own(vcpu), region, copy);
}

static void shadow_push(struct vcpu *vcpu, void *region, const struct vmcs *copy, const struct vmcs_set *fields,
                        bool exit_information)
{
    fake_region_hardware.shadow_push(own(vcpu), region, copy, fields, exit_information);
}

static void flush_ept(struct vcpu *vcpu, uint64_t eptp)
{
    fake_region_hardware.flush_ept(own(vcpu), eptp);
}

static void flush_vpid(struct vcpu *vcpu, uint16_t vpid)
{
    fake_region_hardware.flush_vpid(own(vcpu), vpid);
}

static uint16_t vpid_first(struct vcpu *vcpu, uint16_t *count)
{
    (void)vcpu;
    *count = 16;
    return 16;
}

static uint64_t *free_msr(uint32_t msr)
{
    if (msr == MSR_TSC_AUX)
        return &tsc_aux;
    return msr >= MSR_STAR && msr < MSR_STAR + 4 ? &processor->msrs[msr - MSR_FIRST] : NULL;
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
    .hardware = {.region_alloc = region_alloc, .region_free = region_free, .region_address = region_address,
                 .guest_pull = guest_pull, .load_l1 = load_l1, .link = link_region, .shadow_pull = shadow_pull,
                 .shadow_pull_all = shadow_pull_all, .shadow_push = shadow_push, .flush_ept = flush_ept,
                 .flush_vpid = flush_vpid},
    .capability = capability, .base = base, .use = use, .push = push, .vpid_first = vpid_first,
    .free_msr_read = free_msr_read, .free_msr_write = free_msr_write,
};
