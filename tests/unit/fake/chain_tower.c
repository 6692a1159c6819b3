/* CP1 of the tower: its storage, its VMCSs that are pages, and how it and CP0 go from exit to entry. */
#include "tests/unit/fake/chain_tower.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "nest/chain.h"

enum { RAX = 0, RCX = 1, RDX = 2, RBX = 3, PAGE_BYTES = 4096, TIMER_RATE = 5, SCRATCH = 0x43000 };
enum { EVENT_VALID = 1u << 31, RWX = 7, WRITE_BACK = 6 << 3 };
#define HOST_BASE 0x100000000ull

static struct tower *of(void *context)
{
    return context;
}

static void must(struct tower *t, bool holds, const char *what)
{
    if (!holds)
        fake_vmx_complain(&t->m, what);
}

/* ---- CP1's storage, as CP0's host has it ------------------------------------------------- */

static uint8_t *storage(struct tower *t, uint64_t gpa, size_t bytes)
{
    if (gpa >= TOWER_BANK && gpa < TOWER_BANK + TOWER_BYTES && bytes <= TOWER_BANK + TOWER_BYTES - gpa)
        return (uint8_t *)(uintptr_t)gpa;
    return gpa < FAKE_STORAGE && bytes <= FAKE_STORAGE - gpa ? t->m.storage + gpa : NULL;
}

static bool read0(void *context, uint64_t gpa, void *to, size_t bytes)
{
    const uint8_t *at = storage(of(context), gpa, bytes);
    return at ? memcpy(to, at, bytes) : false;
}

static bool write0(void *context, uint64_t gpa, const void *from, size_t bytes)
{
    uint8_t *at = storage(of(context), gpa, bytes);
    return at ? memcpy(at, from, bytes) : false;
}

static void *page0(void *context, uint64_t gpa)
{
    return storage(of(context), gpa, PAGE_BYTES);
}

static uint64_t pin0(void *context, uint64_t gpa)
{
    return storage(of(context), gpa, PAGE_BYTES) ? HOST_BASE + gpa : NEST_NO_ADDRESS;
}

static void unpin0(void *context, uint64_t gpa)
{
    (void)context, (void)gpa; /* as CP's own: held as long as the machine is in VMX operation */
}

static bool translate0(void *context, uint64_t gpa, enum nest_access access, struct nest_translation *translation)
{
    (void)access;
    if (!storage(of(context), gpa, 1))
        return false;
    *translation = (struct nest_translation){
        .hpa = HOST_BASE + (gpa & ~(PAGE_BYTES - 1ull)), .bytes = PAGE_BYTES, .rights = RWX};
    return true;
}

/* ---- CP1's frames -------------------------------------------------------------------------- */

static void *frame_alloc1(void *context)
{
    struct tower *t = of(context);
    for (unsigned i = 0; i < TOWER_FRAMES; i++)
        if (!t->frame_used[i]) {
            t->frame_used[i] = 1;
            t->frames_held++;
            return memset((void *)(uintptr_t)(TOWER_BANK + i * PAGE_BYTES), 0, PAGE_BYTES);
        }
    return NULL;
}

static void frame_free1(void *context, void *frame)
{
    struct tower *t = of(context);
    uint64_t i = ((uint64_t)(uintptr_t)frame - TOWER_BANK) / PAGE_BYTES;
    must(t, i < TOWER_FRAMES && t->frame_used[i], "CP1 frees a frame that it does not have");
    t->frame_used[i] = 0;
    t->frames_held--;
}

/* ---- V2's storage, as CP1's host has it ------------------------------------------------------ */

void *tower_v2(struct tower *t, uint64_t gpa2)
{
    if (gpa2 >= TOWER_V2_BYTES)
        return NULL;
    if (!t->ept01[gpa2 / PAGE_BYTES])
        t->ept01[gpa2 / PAGE_BYTES] = (TOWER_V2 + (gpa2 & ~(PAGE_BYTES - 1ull))) | RWX | WRITE_BACK;
    return (void *)(uintptr_t)(TOWER_V2 + gpa2);
}

static uint8_t *v2_bytes(void *context, uint64_t gpa2, size_t bytes)
{
    if (gpa2 >= TOWER_V2_BYTES || bytes > TOWER_V2_BYTES - gpa2)
        return NULL;
    tower_v2(of(context), gpa2 + bytes - 1);
    return tower_v2(of(context), gpa2);
}

static bool read1(void *context, uint64_t gpa, void *to, size_t bytes)
{
    const uint8_t *at = v2_bytes(context, gpa, bytes);
    return at ? memcpy(to, at, bytes) : false;
}

static bool write1(void *context, uint64_t gpa, const void *from, size_t bytes)
{
    uint8_t *at = v2_bytes(context, gpa, bytes);
    return at ? memcpy(at, from, bytes) : false;
}

static void *page1(void *context, uint64_t gpa)
{
    return v2_bytes(context, gpa, PAGE_BYTES);
}

static uint64_t pin1(void *context, uint64_t gpa)
{
    return (uint64_t)(uintptr_t)page1(context, gpa) ?: NEST_NO_ADDRESS;
}

static bool translate1(void *context, uint64_t gpa, enum nest_access access, struct nest_translation *translation)
{
    uint64_t at = (uint64_t)(uintptr_t)tower_v2(of(context), gpa & ~(PAGE_BYTES - 1ull));
    (void)access;
    *translation = (struct nest_translation){.hpa = at, .bytes = PAGE_BYTES, .rights = RWX};
    return at;
}

static bool linear1(void *context, uint64_t address, enum nest_access access, uint64_t *gpa, uint32_t *error)
{
    (void)context, (void)access, (void)error;
    *gpa = address;
    return true;
}

static uint64_t get1(void *context, enum vmcs_field field)
{
    return vmcs_get(&of(context)->active->page->fields, vmcs_field_find(field));
}

static void set1(void *context, enum vmcs_field field, uint64_t value)
{
    struct tower_region *region = of(context)->active;
    vmcs_page_write(region->page, vmcs_field_find(field), value);
    vmcs_set_add(&region->touched, vmcs_field_find(field));
}

static bool no_msr(void *context, uint32_t msr, uint64_t *value)
{
    (void)context, (void)msr, (void)value;
    return false;
}

static bool wrmsr1(void *context, uint32_t msr, uint64_t value)
{
    (void)context, (void)msr, (void)value;
    return false;
}

static uint64_t tsc1(void *context)
{
    return of(context)->m.tsc;
}

static void trace1(void *context, const char *rule, uint32_t field)
{
    (void)field;
    of(context)->m.traced = rule;
}

/* ---- CP1's VMCSs -------------------------------------------------------------------------------- */

static struct tower *tower_of(struct vcpu *cpu)
{
    return (struct tower *)(void *)cpu;
}

static bool region_create(struct tower *t, struct tower_region *region)
{
    *region = (struct tower_region){.page = frame_alloc1(t)};
    if (!region->page)
        return false;
    region->page->revision = (uint32_t)(t->m.offered.msr[VMX_BASIC] & VMX_BASIC_REVISION_MASK);
    region->page->form = VMCS_PAGE_FORM;
    return true;
}

static void *region_alloc1(struct vcpu *cpu, bool shadow)
{
    struct tower *t = tower_of(cpu);
    if (shadow)
        return NULL;
    for (unsigned i = 0; i < TOWER_REGIONS; i++)
        if (!t->regions[i].page)
            return region_create(t, &t->regions[i]) ? &t->regions[i] : NULL;
    return NULL;
}

static void region_free1(struct vcpu *cpu, void *at)
{
    struct tower *t = tower_of(cpu);
    struct tower_region *region = at;
    if (t->active == region)
        t->active = &t->first;
    tower_vmclear(t, region->page);
    frame_free1(t, region->page);
    region->page = NULL;
}

static uint64_t region_address1(void *region)
{
    return (uint64_t)(uintptr_t)((struct tower_region *)region)->page;
}

static void guest_pull1(struct vcpu *cpu, void *at, struct vmcs *image, struct vmcs_set *changed, bool closed)
{
    struct tower_region *region = at;
    (void)cpu, (void)closed;
    vmcs_page_take(image, &region->page->fields, &region->touched, &vmcs_set_guest, changed);
    vmcs_page_take(image, &region->page->fields, &region->page->changed, &vmcs_set_guest, changed);
}

static void load_l1_1(struct vcpu *cpu, void *region, const struct vmcs *state)
{
    struct tower *t = tower_of(cpu);
    t->active = region ? region : &t->first;
    if (state)
        vmcs_page_write_l1(t->active->page, state);
}

static void flush_ept1(struct vcpu *cpu, uint64_t eptp)
{
    tower_invept(tower_of(cpu), eptp);
}

static void instruct(struct tower *t, enum exit_reason reason, uint64_t first, uint64_t type)
{
    const uint64_t descriptor[2] = {first, 0};
    uint64_t kept = t->m.gpr[RDX];
    if (t->m.nest.in_guest) {
        must(t, false, "CP1 executes an instruction while its guest runs");
        return;
    }
    write0(t, 0x800, descriptor, sizeof(descriptor));
    t->m.gpr[RDX] = type;
    must(t, fake_vmx_memory(&t->m, reason, 0x800, RDX) == NEST_SKIP && fake_vmx_verdict(&t->m) == FAKE_SUCCEEDED,
         "an instruction of CP1 fails");
    t->m.gpr[RDX] = kept;
}

static void flush_vpid1(struct vcpu *cpu, uint16_t vpid)
{
    instruct(tower_of(cpu), EXIT_INVVPID, vpid, 1);
}

void tower_invept(struct tower *t, uint64_t eptp)
{
    instruct(t, EXIT_INVEPT, eptp, eptp ? 1 : 2);
}

void tower_vmclear(struct tower *t, const struct vmcs_page *page)
{
    instruct(t, EXIT_VMCLEAR, (uint64_t)(uintptr_t)page, 0);
}

uint64_t tower_eptp(const struct tower *t)
{
    return t->first.page->fields.ept_pointer;
}

void tower_page_out(struct tower *t, uint64_t gpa2)
{
    t->ept01[gpa2 / PAGE_BYTES % TOWER_V2_PAGES] = 0;
    nest_ept01_changed(&t->nest, gpa2, PAGE_BYTES);
    tower_invept(t, tower_eptp(t));
}

/* ---- coming up ------------------------------------------------------------------------------------- */

static void make_ept01(struct tower *t)
{
    uint64_t *table[4];
    for (unsigned i = 0; i < 4; i++)
        table[i] = frame_alloc1(t);
    for (unsigned i = 0; i < 3; i++)
        table[i][0] = (uint64_t)(uintptr_t)table[i + 1] | RWX;
    t->ept01 = table[3];
    t->first.page->fields.ept_pointer = (uint64_t)(uintptr_t)table[0] | 3 << 3 | 6;
}

/* As base_controls() of the fake machine: what CP wants of every guest of its own. */
static void make_first(struct tower *t)
{
    struct vmcs *v;
    region_create(t, &t->first);
    t->active = &t->first;
    fake_vmx_make_vmcs(&t->m, SCRATCH);
    fake_vmx_pointer(&t->m, EXIT_VMCLEAR, SCRATCH);
    v = &t->first.page->fields;
    *v = ((const struct nest_region *)(const void *)(t->m.storage + SCRATCH))->fields;
    v->pin_controls = 0x16 | PIN_EXTERNAL_INTERRUPT_EXITING | PIN_NMI_EXITING | PIN_PREEMPTION_TIMER;
    v->processor_controls = 0x04006172 | CPU_HLT_EXITING | CPU_UNCONDITIONAL_IO_EXITING | CPU_MSR_BITMAPS |
                            CPU_TSC_OFFSETTING | CPU_SECONDARY_CONTROLS | CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING;
    v->secondary_controls = CPU2_EPT | CPU2_VPID | CPU2_UNRESTRICTED_GUEST | CPU2_RDTSCP | CPU2_INVPCID;
    v->exception_bitmap = 1 << 1 | 1 << 17 | 1 << 18;
    v->vpid = 1;
    v->tsc_offset = 0x700;
    v->cr0_mask = 0x60000020, v->cr4_mask = 0x2000, v->cr0_shadow = v->guest_cr0, v->cr4_shadow = v->guest_cr4;
    v->msr_bitmap = (uint64_t)(uintptr_t)frame_alloc1(t);
    memset((void *)(uintptr_t)v->msr_bitmap, 0x30, PAGE_BYTES);
    make_ept01(t);
    t->base = *v;
}

static void host_fill(struct tower *t)
{
    struct nest_host *host = &t->m.host;
    host->read = read0, host->write = write0, host->page = page0, host->pin = pin0, host->unpin = unpin0;
    host->translate = translate0, host->linear_own = linear1;
    t->host = (struct nest_host){
        .context = t, .gpr = t->m.gpr, .get = get1, .set = set1, .read = read1, .write = write1, .linear = linear1,
        .page = page1, .pin = pin1, .unpin = unpin0, .translate = translate1, .frame_alloc = frame_alloc1,
        .frame_free = frame_free1, .rdmsr = no_msr, .wrmsr = wrmsr1, .tsc = tsc1, .trace = trace1,
    };
    t->vmx = (struct nest_hardware){
        .region_alloc = region_alloc1, .region_free = region_free1, .region_address = region_address1,
        .guest_pull = guest_pull1, .load_l1 = load_l1_1, .flush_ept = flush_ept1, .flush_vpid = flush_vpid1,
    };
}

void tower_start(struct tower *t)
{
    memset(t, 0, sizeof(*t));
    if (mmap((void *)(uintptr_t)TOWER_BANK, TOWER_BYTES, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        abort();
    fake_vmx_start(&t->m, NEST_CHAIN);
    host_fill(t);
    fake_vmx_enter_operation(&t->m);
    t->m.tsc = 1 << 20;
    t->frames_spare = t->vector1 = -1;
    t->deadline1 = NEST_NO_TIMER;
    make_first(t);
    capability_offer(&t->offered, &t->m.offered, true);
    const struct nest_setup setup = {
        .host = &t->host, .hardware = &t->vmx, .cpu = (struct vcpu *)(void *)t, .mode = NEST_CHAIN,
        .policy = t->m.nest.policy, .capability = &t->m.offered, .offered = &t->offered, .vmcs01 = &t->base,
    };
    nest_init(&t->nest, &setup);
    *(uint32_t *)tower_v2(t, TOWER_V2_VMXON) = (uint32_t)t->offered.msr[VMX_BASIC] & VMX_BASIC_REVISION_MASK;
    tower_run(t);
    tower_v2_operand(t, EXIT_VMXON, TOWER_V2_VMXON, 0, 0);
    must(t, fake_vmx_verdict(&t->m) == FAKE_SUCCEEDED, "V2 is not in VMX operation");
}

/* CP1 goes down in an orderly way, from wherever all stand. */
bool tower_stop(struct tower *t)
{
    if (t->m.nest.in_guest) {
        if (!t->event0.info)
            nest_chain_stop(&t->m.nest);
        t->m.nest.in_guest = false;
        t->m.nest.innermost = &t->m.nest;
        t->m.loaded = &t->m.first;
    }
    nest_destroy(&t->nest);
    tower_vmclear(t, t->first.page);
    must(t, t->frames_held == 6, "CP1 kept frames"); /* the page, its bitmap and EPT */
    fake_vmx_stop(&t->m);
    munmap((void *)(uintptr_t)TOWER_BANK, TOWER_BYTES);
    return !t->m.complaint;
}

struct vmcs_page *tower_make_page(struct tower *t, uint64_t gpa2, uint64_t tables)
{
    struct vmcs_page *page = tower_v2(t, gpa2);
    memset(page, 0, PAGE_BYTES);
    page->revision = (uint32_t)(t->offered.msr[VMX_BASIC] & VMX_BASIC_REVISION_MASK);
    page->form = VMCS_PAGE_FORM;
    page->fields = ((const struct nest_region *)(const void *)(t->m.storage + SCRATCH))->fields;
    page->fields.secondary_controls |= CPU2_VPID;
    page->fields.vpid = 7;
    page->fields.host_rip = 0x8100;
    page->fields.ept_pointer = tables | 3 << 3 | 6;
    return page;
}
