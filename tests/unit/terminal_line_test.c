/* Terminals whose lines tell whether somebody is there: a session is never in front of anybody but who logged on to
 * it. */
#include "tests/unit/session_scene.h"

static void carrier(unsigned line, bool there) { fake_line[line].line.carrier(&fake_line[line].line, there); }

static void a_user_whose_line_drops_is_disconnected_and_the_next_finds_a_prompt(void **state)
{
    (void)state;
    logon(0, "ALICE");
    struct vm *vm = vm_of("ALICE");
    carrier(0, false);
    turn();
    assert_null(session_find("ALICE")->output.terminal);
    assert_int_equal(vm->state, VM_RUNNABLE);
    shown(0);
    carrier(0, true);
    turn();
    assert_shows(0, "Enter LOGON userid, or HELP");
    logon(0, "ALICE");
    assert_shows(0, "RECONNECTED AT");
    assert_ptr_equal(vm_of("ALICE"), vm);
}

static void who_comes_in_the_same_moment_is_not_in_the_session_of_who_left(void **state)
{
    (void)state;
    logon(0, "ALICE");
    shown(0);
    carrier(0, false);
    carrier(0, true);
    turn();
    assert_null(session_find("ALICE")->output.terminal);
    assert_shows(0, "Enter LOGON userid, or HELP");
    type(0, "CP QUERY USERID\r");
    assert_null(strstr(shown(0), "ALICE"));
}

static void a_logon_begun_by_who_left_does_not_end_in_front_of_another(void **state)
{
    (void)state;
    type(0, "LOGON ALICE\r");
    fake_type(0, "vmn\r");
    user_poll(); /* the password is being looked at */
    carrier(0, false);
    carrier(0, true);
    turn();
    assert_true(!session_find("ALICE") || !session_find("ALICE")->output.terminal);
    assert_int_equal(((struct terminal *)fake_line[0].line.owner)->session->state, SESSION_LOGON);
}

static void half_a_password_goes_with_who_typed_it(void **state)
{
    (void)state;
    type(0, "LOGON ALICE\r");
    type(0, "vm");
    carrier(0, false);
    turn();
    shown(0);
    carrier(0, true);
    turn();
    type(0, "n\r");
    assert_null(session_find("ALICE"));
    assert_shows(0, "Enter LOGON userid, or HELP");
}

static void what_nobody_read_of_who_left_is_not_typed_by_the_next(void **state)
{
    (void)state;
    fake_type(0, "LOGON BOB NOIPL\r");
    carrier(0, false);
    carrier(0, true);
    turn();
    assert_null(strstr(shown(0), "PASSWORD"));
}

/* The event loop sleeps when no timer is due and no work waits: whatever is to happen has to happen before that. */
static void come_round(void)
{
    do {
        fake_clock_advance(0);
        work_run();
        user_poll();
    } while (timer_next() <= clock_now() || work_waits());
}

static void what_was_typed_to_one_who_waits_is_obeyed_when_the_time_is_up(void **state)
{
    (void)state;
    logon(0, "MAINT");
    type(0, "SLEEP 1 SEC\r");
    type(0, "QUERY USERID\r");
    shown(0);
    fake_clock_advance(1100000000);
    come_round();
    assert_shows(0, "MAINT");
    type(1, "LOGON BOB\r");
    type(1, "wrong\r"); /* waits a second for its answer */
    type(1, "HELP\r");
    shown(1);
    fake_clock_advance(1100000000);
    come_round();
    assert_shows(1, "HELP");
}

/* What is typed while CP sleeps is an interrupt; what came before it has to be read by then. */
static void sleep_with_nothing_unread(void)
{
    come_round();
    for (unsigned i = 0; i < FAKE_LINES; i++)
        assert_int_equal(ring_used(&((struct terminal *)fake_line[i].line.owner)->input), 0);
}

/* Bytes come between any two passes, at any terminal, and a few looks at the clock alone take a slice. */
static void nothing_typed_is_left_when_cp_sleeps_however_little_a_turn_does(void **state)
{
    static const char text[] = "QUERY CPLEVEL\rHELP\r\rQUERY NAMES#QUERY TIME\r";
    static const uint64_t ticks[] = {WORK_SLICE / 5, WORK_SLICE / 6, WORK_SLICE / 9};
    unsigned at[FAKE_LINES];

    (void)state;
    srand(1);
    logon(0, "MAINT");
    for (unsigned n = 0; n < 3 * 40; n++) {
        unsigned left = FAKE_LINES;
        memset(at, 0, sizeof at);
        fake_clock_tick = ticks[n % 3];
        while (left) {
            unsigned line = (unsigned)rand() % FAKE_LINES;
            for (unsigned more = 1 + (unsigned)rand() % 8; more && text[at[line]]; more--)
                fake_type(line, (char[]){text[at[line]++], 0});
            for (unsigned passes = (unsigned)rand() % 4; passes; passes--)
                work_run(), user_poll();
            if (rand() % 2)
                sleep_with_nothing_unread();
            left = 0;
            for (unsigned i = 0; i < FAKE_LINES; i++)
                left += !!text[at[i]];
        }
        sleep_with_nothing_unread();
    }
    fake_clock_tick = 0;
    for (unsigned i = 0; i < FAKE_LINES; i++)
        assert_true(strlen(shown(i)) > 100);
}

#define TEST(name) cmocka_unit_test_setup(name, scene_reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_user_whose_line_drops_is_disconnected_and_the_next_finds_a_prompt),
        TEST(who_comes_in_the_same_moment_is_not_in_the_session_of_who_left),
        TEST(a_logon_begun_by_who_left_does_not_end_in_front_of_another),
        TEST(half_a_password_goes_with_who_typed_it),
        TEST(what_nobody_read_of_who_left_is_not_typed_by_the_next),
        TEST(what_was_typed_to_one_who_waits_is_obeyed_when_the_time_is_up),
        TEST(nothing_typed_is_left_when_cp_sleeps_however_little_a_turn_does),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
