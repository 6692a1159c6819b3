/* What is recorded of users, and what QUERY AUDIT shows of it. */
#include "tests/unit/command_scene.h"

#include "cp/audit/log.h"
#include "cp/minidisk/area.h"
#include "cp/session/idle.h"
#include "cp/session/operator.h"
#include "cp/session/record.h"
#include "cp/terminal/terminal.h"

static uint8_t *area(unsigned block) { return scene_disk.medium + (900 + block) * VOLUME_BLOCK; }

static void restart_log(void)
{
    audit_begin(area_open(AREA_AUDIT), operator_tell_audit);
    turn();
}

/* A new log, three people, and time enough to have all of it recorded. */
static int anew(void **state)
{
    memset(area(0), 0, SCENE_AUDIT * VOLUME_BLOCK);
    fake_clock_advance(10000ull * 1000000000);
    restart_log();
    return everybody(state);
}

static const char *query(const char *what)
{
    static char line[40];
    snprintf(line, sizeof line, "QUERY AUDIT %s\r", what);
    shown(2);
    type(2, line);
    turn();
    return shown(2);
}

/* The records of a log as it stands, each of them without number and time. */
static void assert_recorded(const char *record)
{
    const char *all = query("ALL");
    if (!strstr(all, record))
        fail_msg("no \"%s\" in:\n%s", record, all);
}

static void assert_not_recorded(const char *record)
{
    const char *all = query("ALL");
    if (strstr(all, record))
        fail_msg("\"%s\" in:\n%s", record, all);
}

static void who_comes_and_goes_is_recorded_with_the_account(void **state)
{
    (void)state;
    assert_recorded("L0001 ALICE    LOGON\r\n");
    type(1, "DISCONNECT\r");
    logon(1, "BOB");
    type(2, "FORCE ALICE\r");
    type(1, "LOGOFF\r");
    turn();
    assert_recorded("BOB      DISCONNECT\r\n");
    assert_recorded("BOB      RECONNECT\r\n");
    assert_recorded("L0003 OPERATOR FORCE ALICE\r\n");
    assert_recorded("ALICE    FORCED BY OPERATOR CONNECT=");
    assert_recorded("L0002 BOB      LOGOFF CONNECT=00:");
    assert_recorded(" STEAL=000:00.0");
}

static void refusals_are_recorded_without_what_was_typed_as_a_password(void **state)
{
    (void)state;
    type(1, "LOGOFF\r");
    type(1, "LOGON MAINT\r");
    type(1, "sesame\r");
    turn();
    assert_recorded("L0002 -        LOGON MAINT REFUSED\r\n");
    assert_not_recorded("sesame");
    run("ALICE", "SHUTDOWN now");
    assert_recorded("L0001 ALICE    SHUTDOWN REFUSED\r\n");
    run("ALICE", "LINK BOB 191 300 R PASS= sesame");
    assert_recorded("ALICE    LINK BOB 0191 AS 0300 REFUSED 111\r\n");
    run("ALICE", "LINK MAINT 190 301 W sesame");
    assert_recorded("ALICE    LINK MAINT 0190 AS 0301 REFUSED 298\r\n");
    assert_not_recorded("sesame");
}

static void a_terminal_that_dials_is_recorded_and_told_to_the_operator(void **state)
{
    struct vm *vm = vm_of("ALICE");
    (void)state;
    vm->config.uarts = 2;
    vm->machine.uart[1].modem_control = 1; /* DTR: it takes calls */
    type(1, "LOGOFF\r");
    shown(2);
    type(1, "DIAL ALICE\r");
    const char *told = shown(2);
    assert_non_null(strstr(told, " L0002 DIALED     TO ALICE    DIALED = 1\r\n"));
    turn();
    assert_recorded("L0002 -        DIAL ALICE 02F8\r\n");
}

static void a_visit_that_ends_without_a_logon_is_recorded(void **state)
{
    (void)state;
    type(1, "LOGOFF\r");
    fake_line[1].line.carrier(&fake_line[1].line, false);
    turn();
    fake_line[1].line.carrier(&fake_line[1].line, true);
    turn();
    type(1, "\xfek1xC;"); /* the launcher's mark of somebody who came by SSH */
    fake_clock_advance((IDLE_VISIT_SECONDS + 1) * 1000000000ull);
    turn();
    turn();
    assert_recorded("L0002 -        VISIT ENDED WITHOUT A LOGON\r\n");
}

static void links_to_others_minidisks_are_recorded(void **state)
{
    (void)state;
    run("ALICE", "LINK MAINT 190 300 RR");
    run("ALICE", "LINK MAINT 190 301 W secret");
    run("ALICE", "LINK ALICE 191 302 RR");
    assert_recorded("ALICE    LINK MAINT 0190 AS 0300 R/O\r\n");
    assert_not_recorded("secret");
    assert_not_recorded("LINK ALICE 0191");
}

static void what_failed_reads_otherwise_than_what_worked(void **state)
{
    char line[240] = "FORCE TERM ";
    (void)state;
    run("OPERATOR", "FORCE TERM");
    assert_recorded("OPERATOR FORCE TERM REFUSED 045\r\n");
    run("OPERATOR", "FORCE BOB");
    assert_recorded("OPERATOR FORCE BOB\r\n");
    run("OPERATOR", "PURGE NSS NONE");
    assert_recorded("OPERATOR PURGE NSS NONE REFUSED 9014\r\n");
    memset(line + strlen(line), 'X', sizeof line - 1 - strlen(line));
    run("OPERATOR", line);
    assert_recorded("XXX REFUSED 0"); /* nobody hides what came of it behind a long word */
}

static void what_privileged_users_do_is_recorded(void **state)
{
    (void)state;
    run("OPERATOR", "SET SHARE BOB ABSOLUTE 30%");
    run("OPERATOR", "WARNING BOB Beware\033[2J");
    run("OPERATOR", "XAUTOLOG MAINT");
    turn();
    assert_recorded("OPERATOR SET SHARE BOB: ABSOLUTE SHARE = 30.0%\r\n");
    assert_recorded("OPERATOR WARNING BOB Beware?[2J\r\n");
    assert_recorded("DSC   MAINT    AUTO LOGON BY OPERATOR\r\n");
}

static void nobody_fills_the_log_alone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5000; i++)
        run("BOB", "SHUTDOWN");
    run("ALICE", "SHUTDOWN");
    turn();
    const char *all = query("ALL");
    unsigned of_bob = 0;
    for (const char *at = all; (at = strstr(at, "BOB      SHUTDOWN REFUSED")); at++)
        of_bob++;
    assert_in_range(of_bob, 49, 50);
    assert_non_null(strstr(all, "ALICE    SHUTDOWN REFUSED"));
    fake_clock_advance(100ull * 1000000000);
    run("BOB", "SHUTDOWN");
    turn();
    assert_recorded(" MORE THAT CAME TO NOTHING\r\n");
}

static void what_came_to_nothing_hides_neither_what_is_done_nor_the_account(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        run("OPERATOR", "FORCE NOBODY");          /* refused */
        run("OPERATOR", "SET SHARE BOB INITIAL"); /* as it is */
        run("OPERATOR", "WARNING BOB Beware");
        run("OPERATOR", "DIRECTORY CHECK");
        run("OPERATOR", "PURGE BOB RDR ALL");
        run("OPERATOR", "QUERY RDR BOB");
    }
    run("OPERATOR", "SET SHARE BOB ABSOLUTE 30%");
    turn();
    assert_recorded("OPERATOR SET SHARE BOB: ABSOLUTE SHARE = 30.0%\r\n");
    assert_recorded(" MORE THAT CAME TO NOTHING\r\n");
    for (unsigned i = 0; i < 200; i++)
        run("OPERATOR", i % 2 ? "SET SHARE BOB RELATIVE 100" : "SET SHARE BOB RELATIVE 200");
    type(2, "LOGOFF\r");
    logon(2, "OPERATOR");
    assert_recorded("OPERATOR LOGOFF CONNECT=");
    assert_recorded(" RECORDS LEFT OUT\r\n");
}

static void as_many_are_shown_as_are_asked_for_and_what_stands_for_all(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 30; i++)
        record(session_find("ALICE"), "DEED %u", i);
    turn();
    const char *said = query("3");
    assert_null(strstr(said, "DEED 26\r"));
    assert_non_null(strstr(said, "DEED 27\r"));
    assert_non_null(strstr(said, "DEED 29\r"));
    assert_non_null(strstr(said, "\r\nRECORDS 00000000"));
    assert_non_null(strstr(said, ", CHAIN "));
    assert_non_null(strstr(query(""), "DEED 10\r"));
}

static void an_altered_record_is_told(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 90; i++)
        record(session_find("ALICE"), "DEED %u", i);
    turn();
    assert_non_null(strstr(query("ALL"), "DEED 70\r"));
    struct audit_page *first = (void *)area(2);
    assert_int_equal(first->number, 1);
    first->text[40] ^= 1;
    audit_page_seal(first);
    assert_non_null(strstr(query("ALL"), "HCPAUD9072E Audit log: the chain is broken behind record "));
    memset(first, 0, sizeof *first);
    const char *said = query("ALL");
    assert_non_null(strstr(said, "HCPAUD9072E Audit log: the chain is broken behind record ?\r\n"));
    assert_non_null(strstr(said, "DEED 89\r")); /* what can be told is */
}

static void a_log_that_is_not_there_is_told(void **state)
{
    (void)state;
    audit_begin(NULL, NULL);
    assert_non_null(strstr(query("5"), "HCPAUD9073E There is no audit log\r\n"));
    restart_log();
}

static void the_operator_is_told_of_damage_and_of_a_medium_that_fails(void **state)
{
    (void)state;
    memset(area(0), 0x5a, 2 * VOLUME_BLOCK);
    shown(2);
    restart_log();
    assert_shows(2, "HCPAUD9071W Audit log: its last page is damaged, and a new log begins\r\n");
    scene_disk.fail = true;
    run("ALICE", "SHUTDOWN");
    turn();
    scene_disk.fail = false;
    assert_shows(2, "HCPAUD9070W Audit log: no record can be kept\r\n");
}

static int start(void **state)
{
    (void)state;
    scene_begin();
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, anew)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_comes_and_goes_is_recorded_with_the_account),
        TEST(refusals_are_recorded_without_what_was_typed_as_a_password),
        TEST(a_terminal_that_dials_is_recorded_and_told_to_the_operator),
        TEST(a_visit_that_ends_without_a_logon_is_recorded),
        TEST(links_to_others_minidisks_are_recorded),
        TEST(what_failed_reads_otherwise_than_what_worked),
        TEST(what_privileged_users_do_is_recorded),
        TEST(nobody_fills_the_log_alone),
        TEST(what_came_to_nothing_hides_neither_what_is_done_nor_the_account),
        TEST(as_many_are_shown_as_are_asked_for_and_what_stands_for_all),
        TEST(an_altered_record_is_told),
        TEST(a_log_that_is_not_there_is_told),
        TEST(the_operator_is_told_of_damage_and_of_a_medium_that_fails),
    };
    terminal_trust("k1x", 3);
    return cmocka_run_group_tests(tests, start, NULL);
}
