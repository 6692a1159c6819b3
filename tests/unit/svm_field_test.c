/* Where VMCS fields live in a VMCB, and what the VMCB intercepts for VMX's controls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/svm/capability.h"
#include "cp/svm/state.h"

enum { UNUSABLE = 1 << 16, NE = 0x20, CD = 0x40000000, TS = 8, VMXE = 0x2000 };

static struct vmcb vmcb;
static struct svm_state state;
static const struct svm_maps maps = {.io = 0x1000, .msr_some = 0x4000, .msr_all = 0x6000, .bitmap = 0x8000};

static int fresh(void **context)
{
    (void)context;
    memset(&vmcb, 0, sizeof vmcb);
    state = (struct svm_state){.vmcb = &vmcb};
    return 0;
}

static uint64_t get(enum vmcs_index index) { return svm_field_read(&state, index); }
static void set(enum vmcs_index index, uint64_t value) { svm_field_write(&state, index, value); }

static void every_field_gives_back_what_was_written(void **context)
{
    (void)context;
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        uint64_t value = 0x0102030405060708ull >> (64 - 8 * vmcs_field_rows[i].bytes);
        bool rights = vmcs_field_rows[i].encoding >= VMCS_GUEST_ES_ACCESS_RIGHTS &&
                      vmcs_field_rows[i].encoding <= VMCS_GUEST_TR_ACCESS_RIGHTS;
        if (rights)
            value = 0xA09B | 0x60; /* what a code segment of privilege level 3 has */
        if (i == VMCS_INDEX_GUEST_INTERRUPTIBILITY)
            value = 8 | 2;
        if (i == VMCS_INDEX_GUEST_PENDING_DEBUG_EXCEPTIONS)
            value = 1 << 14 | 1;
        set(i, value);
        assert_int_equal(get(i), value);
    }
}

static void fields_do_not_share_a_home(void **context)
{
    uint64_t before[VMCS_FIELDS];
    (void)context;
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        fresh(NULL);
        for (unsigned k = 0; k < VMCS_FIELDS; k++)
            before[k] = get(k);
        set(i, i == VMCS_INDEX_GUEST_SS_ACCESS_RIGHTS ? 0xF3 : 0x93);
        for (unsigned k = 0; k < VMCS_FIELDS; k++)
            if (k != i)
                assert_int_equal(get(k), before[k]);
    }
}

static void a_segment_that_is_not_present_is_unusable(void **context)
{
    (void)context;
    set(VMCS_INDEX_GUEST_DS_ACCESS_RIGHTS, UNUSABLE | 0x93);
    assert_int_equal(vmcb.ds.rights & 0x80, 0);
    assert_true(get(VMCS_INDEX_GUEST_DS_ACCESS_RIGHTS) & UNUSABLE);
    set(VMCS_INDEX_GUEST_DS_ACCESS_RIGHTS, 0xC093);
    assert_int_equal(vmcb.ds.rights, 0xC93);
}

static void the_privilege_level_is_that_of_ss(void **context)
{
    (void)context;
    set(VMCS_INDEX_GUEST_SS_ACCESS_RIGHTS, 0xF3);
    assert_int_equal(vmcb.cpl, 3);
    vmcb.cpl = 0; /* a system call: hardware changes this one */
    assert_int_equal(get(VMCS_INDEX_GUEST_SS_ACCESS_RIGHTS), 0x93);
}

static void a_segment_that_was_loaded_is_accessed(void **context)
{
    (void)context;
    vmcb.cs.rights = 0x29A;
    assert_int_equal(get(VMCS_INDEX_GUEST_CS_ACCESS_RIGHTS), 0x209B);
    vmcb.ldtr.rights = 0x82; /* a system segment's type is another matter */
    assert_int_equal(get(VMCS_INDEX_GUEST_LDTR_ACCESS_RIGHTS), 0x82);
}

static void the_task_register_is_always_busy(void **context)
{
    (void)context;
    vmcb.tr.rights = 0x89;
    assert_int_equal(get(VMCS_INDEX_GUEST_TR_ACCESS_RIGHTS), 0x8B);
}

static void vmxe_never_reaches_the_real_cr4(void **context)
{
    (void)context;
    set(VMCS_INDEX_GUEST_CR4, VMXE | 0x20);
    assert_int_equal(vmcb.cr4, 0x20);
    assert_int_equal(get(VMCS_INDEX_GUEST_CR4), VMXE | 0x20);
}

static void svme_is_set_and_never_seen(void **context)
{
    (void)context;
    set(VMCS_INDEX_GUEST_EFER, 0x501);
    assert_int_equal(vmcb.efer, 0x1501);
    assert_int_equal(get(VMCS_INDEX_GUEST_EFER), 0x501);
}

static void long_mode_that_is_not_active_yet_is_kept_from_the_processor(void **context)
{
    (void)context;
    set(VMCS_INDEX_GUEST_EFER, 0x100);
    assert_int_equal(vmcb.efer, 0x1000);
    assert_int_equal(get(VMCS_INDEX_GUEST_EFER), 0x100);
}

static void a_shadow_by_mov_ss_is_remembered_until_it_ends(void **context)
{
    (void)context;
    set(VMCS_INDEX_GUEST_INTERRUPTIBILITY, 2);
    assert_int_equal(vmcb.interrupt_shadow, 1);
    assert_int_equal(get(VMCS_INDEX_GUEST_INTERRUPTIBILITY), 2);
    vmcb.interrupt_shadow = 0;
    assert_int_equal(get(VMCS_INDEX_GUEST_INTERRUPTIBILITY), 0);
}

static void a_shadow_nobody_wrote_is_stis_only_with_interrupts_on(void **context)
{
    (void)context;
    vmcb.interrupt_shadow = 1;
    vmcb.rflags = 2;
    assert_int_equal(get(VMCS_INDEX_GUEST_INTERRUPTIBILITY), 2);
    vmcb.rflags = 0x202;
    assert_int_equal(get(VMCS_INDEX_GUEST_INTERRUPTIBILITY), 1);
}

/* The check of an entry wants just this of what an exit left. */
static void the_trap_behind_a_stepped_load_of_ss_is_pending(void **context)
{
    enum { TF = 1 << 8, IF = 1 << 9, BTF = 2, BS = 1 << 14 };
    (void)context;
    vmcb.interrupt_shadow = 1;
    vmcb.rflags = 2 | TF | IF;
    assert_int_equal(get(VMCS_INDEX_GUEST_INTERRUPTIBILITY), 2); /* a stepped STI would have been trapped */
    assert_int_equal(get(VMCS_INDEX_GUEST_PENDING_DEBUG_EXCEPTIONS), BS);
    vmcb.debugctl = BTF;
    assert_int_equal(get(VMCS_INDEX_GUEST_PENDING_DEBUG_EXCEPTIONS), 0);
    vmcb.debugctl = 0;
    vmcb.interrupt_shadow = 0;
    assert_int_equal(get(VMCS_INDEX_GUEST_PENDING_DEBUG_EXCEPTIONS), 0);
    vmcb.interrupt_shadow = 1;
    vmcb.rflags = 2 | IF;
    assert_int_equal(get(VMCS_INDEX_GUEST_PENDING_DEBUG_EXCEPTIONS), 0);
}

static void where_rdtscp_exits_as_rdtsc_one_that_does_not_exist_brings_the_other(void **context)
{
    const struct svm_maps as_one = {.rdtscp_as_rdtsc = true};
    (void)context;
    set(VMCS_INDEX_SECONDARY_CONTROLS, 0);
    svm_control_apply(&state, &maps);
    assert_true((vmcb.intercepts2 & VMCB_RDTSCP) && !(vmcb.intercepts & VMCB_RDTSC));
    svm_control_apply(&state, &as_one);
    assert_true((vmcb.intercepts2 & VMCB_RDTSCP) && (vmcb.intercepts & VMCB_RDTSC));
    set(VMCS_INDEX_SECONDARY_CONTROLS, CPU2_RDTSCP);
    svm_control_apply(&state, &as_one);
    assert_false((vmcb.intercepts2 & VMCB_RDTSCP) || (vmcb.intercepts & VMCB_RDTSC));
}

static void debug_registers_that_cp_loads_exit_and_all_accesses_with_general_detection(void **context)
{
    const struct svm_maps loads = {.debug_writes = 0xFF};
    (void)context;
    svm_control_apply(&state, &maps);
    assert_int_equal(vmcb.dr_reads | vmcb.dr_writes, 0);
    svm_control_apply(&state, &loads);
    assert_int_equal(vmcb.dr_reads, 0);
    assert_int_equal(vmcb.dr_writes, 0xFF);
    set(VMCS_INDEX_GUEST_DR7, 0x2400);
    assert_true(state.controls_stale);
    svm_control_apply(&state, &loads);
    assert_int_equal(vmcb.dr_reads & vmcb.dr_writes & 0xFF, 0xFF);
    svm_control_apply(&state, &maps); /* a processor that loads them knows DR7.GD too */
    assert_int_equal(vmcb.dr_reads | vmcb.dr_writes, 0);
    set(VMCS_INDEX_PROCESSOR_CONTROLS, CPU_MOV_DR_EXITING);
    svm_control_apply(&state, &maps);
    assert_int_equal(vmcb.dr_reads & vmcb.dr_writes, 0xFFFF);
}


static void what_cp_needs_is_intercepted_whatever_the_controls_say(void **context)
{
    const uint32_t always = VMCB_INTR | VMCB_NMI | VMCB_CPUID | VMCB_IO | VMCB_MSR | VMCB_SHUTDOWN | VMCB_INVD;
    (void)context;
    svm_control_apply(&state, &maps);
    assert_int_equal(vmcb.intercepts & always, always);
    assert_int_equal(vmcb.intercepts2 & VMCB_SVM_INSTRUCTIONS, VMCB_SVM_INSTRUCTIONS);
    assert_true(vmcb.cr_writes & 1 << 4);
    assert_true(vmcb.exceptions & 1u << 6);
    assert_true(vmcb.virtual_interrupt & VMCB_V_INTR_MASKING);
    assert_int_equal(vmcb.io_map, maps.io);
    assert_int_equal(vmcb.nested_paging, 1);
}

static void controls_become_intercepts(void **context)
{
    (void)context;
    svm_control_apply(&state, &maps);
    assert_int_equal(vmcb.intercepts & (VMCB_HLT | VMCB_RDTSC | VMCB_VINTR), 0);
    set(VMCS_INDEX_PROCESSOR_CONTROLS,
        CPU_HLT_EXITING | CPU_RDTSC_EXITING | CPU_INTERRUPT_WINDOW_EXITING | CPU_CR8_LOAD_EXITING);
    assert_true(state.controls_stale);
    svm_control_apply(&state, &maps);
    assert_true((vmcb.intercepts & VMCB_HLT) && (vmcb.intercepts & VMCB_RDTSC) && (vmcb.intercepts & VMCB_VINTR));
    assert_true(vmcb.virtual_interrupt & VMCB_V_IRQ);
    assert_true(vmcb.cr_writes & 1 << 8);
    assert_false(state.controls_stale);
}

static void only_cps_own_bitmap_uses_the_map_that_lets_msrs_pass(void **context)
{
    (void)context;
    set(VMCS_INDEX_PROCESSOR_CONTROLS, CPU_MSR_BITMAPS);
    set(VMCS_INDEX_MSR_BITMAP, maps.bitmap);
    svm_control_apply(&state, &maps);
    assert_int_equal(vmcb.msr_map, maps.msr_some);
    set(VMCS_INDEX_MSR_BITMAP, 0x9000);
    svm_control_apply(&state, &maps);
    assert_int_equal(vmcb.msr_map, maps.msr_all);
    set(VMCS_INDEX_MSR_BITMAP, maps.bitmap);
    set(VMCS_INDEX_PROCESSOR_CONTROLS, 0);
    svm_control_apply(&state, &maps);
    assert_int_equal(vmcb.msr_map, maps.msr_all);
}

static void reads_of_cr0_are_intercepted_only_while_a_shadow_differs(void **context)
{
    (void)context;
    set(VMCS_INDEX_GUEST_CR0, NE | 1);
    set(VMCS_INDEX_CR0_MASK, NE | CD);
    set(VMCS_INDEX_CR0_SHADOW, CD);
    svm_control_apply(&state, &maps);
    assert_int_equal(svm_cr0_seen(&state), CD | 1);
    assert_true(vmcb.cr_reads & 1);
    assert_true(vmcb.cr_writes & 1); /* or a write of what the real register has already would go unseen */
    set(VMCS_INDEX_CR0_SHADOW, NE);
    svm_control_apply(&state, &maps);
    assert_false(vmcb.cr_reads & 1);
    assert_false(vmcb.cr_writes & 1);
    assert_true(vmcb.intercepts & VMCB_CR0_SELECTIVE);
    set(VMCS_INDEX_CR0_MASK, NE | TS);
    svm_control_apply(&state, &maps);
    assert_true(vmcb.cr_writes & 1); /* the selective intercept lets TS pass */
}

static void the_msr_map_says_what_the_bitmap_says(void **context)
{
    static uint8_t bitmap[4096], map[8192];
    (void)context;
    memset(bitmap, 0xFF, sizeof bitmap);
    bitmap[0x174 / 8] &= (uint8_t)~(1u << 4);                /* read of 174 */
    bitmap[2048 + 1024 + 0x82 / 8] &= (uint8_t)~(1u << 2);   /* write of C0000082 */
    svm_msr_map_build(map, bitmap);
    assert_int_equal(map[0x174 / 4] >> 0x174 % 4 * 2 & 3, 2);
    assert_int_equal(map[2048 + 0x82 / 4] >> 0x82 % 4 * 2 & 3, 1);
    assert_int_equal(map[4096], 0xFF);
    assert_false(svm_msr_exits(bitmap, 0x174, false));
    assert_true(svm_msr_exits(bitmap, 0x174, true));
    assert_false(svm_msr_exits(bitmap, 0xC0000082u, true));
    assert_true(svm_msr_exits(bitmap, 0x2000, false));
    assert_true(svm_msr_exits(bitmap, 0xFFFFFFFFu, true));
}

static void events_keep_vector_type_and_error(void **context)
{
    (void)context;
    assert_int_equal(svm_event_injection(0x80000B0E, 7), 0x700000000ull | 0x80000B0E); /* #PF */
    assert_int_equal(svm_event_injection(0x80000202, 0), 0x80000202);                  /* NMI */
    assert_int_equal(svm_event_injection(0x80000030, 0), 0x80000030);                  /* interrupt */
    assert_int_equal(svm_event_injection(0x80000603, 0), 0x80000303);                  /* INT3: an exception here */
    assert_true(svm_event_is_software(0x80000603));
    assert_true(svm_event_is_software(0x80000480));
    assert_false(svm_event_is_software(0x80000B0E));
}

static void what_is_offered_is_what_the_controls_can_be(void **context)
{
    struct vmx_capability c;
    (void)context;
    svm_capability_make(&c, 0x7FF, true, true);
    assert_true(capability_may_set(c.msr[VMX_TRUE_CPU], CPU_SECONDARY_CONTROLS | CPU_MSR_BITMAPS | CPU_IO_BITMAPS));
    assert_true(capability_may_set(c.msr[VMX_CPU2], CPU2_EPT | CPU2_UNRESTRICTED_GUEST));
    assert_true(capability_may_set(c.msr[VMX_CPU2], CPU2_VMCS_SHADOWING | CPU2_VM_FUNCTIONS | CPU2_INVPCID));
    assert_true(capability_may_set(c.msr[VMX_CPU2], CPU2_RDTSCP));
    svm_capability_make(&c, 0x7FF, false, false);
    assert_false(capability_may_set(c.msr[VMX_CPU2], CPU2_INVPCID));
    assert_false(capability_may_set(c.msr[VMX_CPU2], CPU2_RDTSCP));
    assert_false(capability_may_set(c.msr[VMX_TRUE_CPU], CPU_MONITOR_TRAP_FLAG));
    assert_true(capability_has_field(&c, VMCS_INDEX_EPT_POINTER));
    assert_true(c.msr[VMX_CR4_FIXED1] & VMXE);
    assert_true(c.msr[VMX_MISC] & VMX_MISC_VMWRITE_ANY);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_field_gives_back_what_was_written), TEST(fields_do_not_share_a_home),
        TEST(a_segment_that_is_not_present_is_unusable), TEST(the_privilege_level_is_that_of_ss),
        TEST(a_segment_that_was_loaded_is_accessed), TEST(the_task_register_is_always_busy),
        TEST(vmxe_never_reaches_the_real_cr4), TEST(svme_is_set_and_never_seen),
        TEST(long_mode_that_is_not_active_yet_is_kept_from_the_processor),
        TEST(a_shadow_by_mov_ss_is_remembered_until_it_ends),
        TEST(a_shadow_nobody_wrote_is_stis_only_with_interrupts_on),
        TEST(the_trap_behind_a_stepped_load_of_ss_is_pending),
        TEST(where_rdtscp_exits_as_rdtsc_one_that_does_not_exist_brings_the_other),
        TEST(debug_registers_that_cp_loads_exit_and_all_accesses_with_general_detection),
        TEST(what_cp_needs_is_intercepted_whatever_the_controls_say), TEST(controls_become_intercepts),
        TEST(only_cps_own_bitmap_uses_the_map_that_lets_msrs_pass),
        TEST(reads_of_cr0_are_intercepted_only_while_a_shadow_differs), TEST(the_msr_map_says_what_the_bitmap_says),
        TEST(events_keep_vector_type_and_error), TEST(what_is_offered_is_what_the_controls_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
