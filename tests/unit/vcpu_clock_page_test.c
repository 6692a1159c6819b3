/* KVM's clock: what a program reads of it is the time since its reset, whatever it does to its TSC. */
#include "tests/unit/dispatch_scene.h"

#include "cp/vcpu/clock_page.h"

enum { TSC = 0x10, TSC_ADJUST = 0x3B, PLACE = 0x5FF0 /* in two pages */, WALL = 0x7000 };
#define HOUR_NS 3600000000000ll

/* A program writes the MSR, and goes on. */
static bool takes(uint32_t msr, uint64_t value)
{
    bool is_taken = !msr_policy_write(vm, msr, value);
    clock_page_follow(vm);
    return is_taken;
}

static uint64_t value_of(uint32_t msr)
{
    uint64_t value = 0;
    assert_int_equal(msr_policy_read(vm, msr, &value), 0);
    return value;
}

/* As Linux' pvclock_scale_delta(). */
static uint64_t scaled(uint64_t ticks, const struct clock_page_time *t)
{
    ticks = t->tsc_shift < 0 ? ticks >> -t->tsc_shift : ticks << t->tsc_shift;
    return (uint64_t)((unsigned __int128)ticks * t->tsc_to_system_mul >> 32);
}

static struct clock_page_time page(void)
{
    struct clock_page_time t;
    assert_int_equal(guest_read(&vm->storage, gpa(PLACE), &t, sizeof t), GUEST_OK);
    return t;
}

static uint64_t time_in_guest(void)
{
    struct clock_page_time t = page();
    return t.system_time + scaled(value_of(TSC) - t.tsc_timestamp, &t);
}

static void the_rate_is_exact_to_a_part_in_a_billion(void **state)
{
    static const uint64_t rates[] = {1, 1193182, 100000000, 999999999, 1000000000, 1000000001, 1999999999, 2000000000,
                                     2000000001, 2600016000, 4000000000, 5199999999, 99999999999};

    (void)state;
    for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct clock_page_time t = {0};
        clock_page_rate(rates[i], &t);
        assert_true(t.tsc_to_system_mul >> 31);
        int64_t off = (int64_t)scaled(rates[i] * 3600, &t) - HOUR_NS;
        assert_in_range(off < 0 ? -off : off, 0, HOUR_NS / 0x40000000 + 1);
    }
}

static void a_program_reads_the_time_since_its_reset(void **state)
{
    (void)state;
    fake_clock_advance(SCENE_HZ / 4);
    assert_true(takes(CLOCK_PAGE_SYSTEM, PLACE | 1));
    assert_int_equal(value_of(CLOCK_PAGE_SYSTEM), PLACE | 1);
    assert_int_equal(page().version % 2, 0);
    assert_int_equal(page().flags, CLOCK_PAGE_TSC_STABLE);
    assert_in_range(time_in_guest(), 249999998, 250000000);
    fake_clock_advance((uint64_t)SCENE_HZ * 10);
    assert_in_range(time_in_guest(), 10249999990, 10250000000);
}

static void what_is_added_to_the_tsc_does_not_move_the_clock(void **state)
{
    (void)state;
    assert_true(takes(CLOCK_PAGE_SYSTEM, PLACE | 1));
    fake_clock_advance(SCENE_HZ);
    uint32_t before = page().version;
    assert_true(takes(TSC, 12345));
    assert_in_range(time_in_guest(), 999999990, 1000000000);
    assert_true(page().version != before && page().version % 2 == 0);
    assert_true(takes(TSC_ADJUST, 1ull << 60));
    assert_in_range(time_in_guest(), 999999990, 1000000000);
    assert_true(takes(CLOCK_PAGE_SYSTEM, 0)); /* off */
    before = page().version;
    assert_true(takes(TSC, 0));
    assert_int_equal(page().version, before);
}

static void the_wall_clock_is_of_the_reset(void **state)
{
    struct clock_page_wall wall;
    uint64_t begun = clock_unix_us();

    (void)state;
    fake_clock_advance((uint64_t)SCENE_HZ * 7);
    assert_true(takes(TSC, 99));
    begun = clock_unix_us() - 7000000;
    assert_true(takes(CLOCK_PAGE_WALL, WALL));
    assert_int_equal(value_of(CLOCK_PAGE_WALL), WALL);
    assert_int_equal(guest_read(&vm->storage, gpa(WALL), &wall, sizeof wall), GUEST_OK);
    assert_int_equal(wall.sec * 1000000ull + wall.nsec / 1000, begun);
    assert_int_equal(wall.version % 2, 0);
}

static void an_address_that_is_none_is_general_protection(void **state)
{
    static const uint64_t bad[] = {2, PLACE | 2, PLACE | 3, (SCENE_GUEST_MIB << 20) | 1,
                                   ((SCENE_GUEST_MIB << 20) - 16) | 1, 0xFEE00001, 0xC0000001,
                                   1ull << 52 | 1, ~0ull, ~0ull - 2, 1ull << 63 | 1};

    (void)state;
    assert_true(takes(CLOCK_PAGE_SYSTEM, PLACE | 1));
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(takes(CLOCK_PAGE_SYSTEM, bad[i]));
        assert_false(takes(CLOCK_PAGE_WALL, bad[i]));
        assert_int_equal(value_of(CLOCK_PAGE_SYSTEM), PLACE | 1);
        assert_int_equal(value_of(CLOCK_PAGE_WALL), 0);
    }
    assert_int_equal(vm->state, VM_RUNNABLE);
}

static void where_it_is_not_offered_there_are_no_such_msrs(void **state)
{
    uint64_t value;

    (void)state;
    vm->config.grants |= 1u << GRANT_NO_KVM_CLOCK;
    for (uint32_t msr = CLOCK_PAGE_WALL; msr <= CLOCK_PAGE_SYSTEM; msr++) {
        assert_false(takes(msr, PLACE));
        assert_int_equal(msr_policy_read(vm, msr, &value), -1);
    }
    assert_int_equal(msr_policy_read(vm, CLOCK_PAGE_SYSTEM + 1, &value), -1);
}

static void a_reset_ends_it(void **state)
{
    (void)state;
    assert_true(takes(CLOCK_PAGE_SYSTEM, PLACE | 1));
    uint32_t before = page().version;
    vm_reset(vm);
    assert_int_equal(value_of(CLOCK_PAGE_SYSTEM), 0);
    assert_true(takes(TSC, 5));
    assert_int_equal(page().version, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(the_rate_is_exact_to_a_part_in_a_billion),
        scene_test(a_program_reads_the_time_since_its_reset),
        scene_test(what_is_added_to_the_tsc_does_not_move_the_clock),
        scene_test(the_wall_clock_is_of_the_reset),
        scene_test(an_address_that_is_none_is_general_protection),
        scene_test(where_it_is_not_offered_there_are_no_such_msrs),
        scene_test(a_reset_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
