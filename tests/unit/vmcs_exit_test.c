/* The names of exit reasons, as INDICATE NEST and TRACE show them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "vmcs-shadow/exit.h"

static bool is_reserved(unsigned reason) { return !strcmp(exit_reason_name(reason), "RESERVED"); }

/* SDM Appendix "VMX Basic Exit Reasons": but for SMM's and those that nothing here can have */
static void each_reason_has_a_name_of_its_own(void **state)
{
    unsigned named = 0;
    (void)state;
    for (unsigned reason = 0; reason < EXIT_REASONS; reason++)
        for (unsigned other = 0; other < reason; other++)
            if (!is_reserved(reason))
                assert_string_not_equal(exit_reason_name(reason), exit_reason_name(other));
    for (unsigned reason = 0; reason < EXIT_REASONS; reason++)
        named += !is_reserved(reason);
    assert_int_equal(named, 60);
    assert_string_equal(exit_reason_name(EXIT_CPUID), "CPUID");
    assert_string_equal(exit_reason_name(EXIT_VMRESUME), "VMRESUME");
    assert_string_equal(exit_reason_name(EXIT_XRSTORS), "XRSTORS");
}

static void what_is_none_is_reserved(void **state)
{
    (void)state;
    assert_true(is_reserved(35)); /* no reason at all */
    for (unsigned reason = EXIT_REASONS; reason < EXIT_REASONS + 100; reason++)
        assert_true(is_reserved(reason));
    assert_true(is_reserved(0xFFFF));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason_has_a_name_of_its_own),
        cmocka_unit_test(what_is_none_is_reserved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
