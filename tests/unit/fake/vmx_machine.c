/* The fake machine's side of struct nest_host, and how it comes up: its capabilities, CP's
 * controls, L1. */
#include "tests/unit/fake/vmx_region.h"

#include <stdlib.h>
#include <string.h>

enum { REVISION_HARDWARE = 0x12 };
#define HOST_BASE 0x100000000ull /* L1's storage in the machine CP runs on */

void fake_vmx_complain(struct fake_vmx *m, const char *what)
{
    if (!m->complaint)
        m->complaint = what;
}

/* ---- storage and frames ---------------------------------------------------------------- */

static bool in_storage(const struct fake_vmx *m, uint64_t gpa, size_t bytes)
{
    uint64_t end = m->device_from < FAKE_STORAGE ? m->device_from : FAKE_STORAGE;
    return gpa < end && bytes <= end - gpa;
}

static bool read_storage(void *context, uint64_t gpa, void *to, size_t bytes)
{
    struct fake_vmx *m = context;
    m->page_reads += bytes == 4096;
    if (!in_storage(m, gpa, bytes))
        return false;
    memcpy(to, m->storage + gpa, bytes);
    return true;
}

static bool write_storage(void *context, uint64_t gpa, const void *from, size_t bytes)
{
    struct fake_vmx *m = context;
    if (!in_storage(m, gpa, bytes))
        return false;
    memcpy(m->storage + gpa, from, bytes);
    return true;
}

static bool linear(void *context, uint64_t address, enum nest_access access, uint64_t *gpa, uint32_t *error)
{
    struct fake_vmx *m = context;
    if ((address & ~4095ull) == m->fault_linear) {
        *error = m->fault_is_ept ? NEST_UNREACHABLE : access == NEST_WRITE ? 2 : 0;
        return false;
    }
    *gpa = address;
    return true;
}

static void *page(void *context, uint64_t gpa)
{
    struct fake_vmx *m = context;
    return in_storage(m, gpa, 4096) ? m->storage + gpa : NULL;
}

static uint64_t pin(void *context, uint64_t gpa)
{
    struct fake_vmx *m = context;
    if (!in_storage(m, gpa, 4096))
        return NEST_NO_ADDRESS;
    m->pins++;
    return HOST_BASE + gpa;
}

static void unpin(void *context, uint64_t gpa)
{
    struct fake_vmx *m = context;
    (void)gpa;
    if (!m->pins)
        fake_vmx_complain(m, "a page was unpinned that was not pinned");
    m->pins--;
}

static bool translate(void *context, uint64_t gpa, enum nest_access access, struct nest_translation *translation)
{
    struct fake_vmx *m = context;
    (void)access;
    if (!in_storage(m, gpa, 1))
        return false;
    uint64_t bytes = m->host_page_bytes;
    *translation = (struct nest_translation){.hpa = HOST_BASE + (gpa & ~(bytes - 1)), .bytes = bytes, .rights = 7};
    return true;
}

static uint64_t version(void *context, uint64_t gpa)
{
    (void)gpa;
    return ((struct fake_vmx *)context)->versions;
}

static void *frame_alloc(void *context)
{
    struct fake_vmx *m = context;
    if (m->frames_held >= m->frames_limit)
        return NULL;
    for (unsigned i = 0; i < FAKE_FRAMES; i++)
        if (!m->frames[i]) {
            m->frames_held++;
            m->frames[i] = aligned_alloc(4096, 4096);
            memset(m->frames[i], 0, 4096);
            return m->frames[i];
        }
    return NULL;
}

static void frame_free(void *context, void *frame)
{
    struct fake_vmx *m = context;
    for (unsigned i = 0; i < FAKE_CACHED; i++)
        if (m->cached[i].valid && (m->cached[i].eptp & EPT_TABLE_MASK) == (uint64_t)(uintptr_t)frame)
            fake_vmx_complain(m, "an EPT root was freed while translations of it were cached");
    for (unsigned i = 0; i < FAKE_FRAMES; i++)
        if (m->frames[i] == frame) {
            m->frames[i] = NULL;
            m->frames_held--;
            free(frame);
            return;
        }
    fake_vmx_complain(m, "a frame was freed that was not allocated");
}

/* ---- CPU ----------------------------------------------------------------------------------- */

static uint64_t get(void *context, enum vmcs_field field)
{
    return vmcs_field_read(&((struct fake_vmx *)context)->loaded->held, field, true);
}

static void set(void *context, enum vmcs_field field, uint64_t value)
{
    vmcs_field_write(&((struct fake_vmx *)context)->loaded->held, field, value, true);
}

static bool rdmsr(void *context, uint32_t msr, uint64_t *value)
{
    struct fake_vmx *m = context;
    if (msr == 0x1B) {
        *value = 0xFEE00900;
        return true;
    }
    if (msr == 0xDA0) {
        *value = 0x100;
        return true;
    }
    if (msr - 0xC0000080u >= 0x40)
        return false;
    *value = m->msrs[msr - 0xC0000080u];
    return true;
}

static bool wrmsr(void *context, uint32_t msr, uint64_t value)
{
    struct fake_vmx *m = context;
    if (msr - 0xC0000080u >= 0x40)
        return false;
    m->msrs[msr - 0xC0000080u] = value;
    return true;
}

static uint64_t tsc(void *context)
{
    return ((struct fake_vmx *)context)->tsc;
}

static void trace(void *context, const char *rule, uint32_t field)
{
    (void)field;
    ((struct fake_vmx *)context)->traced = rule;
}

/* ---- coming up ------------------------------------------------------------------------------- */

static const struct nest_host host = {
    .get = get, .set = set, .read = read_storage, .write = write_storage, .linear = linear, .page = page, .pin = pin,
    .unpin = unpin, .translate = translate, .version = version, .frame_alloc = frame_alloc, .frame_free = frame_free,
    .rdmsr = rdmsr, .wrmsr = wrmsr, .tsc = tsc, .trace = trace,
};

static void hardware_capability(struct vmx_capability *c)
{
    *c = (struct vmx_capability){.msr = {
        [VMX_BASIC] = REVISION_HARDWARE | VMX_BASIC_REGION_SIZE(4096) | VMX_BASIC_WRITE_BACK | VMX_BASIC_INS_OUTS |
                      VMX_BASIC_TRUE_CONTROLS,
        [VMX_PIN] = 0x7Full << 32 | 0x16, [VMX_CPU] = 0xF7F9FFFEull << 32 | 0x0401E172,
        [VMX_EXIT] = 0x007FFFFFull << 32 | 0x00036DFF, [VMX_ENTRY] = 0x0000FFFFull << 32 | 0x000011FF,
        [VMX_TRUE_PIN] = 0x7Full << 32 | 0x16, [VMX_TRUE_CPU] = 0xF7F9FFFEull << 32 | 0x04006172,
        [VMX_TRUE_EXIT] = 0x007FFFFFull << 32 | 0x00036DFB, [VMX_TRUE_ENTRY] = 0x0000FFFFull << 32 | 0x000011FB,
        [VMX_MISC] = 5 | VMX_MISC_SAVES_LONG_MODE | 7ull << 6 | VMX_MISC_CR3_TARGETS(4) | VMX_MISC_VMWRITE_ANY |
                     VMX_MISC_ZERO_LENGTH_INJECTION,
        [VMX_CR0_FIXED0] = 0x80000021, [VMX_CR0_FIXED1] = 0xFFFFFFFF, [VMX_CR4_FIXED0] = 0x2000,
        [VMX_CR4_FIXED1] = 0x3727FF, [VMX_VMCS_ENUM] = 0x34, [VMX_CPU2] = 0x02137FFFull << 32,
        [VMX_EPT_VPID_CAP] = EPT_CAP_EXECUTE_ONLY | EPT_CAP_FOUR_LEVELS | EPT_CAP_UNCACHEABLE | EPT_CAP_WRITE_BACK |
                             EPT_CAP_2M_PAGES | EPT_CAP_1G_PAGES | EPT_CAP_INVEPT | EPT_CAP_ACCESSED_DIRTY |
                             EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL | VPID_CAP_INVVPID | VPID_CAP_ADDRESS |
                             VPID_CAP_SINGLE | VPID_CAP_ALL | VPID_CAP_SINGLE_BUT_GLOBALS,
        [VMX_VMFUNC] = VM_FUNCTION_EPTP_SWITCHING,
    }};
    capability_derive_fields(c);
}

/* As CP sets up every guest: interrupts, NMIs, the timer, HLT, all I/O and by its bitmap some MSRs. */
static void base_controls(struct fake_vmx *m)
{
    struct vmcs *v = &m->base;
    v->pin_controls = 0x16 | PIN_EXTERNAL_INTERRUPT_EXITING | PIN_NMI_EXITING | PIN_PREEMPTION_TIMER;
    v->processor_controls = 0x04006172 | CPU_HLT_EXITING | CPU_UNCONDITIONAL_IO_EXITING | CPU_MSR_BITMAPS |
                            CPU_TSC_OFFSETTING | CPU_SECONDARY_CONTROLS | CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING;
    v->secondary_controls = CPU2_EPT | CPU2_VPID | CPU2_UNRESTRICTED_GUEST | CPU2_RDTSCP | CPU2_INVPCID |
                            CPU2_VMCS_SHADOWING;
    v->exit_controls =
        0x00036DFB | EXIT_HOST_LONG_MODE | EXIT_LOAD_EFER | EXIT_SAVE_EFER | EXIT_LOAD_PAT | EXIT_SAVE_PAT;
    v->entry_controls = 0x000011FB | ENTRY_LOAD_EFER | ENTRY_LOAD_PAT | ENTRY_LONG_MODE;
    v->ept_pointer = 0xABC000 | 3 << 3 | 6;
    v->vpid = 1;
    v->tsc_offset = 1000;
    v->cr0_mask = 0x60000020;
    v->cr4_mask = 0x2000;
    v->vmcs_link_pointer = ~0ull;
    v->host_cr0 = 0x80050033, v->host_cr3 = 0x777000, v->host_cr4 = 0x42020, v->host_rip = 0xC0DE00;
    v->host_rsp = 0x5AC000, v->host_efer = 0xD01, v->host_cs_selector = 8, v->host_tr_selector = 24;
    v->msr_bitmap = (uint64_t)(uintptr_t)frame_alloc(m);
    v->vmread_bitmap = (uint64_t)(uintptr_t)frame_alloc(m);
    v->vmwrite_bitmap = (uint64_t)(uintptr_t)frame_alloc(m);
    memset((void *)(uintptr_t)v->msr_bitmap, 0x0F, 4096);
}

void fake_vmx_l1_state(struct vmcs *v)
{
    v->guest_cr0 = v->cr0_shadow = 0x80000031;
    v->guest_cr4 = v->cr4_shadow = 0x2020;
    v->guest_cr3 = 0x5000;
    v->guest_efer = 0xD00;
    v->guest_pat = 0x0007040600070406;
    v->guest_rflags = 2;
    v->guest_rip = 0x8000, v->guest_rsp = 0x9000, v->guest_dr7 = 0x400;
    v->guest_cs_access_rights = 0xA09B;
    v->guest_ss_access_rights = v->guest_ds_access_rights = v->guest_es_access_rights = 0xC093;
    v->guest_fs_access_rights = v->guest_gs_access_rights = 0xC093;
    v->guest_ds_limit = v->guest_es_limit = v->guest_ss_limit = v->guest_fs_limit = v->guest_gs_limit = 0xFFFFFFFF;
    v->exit_instruction_length = 4;
}

static void bitmaps(struct fake_vmx *m)
{
    struct vmcs_set readable, writable;

    vmcs_bitmap_sets(&readable, &writable, &m->offered, &m->hardware);
    vmcs_bitmap_build((uint8_t *)(uintptr_t)m->base.vmread_bitmap, &readable);
    vmcs_bitmap_build((uint8_t *)(uintptr_t)m->base.vmwrite_bitmap, &writable);
    vmcs_bitmap_close(&readable, &writable);
    vmcs_bitmap_build(m->closed_bitmaps[0], &readable);
    vmcs_bitmap_build(m->closed_bitmaps[1], &writable);
}

static void power_up(struct fake_vmx *m, bool shadow)
{
    memset(m, 0, sizeof(*m));
    m->frames_limit = FAKE_FRAMES;
    m->regions_limit = FAKE_REGIONS;
    m->of = &m->nest;
    hardware_capability(&m->hardware);
    capability_offer(&m->offered, &m->hardware, shadow);
    base_controls(m);
    bitmaps(m);
    m->first.used = true;
    m->first.memory = m->base;
}

void fake_vmx_power_up(struct fake_vmx *m)
{
    power_up(m, true);
    fake_region_load(m, &m->first);
}

void fake_vmx_start(struct fake_vmx *m, enum nest_mode mode)
{
    const struct nest_setup setup = {
        .host = &m->host, .hardware = &m->vmx, .cpu = fake_vmx_cpu(m), .mode = mode,
        .policy = {.cr0_ones = 0x20, .cr0_zeroes = 0x60000000, .cr4_ones = 0x2000, .physical_bits = 40,
                   .vpid_first = 16, .vpid_count = 16},
        .capability = &m->hardware, .offered = &m->offered, .vmcs01 = &m->base,
    };
    power_up(m, mode >= NEST_SHADOW);
    m->storage = calloc(1, FAKE_STORAGE);
    m->fault_linear = ~0ull;
    m->device_from = FAKE_STORAGE;
    m->host_page_bytes = 4096;
    m->host = host;
    m->vmx = fake_region_hardware;
    m->host.context = m;
    m->host.gpr = m->gpr;
    fake_vmx_l1_state(&m->first.memory);
    fake_region_load(m, &m->first);
    nest_init(&m->nest, &setup);
}

void fake_vmx_power_down(struct fake_vmx *m)
{
    frame_free(m, (void *)(uintptr_t)m->base.msr_bitmap);
    frame_free(m, (void *)(uintptr_t)m->base.vmread_bitmap);
    frame_free(m, (void *)(uintptr_t)m->base.vmwrite_bitmap);
    if (m->frames_held)
        fake_vmx_complain(m, "frames were kept");
    if (m->regions_held)
        fake_vmx_complain(m, "VMCS regions were kept");
}

void fake_vmx_stop(struct fake_vmx *m)
{
    fake_region_load(m, &m->first);
    nest_destroy(&m->nest);
    fake_vmx_power_down(m);
    if (m->pins)
        fake_vmx_complain(m, "pages stayed pinned");
    free(m->storage);
    m->storage = NULL;
}
