/* The rules of the merge: a test for each MERGE row of the field table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/nest_merge_scene.h"

static void vpid(void)
{
    inner.vpid = 77;
    merge();
    assert_int_equal(out.vpid, 9);
}

static void io_bitmap_a(void)
{
    inner.io_bitmap_a = 0xBAD000;
    merge();
    assert_int_equal(out.io_bitmap_a, 0x2000);
}

static void io_bitmap_b(void)
{
    inner.io_bitmap_b = 0xBAD000;
    merge();
    assert_int_equal(out.io_bitmap_b, 0x3000);
}

static void msr_bitmap(void)
{
    inner.msr_bitmap = 0xBAD000;
    merge();
    assert_int_equal(out.msr_bitmap, 0x1000);
}

static void tsc_offset(void)
{
    outer.processor_controls |= CPU_TSC_OFFSETTING;
    outer.tsc_offset = (uint64_t)-1000;
    inner.tsc_offset = 300; /* not in force */
    merge();
    assert_int_equal(out.tsc_offset, (uint64_t)-1000);
    inner.processor_controls |= CPU_TSC_OFFSETTING;
    merge();
    assert_int_equal(out.tsc_offset, (uint64_t)-700);
    inner.secondary_controls = CPU2_TSC_SCALING;
    inner.tsc_multiplier = 3ull << 47; /* 1.5 */
    merge();
    assert_int_equal(out.tsc_offset, (uint64_t)-1200);
}

static void tsc_multiplier(void)
{
    merge();
    assert_int_equal(out.tsc_multiplier, 1ull << 48);
    outer.processor_controls |= CPU_TSC_OFFSETTING;
    inner.processor_controls |= CPU_TSC_OFFSETTING;
    outer.secondary_controls = inner.secondary_controls = CPU2_TSC_SCALING;
    outer.tsc_multiplier = 3ull << 47;
    inner.tsc_multiplier = 2ull << 48;
    merge();
    assert_int_equal(out.tsc_multiplier, 3ull << 48);
}

static void virtual_apic_address(void)
{
    inner.virtual_apic_address = 0xBAD000;
    merge();
    assert_int_equal(out.virtual_apic_address, 0);
    inner.processor_controls |= CPU_TPR_SHADOW;
    merge();
    assert_int_equal(out.virtual_apic_address, 0x6000);
}

static void ept_pointer(void)
{
    outer.ept_pointer = 0xE01E;
    inner.ept_pointer = 0xBAD01E;
    merge();
    assert_int_equal(out.ept_pointer, 0xE01E);
    inner.secondary_controls = CPU2_EPT;
    merge();
    assert_int_equal(out.ept_pointer, 0x801E);
    inner.processor_controls &= ~(uint32_t)CPU_SECONDARY_CONTROLS;
    merge();
    assert_int_equal(out.ept_pointer, 0xE01E);
}

static void vmread_bitmap(void)
{
    inner.vmread_bitmap = 0xBAD000;
    merge();
    assert_int_equal(out.vmread_bitmap, 0x4000);
}

static void vmwrite_bitmap(void)
{
    inner.vmwrite_bitmap = 0xBAD000;
    merge();
    assert_int_equal(out.vmwrite_bitmap, 0x5000);
}

static void vmcs_link_pointer(void)
{
    inner.vmcs_link_pointer = 0xBAD000;
    merge();
    assert_int_equal(out.vmcs_link_pointer, ~0ull);
    inner.secondary_controls = CPU2_VMCS_SHADOWING;
    merge();
    assert_int_equal(out.vmcs_link_pointer, 0x7000);
    assert_true(out.secondary_controls & CPU2_VMCS_SHADOWING);
    context.link = NEST_NO_ADDRESS;
    merge();
    assert_int_equal(out.vmcs_link_pointer, ~0ull);
    assert_false(out.secondary_controls & CPU2_VMCS_SHADOWING);
}

static void guest_debugctl(void)
{
    inner.guest_debugctl = 0;
    merge();
    assert_int_equal(out.guest_debugctl, 2);
    inner.entry_controls = ENTRY_LOAD_DEBUG_CONTROLS;
    merge();
    assert_int_equal(out.guest_debugctl, 0);
    inner.guest_debugctl = 3; /* LBR reads as 0 */
    merge();
    assert_int_equal(out.guest_debugctl, 2);
}

static void guest_dr7(void)
{
    inner.guest_dr7 = 0x400;
    merge();
    assert_int_equal(out.guest_dr7, 0x401);
    inner.entry_controls = ENTRY_LOAD_DEBUG_CONTROLS;
    merge();
    assert_int_equal(out.guest_dr7, 0x400);
}

static void guest_pat(void)
{
    inner.guest_pat = 6;
    merge();
    assert_int_equal(out.guest_pat, 1);
    inner.entry_controls = ENTRY_LOAD_PAT;
    merge();
    assert_int_equal(out.guest_pat, 6);
}

static void guest_efer(void)
{
    inner.guest_efer = 0x500;
    inner.guest_cr0 = 1ull << 31;
    merge();
    assert_int_equal(out.guest_efer, 0x801); /* L1's, less its mode */
    inner.entry_controls = ENTRY_LONG_MODE;
    merge();
    assert_int_equal(out.guest_efer, 0xD01);
    inner.guest_cr0 = 0;
    inner.entry_controls = 0;
    merge();
    assert_int_equal(out.guest_efer, 0x901); /* without paging LME stays */
    inner.entry_controls = ENTRY_LOAD_EFER;
    merge();
    assert_int_equal(out.guest_efer, 0x500);
}

#define PDPTE(n, memory) \
    static void guest_pdpte##n(void) \
    { \
        inner.guest_pdpte##n = 0x91; \
        merge(); \
        assert_int_equal(out.guest_pdpte##n, memory); \
        inner.secondary_controls = CPU2_EPT; \
        merge(); \
        assert_int_equal(out.guest_pdpte##n, 0x91); \
    }
PDPTE(0, 0x11)
PDPTE(1, 0x21)
PDPTE(2, 0x31)
PDPTE(3, 0x41)

static void pin_controls(void)
{
    outer.pin_controls = PIN_EXTERNAL_INTERRUPT_EXITING | PIN_PREEMPTION_TIMER | 0x16;
    inner.pin_controls = PIN_NMI_EXITING | PIN_VIRTUAL_NMIS | PIN_POSTED_INTERRUPTS;
    merge();
    assert_int_equal(out.pin_controls, outer.pin_controls | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS);
}

static void processor_controls(void)
{
    outer.processor_controls |= CPU_HLT_EXITING | CPU_IO_BITMAPS | CPU_MSR_BITMAPS;
    inner.processor_controls |= CPU_MOV_DR_EXITING | CPU_MSR_BITMAPS;
    merge();
    assert_int_equal(out.processor_controls, CPU_SECONDARY_CONTROLS | CPU_HLT_EXITING | CPU_MOV_DR_EXITING |
                                             CPU_IO_BITMAPS | CPU_MSR_BITMAPS | CPU_CR8_LOAD_EXITING |
                                             CPU_CR8_STORE_EXITING);
    inner.processor_controls |= CPU_UNCONDITIONAL_IO_EXITING | CPU_TPR_SHADOW;
    inner.processor_controls &= ~(uint32_t)CPU_MSR_BITMAPS;
    merge();
    assert_int_equal(out.processor_controls, CPU_SECONDARY_CONTROLS | CPU_HLT_EXITING | CPU_MOV_DR_EXITING |
                                             CPU_UNCONDITIONAL_IO_EXITING | CPU_TPR_SHADOW);
    const uint32_t cr8[] = {CPU_CR8_LOAD_EXITING, CPU_CR8_STORE_EXITING}; /* of a virtual-APIC page if the inner asks */
    for (unsigned i = 0; i < 2; i++) {
        inner.processor_controls &= ~(cr8[0] | cr8[1]);
        inner.processor_controls |= cr8[i];
        merge();
        assert_int_equal(out.processor_controls & (cr8[0] | cr8[1] | CPU_TPR_SHADOW), cr8[i] | CPU_TPR_SHADOW);
    }
}

static void secondary_controls(void)
{
    outer.secondary_controls = CPU2_EPT | CPU2_RDTSCP | CPU2_UNRESTRICTED_GUEST | CPU2_WBINVD_EXITING;
    inner.secondary_controls = CPU2_RDRAND_EXITING | CPU2_INVPCID | CPU2_RDTSCP | CPU2_APIC_ACCESSES | CPU2_PML;
    merge();
    assert_int_equal(out.secondary_controls,
                     CPU2_EPT | CPU2_RDTSCP | CPU2_WBINVD_EXITING | CPU2_RDRAND_EXITING | CPU2_VPID);
    inner.secondary_controls = CPU2_UNRESTRICTED_GUEST; /* which needs EPT of its own */
    merge();
    assert_false(out.secondary_controls & CPU2_UNRESTRICTED_GUEST);
    inner.secondary_controls = CPU2_EPT | CPU2_UNRESTRICTED_GUEST;
    context.vpid = 0;
    merge();
    assert_int_equal(out.secondary_controls, CPU2_EPT | CPU2_WBINVD_EXITING | CPU2_UNRESTRICTED_GUEST);
}

static void exit_controls(void)
{
    outer.exit_controls = EXIT_HOST_LONG_MODE;
    inner.exit_controls = EXIT_ACKNOWLEDGE_INTERRUPT | EXIT_SAVE_PREEMPTION_TIMER;
    merge();
    assert_int_equal(out.exit_controls,
                     EXIT_HOST_LONG_MODE | EXIT_SAVE_DEBUG_CONTROLS | EXIT_SAVE_PAT | EXIT_SAVE_EFER);
}

static void entry_controls(void)
{
    outer.entry_controls = ENTRY_LONG_MODE | 0x11FB;
    inner.entry_controls = ENTRY_TO_SMM;
    merge();
    uint32_t loads = ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER;
    assert_int_equal(out.entry_controls, 0x11FB | loads);
    inner.entry_controls = ENTRY_LONG_MODE;
    merge();
    assert_int_equal(out.entry_controls, 0x11FB | loads | ENTRY_LONG_MODE);
}

/* hardware's own rule for a page fault */
static bool exits(const struct vmcs *v, uint32_t error)
{
    bool bit = v->exception_bitmap >> 14 & 1;
    return (error & v->page_fault_mask) == v->page_fault_match ? bit : !bit;
}

static void page_faults_exit_if_either_wants_them(void)
{
    static const uint32_t some[] = {0, 1, 2, 3, 0x14, ~0u};
    for (unsigned i = 0; i < 6 * 6 * 2 * 2 * 2; i++) {
        inner.page_fault_mask = some[i % 6];
        inner.page_fault_match = some[i / 6 % 6];
        inner.exception_bitmap = i / 36 % 2 << 14;
        outer.exception_bitmap = i / 72 % 2 << 14;
        outer.page_fault_mask = outer.page_fault_match = i / 144 % 2;
        merge();
        for (uint32_t error = 0; error < 32; error++)
            if (exits(&inner, error) || exits(&outer, error))
                assert_true(exits(&out, error));
            else if (!outer.exception_bitmap && !outer.page_fault_mask)
                assert_false(exits(&out, error));
    }
}

static void exception_bitmap(void)
{
    outer.exception_bitmap = 1 << 1;
    inner.exception_bitmap = 1 << 3;
    merge();
    assert_int_equal(out.exception_bitmap, 1 << 1 | 1 << 3);
    page_faults_exit_if_either_wants_them();
}

static void page_fault_mask(void)
{
    page_faults_exit_if_either_wants_them();
    fresh();
    inner.page_fault_mask = 5;
    merge();
    assert_int_equal(out.page_fault_mask, 5);
}

static void page_fault_match(void)
{
    page_faults_exit_if_either_wants_them();
    fresh();
    inner.page_fault_match = 6;
    merge();
    assert_int_equal(out.page_fault_match, 6);
}

static void cr3_target_count(void)
{
    inner.cr3_target_count = 3;
    inner.cr3_target_1 = 0x5000;
    merge();
    assert_int_equal(out.cr3_target_count, 3);
    assert_int_equal(out.cr3_target_1, 0x5000);
    outer.processor_controls |= CPU_CR3_LOAD_EXITING;
    merge();
    assert_int_equal(out.cr3_target_count, 0);
}

static void tpr_threshold(void)
{
    inner.tpr_threshold = 4;
    merge();
    assert_int_equal(out.tpr_threshold, 0);
    inner.processor_controls |= CPU_TPR_SHADOW;
    merge();
    assert_int_equal(out.tpr_threshold, 4);
}

static void cr0_mask(void)
{
    outer.cr0_mask = 1;
    inner.cr0_mask = 8;
    merge();
    assert_int_equal(out.cr0_mask, 9);
}

static void cr4_mask(void)
{
    outer.cr4_mask = 0x2000;
    inner.cr4_mask = 0x10;
    merge();
    assert_int_equal(out.cr4_mask, 0x2010);
}

static void cr0_shadow(void)
{
    inner.cr0_mask = 8;
    inner.cr0_shadow = 0xB; /* 1 and 2 are not L1's */
    inner.guest_cr0 = 0x80000020;
    merge();
    assert_int_equal(out.cr0_shadow, 0x80000028);
}

static void cr4_shadow(void)
{
    inner.cr4_mask = 0x2000;
    inner.cr4_shadow = 0;
    inner.guest_cr4 = 0x2020;
    merge();
    assert_int_equal(out.cr4_shadow, 0x20);
}

static void guest_cr0(void)
{
    inner.guest_cr0 = 1ull << 30 | 1;
    merge();
    assert_int_equal(out.guest_cr0, 0x21);
}

static void guest_cr4(void)
{
    inner.guest_cr4 = 0x20;
    merge();
    assert_int_equal(out.guest_cr4, 0x2020);
}

/* made from the table: a MERGE row without a function of its name above does not compile */
static const struct {
    enum vmcs_index index;
    void (*test)(void);
} rule_tests[] = {
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) TEST_##merge(VMCS_INDEX_##NAME, member)
#define TEST_COPY(index, member)
#define TEST_CP(index, member)
#define TEST_NONE(index, member)
#define TEST_MERGE(index, member) {index, member},
#include "vmcs-shadow/fields.def"
#undef FIELD
};

static void each_merge_row_has_a_rule_that_does_what_its_test_says(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(rule_tests) / sizeof(rule_tests[0]); i++) {
        assert_non_null(nest_merge_rule_of(rule_tests[i].index));
        fresh();
        rule_tests[i].test();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_merge_row_has_a_rule_that_does_what_its_test_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
