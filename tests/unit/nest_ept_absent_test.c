/* EPT02 on a processor with L1 terminal fault, which reads ahead where an absent entry points. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nest/ept.h"
#include "tests/unit/fake/vmx_machine.h"

enum { RWX = 7, WRITE_BACK = 6 << 3, PML4 = FAKE_EPT, PDPT = FAKE_EPT + 0x1000, PD = FAKE_EPT + 0x2000,
       PT = FAKE_EPT + 0x3000, EPTP = PML4 | 3 << 3 | 6, INVEPT_ALL = 2 };

static struct fake_vmx m;

static void entry_put(uint64_t at, uint64_t entry)
{
    memcpy(m.storage + at, &entry, sizeof(entry));
}

/* L2 page 0x5000 at L1 page 0x9000, 0x7000 at none. */
static void map(uint64_t rights)
{
    entry_put(PML4, PDPT | RWX);
    entry_put(PDPT, PD | RWX);
    entry_put(PD, PT | RWX);
    entry_put(PT + 5 * 8, 0x9000 | rights | WRITE_BACK);
}

static enum nest_result touch(uint64_t gpa2, unsigned access)
{
    const struct exit exit = {.reason = EXIT_EPT_VIOLATION, .qualification = access | 0x180, .guest_physical = gpa2,
                              .guest_linear = gpa2};
    enum nest_result result = fake_vmx_exit(&m, &exit);

    if (result == NEST_RESUME)
        assert_true(fake_vmx_load(&m));
    return result;
}

static unsigned absent(const uint64_t *table, unsigned level)
{
    unsigned found = 0;

    for (unsigned i = 0; i < 512; i++) {
        if (!(table[i] & RWX))
            assert_int_equal(table[i], 0), found++;
        else if (level && !(table[i] & EPT_LARGE))
            found += absent((const uint64_t *)(uintptr_t)(table[i] & 0xFFFFFFFFFF000ull), level - 1);
    }
    return found;
}

static void assert_absent_entries_are_zero(unsigned levels)
{
    assert_int_equal(absent(nest_ept_get(&m.nest, EPTP)->root, 3), levels == 1 ? 512 : 4 * 511);
}

static void an_entry_of_ept02_that_is_not_present_names_no_page(void **state)
{
    static const uint64_t rights[] = {RWX, EPT_READ, EPT_READ | EPT_WRITE, EPT_READ | EPT_EXECUTE};
    uint64_t everything[2] = {0, 0};

    (void)state;
    fake_vmx_start(&m, NEST_SHADOW);
    fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    fake_vmx_write(&m, VMCS_EPT_POINTER, EPTP);
    for (unsigned i = 0; i < sizeof rights / sizeof *rights; i++) {
        map(rights[i]);
        assert_int_equal(fake_vmx_plain(&m, i ? EXIT_VMRESUME : EXIT_VMLAUNCH), NEST_ENTERED);
        assert_true(fake_vmx_load(&m));
        assert_absent_entries_are_zero(1); /* nothing is left of what INVEPT threw away */
        assert_int_equal(touch(0x5000, EPT_READ), NEST_RESUME);
        assert_absent_entries_are_zero(4);
        assert_int_equal(touch(0x7000, EPT_READ), NEST_REFLECTED); /* and nothing is made of what L1 must mend */
        assert_absent_entries_are_zero(4);
        memcpy(m.storage + 0x900, everything, sizeof everything);
        m.gpr[6] = INVEPT_ALL;
        assert_int_equal(fake_vmx_memory(&m, EXIT_INVEPT, 0x900, 6), NEST_SKIP);
    }
    fake_vmx_stop(&m);
    assert_null(m.complaint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_entry_of_ept02_that_is_not_present_names_no_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
