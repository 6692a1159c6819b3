/* Which address space a control block's translations are kept under. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp/svm/asid.h"

enum { COUNT = 4, TABLES = 0x1000, OTHERS = 0x2000 };

static struct svm_asids asids;

static int fresh(void **context)
{
    (void)context;
    svm_asids_begin(&asids, COUNT);
    return 0;
}

static void two_control_blocks_never_share_one(void **context)
{
    struct svm_tag a = {0}, b = {0};
    (void)context;
    assert_true(svm_tag_prepare(&asids, &a, TABLES));
    assert_false(svm_tag_prepare(&asids, &b, TABLES));
    assert_int_not_equal(a.asid, b.asid);
    assert_true(a.asid && b.asid);
}

static void it_is_kept_from_entry_to_entry(void **context)
{
    struct svm_tag a = {0};
    (void)context;
    (void)svm_tag_prepare(&asids, &a, TABLES);
    unsigned first = a.asid;
    assert_false(svm_tag_prepare(&asids, &a, TABLES));
    assert_int_equal(a.asid, first);
}

static void void_translations_and_other_tables_are_a_fresh_one(void **context)
{
    struct svm_tag a = {0};
    (void)context;
    (void)svm_tag_prepare(&asids, &a, TABLES);
    unsigned first = a.asid;
    svm_tag_void(&a);
    assert_false(svm_tag_prepare(&asids, &a, TABLES));
    assert_int_not_equal(a.asid, first);
    unsigned second = a.asid;
    (void)svm_tag_prepare(&asids, &a, OTHERS);
    assert_int_not_equal(a.asid, second);
}

static void when_they_run_out_all_are_flushed_and_given_out_anew(void **context)
{
    struct svm_tag tags[2 * COUNT] = {{0}};
    unsigned flushes = 0;
    (void)context;
    for (unsigned i = 0; i < 2 * COUNT; i++) {
        flushes += svm_tag_prepare(&asids, &tags[i], TABLES);
        assert_in_range(tags[i].asid, 1, COUNT - 1);
        for (unsigned k = 0; k < i; k++)
            assert_false(tags[k].asid == tags[i].asid && tags[k].generation == tags[i].generation);
    }
    assert_int_equal(flushes, 3);
}

static void one_that_slept_through_any_number_of_drops_does_not_find_its_translations_again(void **context)
{
    static const uint64_t drops[] = {1, 1ull << 8, 1ull << 16, 1ull << 32, 1ull << 33, 0xFFFFFFFFull, 1ull << 63};
    (void)context;
    for (unsigned i = 0; i < sizeof drops / sizeof *drops; i++) {
        struct svm_tag sleeper = {0}, other = {0};
        fresh(NULL);
        (void)svm_tag_prepare(&asids, &sleeper, TABLES);
        asids.generation += drops[i] - 1;
        svm_asids_void(&asids);
        assert_true(svm_tag_prepare(&asids, &other, TABLES));
        assert_false(svm_tag_prepare(&asids, &sleeper, TABLES));
        assert_int_not_equal(sleeper.asid, other.asid);
    }
}

static void a_processor_that_has_few_has_one(void **context)
{
    struct svm_tag a = {0}, b = {0};
    (void)context;
    svm_asids_begin(&asids, 0);
    assert_true(svm_tag_prepare(&asids, &a, TABLES));
    assert_true(svm_tag_prepare(&asids, &b, TABLES));
    assert_int_equal(b.asid, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(two_control_blocks_never_share_one, fresh),
        cmocka_unit_test_setup(it_is_kept_from_entry_to_entry, fresh),
        cmocka_unit_test_setup(void_translations_and_other_tables_are_a_fresh_one, fresh),
        cmocka_unit_test_setup(when_they_run_out_all_are_flushed_and_given_out_anew, fresh),
        cmocka_unit_test_setup(one_that_slept_through_any_number_of_drops_does_not_find_its_translations_again, fresh),
        cmocka_unit_test_setup(a_processor_that_has_few_has_one, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
