/* Who is told of terminals that dial, and of what they may say. */
#include "tests/unit/dial_scene.h"

static void the_operator_is_told_who_dials_and_who_hangs_up_in_whatever_way(void **state)
{
    (void)state;
    logon(2, "OPERATOR");
    shown(2);
    dial(0);
    assert_shows(2, "DIALED     TO ALICE    DIALED = 1");
    type(0, "#CP UNDIAL\r");
    assert_shows(2, "DROPPED    FROM ALICE    DIALED = 0");
    dial(0);
    carrier(0, false);
    turn();
    assert_shows(2, "DROPPED    FROM ALICE    DIALED = 0");
    carrier(0, true);
    turn();
    shown(0);
    dial(0);
    shown(2);
    type(1, "#CP RESET 2F8\r");
    assert_shows(2, "DROPPED    FROM ALICE    DIALED = 0");
}

static void help_before_logon_tells_of_undial(void **state)
{
    (void)state;
    type(0, "HELP\r");
    assert_shows(0, "  UNDIAL\r\n");
    type(1, "#CP HELP\r");
    assert_null(strstr(shown(1), "UNDIAL"));
}

static int start(void **state)
{
    (void)state;
    scene_begin();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_operator_is_told_who_dials_and_who_hangs_up_in_whatever_way, begin),
        cmocka_unit_test_setup(help_before_logon_tells_of_undial, begin),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
