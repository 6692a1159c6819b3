/* The field table, look-up, sets, bitmaps, capabilities and copying that are made from it. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t hardware_field[0x10000];
static unsigned reads, writes;
#define VMCS_SYNC_READ(encoding) (reads++, hardware_field[encoding])
#define VMCS_SYNC_WRITE(encoding, value) (writes++, (void)(hardware_field[encoding] = (value)))
#include "vmcs-shadow/bitmap.h"
#include "vmcs-shadow/sync.h"

static void each_encoding_finds_its_field_and_no_other_is_found(void **state)
{
    unsigned found = 0;
    (void)state;
    for (uint64_t encoding = 0; encoding < 0x20000; encoding++) {
        enum vmcs_index index = vmcs_field_find(encoding);
        if (index == VMCS_INDEX_NONE)
            continue;
        assert_true(index < VMCS_FIELDS);
        uint32_t full = vmcs_field_rows[index].encoding;
        assert_true(encoding == full || (encoding == full + 1 && VMCS_ENCODING_WIDTH(full) == VMCS_WIDTH_64));
        found += encoding == full;
    }
    assert_int_equal(found, VMCS_FIELDS);
    assert_int_equal(vmcs_field_find(1ull << 32 | VMCS_GUEST_RIP), VMCS_INDEX_NONE);
}

static void names_and_members_are_the_same_words(void **state)
{
    static const char *const members[] = {
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) #NAME, #member,
#include "vmcs-shadow/fields.def"
#undef FIELD
    };
    (void)state;
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        const char *name = members[2 * i], *member = members[2 * i + 1];
        assert_int_equal(strlen(name), strlen(member));
        for (unsigned at = 0; name[at]; at++)
            assert_int_equal(tolower((unsigned char)name[at]), member[at]);
        assert_string_equal(vmcs_field_name(vmcs_field_rows[i].encoding), name);
    }
    assert_string_equal(vmcs_field_name(0x7FFF), "?");
}

/* Whoever adds a 64-bit control says what it is: an address, by its type, or none, here. */
static void a_64_bit_control_is_an_address_or_known_to_be_none(void **state)
{
    static const enum vmcs_index no_addresses[] = {VMCS_INDEX_TSC_OFFSET, VMCS_INDEX_TSC_MULTIPLIER,
        VMCS_INDEX_VM_FUNCTION_CONTROLS, VMCS_INDEX_TERTIARY_CONTROLS, VMCS_INDEX_EOI_EXIT_BITMAP_0,
        VMCS_INDEX_EOI_EXIT_BITMAP_1, VMCS_INDEX_EOI_EXIT_BITMAP_2, VMCS_INDEX_EOI_EXIT_BITMAP_3,
        VMCS_INDEX_XSS_EXITING_BITMAP, VMCS_INDEX_ENCLS_EXITING_BITMAP};
    static const bool address[VMCS_FIELDS] = {
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    [VMCS_INDEX_##NAME] = VMCS_TYPE_IS_ADDRESS(type),
#include "vmcs-shadow/fields.def"
#undef FIELD
    };
    (void)state;
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        uint32_t encoding = vmcs_field_rows[i].encoding;
        bool known = false;
        for (unsigned j = 0; j < sizeof no_addresses / sizeof *no_addresses; j++)
            known |= no_addresses[j] == i;
        if (VMCS_ENCODING_AREA(encoding) == VMCS_CONTROL && VMCS_ENCODING_WIDTH(encoding) == VMCS_WIDTH_64 &&
            address[i] == known)
            fail_msg("%s: an address, or none?", vmcs_field_name(encoding));
    }
}

static void a_field_set_is_the_field_read_and_no_other_changes(void **state)
{
    struct vmcs vmcs, before;
    (void)state;
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        memset(&vmcs, 0, sizeof(vmcs));
        vmcs_set(&vmcs, i, ~0ull);
        unsigned bytes = vmcs_field_rows[i].bytes;
        assert_int_equal(vmcs_get(&vmcs, i), bytes == 8 ? ~0ull : (1ull << bytes * 8) - 1);
        for (unsigned other = 0; other < VMCS_FIELDS; other++)
            if (other != i)
                assert_int_equal(vmcs_get(&vmcs, other), 0);
        before = vmcs;
        vmcs_set(&vmcs, i, 0);
        vmcs_copy(&vmcs, &before, i);
        assert_memory_equal(&vmcs, &before, sizeof(vmcs));
    }
}

static void halves_and_32_bit_operands_follow_vmread_and_vmwrite(void **state)
{
    struct vmcs vmcs = {0};
    (void)state;
    vmcs_field_write(&vmcs, VMCS_TSC_OFFSET, 0x1122334455667788, true);
    assert_int_equal(vmcs_field_read(&vmcs, VMCS_TSC_OFFSET, false), 0x55667788);
    assert_int_equal(vmcs_field_read(&vmcs, VMCS_TSC_OFFSET + 1, true), 0x11223344);
    vmcs_field_write(&vmcs, VMCS_TSC_OFFSET + 1, 0xAABBCCDD, true);
    assert_int_equal(vmcs.tsc_offset, 0xAABBCCDD55667788);
    vmcs_field_write(&vmcs, VMCS_TSC_OFFSET, 0x99, false);
    assert_int_equal(vmcs.tsc_offset, 0x99);
    vmcs_field_write(&vmcs, VMCS_GUEST_RIP, 0xFFFFFFFF00000001, false);
    assert_int_equal(vmcs.guest_rip, 1);
    vmcs_field_write(&vmcs, VMCS_GUEST_CS_SELECTOR, 0x12345, true);
    assert_int_equal(vmcs.guest_cs_selector, 0x2345);
}

static void the_constant_sets_agree_with_the_table(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        const struct vmcs_field_row *row = &vmcs_field_rows[i];
        unsigned area = VMCS_ENCODING_AREA(row->encoding);
        assert_int_equal(vmcs_set_has(&vmcs_set_copied, i), row->merge == VMCS_MERGE_COPY);
        assert_int_equal(vmcs_set_has(&vmcs_set_merged, i), row->merge == VMCS_MERGE_MERGE);
        for (unsigned derived = 0; derived < VMCS_DERIVED_CLASSES; derived++)
            assert_int_equal(vmcs_set_has(&vmcs_set_derived[derived], i), row->derived == derived);
        assert_int_equal(vmcs_set_has(&vmcs_set_whole, i), row->derived >= VMCS_DERIVED_RULES);
        if (area == VMCS_EXIT_INFORMATION)
            assert_false(vmcs_set_has(&vmcs_set_cold, i));
    }
    assert_false(vmcs_set_has(&vmcs_set_cold, VMCS_INDEX_GUEST_RIP));
    assert_true(vmcs_set_has(&vmcs_set_cold, VMCS_INDEX_EPT_POINTER));
    assert_true(vmcs_set_has(&vmcs_set_cold_guest, VMCS_INDEX_GUEST_CS_BASE));
    assert_false(vmcs_set_has(&vmcs_set_cold_guest, VMCS_INDEX_HOST_RIP));
}

static struct vmx_capability hardware, offered;

static void full_hardware(void)
{
    memset(&hardware, 0, sizeof(hardware));
    for (unsigned i = VMX_PIN; i <= VMX_TRUE_ENTRY; i++)
        hardware.msr[i] = 0xFFFFFFFFull << 32;
    hardware.msr[VMX_BASIC] = VMX_BASIC_TRUE_CONTROLS;
    hardware.msr[VMX_MISC] = ~0ull;
    hardware.msr[VMX_EPT_VPID_CAP] = ~0ull;
    hardware.msr[VMX_VMFUNC] = ~0ull;
    capability_derive_fields(&hardware);
    capability_offer(&offered, &hardware, true);
}

static void only_what_nest_has_rules_for_is_offered(void **state)
{
    (void)state;
    full_hardware();
    const uint32_t never2 = CPU2_APIC_ACCESSES | CPU2_X2APIC_MODE | CPU2_APIC_REGISTERS |
                            CPU2_VIRTUAL_INTERRUPT_DELIVERY |
                            CPU2_VIRTUALIZATION_EXCEPTION | CPU2_ENCLS_EXITING | CPU2_MODE_BASED_EXECUTE;
    assert_int_equal(offered.msr[VMX_CPU2] >> 32 & never2, 0);
    assert_int_equal(offered.msr[VMX_TRUE_PIN] >> 32 & PIN_POSTED_INTERRUPTS, 0);
    assert_int_equal(offered.msr[VMX_TRUE_ENTRY] >> 32 & (ENTRY_TO_SMM | ENTRY_LOAD_CET | ENTRY_LOAD_PKRS), 0);
    assert_int_equal(offered.msr[VMX_MISC] >> 15 & 1, 0);
    assert_true(offered.msr[VMX_MISC] & VMX_MISC_VMWRITE_ANY);
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (vmcs_field_rows[i].capability >= VMCS_CAPABILITY_NOT_OFFERED)
            assert_false(capability_has_field(&offered, i));
        else
            assert_true(capability_has_field(&offered, i));
}

static void nothing_is_offered_that_hardware_lacks(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (unsigned round = 0; round < 20000; round++) {
        for (unsigned i = 0; i < VMX_MSRS; i++) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            hardware.msr[i] = random ^ random >> 29;
        }
        for (unsigned i = VMX_TRUE_PIN; i <= VMX_TRUE_ENTRY; i++)
            hardware.msr[i] |= hardware.msr[i] << 32; /* must be 1: may be 1 */
        hardware.msr[VMX_BASIC] |= VMX_BASIC_TRUE_CONTROLS;
        capability_offer(&offered, &hardware, round & 1);
        for (unsigned i = VMX_TRUE_PIN; i <= VMX_TRUE_ENTRY; i++) {
            assert_int_equal(offered.msr[i] >> 32 & ~(hardware.msr[i] >> 32), 0);
            assert_int_equal((uint32_t)hardware.msr[i] & ~(uint32_t)offered.msr[i], 0);
        }
        uint64_t by_cp = (uint64_t)CPU2_PML << 32; /* with flags that are hardware's */
        bool flags = hardware.msr[VMX_EPT_VPID_CAP] & EPT_CAP_ACCESSED_DIRTY;
        assert_int_equal(offered.msr[VMX_CPU2] & ~hardware.msr[VMX_CPU2] & ~by_cp, 0);
        assert_int_equal(!(offered.msr[VMX_CPU2] & by_cp), !(offered.msr[VMX_CPU2] >> 32 & CPU2_EPT && flags));
        if (!(round & 1))
            assert_int_equal(offered.msr[VMX_CPU2] >> 32 & CPU2_VMCS_SHADOWING, 0);
        assert_int_equal(offered.msr[VMX_BASIC] & VMX_BASIC_REVISION_MASK, capability_revision());
    }
}

static void bitmaps_let_through_just_the_offered_shadowable_fields(void **state)
{
    static uint8_t read_bitmap[VMCS_BITMAP_BYTES], write_bitmap[VMCS_BITMAP_BYTES];
    struct vmcs_set readable, writable;
    (void)state;
    full_hardware();
    vmcs_bitmap_sets(&readable, &writable, &offered, &hardware);
    vmcs_bitmap_build(read_bitmap, &readable);
    vmcs_bitmap_build(write_bitmap, &writable);
    for (uint32_t encoding = 0; encoding < 0x9000; encoding++) {
        enum vmcs_index index = vmcs_field_find(encoding);
        bool through = index != VMCS_INDEX_NONE && vmcs_field_rows[index].shadow != VMCS_SHADOW_NO;
        assert_int_equal(vmcs_bitmap_exits(read_bitmap, encoding), !through);
        assert_int_equal(vmcs_bitmap_exits(write_bitmap, encoding), !through);
    }
    assert_true(vmcs_bitmap_exits(read_bitmap, 1ull << 32));
}

static void only_what_is_never_offered_is_never_shadowed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if ((vmcs_field_rows[i].shadow == VMCS_SHADOW_NO) !=
            (vmcs_field_rows[i].capability >= VMCS_CAPABILITY_NOT_OFFERED))
            fail_msg("%s: shadowed or not, it is the other way", vmcs_field_name(vmcs_field_rows[i].encoding));
}

static void read_only_fields_are_never_shadow_writable(void **state)
{
    struct vmcs_set readable, writable;
    (void)state;
    full_hardware();
    hardware.msr[VMX_MISC] &= ~VMX_MISC_VMWRITE_ANY;
    capability_offer(&offered, &hardware, true);
    vmcs_bitmap_sets(&readable, &writable, &offered, &hardware);
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (VMCS_ENCODING_AREA(vmcs_field_rows[i].encoding) == VMCS_EXIT_INFORMATION) {
            assert_false(vmcs_set_has(&writable, i));
            assert_int_equal(vmcs_set_has(&readable, i), capability_has_field(&offered, i));
        }
}

static void a_closed_region_keeps_hot_fields_and_exit_information_open(void **state)
{
    struct vmcs_set readable, writable;
    (void)state;
    full_hardware();
    vmcs_bitmap_sets(&readable, &writable, &offered, &hardware);
    vmcs_bitmap_close(&readable, &writable);
    assert_true(vmcs_set_has(&writable, VMCS_INDEX_GUEST_RIP));
    assert_true(vmcs_set_has(&readable, VMCS_INDEX_EXIT_REASON));
    assert_true(vmcs_set_has(&writable, VMCS_INDEX_EXIT_REASON));
    assert_true(vmcs_set_has(&readable, VMCS_INDEX_EPT_POINTER));
    assert_false(vmcs_set_has(&writable, VMCS_INDEX_EPT_POINTER));
    assert_false(vmcs_set_has(&readable, VMCS_INDEX_GUEST_CS_BASE));
}

static void scramble_hardware(unsigned seed)
{
    srand(seed);
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        uint64_t value = (uint64_t)rand() << 40 ^ (uint64_t)rand() << 20 ^ (uint64_t)rand();
        unsigned bytes = vmcs_field_rows[i].bytes;
        hardware_field[vmcs_field_rows[i].encoding] = bytes == 8 ? value : value & ((1ull << bytes * 8) - 1);
    }
}

static void a_pull_brings_its_set_and_says_what_differed(void **state)
{
    static void (*const pulls[])(struct vmcs *, struct vmcs_set *, uint32_t) = {
        vmcs_sync_pull_written, vmcs_sync_pull_guest, vmcs_sync_pull_written_hot, vmcs_sync_pull_guest_hot};
    (void)state;
    full_hardware();
    for (unsigned which = 0; which < 4; which++) {
        struct vmcs copy, before;
        struct vmcs_set changed = {{0}};
        scramble_hardware(which);
        memset(&copy, 0, sizeof(copy));
        before = copy;
        pulls[which](&copy, &changed, hardware.fields);
        for (unsigned i = 0; i < VMCS_FIELDS; i++) {
            bool differs = vmcs_get(&copy, i) != vmcs_get(&before, i);
            bool told = differs && !VMCS_SYNC_IS_PLACE(vmcs_field_rows[i].encoding); /* copied without comparing */
            assert_int_equal(vmcs_set_has(&changed, i), told);
            if (differs)
                assert_int_equal(vmcs_get(&copy, i), hardware_field[vmcs_field_rows[i].encoding]);
            bool cold = vmcs_set_has(which & 1 ? &vmcs_set_cold_guest : &vmcs_set_cold, i);
            if (cold && which < 2 && capability_has_field(&offered, i) && vmcs_field_rows[i].merge != VMCS_MERGE_NONE &&
                (which == 0 || vmcs_field_rows[i].encoding != VMCS_PREEMPTION_TIMER))
                assert_int_equal(vmcs_get(&copy, i), hardware_field[vmcs_field_rows[i].encoding]);
            if (cold && which >= 2)
                assert_false(differs);
        }
        vmcs_set_clear(&changed);
        pulls[which](&copy, &changed, hardware.fields);
        assert_true(vmcs_set_empty(&changed));
    }
}

/* As on KVM. A guest has these fields all the same: its accesses exit, and what it wrote is CP's to remember. */
static void fields_that_no_msr_tells_of_are_offered_and_not_shadowed_where_hardware_lacks_them(void **state)
{
    static const enum vmcs_index missing[] = {VMCS_INDEX_CR3_TARGET_0, VMCS_INDEX_CR3_TARGET_3, VMCS_INDEX_IO_RCX,
                                              VMCS_INDEX_GUEST_SMBASE};
    struct vmcs_set readable, writable, changed = {{0}};
    struct vmcs copy = {.cr3_target_0 = 0x1000};
    (void)state;
    full_hardware();
    hardware.fields &= ~(1u << VMCS_CAPABILITY_CR3_TARGETS | 1u << VMCS_CAPABILITY_SMM);
    capability_offer(&offered, &hardware, true);
    vmcs_bitmap_sets(&readable, &writable, &offered, &hardware);
    for (unsigned i = 0; i < sizeof missing / sizeof *missing; i++) {
        assert_true(capability_has_field(&offered, missing[i]));
        assert_false(vmcs_set_has(&readable, missing[i]));
        assert_false(vmcs_set_has(&writable, missing[i]));
    }
    scramble_hardware(3);
    vmcs_sync_pull_written(&copy, &changed, hardware.fields);
    assert_int_equal(copy.cr3_target_0, 0x1000);
}

static void fields_hardware_lacks_are_never_touched(void **state)
{
    struct vmcs copy = {0};
    struct vmcs_set changed = {{0}};
    (void)state;
    scramble_hardware(9);
    vmcs_sync_pull_written(&copy, &changed, 1u << VMCS_CAPABILITY_ALWAYS);
    assert_int_equal(copy.ept_pointer, 0);
    assert_int_equal(copy.guest_pat, 0);
    assert_int_not_equal(copy.guest_rip, 0);
    memset(hardware_field, 0, sizeof(hardware_field));
    memset(&copy, 0x55, sizeof(copy));
    vmcs_sync_write_l1(&copy, 1u << VMCS_CAPABILITY_ALWAYS);
    assert_int_equal(hardware_field[VMCS_GUEST_PAT], 0);
    assert_int_not_equal(hardware_field[VMCS_GUEST_RIP], 0);
    assert_int_equal(hardware_field[VMCS_VMCS_LINK_POINTER], 0);
}

static void the_cost_model_counts_what_the_header_says(void **state)
{
    struct vmcs copy = {0};
    struct vmcs_set changed = {{0}};
    (void)state;
    full_hardware();
#define COST(call, reads_expected, writes_expected) \
    do { \
        reads = writes = 0; \
        call; \
        assert_int_equal(reads, reads_expected); \
        assert_int_equal(writes, writes_expected); \
    } while (0)
    COST(vmcs_sync_pull_written(&copy, &changed, hardware.fields), 123, 0);
    COST(vmcs_sync_pull_written_hot(&copy, &changed, hardware.fields), 21, 0);
    COST(vmcs_sync_pull_guest(&copy, &changed, hardware.fields), 58, 0);
    COST(vmcs_sync_pull_guest_hot(&copy, &changed, hardware.fields), 13, 0);
    COST(vmcs_sync_push_exit(&copy, hardware.fields), 0, 12);
    COST(vmcs_sync_write_l1(&copy, hardware.fields), 0, 58);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_encoding_finds_its_field_and_no_other_is_found),
        cmocka_unit_test(names_and_members_are_the_same_words),
        cmocka_unit_test(a_64_bit_control_is_an_address_or_known_to_be_none),
        cmocka_unit_test(a_field_set_is_the_field_read_and_no_other_changes),
        cmocka_unit_test(halves_and_32_bit_operands_follow_vmread_and_vmwrite),
        cmocka_unit_test(the_constant_sets_agree_with_the_table),
        cmocka_unit_test(only_what_nest_has_rules_for_is_offered),
        cmocka_unit_test(nothing_is_offered_that_hardware_lacks),
        cmocka_unit_test(bitmaps_let_through_just_the_offered_shadowable_fields),
        cmocka_unit_test(only_what_is_never_offered_is_never_shadowed),
        cmocka_unit_test(read_only_fields_are_never_shadow_writable),
        cmocka_unit_test(a_closed_region_keeps_hot_fields_and_exit_information_open),
        cmocka_unit_test(a_pull_brings_its_set_and_says_what_differed),
        cmocka_unit_test(fields_that_no_msr_tells_of_are_offered_and_not_shadowed_where_hardware_lacks_them),
        cmocka_unit_test(fields_hardware_lacks_are_never_touched),
        cmocka_unit_test(the_cost_model_counts_what_the_header_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
