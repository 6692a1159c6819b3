/* XAUTOLOG and FORCE: who comes and goes by another's word, and when. */
#include "tests/unit/command_scene.h"

#include "cp/session/logon.h"

static void xautolog_needs_permission(void **state)
{
    (void)state;
    type(1, "LOGOFF\r");
    assert_answer("ALICE", "XAUTOLOG MAINT", 9024, "HCPXAL9024E You are not authorized to XAUTOLOG MAINT\n");
    assert_answer("ALICE", "XAUTOLOG BOB", 0, "Command accepted\n");
    assert_answer("ALICE", "XAUTOLOG BOB", 9023, "HCPXAL9023E BOB is already logged on\n");
    assert_null(session_find("BOB")); /* it is noted, and no more */
    turn();
    assert_shows(0, "AUTO LOGON  ***  BOB      USERS = 3\r\n");
    assert_shows(2, "DSC   AUTO LOGON AS BOB      USERS = 3  BY ALICE\r\n");
    assert_answer("ALICE", "XAUTOLOG BOB", 9023, "HCPXAL9023E BOB is already logged on\n");
    assert_answer("ALICE", "Q BOB", 0, "BOB      - DSC");
    assert_answer("OPERATOR", "XAUTOLOG MAINT", 0, "Command accepted\n");
    assert_answer("OPERATOR", "XAUTOLOG EVE", 53, "HCPXAL053E EVE not in CP directory\n");
}

static void an_autolog_that_cannot_be_done_is_told_of_later(void **state)
{
    (void)state;
    type(1, "LOGOFF\r");
    assert_answer("ALICE", "XAUTOLOG BOB", 0, "Command accepted\n");
    fake_no_machines = 1;
    turn();
    assert_shows(0, "HCPXAL9022E LOGON unsuccessful--CP has no storage for the machine of BOB\r\n");
    assert_null(session_find("BOB"));
    assert_answer("ALICE", "XAUTOLOG BOB", 0, "Command accepted\n");
    struct terminal *second = fake_line[1].line.owner;
    logon_complete(second->session, directory_find(&directory, "BOB")); /* by themselves, before CP came to it */
    turn();
    assert_shows(0, "HCPXAL9023E BOB is already logged on\r\n");
    assert_int_equal(session_users(), 3);
    assert_non_null(session_find("BOB")->output.terminal);
    type(1, "LOGOFF\r");
    assert_answer("ALICE", "XAUTOLOG BOB", 0, "Command accepted\n");
    assert_int_equal(run("ALICE", "LOGOFF"), 0); /* who asked leaves */
    turn();
    assert_non_null(session_find("BOB"));
    assert_int_equal(session_users(), 2);
}

static void who_is_forced_off_does_nothing_else_before(void **state)
{
    (void)state;
    ((struct fake_vm *)vm_of("BOB"))->in_flight = 1;
    assert_int_equal(run("OPERATOR", "FORCE BOB"), 0);
    assert_int_equal(run("BOB", "IPL TEST"), 0);
    assert_int_equal(run("BOB", "DISCONNECT"), 0);
    turn();
    assert_non_null(vm_of("BOB"));
    ((struct fake_vm *)vm_of("BOB"))->in_flight = 0;
    turn();
    assert_null(vm_of("BOB"));
}

static void force_logs_off_and_the_operator_hears_of_it(void **state)
{
    (void)state;
    assert_answer("OPERATOR", "FORCE MAINT", 45, "HCPFRC045E MAINT not logged on\n");
    assert_int_equal(run("OPERATOR", "FORCE BOB"), 0);
    assert_answer("OPERATOR", "FORCE BOB", 361, "HCPFRC361E LOGOFF/FORCE pending for user BOB\n");
    turn();
    assert_null(vm_of("BOB"));
    assert_shows(1, " BY OPERATOR\r\n");
    assert_shows(2, "L0002 FORCED     AS BOB      USERS = 2  BY OPERATOR\r\n");
    logon(1, "BOB");
    assert_shows(2, "L0002 LOGON      AS BOB      USERS = 3\r\n");
}

#define TEST(name) cmocka_unit_test_setup(name, everybody)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(xautolog_needs_permission),
        TEST(an_autolog_that_cannot_be_done_is_told_of_later),
        TEST(who_is_forced_off_does_nothing_else_before),
        TEST(force_logs_off_and_the_operator_hears_of_it),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
