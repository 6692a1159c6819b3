/* The merge as a whole: whose each field is, an update against a merge anew, a list of several. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/nest_merge_scene.h"

static void only_merge_rows_have_rules(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        assert_int_equal(nest_merge_rule_of(i) != NULL, vmcs_field_rows[i].merge == VMCS_MERGE_MERGE);
}

static void copies_come_from_the_inner_and_cp_rows_from_the_outer(void **state)
{
    (void)state;
    fresh();
    memset(&outer, 0xA5, sizeof(outer));
    memset(&inner, 0x5A, sizeof(inner));
    memset(&out, 0xFF, sizeof(out));
    merge();
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (vmcs_field_rows[i].merge == VMCS_MERGE_COPY)
            assert_int_equal(vmcs_get(&out, i), vmcs_get(&inner, i));
        else if (vmcs_field_rows[i].merge == VMCS_MERGE_CP)
            assert_int_equal(vmcs_get(&out, i), vmcs_get(&outer, i));
        else if (vmcs_field_rows[i].merge == VMCS_MERGE_NONE)
            assert_int_equal(vmcs_get(&out, i), 0);
}

static void an_update_comes_to_the_same_as_a_merge_anew(void **state)
{
    struct vmcs updated, before;
    struct vmcs_set changed, write;
    uint64_t random = 1;
    (void)state;
    fresh();
    merge();
    for (unsigned round = 0; round < 20000; round++) {
        updated = before = out;
        vmcs_set_clear(&changed);
        vmcs_set_clear(&write);
        for (unsigned n = 0; n < 3; n++) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            unsigned index = (random >> 33) % VMCS_FIELDS;
            vmcs_set(&inner, index, random >> 7);
            vmcs_set_add(&changed, index);
        }
        nest_merge_update(&updated, &outer, &inner, &context, &changed,
                          nest_parts_of(&changed) & NEST_STALE_VMCS02 ? NEST_RULES_ALL : NEST_RULES_NONE, &write);
        merge();
        assert_memory_equal(&updated, &out, sizeof(out));
        for (unsigned i = 0; i < VMCS_FIELDS; i++)
            if (vmcs_get(&before, i) != vmcs_get(&out, i))
                assert_true(vmcs_set_has(&write, i));
    }
}

static void a_list_of_two_is_the_second_over_the_first_over_the_base(void **state)
{
    struct vmcs middle = {0};
    const struct vmcs *list[] = {&middle, &inner};
    struct nest_merge_context contexts[2];
    (void)state;
    fresh();
    outer.processor_controls |= CPU_TSC_OFFSETTING | CPU_HLT_EXITING;
    outer.tsc_offset = 1000;
    outer.host_rip = 0xCAFE;
    middle.processor_controls = CPU_SECONDARY_CONTROLS | CPU_TSC_OFFSETTING | CPU_RDPMC_EXITING;
    middle.tsc_offset = 20;
    middle.host_rip = 0xBAD;
    inner.processor_controls |= CPU_TSC_OFFSETTING | CPU_MOV_DR_EXITING;
    inner.tsc_offset = 3;
    inner.guest_rip = 0x1234;
    contexts[0] = contexts[1] = context;
    nest_merge_list(&out, &outer, list, contexts, 2);
    assert_int_equal(out.tsc_offset, 1023);
    assert_int_equal(out.host_rip, 0xCAFE);
    assert_int_equal(out.guest_rip, 0x1234);
    uint32_t all = CPU_HLT_EXITING | CPU_RDPMC_EXITING | CPU_MOV_DR_EXITING;
    assert_int_equal(out.processor_controls & all, all);
    nest_merge_list(&out, &outer, NULL, NULL, 0); /* and of none the base */
    assert_memory_equal(&out, &outer, sizeof(out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_merge_rows_have_rules),
        cmocka_unit_test(copies_come_from_the_inner_and_cp_rows_from_the_outer),
        cmocka_unit_test(an_update_comes_to_the_same_as_a_merge_anew),
        cmocka_unit_test(a_list_of_two_is_the_second_over_the_first_over_the_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
