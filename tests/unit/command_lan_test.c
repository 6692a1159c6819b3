/* Networks by command: who may, what they are told, what is recorded, and what becomes of it when somebody leaves. */
#include "tests/unit/command_scene.h"

#include "cp/network/table.h"
#include "cp/session/nic.h"
#include "cp/session/record.h"

static const struct port *port_of(const char *user, unsigned n) { return &nic_at(session_find(user), n)->port; }

static const struct lan *lan_of(const char *user, unsigned n) { return port_of(user, n)->lan; }

static void at_logon_each_nic_is_coupled_to_its_first_lan(void **state)
{
    (void)state;
    assert_string_equal(lan_of("BOB", 0)->name, "NET1");
    assert_string_equal(lan_of("BOB", 1)->name, "NET2");
    assert_ptr_equal(lan_of("BOB", 0), lan_of("ALICE", 0));
    assert_null(nic_at(session_find("OPERATOR"), 0));
    assert_int_equal(lan_of("BOB", 0)->ports, 2);
}

static void what_there_is_is_shown_to_whom_it_is_for(void **state)
{
    (void)state;
    assert_int_equal(run("BOB", "QUERY NIC 601"), 0);
    assert_non_null(strstr(answer, "Adapter 0601 Type: VIRTIO  MAC: 02-00-00-00-00-01  LAN: SYSTEM NET2\n"
                                   "  Porttype: ACCESS  VLAN: 0000  Rate: NONE\n  RX Packets: 0 "));
    assert_int_equal(run("BOB", "QUERY LAN"), 0);
    assert_non_null(strstr(answer, "LAN SYSTEM   NET1     Type: ETHERNET  Connected: 2    Maxconn: 128\n"
                                   "  PERSISTENT  RESTRICTED  Uplink: NONE\n"));
    assert_non_null(strstr(answer, "NET2"));
    assert_int_equal(run("ALICE", "QUERY LAN"), 0);
    assert_null(strstr(answer, "NET2"));
    assert_int_equal(run("OPERATOR", "QUERY LAN"), 0); /* class B */
    assert_non_null(strstr(answer, "NET2"));
    assert_int_equal(run("BOB", "QUERY VIRTUAL"), 0);
    assert_non_null(strstr(answer, "Adapter 0601"));
    assert_int_equal(run("OPERATOR", "QUERY VIRTUAL"), 0);
    assert_null(strstr(answer, "Adapter"));
}

static void a_lan_of_ones_own_is_for_those_whom_the_directory_lets(void **state)
{
    (void)state;
    assert_int_equal(run("ALICE", "DEFINE LAN PLAY"), 0);
    assert_string_equal(answer, "LAN ALICE PLAY is created\n");
    assert_int_equal(run("ALICE", "DEFINE LAN PLAY"), 9124);
    assert_int_equal(run("ALICE", "DEFINE LAN MORE"), 9124);
    assert_int_equal(run("BOB", "COUPLE 601 TO ALICE PLAY"), 6011);
    assert_int_equal(run("BOB", "UNCOUPLE 600"), 0);
    assert_string_equal(answer, "NIC 0600 is disconnected from LAN SYSTEM NET1\n");
    assert_int_equal(run("BOB", "COUPLE 600 TO ALICE PLAY"), 0);
    assert_string_equal(answer, "NIC 0600 is connected to LAN ALICE PLAY\n");
    assert_int_equal(run("ALICE", "UNCOUPLE 600"), 0);
    assert_int_equal(run("ALICE", "COUPLE 600 * PLAY"), 0);
    assert_ptr_equal(lan_of("ALICE", 0), lan_of("BOB", 0));
    shown(1);
    assert_int_equal(run("ALICE", "DETACH LAN PLAY"), 0);
    turn();
    assert_shows(1, "NIC 0600 IS DISCONNECTED FROM LAN ALICE PLAY, WHICH HAS ENDED");
    assert_null(lan_of("BOB", 0));
    assert_null(lan_of("ALICE", 0));
    assert_null(lan_find("ALICE", "PLAY"));
}

static void a_lan_ends_with_its_owners_session_and_the_systems_do_not(void **state)
{
    (void)state;
    assert_int_equal(run("ALICE", "DEFINE LAN PLAY"), 0);
    assert_int_equal(run("BOB", "UNCOUPLE 600"), 0);
    assert_int_equal(run("BOB", "COUPLE 600 TO ALICE PLAY"), 0);
    assert_int_equal(run("OPERATOR", "FORCE ALICE"), 0);
    turn();
    assert_null(lan_of("BOB", 0));
    assert_null(lan_find("ALICE", "PLAY"));
    assert_null(lan_find(LAN_SYSTEM, "NET1")); /* nobody is coupled to it, and all the same it is shown */
    assert_int_equal(run("BOB", "QUERY LAN NET1"), 0);
    assert_non_null(strstr(answer, "Connected: 0 "));
    assert_int_equal(run("BOB", "COUPLE 600 TO SYSTEM NET1"), 0);
}

static void one_trunk_of_a_machine_is_on_a_lan(void **state)
{
    (void)state;
    nic_at(session_find("BOB"), 0)->port.trunk = nic_at(session_find("BOB"), 1)->port.trunk = true;
    assert_int_equal(run("BOB", "UNCOUPLE 601"), 0);
    assert_int_equal(run("BOB", "COUPLE 601 TO SYSTEM NET1"), 9123);
    assert_non_null(strstr(answer, "another trunk of the machine is there"));
}

static void coupling_and_what_was_refused_is_recorded(void **state)
{
    (void)state;
    run("BOB", "COUPLE 600 TO SYSTEM NET2");
    run("BOB", "UNCOUPLE 600");
    run("BOB", "COUPLE 600 TO SYSTEM NET1");
    run("ALICE", "DEFINE LAN PLAY");
    turn();
    type(2, "QUERY AUDIT 10\r");
    const char *text = shown(2);
    assert_non_null(strstr(text, "COUPLE 0600 TO SYSTEM NET2 REFUSED 6011"));
    assert_non_null(strstr(text, "UNCOUPLE 0600 FROM SYSTEM NET1"));
    assert_non_null(strstr(text, "COUPLE 0600 TO SYSTEM NET1"));
    assert_non_null(strstr(text, "DEFINE LAN PLAY"));
}

static void a_machine_without_storage_for_its_nics_is_one_all_the_same(void **state)
{
    (void)state;
    assert_int_equal(run("OPERATOR", "FORCE BOB"), 0);
    turn();
    fake_no_nics = true;
    shown(1);
    logon(1, "BOB");
    fake_no_nics = false;
    assert_shows(1, "HCPCPL9126W Your machine has not all its NICs: CP has no storage");
    assert_non_null(nic_at(session_find("BOB"), 0));
    assert_null(nic_at(session_find("BOB"), 1));
}

static void a_directory_that_has_a_lan_no_more_lets_it_end(void **state)
{
    (void)state;
    unsigned lans = directory.lans;
    run("BOB", "UNCOUPLE 601");
    directory.lans = 0;
    nic_follow_directory();
    assert_null(lan_find(LAN_SYSTEM, "NET2"));
    assert_non_null(lan_find(LAN_SYSTEM, "NET1")); /* somebody is coupled to it */
    run("BOB", "UNCOUPLE 600");
    assert_int_equal(run("BOB", "COUPLE 600 TO SYSTEM NET1"), 9120);
    directory.lans = lans;
    assert_int_equal(run("BOB", "COUPLE 600 TO SYSTEM NET1"), 0);
}

static int each(void **state)
{
    scene_reset(state);
    return everybody(state);
}

#define EACH(name) cmocka_unit_test_setup(name, each)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(at_logon_each_nic_is_coupled_to_its_first_lan),
        EACH(what_there_is_is_shown_to_whom_it_is_for),
        EACH(a_lan_of_ones_own_is_for_those_whom_the_directory_lets),
        EACH(a_lan_ends_with_its_owners_session_and_the_systems_do_not),
        EACH(one_trunk_of_a_machine_is_on_a_lan),
        EACH(coupling_and_what_was_refused_is_recorded),
        EACH(a_machine_without_storage_for_its_nics_is_one_all_the_same),
        EACH(a_directory_that_has_a_lan_no_more_lets_it_end),
    };

    scene_nics = true;
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
