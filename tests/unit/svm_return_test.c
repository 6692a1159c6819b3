/* NMIs and the IRET that unblocks them, where the exit comes before the IRET. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cp/svm/return.h"

enum { BLOCKED_NMI = 8, IRET_AT = 0x1000, TARGET = 0x2000, HANDLER = 0x3000 };
#define INJECTED(type) (VMCB_EVENT_VALID | (type) << 8 | 14)

static struct vmcb vmcb;
static struct svm_state state;
static bool over;

static int begin(void **context)
{
    (void)context;
    memset(&vmcb, 0, sizeof vmcb);
    memset(&state, 0, sizeof state);
    state.vmcb = &vmcb;
    state.image.guest_interruptibility = BLOCKED_NMI;
    vmcb.rip = IRET_AT;
    svm_return_begin(&state);
    return 0;
}

static bool blocked(void) { return state.image.guest_interruptibility & BLOCKED_NMI; }

/* One stay in the guest. */
static void run(uint64_t event, uint64_t to)
{
    vmcb.event_injection = event;
    svm_return_prepare(&state);
    vmcb.event_injection = 0;
    vmcb.rip = to;
    over = svm_return_look(&state);
}

static bool exits_at_iret(void)
{
    static const struct svm_maps maps;
    svm_control_apply(&state, &maps);
    return vmcb.intercepts & VMCB_IRET;
}

static void they_are_blocked_until_it_is_over_whatever_exits_come_between(void **context)
{
    (void)context;
    assert_false(vmcb.rflags & 1 << 16);
    assert_true(state.controls_stale);
    for (unsigned i = 0; i < 3; i++) {
        run(0, IRET_AT);
        assert_true(blocked());
        assert_false(over);
        assert_false(exits_at_iret());
    }
    run(0, TARGET);
    assert_true(over);
    assert_false(blocked());
    assert_false(exits_at_iret());
}

static void a_fault_of_its_own_unblocks_them_too(void **context)
{
    (void)context;
    run(INJECTED(3ull), HANDLER);
    assert_false(blocked());
}

static void an_event_before_it_leaves_them_blocked_and_it_exits_again(void **context)
{
    static const uint64_t types[] = {0, 2, 4};

    for (unsigned i = 0; i < 3; i++) {
        begin(context);
        run(INJECTED(types[i]), HANDLER);
        assert_true(blocked());
        assert_true(exits_at_iret());
    }
}

static void one_that_a_monitor_took_away_from_is_under_way_no_more(void **context)
{
    (void)context;
    vmcb.rip = HANDLER;
    run(0, TARGET);
    assert_true(blocked());
    assert_true(exits_at_iret());
}

static void who_unblocks_them_by_hand_ends_it(void **context)
{
    (void)context;
    state.image.guest_interruptibility = 0;
    run(0, IRET_AT);
    state.image.guest_interruptibility = BLOCKED_NMI;
    run(0, TARGET);
    assert_true(blocked());
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(they_are_blocked_until_it_is_over_whatever_exits_come_between),
        TEST(a_fault_of_its_own_unblocks_them_too),
        TEST(an_event_before_it_leaves_them_blocked_and_it_exits_again),
        TEST(one_that_a_monitor_took_away_from_is_under_way_no_more),
        TEST(who_unblocks_them_by_hand_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
