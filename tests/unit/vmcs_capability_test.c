/* Capabilities: which control makes which field exist, and what is left of an offer where hardware lacks something. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "vmcs-shadow/bitmap.h"
#include "vmcs-shadow/sync.h"

static struct vmx_capability hardware, offered;

static int full(void **state)
{
    (void)state;
    memset(&hardware, 0, sizeof(hardware));
    for (unsigned i = VMX_PIN; i <= VMX_TRUE_ENTRY; i++)
        hardware.msr[i] = 0xFFFFFFFFull << 32;
    hardware.msr[VMX_BASIC] = VMX_BASIC_TRUE_CONTROLS;
    hardware.msr[VMX_MISC] = hardware.msr[VMX_EPT_VPID_CAP] = hardware.msr[VMX_VMFUNC] = ~0ull;
    capability_derive_fields(&hardware);
    return 0;
}

static void without(enum vmx_msr msr, uint32_t control) { hardware.msr[msr] &= ~((uint64_t)control << 32); }

/* SDM "Field Encoding in VMCS": "exists only on processors that support the 1-setting of ..." */
static void a_field_exists_where_its_control_may_be_set(void **state)
{
    static const struct {
        enum vmx_msr msr;
        uint32_t control;
        enum vmcs_index field;
    } rows[] = {
        {VMX_PIN, PIN_PREEMPTION_TIMER, VMCS_INDEX_PREEMPTION_TIMER},
        {VMX_PIN, PIN_POSTED_INTERRUPTS, VMCS_INDEX_POSTED_INTERRUPT_VECTOR},
        {VMX_PIN, PIN_POSTED_INTERRUPTS, VMCS_INDEX_POSTED_INTERRUPT_DESCRIPTOR},
        {VMX_CPU, CPU_MSR_BITMAPS, VMCS_INDEX_MSR_BITMAP},
        {VMX_CPU, CPU_TPR_SHADOW, VMCS_INDEX_VIRTUAL_APIC_ADDRESS},
        {VMX_CPU, CPU_TPR_SHADOW, VMCS_INDEX_TPR_THRESHOLD},
        {VMX_CPU, CPU_SECONDARY_CONTROLS, VMCS_INDEX_SECONDARY_CONTROLS},
        {VMX_CPU, CPU_TERTIARY_CONTROLS, VMCS_INDEX_TERTIARY_CONTROLS},
        {VMX_CPU2, CPU2_VPID, VMCS_INDEX_VPID},
        {VMX_CPU2, CPU2_EPT, VMCS_INDEX_EPT_POINTER},
        {VMX_CPU2, CPU2_EPT, VMCS_INDEX_GUEST_PHYSICAL_ADDRESS},
        {VMX_CPU2, CPU2_EPT, VMCS_INDEX_GUEST_PDPTE0},
        {VMX_CPU2, CPU2_PAUSE_LOOP_EXITING, VMCS_INDEX_PLE_GAP},
        {VMX_CPU2, CPU2_VM_FUNCTIONS, VMCS_INDEX_VM_FUNCTION_CONTROLS},
        {VMX_CPU2, CPU2_VMCS_SHADOWING, VMCS_INDEX_VMREAD_BITMAP},
        {VMX_CPU2, CPU2_XSAVES, VMCS_INDEX_XSS_EXITING_BITMAP},
        {VMX_CPU2, CPU2_TSC_SCALING, VMCS_INDEX_TSC_MULTIPLIER},
        {VMX_CPU2, CPU2_APIC_ACCESSES, VMCS_INDEX_APIC_ACCESS_ADDRESS},
        {VMX_CPU2, CPU2_VIRTUAL_INTERRUPT_DELIVERY, VMCS_INDEX_GUEST_INTERRUPT_STATUS},
        {VMX_CPU2, CPU2_ENCLS_EXITING, VMCS_INDEX_ENCLS_EXITING_BITMAP},
        {VMX_CPU2, CPU2_PML, VMCS_INDEX_PML_ADDRESS},
        {VMX_CPU2, CPU2_VIRTUALIZATION_EXCEPTION, VMCS_INDEX_VIRTUALIZATION_EXCEPTION_ADDRESS},
        {VMX_CPU2, CPU2_SUB_PAGE_PERMISSIONS, VMCS_INDEX_SPP_TABLE_POINTER},
        {VMX_ENTRY, ENTRY_LOAD_PERF_GLOBAL_CTRL, VMCS_INDEX_GUEST_PERF_GLOBAL_CTRL},
        {VMX_ENTRY, ENTRY_LOAD_BNDCFGS, VMCS_INDEX_GUEST_BNDCFGS},
        {VMX_ENTRY, ENTRY_LOAD_RTIT_CTL, VMCS_INDEX_GUEST_RTIT_CTL},
        {VMX_ENTRY, ENTRY_LOAD_PKRS, VMCS_INDEX_GUEST_PKRS},
        {VMX_ENTRY, ENTRY_LOAD_CET, VMCS_INDEX_GUEST_S_CET},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        full(state);
        assert_true(capability_has_field(&hardware, rows[i].field));
        uint32_t before = hardware.fields;
        without(rows[i].msr, rows[i].control);
        capability_derive_fields(&hardware);
        assert_false(capability_has_field(&hardware, rows[i].field));
        assert_int_equal(__builtin_popcount(before ^ hardware.fields), 1); /* and all else is as it was */
    }
}

/* IA32_PAT and IA32_EFER: loaded at entries or saved at exits, either is enough. */
static void a_field_with_two_controls_exists_with_either(void **state)
{
    static const struct {
        uint32_t entry, exit;
        enum vmcs_index field;
    } rows[] = {{ENTRY_LOAD_PAT, EXIT_SAVE_PAT, VMCS_INDEX_GUEST_PAT},
                {ENTRY_LOAD_EFER, EXIT_SAVE_EFER, VMCS_INDEX_GUEST_EFER}};
    for (unsigned i = 0; i < 2; i++)
        for (unsigned n = 0; n < 4; n++) {
            full(state);
            without(VMX_ENTRY, n & 1 ? 0 : rows[i].entry);
            without(VMX_EXIT, n & 2 ? 0 : rows[i].exit);
            capability_derive_fields(&hardware);
            assert_int_equal(capability_has_field(&hardware, rows[i].field), n != 0);
        }
}

static void the_list_of_ept_pointers_comes_with_switching(void **state)
{
    (void)state;
    assert_true(capability_has_field(&hardware, VMCS_INDEX_EPTP_LIST_ADDRESS));
    hardware.msr[VMX_VMFUNC] = 0;
    capability_derive_fields(&hardware);
    assert_false(capability_has_field(&hardware, VMCS_INDEX_EPTP_LIST_ADDRESS));
    assert_true(capability_has_field(&hardware, VMCS_INDEX_VM_FUNCTION_CONTROLS));
}

/* ---- offers ------------------------------------------------------------------------------ */

static void nothing_that_stands_on_ept_is_offered_without_it(void **state)
{
    const uint32_t stand_on_it = CPU2_EPT | CPU2_UNRESTRICTED_GUEST | CPU2_VM_FUNCTIONS;
    (void)state;
    capability_offer(&offered, &hardware, true);
    assert_int_equal(offered.msr[VMX_CPU2] >> 32 & stand_on_it, stand_on_it);
    assert_true(offered.msr[VMX_EPT_VPID_CAP] & EPT_CAP_INVEPT);
    assert_int_equal(offered.msr[VMX_VMFUNC], VM_FUNCTION_EPTP_SWITCHING);
    without(VMX_CPU2, CPU2_EPT);
    capability_offer(&offered, &hardware, true);
    assert_int_equal(offered.msr[VMX_CPU2] >> 32 & stand_on_it, 0);
    assert_int_equal(offered.msr[VMX_EPT_VPID_CAP] & (EPT_CAP_INVEPT | EPT_CAP_FOUR_LEVELS | EPT_CAP_EXECUTE_ONLY), 0);
    assert_true(offered.msr[VMX_EPT_VPID_CAP] & VPID_CAP_INVVPID);
    assert_int_equal(offered.msr[VMX_VMFUNC], 0);
    without(VMX_CPU2, CPU2_VPID);
    capability_offer(&offered, &hardware, true);
    assert_int_equal(offered.msr[VMX_EPT_VPID_CAP], 0);
}

/* How a leaf may be protected is hardware's to say. */
static void execute_only_and_flags_are_offered_as_hardware_has_them(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        uint64_t has = (n & 1 ? EPT_CAP_EXECUTE_ONLY : 0) | (n & 2 ? EPT_CAP_ACCESSED_DIRTY : 0);
        hardware.msr[VMX_EPT_VPID_CAP] = EPT_CAP_FOUR_LEVELS | has;
        capability_offer(&offered, &hardware, true);
        assert_int_equal(offered.msr[VMX_EPT_VPID_CAP] & (EPT_CAP_EXECUTE_ONLY | EPT_CAP_ACCESSED_DIRTY), has);
        assert_true(offered.msr[VMX_EPT_VPID_CAP] & EPT_CAP_2M_PAGES); /* composed in software */
    }
}

static void shadowing_is_offered_where_every_field_can_be_written(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 8; n++) {
        full(state);
        if (!(n & 1))
            hardware.msr[VMX_MISC] &= ~VMX_MISC_VMWRITE_ANY;
        if (!(n & 2))
            without(VMX_CPU2, CPU2_VMCS_SHADOWING);
        capability_offer(&offered, &hardware, n & 4);
        assert_int_equal(capability_may_set(offered.msr[VMX_CPU2], CPU2_VMCS_SHADOWING), n == 7);
        assert_int_equal((offered.msr[VMX_MISC] & VMX_MISC_VMWRITE_ANY) != 0, n == 7);
    }
}

static void secondary_controls_are_offered_where_they_can_be_switched_on(void **state)
{
    (void)state;
    without(VMX_CPU, CPU_SECONDARY_CONTROLS);
    without(VMX_TRUE_CPU, CPU_SECONDARY_CONTROLS);
    capability_offer(&offered, &hardware, true);
    assert_int_equal(offered.msr[VMX_CPU2] | offered.msr[VMX_EPT_VPID_CAP] | offered.msr[VMX_VMFUNC], 0);
}

static void up_to_four_cr3_targets_are_offered(void **state)
{
    (void)state;
    for (uint64_t targets = 0; targets < 512; targets++) {
        hardware.msr[VMX_MISC] = (~0ull & ~(0x1FFull << 16)) | targets << 16;
        capability_offer(&offered, &hardware, true);
        assert_int_equal(offered.msr[VMX_MISC] >> 16 & 0x1FF, targets < 4 ? targets : 4);
    }
}

static void to_wait_for_a_sipi_is_offered_whatever_hardware_does_and_to_be_in_shutdown_is_not(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        hardware.msr[VMX_MISC] = n ? ~0ull : 0;
        capability_offer(&offered, &hardware, true);
        assert_int_equal(offered.msr[VMX_MISC] >> 7 & 3, 2);
    }
}

/* SDM "VMCS Enumeration": the highest index (bits 9:1) of any field that is supported */
static void the_highest_index_of_a_field_is_told(void **state)
{
    (void)state;
    capability_offer(&offered, &hardware, true);
    assert_int_equal(offered.msr[VMX_VMCS_ENUM], 0x32); /* TSC_MULTIPLIER, 2032H */
    without(VMX_CPU2, CPU2_TSC_SCALING);
    capability_offer(&offered, &hardware, true);
    assert_int_equal(offered.msr[VMX_VMCS_ENUM], VMCS_PREEMPTION_TIMER & 0x3FE); /* 482EH */
    without(VMX_PIN, PIN_PREEMPTION_TIMER);
    without(VMX_TRUE_PIN, PIN_PREEMPTION_TIMER);
    capability_offer(&offered, &hardware, true);
    assert_int_equal(offered.msr[VMX_VMCS_ENUM], VMCS_GUEST_SYSENTER_CS & 0x3FE);
}

static void the_revision_is_one_that_a_region_can_have(void **state)
{
    (void)state;
    assert_int_equal(capability_revision() >> 31, 0); /* that bit says that it is a shadow */
    assert_int_not_equal(capability_revision(), 0);   /* as of storage nobody wrote */
    assert_int_not_equal(capability_revision(), 0x7FFFFFFF);
    capability_offer(&offered, &hardware, true);
    assert_int_equal(offered.msr[VMX_BASIC] & VMX_BASIC_REVISION_MASK, capability_revision());
}

/* ---- bitmaps ------------------------------------------------------------------------------- */

static void sets_for_bitmaps_are_made_anew(void **state)
{
    struct vmcs_set readable, writable, again[2];
    (void)state;
    capability_offer(&offered, &hardware, true);
    memset(&readable, 0, sizeof(readable));
    memset(&writable, 0, sizeof(writable));
    memset(again, 0xFF, sizeof(again));
    vmcs_bitmap_sets(&readable, &writable, &offered, &hardware);
    vmcs_bitmap_sets(&again[0], &again[1], &offered, &hardware);
    assert_memory_equal(&again[0], &readable, sizeof(readable));
    assert_memory_equal(&again[1], &writable, sizeof(writable));
    assert_true(vmcs_set_has(&writable, VMCS_INDEX_EXIT_REASON));
    for (unsigned n = 0; n < 3; n++) { /* read-only fields are writable where both sides can */
        struct vmx_capability l1 = offered, below = hardware;
        l1.msr[VMX_MISC] &= n & 1 ? ~0ull : ~VMX_MISC_VMWRITE_ANY;
        below.msr[VMX_MISC] &= n & 2 ? ~0ull : ~VMX_MISC_VMWRITE_ANY;
        vmcs_bitmap_sets(&readable, &writable, &l1, &below);
        assert_false(vmcs_set_has(&writable, VMCS_INDEX_EXIT_REASON));
        assert_true(vmcs_set_has(&readable, VMCS_INDEX_EXIT_REASON));
        assert_true(vmcs_set_has(&writable, VMCS_INDEX_GUEST_RIP));
    }
    hardware.fields &= ~(1u << VMCS_CAPABILITY_TSC_SCALING);
    vmcs_bitmap_sets(&readable, &writable, &offered, &hardware);
    assert_false(vmcs_set_has(&readable, VMCS_INDEX_TSC_MULTIPLIER));
}

static void bitmaps_are_closed_while_no_cold_field_can_be_written(void **state)
{
    static uint8_t bitmap[VMCS_BITMAP_BYTES];
    (void)state;
    memset(bitmap, 0xFF, sizeof(bitmap));
    assert_true(vmcs_bitmap_is_closed(bitmap));
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        uint32_t encoding = vmcs_field_rows[i].encoding;
        bitmap[encoding >> 3] &= (uint8_t) ~(1u << (encoding & 7));
        assert_int_equal(vmcs_bitmap_is_closed(bitmap), !vmcs_set_has(&vmcs_set_cold, i));
        bitmap[encoding >> 3] = 0xFF;
    }
}

#define TEST(name) cmocka_unit_test_setup(name, full)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_field_exists_where_its_control_may_be_set),
        TEST(a_field_with_two_controls_exists_with_either),
        TEST(the_list_of_ept_pointers_comes_with_switching),
        TEST(nothing_that_stands_on_ept_is_offered_without_it),
        TEST(execute_only_and_flags_are_offered_as_hardware_has_them),
        TEST(shadowing_is_offered_where_every_field_can_be_written),
        TEST(secondary_controls_are_offered_where_they_can_be_switched_on),
        TEST(up_to_four_cr3_targets_are_offered),
        TEST(to_wait_for_a_sipi_is_offered_whatever_hardware_does_and_to_be_in_shutdown_is_not),
        TEST(the_highest_index_of_a_field_is_told),
        TEST(the_revision_is_one_that_a_region_can_have),
        TEST(sets_for_bitmaps_are_made_anew),
        TEST(bitmaps_are_closed_while_no_cold_field_can_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
