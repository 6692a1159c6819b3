/* The end of CP: everybody's words out, but not at any price. One test, since nothing comes after it. */
#include "tests/unit/session_scene.h"

static void who_does_not_read_keeps_cp_from_ending_for_seconds_only(void **state)
{
    static const char words[] = "nobody reads this";
    (void)state;
    logon(0, "ALICE");
    struct fake_vm *alice = (struct fake_vm *)vm_of("ALICE");
    alice->in_flight = 1; /* nor does who has their disks go on for ever */
    alice->reads_its_ring = true;
    fake_line[0].stuck = true;
    vm_output(vm_of("ALICE"), 0, (const uint8_t *)words, sizeof words - 1);
    shutdown_begin();
    turn();
    turn();
    assert_null(session_find("ALICE"));
    assert_false(shutdown_done);
    fake_clock_advance(4000000000);
    turn();
    assert_false(shutdown_done);
    fake_clock_advance(2000000000);
    turn();
    assert_true(shutdown_done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(who_does_not_read_keeps_cp_from_ending_for_seconds_only)};
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
