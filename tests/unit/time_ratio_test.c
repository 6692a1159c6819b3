#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cp/time/ratio.h"

static void same(uint64_t n, uint32_t d, uint32_t most, uint32_t numerator, uint32_t denominator)
{
    struct ratio r = ratio_nearest(n, d, most);

    assert_int_equal(r.numerator, numerator);
    assert_int_equal(r.denominator, denominator);
}

static void a_fraction_that_fits_is_only_reduced(void **state)
{
    (void)state;
    same(3000000000, 1000000000, 4294, 3, 1);
    same(2400000000, 1000000000, 4294, 12, 5);
    same(1, 3, 1, 1, 3);
    same(4294, 1, 4294, 4294, 1);
    same(0, 7, 10, 0, 1);
}

static void one_that_does_not_is_replaced_by_the_nearest(void **state)
{
    (void)state;
    same(3141592653, 1000000000, 400, 355, 113);
    same(3141592653, 1000000000, 354, 333, 106);
    same(3141592653, 1000000000, 21, 19, 6); /* between the convergents 3 and 22/7 */
    same(3141592653, 1000000000, 22, 22, 7);
    same(9, 1, 4, 4, 1); /* beyond all that there are */
    same(UINT64_MAX, 1, UINT32_MAX, UINT32_MAX, 1);
    same(1, UINT32_MAX, 1, 1, UINT32_MAX);
}

static double distance(double a, double b) { return a > b ? a - b : b - a; }

/* Against all numerators there are, each with its two denominators around the exact one. */
static void nothing_within_the_bound_is_nearer(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        seed = seed * 1664525 + 1013904223;
        uint64_t n = 100000000 + (uint64_t)seed * 3 % 9900000000;
        uint32_t d = 1000000000, most = i % 3 ? 4294 : 1 + seed % 100;
        struct ratio r = ratio_nearest(n, d, most);
        double exact = (double)n / d, got = distance((double)r.numerator / r.denominator, exact);
        assert_in_range(r.numerator, 1, most);
        for (uint32_t p = 1; p <= most; p++) {
            uint64_t q = (uint64_t)p * d / n;
            assert_true(!q || distance((double)p / (double)q, exact) >= got * (1 - 1e-6) - 1e-15);
            assert_true(distance((double)p / (double)(q + 1), exact) >= got * (1 - 1e-6) - 1e-15);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fraction_that_fits_is_only_reduced),
        cmocka_unit_test(one_that_does_not_is_replaced_by_the_nearest),
        cmocka_unit_test(nothing_within_the_bound_is_nearer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
