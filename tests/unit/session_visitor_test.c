/* Visitors: who comes over a line that somebody carries, perhaps known already, and is let go. */
#include "tests/unit/session_scene.h"

#include "cp/terminal/terminal.h"

#define TOKEN "k1x"
#define MARK(what) "\xfe" TOKEN what ";"

static void carrier(unsigned line, bool there)
{
    fake_line[line].line.carrier(&fake_line[line].line, there);
    turn();
}

static const char *hung_up_on(void)
{
    static char was[sizeof fake_debug];
    memcpy(was, fake_debug, sizeof was);
    *fake_debug = 0;
    return was;
}

static void comes(unsigned line, const char *marks)
{
    carrier(line, false);
    carrier(line, true);
    shown(line);
    type(line, marks);
}

static void who_is_known_needs_no_password(void **state)
{
    (void)state;
    comes(0, MARK("C") MARK("UALICE"));
    assert_shows(0, "LOGON AT ");
    assert_non_null(vm_of("ALICE"));
    type(0, "#CP LOGOFF\r");
}

static void who_is_known_and_nobody_is_told_so_and_finds_the_prompt(void **state)
{
    (void)state;
    comes(0, MARK("C") MARK("UEVE"));
    const char *text = shown(0);
    assert_non_null(strstr(text, "HCPLGA053E"));
    assert_non_null(strstr(text, "CP> "));
    type(0, "QUERY NAMES\r");
    assert_int_equal(session_users(), 0);
}

static void who_is_known_takes_the_session_over_wherever_it_is(void **state)
{
    (void)state;
    logon(1, "ALICE");
    shown(1);
    comes(0, MARK("C") MARK("UALICE"));
    assert_shows(0, "RECONNECTED AT ");
    assert_shows(1, "DISCONNECT AT ");
    assert_string_equal(hung_up_on(), "");
    type(0, "#CP DISCONNECT\r");
    assert_string_equal(hung_up_on(), "VMN-HANGUP 1\n");
    assert_null(strstr(strstr(shown(0), "DISCONNECT AT "), "CP> "));
    comes(2, MARK("C") MARK("UALICE"));
    assert_shows(2, "RECONNECTED AT ");
    type(2, "#CP LOGOFF\r");
}

static void once_known_is_not_known_for_ever(void **state)
{
    (void)state;
    comes(0, MARK("C") MARK("UALICE"));
    type(0, "#CP LOGOFF HOLD\r");
    assert_string_equal(hung_up_on(), "");
    assert_shows(0, "VM/N ONLINE");
    assert_int_equal(session_users(), 0);
    comes(0, MARK("C"));
    assert_int_equal(session_users(), 0);
}

static void who_leaves_before_they_are_logged_on_leaves_no_name_behind(void **state)
{
    (void)state;
    carrier(0, false);
    fake_type(0, MARK("C") MARK("UALICE")); /* and no turn between */
    fake_line[0].line.carrier(&fake_line[0].line, false);
    fake_line[0].line.carrier(&fake_line[0].line, true);
    turn();
    assert_int_equal(session_users(), 0);
    fake_type(0, MARK("C") MARK("UALICE") MARK("G"));
    turn();
    assert_int_equal(session_users(), 0);
    carrier(0, true);
}

/* Whatever name they came by. At a terminal that is nobody's to hang up on the password is enough. */
static void a_password_is_no_way_in_for_a_visitor_where_there_are_keys(void **state)
{
    (void)state;
    struct user *alice = directory.user;
    while (strcmp(alice->id, "ALICE"))
        alice++;
    alice->ssh_keys = "ssh-ed25519 AAAA";
    comes(0, MARK("C") "LOGON ALICE\rvmn\r");
    fake_clock_advance(20000000000ull);
    turn();
    assert_int_equal(session_users(), 0);
    assert_shows(0, "HCPLGA050E");
    logon(1, "ALICE");
    type(1, "#CP LOGOFF\r");
    comes(0, MARK("C") MARK("UALICE"));
    assert_int_equal(session_users(), 1);
    type(0, "#CP LOGOFF\r");
    alice->ssh_keys = NULL;
    comes(0, MARK("C") "LOGON ALICE\rvmn\r");
    assert_int_equal(session_users(), 1);
    type(0, "#CP LOGOFF\r");
}

static void logging_off_hangs_up_and_the_prompt_is_for_the_next(void **state)
{
    (void)state;
    comes(0, MARK("C") MARK("UALICE"));
    shown(0);
    type(0, "#CP LOGOFF\r");
    const char *text = shown(0);
    assert_non_null(strstr(text, "LOGOFF AT "));
    assert_null(strstr(text, "VM/N ONLINE"));
    assert_null(strstr(text, "CP> "));
    assert_string_equal(hung_up_on(), "VMN-HANGUP 1\n");
    carrier(0, false);
    carrier(0, true);
    assert_shows(0, "VM/N ONLINE");
    type(0, "LOGOFF\r"); /* nobody said that this one can be hung up on */
    assert_string_equal(hung_up_on(), "");
    assert_shows(0, "VM/N ONLINE");
}

static void the_end_of_what_is_typed_is_the_end_of_the_visit(void **state)
{
    (void)state;
    comes(0, MARK("C") MARK("E"));
    assert_string_equal(hung_up_on(), "VMN-HANGUP 1\n");
    comes(0, MARK("C") "LOGON EVE\rvmn\r" MARK("E"));
    fake_clock_advance(20000000000ull);
    turn();
    assert_string_equal(hung_up_on(), "VMN-HANGUP 1\n");
    comes(0, MARK("C") "LOGON ALICE\rvmn\r#CP QUERY TIME\r" MARK("E"));
    assert_shows(0, "TIME IS");
    comes(0, MARK("C"));
    type(0, "QUERY TIME\r");
    assert_string_equal(hung_up_on(), "");
}

static void a_line_without_carrier_has_one_by_marks(void **state)
{
    (void)state;
    comes(0, MARK("C") MARK("UALICE"));
    type(0, MARK("G"));
    assert_null(((struct terminal *)fake_line[0].line.owner)->session->user);
    assert_non_null(vm_of("ALICE"));
    shown(0);
    type(0, MARK("G") MARK("C"));
    assert_shows(0, "VM/N ONLINE");
    type(0, "LOGOFF\r");
    assert_string_equal(hung_up_on(), "VMN-HANGUP 1\n");
    shown(0);
    type(0, MARK("C") MARK("UALICE"));
    const char *text = shown(0);
    assert_non_null(strstr(text, "VM/N ONLINE"));
    assert_non_null(strstr(text, "RECONNECTED AT "));
    type(0, "#CP LOGOFF\r");
}

static void who_waits_for_a_wrong_password_is_not_spared_it_by_being_known(void **state)
{
    (void)state;
    comes(0, MARK("C"));
    type(0, "LOGON BOB\r");
    type(0, "wrong\r");
    type(0, MARK("UALICE"));
    assert_int_equal(session_users(), 0);
    fake_clock_advance(2000000000ull);
    turn();
    assert_non_null(vm_of("ALICE"));
    type(0, "#CP LOGOFF\r");
}

static int begin(void **state)
{
    (void)state;
    terminal_trust(TOKEN, sizeof TOKEN - 1);
    scene_begin();
    return 0;
}

static int end(void **state)
{
    for (unsigned i = 0; i < FAKE_LINES; i++)
        carrier(i, true);
    *fake_debug = 0;
    return scene_reset(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(who_is_known_needs_no_password, end),
        cmocka_unit_test_teardown(who_is_known_and_nobody_is_told_so_and_finds_the_prompt, end),
        cmocka_unit_test_teardown(who_is_known_takes_the_session_over_wherever_it_is, end),
        cmocka_unit_test_teardown(once_known_is_not_known_for_ever, end),
        cmocka_unit_test_teardown(who_leaves_before_they_are_logged_on_leaves_no_name_behind, end),
        cmocka_unit_test_teardown(a_password_is_no_way_in_for_a_visitor_where_there_are_keys, end),
        cmocka_unit_test_teardown(logging_off_hangs_up_and_the_prompt_is_for_the_next, end),
        cmocka_unit_test_teardown(the_end_of_what_is_typed_is_the_end_of_the_visit, end),
        cmocka_unit_test_teardown(a_line_without_carrier_has_one_by_marks, end),
        cmocka_unit_test_teardown(who_waits_for_a_wrong_password_is_not_spared_it_by_being_known, end),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
