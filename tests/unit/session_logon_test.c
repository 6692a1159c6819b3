/* LOGON tells nobody who exists: the same words, the same work, the same waits, whatever the name; and many who log on
 * at once keep nobody waiting. */
#include "tests/unit/session_scene.h"

#include "cp/command/command.h"
#include "cp/session/logon.h"
#include "cp/session/verify.h"
#include "cp/terminal/terminal.h"

enum { KINDS = 4, MORE_USERS = 12 };

static struct session *session_of(unsigned line) { return ((struct terminal *)fake_line[line].line.owner)->session; }

static void after_seconds(double seconds)
{
    fake_clock_advance((uint64_t)(seconds * 1e9));
    turn();
}

static void forget_refusals(void)
{
    after_seconds(20);                  /* the wait for one */
    after_seconds(LOGON_QUIET_SECONDS); /* for four */
    after_seconds(LOGON_FORGET_SECONDS);
}

/* No other test's refusals count any more, at no terminal and for no name. */
static int long_ago(void **state)
{
    scene_reset(state);
    forget_refusals();
    for (unsigned i = 0; i < FAKE_LINES; i++) {
        logon(i, "OPERATOR");
        type(i, "LOGOFF\r");
        shown(i);
    }
    return 0;
}

/* What a wrong password for the name is worth: turns of the event loop until it is judged, SHA-512 rounds of them. */
struct effort {
    unsigned turns;
    uint32_t rounds;
    uint8_t salt;
};

static struct effort work_of(unsigned line, const char *id, const char *password)
{
    struct effort w = {0};
    char text[160];
    snprintf(text, sizeof text, "LOGON %s\r", id);
    type(line, text);
    snprintf(text, sizeof text, "%s\r", password);
    fake_type(line, text);
    for (; session_of(line)->state != SESSION_PENALTY; w.turns++) {
        assert_true(w.turns < 10000);
        fake_clock_advance(1000);
        user_poll();
        if (session_of(line)->state == SESSION_VERIFY) {
            w.rounds = session_of(line)->crypt.rounds;
            w.salt = session_of(line)->crypt.salt_length;
        }
    }
    forget_refusals();
    return w;
}

static char words[KINDS][512];

/* A user, one who is logged on elsewhere, one nobody may log on as, and none. */
static const char *const kinds[KINDS] = {"BOB", "ALICE", "SERVICE", "NOSUCH"};

static void the_words_and_the_waits_are_the_same_for_every_kind_of_name(void **state)
{
    double waits[KINDS][6];
    (void)state;
    logon(1, "ALICE");
    for (unsigned kind = 0; kind < KINDS; kind++) {
        char text[32];
        words[kind][0] = 0;
        for (unsigned try = 0; try < 6; try++) {
            snprintf(text, sizeof text, "LOGON %s\r", kinds[kind]);
            type(0, text);
            shown(0);
            type(0, "wrong\r");
            while (session_of(0)->state == SESSION_VERIFY)
                turn();
            waits[kind][try] = 0;
            for (; session_of(0)->state != SESSION_LOGON; waits[kind][try] += 0.5)
                after_seconds(0.5);
            strncat(words[kind], shown(0), 80);
        }
        assert_string_equal(words[kind], words[0]);
        assert_memory_equal(waits[kind], waits[0], sizeof waits[0]);
        after_seconds(LOGON_FORGET_SECONDS + 1.0);
        logon(0, "BOB");
        type(0, "LOGOFF\r");
    }
    assert_true(waits[0][0] <= 1.5 && waits[0][2] >= 3.5 && waits[0][3] >= 60);
}

/* Refusals of a name count wherever they are typed, and nobody can tell by them that it has logged on since. */
static void failing_at_another_terminal_waits_as_long_for_no_user_as_for_a_user(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        double wait[2];
        for (unsigned line = 0; line < 2; line++) {
            char text[32];
            snprintf(text, sizeof text, "LOGON %s\r", kinds[kind]);
            type(line, text);
            type(line, "wrong\r");
            for (wait[line] = 0; session_of(line)->state != SESSION_LOGON; wait[line] += 0.25)
                after_seconds(0.25);
            if (line == 0 && kind == 0) { /* the user comes */
                logon(2, kinds[kind]);
                assert_non_null(vm_of(kinds[kind]));
                type(2, "LOGOFF\r");
            }
        }
        assert_in_range((unsigned)(wait[0] * 4), 3, 5);
        assert_in_range((unsigned)(wait[1] * 4), 7, 9);
        for (unsigned line = 0; line < 2; line++) {
            logon(line, "OPERATOR");
            type(line, "LOGOFF\r");
        }
    }
}

/* Or it would be obeyed while the password is awaited. */
static void what_stands_behind_logon_on_its_line_is_forgotten(void **state)
{
    (void)state;
    shown(0);
    type(0, "LOGON BOB#HELP\r");
    assert_string_equal(shown(0), "LOGON BOB#HELP\r\nENTER PASSWORD  (IT WILL NOT APPEAR WHEN TYPED):\r\n");
    type(0, "vmn\r");
    const char *said = shown(0);
    assert_string_equal(strstr(said, "LOGON AT") + strlen("LOGON AT 00:00:00 UTC SATURDAY 11/21/26"), "\r\nCP> ");
}

static bool is_some_users(struct effort w)
{
    for (unsigned i = 0; i < directory.users; i++) {
        const struct user *u = directory_user(&directory, i);
        struct sha512_crypt c;
        if (sha512_crypt_begin(&c, u->password, "", 0) && c.rounds == w.rounds && c.salt_length == w.salt)
            return true;
    }
    return false;
}

static void a_name_without_a_user_costs_what_some_users_does_and_always_the_same(void **state)
{
    unsigned costs[3] = {0};
    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        char id[9];
        snprintf(id, sizeof id, i ? "NOBODY%u" : "SERVICE", i);
        struct effort once = work_of(0, id, "guess"), again = work_of(0, id, "other");
        assert_true(is_some_users(once));
        assert_int_equal(once.rounds, again.rounds);
        assert_int_equal(once.salt, again.salt);
        assert_in_range(abs((int)once.turns - (int)again.turns), 0, 2); /* a sequence's length is chance */
        costs[once.rounds == 1000 ? 0 : once.rounds == 2000 ? 1 : 2]++;
    }
    assert_true(costs[0] > 10 && costs[1] > 5 && costs[2] > 2);
}

static void equal_verifiers_cost_equal_turns(void **state)
{
    (void)state;
    for (unsigned length = 1; length < 100; length += 33) {
        char password[128] = "";
        memset(password, 'w', length);
        struct effort bob = work_of(0, "BOB", password);
        for (unsigned i = 0, found = 0; found < 3; i++) {
            char id[9];
            snprintf(id, sizeof id, "GHOST%u", i);
            struct effort ghost = work_of(0, id, password);
            if (ghost.rounds != bob.rounds || ghost.salt != bob.salt)
                continue;
            found++;
            assert_in_range(abs((int)ghost.turns - (int)bob.turns), 0, 2);
        }
    }
}

/* Another user's verifier stands in, but another user's password does not log anybody on. */
static void no_password_is_right_for_a_name_without_a_user(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        char text[32];
        snprintf(text, sizeof text, i ? "LOGON NOBODY%u\r" : "LOGON SERVICE\r", i);
        type(0, text);
        type(0, "vmn\r");
        forget_refusals();
        assert_int_equal(session_users(), 0);
    }
}

static unsigned link(const char *password, const char *expected)
{
    char answer[256], command[64];
    struct response r = {
        .session = session_find("BOB"), .buffer = answer, .size = sizeof answer - 1, .machine_asks = true};
    snprintf(command, sizeof command, "LINK MAINT 190 291 %s", password);
    unsigned code = command_run(r.session, &r, command);
    if (r.session->state == SESSION_CHECK) { /* without the event loop */
        while (!sha512_crypt_step(&r.session->crypt, 1000)) {}
        r.session->task.step(r.session, &r, &code);
        rest_end(r.session);
    }
    answer[r.length] = 0;
    assert_non_null(strstr(answer, expected));
    return code;
}

static void wrong_minidisk_passwords_are_counted_and_being_logged_on_by_another_forgives_none(void **state)
{
    (void)state;
    logon(0, "ALICE");
    logon(1, "BOB");
    for (int i = 0; i < 3; i++)
        assert_int_equal(link("W wrong", "HCPLNM298E MAINT 0190 not linked; password incorrect\n"), 298);
    assert_int_equal(link("W secret", "HCPLNM115E LINK invalid; excessive incorrect passwords\n"), 115);
    assert_int_equal(link("RR", ""), 0);
    type(1, "LOGOFF\r");
    type(0, "#CP XAUTOLOG BOB\r");
    assert_int_equal(link("W secret", "HCPLNM115E"), 115);
    deed_note(session_find("BOB"), DEED_LOGOFF);
    turn();
    logon(1, "BOB");
    assert_int_equal(link("W wrong", "HCPLNM298E"), 298);
}

/* ---- many at once ----------------------------------------------------------------------------------------------- */

static uint32_t rounds_done(void)
{
    uint32_t done = 0;
    for (unsigned i = 0; i < FAKE_LINES; i++)
        done += session_of(i)->state == SESSION_VERIFY ? session_of(i)->crypt.done : 0;
    return done;
}

static void all_who_log_on_at_once_get_one_piece_of_work_a_turn_between_them(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FAKE_LINES; i++)
        type(i, "LOGON BOB\r");
    for (unsigned i = 0; i < FAKE_LINES; i++)
        fake_type(i, "no\r");
    user_poll();
    for (unsigned turns = 0; turns < 60; turns++) {
        uint32_t before = rounds_done();
        fake_clock_advance(1000);
        user_poll();
        assert_in_range(rounds_done() - before, 0, VERIFY_BLOCKS);
    }
    uint32_t least = UINT32_MAX, most = 0;
    for (unsigned i = 0; i < FAKE_LINES; i++) {
        uint32_t done = session_of(i)->crypt.done;
        least = done < least ? done : least;
        most = done > most ? done : most;
    }
    assert_in_range(most - least, 0, VERIFY_BLOCKS);
    assert_true(least > 3 * VERIFY_BLOCKS);
}

/* Each look at the clock costs a microsecond here, so a piece of work takes one. */
static void a_machine_that_runs_gets_as_long_as_the_hash(void **state)
{
    (void)state;
    logon(0, "ALICE");
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
    type(1, "LOGON BOB\r");
    fake_type(1, "no\r");
    user_poll();
    fake_clock_tick = 1000000;
    unsigned looks = 0, worked = 0;
    for (uint32_t before = 0; looks < 200; looks++) {
        verify_poll();
        uint32_t now = session_of(1)->crypt.done;
        worked += now != before;
        before = now;
        fake_clock_advance(100000); /* the machine runs */
    }
    fake_clock_tick = 0;
    assert_in_range(worked, 5, looks / 8);
}

static uint8_t next_byte(void)
{
    static uint32_t seed = 1;
    seed = seed * 1664525 + 1013904223;
    return (uint8_t)(seed >> 24);
}

/* A name and a password of any bytes, at a terminal that waits for neither: most come while it reads nothing. */
static void attempt(unsigned line)
{
    char text[200];
    size_t length = (size_t)snprintf(text, sizeof text, "LOGON ");
    for (unsigned n = 1 + next_byte() % 80; n; n--)
        text[length++] = (char)(next_byte() | 1);
    text[length++] = '\r';
    text[length] = 0;
    fake_type(line, text);
    turn();
    fake_type(line, next_byte() % 2 ? text : "wrong\r");
    turn();
    after_seconds(next_byte() % 32);
}

static void ten_thousand_attempts_at_other_terminals_keep_nobody_out_and_take_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        if (i % 4 == 3)
            type(1, "\rLOGON ALICE\rwrong\r");
        attempt(1 + i % 2);
        fake_line[1].length = fake_line[1].seen = fake_line[2].length = fake_line[2].seen = 0;
        if (i % 1000)
            continue;
        logon(0, "ALICE");
        assert_non_null(vm_of("ALICE"));
        assert_int_equal(session_users(), 1);
        type(0, "#CP LOGOFF\r");
        assert_int_equal(session_users(), 0);
    }
    forget_refusals();
    logon(1, "BOB");
    assert_non_null(vm_of("BOB"));
}

#define TEST(name) cmocka_unit_test_setup(name, long_ago)

static void add_user(const char *id, const char *password)
{
    struct user *u = directory_add(&directory);
    *u = *directory_user(&directory, 0);
    strcpy(u->id, id);
    u->password = password;
    u->xautolog = "", u->xautolog_bytes = 0;
    u->disks = u->links = 0;
    directory_enter(&directory, directory.users - 1);
}

/* Users whose verifiers cost more than the others', and one without. */
static void add_users(void)
{
    char id[DIRECTORY_NAME + 1];
    for (unsigned i = 0; i < MORE_USERS; i++) {
        snprintf(id, sizeof id, "USER%u", i);
        add_user(id, strdup(crypt("vmn", i % 3 == 2 ? "$6$rounds=3000$abcdefgh$"
                                         : i % 2    ? "$6$rounds=2000$abcdefghijkl$"
                                                    : "$6$rounds=1000$salt$")));
    }
    add_user("SERVICE", "NOLOG");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_words_and_the_waits_are_the_same_for_every_kind_of_name),
        TEST(failing_at_another_terminal_waits_as_long_for_no_user_as_for_a_user),
        TEST(what_stands_behind_logon_on_its_line_is_forgotten),
        TEST(a_name_without_a_user_costs_what_some_users_does_and_always_the_same),
        TEST(equal_verifiers_cost_equal_turns),
        TEST(no_password_is_right_for_a_name_without_a_user),
        TEST(wrong_minidisk_passwords_are_counted_and_being_logged_on_by_another_forgives_none),
        TEST(all_who_log_on_at_once_get_one_piece_of_work_a_turn_between_them),
        TEST(ten_thousand_attempts_at_other_terminals_keep_nobody_out_and_take_nothing),
        TEST(a_machine_that_runs_gets_as_long_as_the_hash),
    };
    scene_begin();
    add_users();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
