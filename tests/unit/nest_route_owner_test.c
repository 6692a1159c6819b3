/* Exits that do not hang on what L2 did alone: CP's own, those CP makes up for L1, those that nobody can do without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nest/route.h"
#include "tests/unit/fake/vmx_machine.h"

static struct fake_vmx m;
static struct vmcs inner;

static int start(void **state)
{
    (void)state;
    fake_vmx_start(&m, NEST_TRAP);
    memset(&inner, 0, sizeof(inner));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_vmx_stop(&m);
    return m.complaint != NULL;
}

static void what_only_hardware_beneath_cp_can_do_is_cps(void **state)
{
    static const uint8_t cps[] = {EXIT_EXTERNAL_INTERRUPT, EXIT_INIT,        EXIT_SIPI,       EXIT_ENTRY_MCE,
                                  EXIT_PML_FULL,           EXIT_APIC_ACCESS, EXIT_APIC_WRITE, EXIT_EOI};
    struct nest_route_state route = {.host = &m.host};
    (void)state;
    for (unsigned reason = 0; reason < EXIT_REASONS; reason++) {
        const struct exit exit = {.reason = reason};
        if (reason == EXIT_EXCEPTION_NMI || reason == EXIT_PREEMPTION_TIMER)
            continue;
        assert_int_equal(nest_cp_wants(&route, &m.base, &inner, &exit), memchr(cps, (int)reason, sizeof(cps)) != NULL);
    }
}

/* An NMI of the real machine is CP's; one that CP gave L2 goes to whom L1's controls say. */
static void an_nmi_is_l1s_if_it_is_virtual_and_l1_wants_them(void **state)
{
    const struct exit nmi = {.reason = EXIT_EXCEPTION_NMI, .interruption_info = 0x80000202};
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        const struct nest_route_state route = {.host = &m.host, .virtual_nmi = n & 1};
        inner.pin_controls = n & 2 ? PIN_NMI_EXITING : 0;
        assert_int_equal(nest_cp_wants(&route, &m.base, &inner, &nmi), !(n & 1));
        assert_int_equal(nest_inner_wants(&route, &inner, &nmi), n == 3);
    }
}

static void the_timer_is_l1s_if_it_has_one_and_that_ran_out(void **state)
{
    const struct exit timer = {.reason = EXIT_PREEMPTION_TIMER};
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        const struct nest_route_state route = {.host = &m.host, .timer_expired = n & 1};
        inner.pin_controls = n & 2 ? PIN_PREEMPTION_TIMER : 0;
        assert_int_equal(nest_inner_wants(&route, &inner, &timer), n == 3);
        assert_int_equal(nest_cp_wants(&route, &m.base, &inner, &timer), n != 3);
    }
}

/* What CP makes up for L1 and asks about first. */
static void interrupts_init_and_sipi_are_l1s_when_they_are_its_own(void **state)
{
    const struct nest_route_state route = {.host = &m.host};
    const struct exit interrupt = {.reason = EXIT_EXTERNAL_INTERRUPT}, init = {.reason = EXIT_INIT},
                      sipi = {.reason = EXIT_SIPI};
    (void)state;
    assert_true(nest_inner_wants(&route, &inner, &init));
    assert_true(nest_inner_wants(&route, &inner, &sipi));
    assert_false(nest_inner_wants(&route, &inner, &interrupt));
    inner.pin_controls = PIN_EXTERNAL_INTERRUPT_EXITING;
    assert_true(nest_inner_wants(&route, &inner, &interrupt));
    inner.pin_controls = ~(uint32_t)PIN_EXTERNAL_INTERRUPT_EXITING;
    assert_false(nest_inner_wants(&route, &inner, &interrupt));
}

/* Exits that no VMCS can do without: whoever is innermost gets them, without asking further. */
static void unconditional_exits_are_the_innermosts(void **state)
{
    static const uint8_t always[] = {EXIT_TRIPLE_FAULT, EXIT_TASK_SWITCH, EXIT_CPUID,    EXIT_GETSEC,
                                     EXIT_INVD,         EXIT_VMCALL,      EXIT_VMCLEAR,  EXIT_VMLAUNCH,
                                     EXIT_VMPTRLD,      EXIT_VMPTRST,     EXIT_VMRESUME, EXIT_VMXOFF,
                                     EXIT_VMXON,        EXIT_INVEPT,      EXIT_INVVPID,  EXIT_XSETBV};
    (void)state;
    for (unsigned reason = 0; reason < EXIT_REASONS + 2; reason++)
        assert_int_equal(nest_route_is_innermost(reason), memchr(always, (int)reason, sizeof(always)) != NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_only_hardware_beneath_cp_can_do_is_cps),
        TEST(an_nmi_is_l1s_if_it_is_virtual_and_l1_wants_them),
        TEST(the_timer_is_l1s_if_it_has_one_and_that_ran_out),
        TEST(interrupts_init_and_sipi_are_l1s_when_they_are_its_own),
        TEST(unconditional_exits_are_the_innermosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
