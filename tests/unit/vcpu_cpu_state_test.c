/* The state of a virtual CPU, kept apart: it comes back as it was, and what is none of this processor is refused. */
#include "tests/unit/dispatch_scene.h"

#include "cp/vcpu/cpu_state.h"
#include "cp/vcpu/nested.h"

static _Alignas(64) uint8_t area[4096];
static unsigned gets, loads;

void context_get(struct vcpu *v) { (void)v, gets++; }
void context_put(struct vcpu *v) { (void)v, loads++; }
void context_forget(struct vcpu *v) { (void)v; }
uint64_t context_xcr0_supported(void) { return SCENE_XCR0; }

static struct cpu_state kept;

/* A program in long mode, with something in every register. */
static int begin(void **state)
{
    scene_begin(state);
    gets = loads = 0;
    vm->vcpu.xstate.area = area;
    for (unsigned i = 0; i < sizeof area; i++)
        area[i] = (uint8_t)(i * 7);
    memset(area + XSTATE_HEADER, 0, 64);
    area[XSTATE_HEADER] = 7;
    *(uint32_t *)(void *)(area + XSTATE_MXCSR) = 0x1F80;
    for (unsigned i = 0; i < GPRS; i++)
        vm->vcpu.gpr[i] = 0x1000 + i;
    vm->vcpu.gpr[RSP] = 0;
    set(VMCS_GUEST_RIP, 0x401000);
    set(VMCS_GUEST_RSP, 0x7FFF0000);
    set(VMCS_GUEST_CR3, 0x5000);
    set(VMCS_GUEST_EFER, EFER_SCE | EFER_LME | EFER_LMA);
    set(VMCS_ENTRY_CONTROLS, get(VMCS_ENTRY_CONTROLS) | ENTRY_LONG_MODE);
    set(VMCS_GUEST_CR0, CR0_PE | CR0_PG | CR0_NE | CR0_WP | CR0_ET);
    set(VMCS_CR0_SHADOW, CR0_PE | CR0_PG | CR0_WP | CR0_ET | CR0_CD);
    set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE | CR4_OSFXSR);
    set(VMCS_CR4_SHADOW, CR4_PAE | CR4_OSFXSR);
    set(VMCS_GUEST_FS_BASE, 0x123456);
    set(VMCS_GUEST_TR_LIMIT, 0x67);
    set(VMCS_GUEST_RFLAGS, 0x246);
    set(VMCS_GUEST_INTERRUPTIBILITY, 8);
    vm->vcpu.cr2 = 0xABC;
    vm->vcpu.dr[3] = 0xD3;
    vm->vcpu.dr6 = 0xFFFF0FF1;
    vm->vcpu.msrs = (struct vcpu_msrs){1, 0xFFFF800000000002, 3, 4, 5, 6};
    vm->vcpu.xstate.xcr0 = vm->vcpu.xstate.used = 7;
    vm->vcpu.tsc_offset = 0x100000 - clock_now();
    assert_null(cpu_state_get(vm, &kept));
    return 0;
}

static void a_state_comes_back_as_it_was(void **state)
{
    struct cpu_state again;
    uint64_t now = clock_now();
    (void)state;
    vm_reset(vm);
    vm->vcpu.msrs = (struct vcpu_msrs){.star = 0};
    memset(area, 0, sizeof area);
    fake_clock_advance(1000);
    assert_int_equal(get(VMCS_ENTRY_CONTROLS) & ENTRY_LONG_MODE, 0);
    assert_null(cpu_state_put(vm, &kept));
    assert_true(clock_now() >= now + 1000);
    assert_null(cpu_state_get(vm, &again));
    assert_in_range(again.tsc, kept.tsc, kept.tsc + 999); /* it goes on from there */
    again.tsc = kept.tsc;
    assert_memory_equal(&again, &kept, sizeof kept);
    assert_int_equal(get(VMCS_GUEST_RIP), 0x401000);
    assert_int_equal(get(VMCS_GUEST_CR4), CR4_PAE | CR4_OSFXSR | registers_cr4_own);
    assert_int_equal(get(VMCS_GUEST_CR0), CR0_PE | CR0_PG | CR0_NE | CR0_WP | CR0_ET);
    assert_true(get(VMCS_ENTRY_CONTROLS) & ENTRY_LONG_MODE);
    assert_int_equal(vm->vcpu.msrs.lstar, 0xFFFF800000000002);
    assert_int_equal(loads, 1);
    assert_int_equal(gets, 2);
}

static void what_waits_or_nests_cannot_be_kept(void **state)
{
    struct cpu_state ignored;
    (void)state;
    vm->vcpu.nmi_pending = true;
    assert_string_equal(cpu_state_get(vm, &ignored), "an event is on its way to its program");
    vm->vcpu.nmi_pending = false;
    vcpu_queue_exception(&vm->vcpu, VECTOR_GP, true, 0);
    assert_string_equal(cpu_state_get(vm, &ignored), "an event is on its way to its program");
    vm->vcpu.event_info = 0;
    set(VMCS_CR4_SHADOW, CR4_PAE | CR4_VMXE);
    assert_string_equal(cpu_state_get(vm, &ignored), "the machine runs virtual machines of its own");
}

static void *at(size_t offset) { return (char *)&kept + offset; }

static void refused(size_t offset, uint64_t bits)
{
    uint64_t *value = at(offset), was = *value;
    *value |= bits;
    if (*value == was)
        *value ^= bits;
    assert_non_null(cpu_state_put(vm, &kept));
    assert_int_equal(get(VMCS_GUEST_RIP), 0xFFF0); /* and nothing was changed */
    *value = was;
}

static void what_would_fault_in_cp_is_refused(void **state)
{
    (void)state;
    vm_reset(vm);
    refused(offsetof(struct cpu_state, cr4), CR4_VMXE);
    refused(offsetof(struct cpu_state, cr4), CR4_LA57);
    refused(offsetof(struct cpu_state, cr4), 1ull << 40);
    refused(offsetof(struct cpu_state, cr0), 1ull << 32);
    refused(offsetof(struct cpu_state, cr0), 1ull << 20);
    refused(offsetof(struct cpu_state, cr0), CR0_PG); /* LMA without paging */
    refused(offsetof(struct cpu_state, xcr0), 1ull << 8);
    refused(offsetof(struct cpu_state, xcr0), 1);
    refused(offsetof(struct cpu_state, xcr0), 2); /* AVX without SSE */
    refused(offsetof(struct cpu_state, dr6), 1ull << 32);
    refused(offsetof(struct cpu_state, msrs.lstar), 1ull << 50 | 1ull << 62);
    refused(offsetof(struct cpu_state, msrs.cstar), 1ull << 62);
    refused(offsetof(struct cpu_state, msrs.kernel_gs_base), 1ull << 62);
    refused(offsetof(struct cpu_state, msrs.sfmask), 1ull << 32);
    refused(offsetof(struct cpu_state, msrs.tsc_aux), 1ull << 32);
    for (unsigned i = 0; i < CPU_STATE_FIELDS; i++)
        if (kept.field[i] == (EFER_SCE | EFER_LME | EFER_LMA)) {
            refused(offsetof(struct cpu_state, field[i]), 1 << 9);
            refused(offsetof(struct cpu_state, field[i]), EFER_LMA);
        } else if (kept.field[i] == 0x400) {
            refused(offsetof(struct cpu_state, field[i]), 1ull << 32); /* DR7 */
        }
    assert_null(cpu_state_put(vm, &kept));
}

/* SDM "XRSTOR": a bit of the header that is no component's, or reserved, or of MXCSR, faults. */
static void vector_state_is_made_fit_to_be_loaded(void **state)
{
    (void)state;
    vm_reset(vm);
    memset(kept.xstate + XSTATE_HEADER, 0xFF, 64);
    memset(kept.xstate + XSTATE_MXCSR, 0xFF, 4);
    kept.used = UINT64_MAX;
    assert_null(cpu_state_put(vm, &kept));
    assert_int_equal(*(uint64_t *)(void *)(area + XSTATE_HEADER), SCENE_XCR0);
    for (unsigned i = XSTATE_HEADER + 8; i < XSTATE_HEADER + 64; i++)
        assert_int_equal(area[i], 0);
    assert_int_equal(*(uint32_t *)(void *)(area + XSTATE_MXCSR), 0xFFFF);
    assert_int_equal(vm->vcpu.xstate.used, SCENE_XCR0);
}

static void flags_and_shadows_that_no_processor_has_are_left_out(void **state)
{
    (void)state;
    vm_reset(vm);
    for (unsigned i = 0; i < CPU_STATE_FIELDS; i++)
        if (kept.field[i] == 0x246 || kept.field[i] == 8)
            kept.field[i] |= 0xFFFFFFFFFF000000;
    assert_null(cpu_state_put(vm, &kept));
    assert_int_equal(get(VMCS_GUEST_RFLAGS), 0x246);
    assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), 8);
}

static void a_debug_exception_that_is_pending_comes_with_it(void **state)
{
    enum { STEP = 0x4000, B2 = 4, ENABLED = 0x1000 };
    (void)state;
    set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, STEP | B2 | ENABLED);
    assert_null(cpu_state_get(vm, &kept));
    vm_reset(vm);
    assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), 0);
    assert_null(cpu_state_put(vm, &kept));
    assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), STEP | B2 | ENABLED);
    set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0);
    vcpu_queue_debug(&vm->vcpu, DR6_BS | B2); /* as after an instruction that CP carried out */
    assert_null(cpu_state_get(vm, &kept));
    vm_reset(vm);
    vm->vcpu.event_info = 0;
    assert_null(cpu_state_put(vm, &kept));
    assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), STEP | B2 | ENABLED);
    vcpu_queue_debug(&vm->vcpu, B2); /* it may be a fault */
    assert_string_equal(cpu_state_get(vm, &kept), "an event is on its way to its program");
    vm->vcpu.event_info = 0;
}

static void a_step_that_a_shadow_holds_back_is_as_an_entry_wants_it(void **state)
{
    enum { STEP = 0x4000, BY_STI = 1 };
    (void)state;
    set(VMCS_GUEST_INTERRUPTIBILITY, BY_STI);
    set(VMCS_GUEST_RFLAGS, 0x346);
    assert_null(cpu_state_get(vm, &kept)); /* without what must be pending */
    assert_null(cpu_state_put(vm, &kept));
    assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), STEP);
    set(VMCS_GUEST_RFLAGS, 0x246);
    assert_null(cpu_state_get(vm, &kept)); /* with what must not */
    assert_null(cpu_state_put(vm, &kept));
    assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_state_comes_back_as_it_was),
        TEST(what_waits_or_nests_cannot_be_kept),
        TEST(what_would_fault_in_cp_is_refused),
        TEST(vector_state_is_made_fit_to_be_loaded),
        TEST(a_debug_exception_that_is_pending_comes_with_it),
        TEST(a_step_that_a_shadow_holds_back_is_as_an_entry_wants_it),
        TEST(flags_and_shadows_that_no_processor_has_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
