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
    *fake_debug = 0;
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
    type(0, "LOGON EVE\r");
    assert_shows(0, "HCPLGA053E");
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
    assert_string_equal(hung_up_on(), "VMN-HANGUP 1 0\n");
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
    struct user *alice = (struct user *)directory_find(&directory, "ALICE");
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
    assert_string_equal(hung_up_on(), "VMN-HANGUP 1 0\n");
    carrier(0, false);
    assert_string_equal(hung_up_on(), "VMN-GONE 1\n");
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
    assert_string_equal(hung_up_on(), "VMN-HANGUP 1 1\n");
    comes(0, MARK("C") "LOGON EVE\rvmn\r" MARK("E"));
    fake_clock_advance(20000000000ull);
    turn();
    assert_string_equal(hung_up_on(), "VMN-HANGUP 1 1\n");
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
    fake_line_cut = false;
    type(0, MARK("G"));
    assert_true(fake_line_cut); /* what was for who left is shown to nobody */
    assert_string_equal(hung_up_on(), "VMN-GONE 1\n");
    assert_null(((struct terminal *)fake_line[0].line.owner)->session->user);
    assert_non_null(vm_of("ALICE"));
    shown(0);
    type(0, MARK("G") MARK("C"));
    assert_shows(0, "VM/N ONLINE");
    type(0, "LOGOFF\r");
    assert_string_equal(hung_up_on(), "VMN-HANGUP 1 1\n");
    shown(0);
    type(0, MARK("C") MARK("UALICE"));
    const char *text = shown(0);
    assert_non_null(strstr(text, "VM/N ONLINE"));
    assert_non_null(strstr(text, "RECONNECTED AT "));
    type(0, "#CP LOGOFF\r");
}

static void that_a_wrong_password_is_waited_for_is_told_till_the_wait_is_over(void **state)
{
    (void)state;
    comes(1, MARK("C"));
    for (unsigned tries = 1; tries <= LOGON_TRIES; tries++) {
        assert_false(fake_quiet[2]);
        type(1, "LOGON EVE\rwrong\r");
        assert_true(fake_quiet[2]);
        fake_clock_advance((LOGON_PENALTY_MAX + 1) * 1000000000ull);
        turn();
    }
    carrier(1, false);
    carrier(1, true);
    assert_true(fake_quiet[2]);
    assert_false(fake_quiet[1] || fake_quiet[3]);
    fake_clock_advance((LOGON_QUIET_SECONDS + 1) * 1000000000ull);
    turn();
    assert_false(fake_quiet[2]);
    assert_shows(1, "VM/N ONLINE");
}

/* What carries the line lets the next one in by it: then nothing of the last is left, also of a machine that floods. */
static void that_a_visitor_is_logged_on_is_told_once_and_of_nobody_else(void **state)
{
    (void)state;
    memset(fake_served, 0, sizeof fake_served);
    comes(0, MARK("C"));
    assert_int_equal(fake_served[1], 0);
    logon(0, "BOB");
    assert_int_equal(fake_served[1], 1);
    type(0, "#CP DISCONNECT HOLD\r");
    logon(0, "BOB");
    assert_int_equal(fake_served[1], 1);
    logon(1, "ALICE"); /* at a terminal that nobody carries */
    assert_int_equal(fake_served[2], 0);
}

static void that_somebody_left_is_answered_when_their_session_has_no_terminal_any_more(void **state)
{
    struct terminal *t = fake_line[0].line.owner;
    (void)state;
    comes(0, MARK("C") MARK("UALICE"));
    struct session *alice = t->session;
    fake_line[0].stuck = true;
    output_say(&alice->output, "for ALICE only");
    hung_up_on();
    fake_type(0, MARK("G"));
    assert_string_equal(hung_up_on(), "");
    turn();
    assert_string_equal(hung_up_on(), "VMN-GONE 1\n");
    assert_null(alice->output.terminal);
    fake_line[0].stuck = false;
    turn();
    assert_null(strstr(shown(0), "for ALICE only"));
    turn();
    assert_string_equal(hung_up_on(), ""); /* once */
    carrier(0, false);
    assert_string_equal(hung_up_on(), "VMN-GONE 1\n"); /* what is heard from now on is the next one's */
    carrier(0, true);
    assert_string_equal(hung_up_on(), "");
}

static void who_is_known_needs_no_password_for_coming_back(void **state)
{
    (void)state;
    comes(0, MARK("C") MARK("UALICE"));
    type(0, "#CP LOGOFF HOLD\r");
    shown(0);
    type(0, "LOGON BOB\r");
    assert_shows(0, "ENTER PASSWORD");
    type(0, "\x03");
    type(0, "LOGON ALICE NOIPL\r");
    const char *text = shown(0);
    assert_null(strstr(text, "ENTER PASSWORD"));
    assert_non_null(strstr(text, "LOGON AT "));
    assert_non_null(vm_of("ALICE"));
    type(0, "DISCONNECT HOLD\r");
    type(0, "LOGON ALICE\r");
    assert_shows(0, "RECONNECTED AT ");
    comes(0, MARK("C"));
    type(0, "LOGON ALICE\r");
    assert_shows(0, "ENTER PASSWORD");
    type(0, "\x03");
}

static void who_is_known_is_not_by_another_directory(void **state)
{
    (void)state;
    comes(0, MARK("C") MARK("UALICE"));
    type(0, "#CP LOGOFF HOLD\r");
    directory_changes++; /* in which that key may not stand any more */
    shown(0);
    type(0, "LOGON ALICE\r");
    assert_shows(0, "ENTER PASSWORD");
    type(0, "\x03");
    comes(0, MARK("C") MARK("UALICE"));
    assert_shows(0, "LOGON AT ");
    type(0, "#CP LOGOFF\r");
}

static void pass(unsigned seconds)
{
    fake_clock_advance(seconds * 1000000000ull);
    turn();
}

static void a_visit_without_a_logon_is_not_for_ever(void **state)
{
    (void)state;
    comes(0, MARK("C"));
    pass(IDLE_VISIT_SECONDS - 2);
    assert_string_equal(hung_up_on(), "");
    type(0, "QUERY TIME\r"); /* not even for who types */
    type(0, "LOGON ALICE\r");
    shown(0);
    pass(3);
    assert_string_equal(hung_up_on(), "VMN-HANGUP 1 1\n");
    const char *text = shown(0);
    assert_non_null(strstr(text, "HCPTMO9092I Nobody has logged on here for 5 minutes; the connection ends"));
    assert_null(strstr(text, "CP> "));
    pass(2 * IDLE_VISIT_SECONDS);
    assert_string_equal(hung_up_on(), "");
    comes(0, MARK("C")); /* the next has a time of their own */
    pass(IDLE_VISIT_SECONDS - 2);
    type(0, "LOGON ALICE\rvmn\r");
    pass(10 * IDLE_VISIT_SECONDS);
    assert_string_equal(hung_up_on(), "");
    assert_non_null(vm_of("ALICE"));
    type(0, "#CP LOGOFF HOLD\r");
    pass(IDLE_VISIT_SECONDS + 1);
    assert_string_equal(hung_up_on(), "VMN-HANGUP 1 0\n");
    pass(10 * IDLE_VISIT_SECONDS); /* at a terminal of the house one may sit */
    type(1, "QUERY TIME\r");
    assert_shows(1, "CP> ");
}

static void who_called_a_modem_and_does_not_log_on_is_hung_up_on_too(void **state)
{
    (void)state;
    fake_line[0].line.called = true;
    comes(0, "");
    pass(IDLE_VISIT_SECONDS - 2);
    assert_true(fake_line[0].line.called);
    pass(3);
    assert_shows(0, "HCPTMO9092I Nobody has logged on here for 5 minutes");
    assert_false(fake_line[0].line.called);
    fake_line[0].line.called = true;
    comes(0, "");
    logon(0, "ALICE");
    pass(10 * IDLE_VISIT_SECONDS);
    assert_true(fake_line[0].line.called);
    assert_non_null(vm_of("ALICE"));
}

static void what_a_wrong_password_costs_is_waited_for_before_a_visit_ends(void **state)
{
    struct terminal *t = fake_line[0].line.owner;
    (void)state;
    comes(0, MARK("C"));
    for (unsigned i = 1; i < LOGON_TRIES; i++) {
        type(0, "LOGON EVE\r");
        type(0, "wrong\r");
        pass(LOGON_PENALTY_MAX);
    }
    pass(IDLE_VISIT_SECONDS - 4 * LOGON_PENALTY_MAX);
    type(0, "LOGON EVE\r");
    type(0, "wrong\r");
    pass(LOGON_PENALTY_MAX);
    assert_int_equal(t->session->state, SESSION_QUIET);
    hung_up_on();
    pass(LOGON_QUIET_SECONDS / 2);
    assert_string_equal(hung_up_on(), "");
    pass(LOGON_QUIET_SECONDS);
    assert_string_equal(hung_up_on(), "VMN-HANGUP 1 1\n");
}

static void with_idle(const char *id, unsigned minutes)
{
    struct session *s = session_find(id);
    ((struct user *)directory_find(&directory, id))->idle = minutes;
    if (s)
        s->own.idle = minutes;
}

static void who_types_nothing_for_as_long_as_the_directory_says_is_disconnected(void **state)
{
    (void)state;
    with_idle("ALICE", 5);
    with_idle("BOB", 2);
    logon(0, "ALICE");
    logon(1, "BOB");
    logon(2, "MAINT");
    shown(0);
    pass(61);
    assert_shows(1, "HCPTMO9090W Nothing was typed here for 1 minute; in another minute you are disconnected");
    pass(60);
    assert_shows(1, "HCPTMO9091I Disconnected, since nothing was typed for 2 minutes");
    assert_non_null(vm_of("BOB"));
    assert_null(session_find("BOB")->output.terminal);
    pass(100);
    assert_string_equal(shown(0), "");
    pass(30);
    assert_shows(0, "HCPTMO9090W Nothing was typed here for 4 minutes; in another minute you are disconnected");
    type(0, "x"); /* for the machine, as anything */
    pass(200);
    assert_string_equal(shown(0), "");
    pass(101);
    assert_shows(0, "HCPTMO9091I");
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
    assert_non_null(session_find("MAINT")->output.terminal);
    logon(1, "ALICE"); /* and who comes back has all their time */
    assert_shows(1, "RECONNECTED AT ");
    pass(230);
    assert_null(strstr(shown(1), "HCPTMO"));
    with_idle("ALICE", 0);
    pass(1000);
    assert_null(strstr(shown(1), "HCPTMO"));
    with_idle("BOB", 0);
}

static void a_visitor_who_types_nothing_is_let_go(void **state)
{
    (void)state;
    with_idle("ALICE", 2);
    comes(0, MARK("C") MARK("UALICE"));
    hung_up_on();
    pass(121);
    pass(1);
    assert_string_equal(hung_up_on(), "VMN-HANGUP 1 0\n");
    assert_non_null(vm_of("ALICE"));
    with_idle("ALICE", 0);
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
        cmocka_unit_test_teardown(that_a_wrong_password_is_waited_for_is_told_till_the_wait_is_over, end),
        cmocka_unit_test_teardown(that_a_visitor_is_logged_on_is_told_once_and_of_nobody_else, end),
        cmocka_unit_test_teardown(that_somebody_left_is_answered_when_their_session_has_no_terminal_any_more, end),
        cmocka_unit_test_teardown(who_is_known_needs_no_password_for_coming_back, end),
        cmocka_unit_test_teardown(a_visit_without_a_logon_is_not_for_ever, end),
        cmocka_unit_test_teardown(who_is_known_is_not_by_another_directory, end),
        cmocka_unit_test_teardown(who_called_a_modem_and_does_not_log_on_is_hung_up_on_too, end),
        cmocka_unit_test_teardown(what_a_wrong_password_costs_is_waited_for_before_a_visit_ends, end),
        cmocka_unit_test_teardown(who_types_nothing_for_as_long_as_the_directory_says_is_disconnected, end),
        cmocka_unit_test_teardown(a_visitor_who_types_nothing_is_let_go, end),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
