/* Users who come back: what was kept for them, and where they are. */
#include "tests/unit/session_scene.h"

#define GUEST(userid) ((struct fake_vm *)vm_of(userid))

static unsigned output(const char *userid, const char *text)
{
    return vm_output(vm_of(userid), 0, (const uint8_t *)text, strlen(text));
}

static void assert_received(const char *userid, const char *expected)
{
    assert_string_equal(GUEST(userid)->input, expected);
}

static void reconnecting_loses_nothing(void **state)
{
    char number[16];
    unsigned sent = 0;
    (void)state;
    logon(0, "ALICE");
    shown(0);
    output("ALICE", "before\r\n");
    type(0, "#CP DISCONNECT\r");
    const char *text = shown(0);
    assert_non_null(strstr(text, "before\r\n"));
    assert_non_null(strstr(text, "DISCONNECT AT "));
    assert_non_null(strstr(text, "VM/N ONLINE"));
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
    for (;; sent++) { /* until the machine has to wait */
        snprintf(number, sizeof number, "%07u\r\n", sent);
        if (output("ALICE", number) < 9)
            break;
    }
    assert_in_range(sent, OUTPUT_DISCONNECTED / 9 - 1, OUTPUT_DISCONNECTED / 9);
    assert_int_equal(GUEST("ALICE")->output_ready, 0);
    logon(1, "ALICE");
    text = shown(1);
    const char *at = strstr(text, "RECONNECTED AT ");
    assert_non_null(at);
    for (unsigned i = 0; i < sent; i++) {
        snprintf(number, sizeof number, "%07u\r\n", i);
        at = strstr(at, number);
        assert_non_null(at);
    }
    assert_int_equal(GUEST("ALICE")->output_ready, 1);
    GUEST("ALICE")->fifo = 100;
    type(1, "typed\r");
    assert_received("ALICE", "typed\r");
}

/* ALICE hangs up, and comes back on another line: what she sees behind the words that she has. */
static const char *comes_back(unsigned line)
{
    fake_line[0].line.carrier(&fake_line[0].line, false);
    turn();
    fake_line[0].line.carrier(&fake_line[0].line, true);
    turn();
    logon(line, "ALICE");
    turn();
    const char *said = strstr(shown(line), "RECONNECTED AT ");
    assert_non_null(said);
    return strchr(said, '\n') + 1;
}

static void a_line_half_typed_at_the_machine_is_seen_again_by_who_comes_back(void **state)
{
    (void)state;
    for (unsigned from = 0; from < 12; from++) { /* so much of it was shown before */
        logon(0, "ALICE");
        output("ALICE", "done\r\n");
        turn();
        if (from) {
            char head[16] = "name? ERASE";
            head[from] = 0;
            output("ALICE", head);
            turn();
        }
        shown(0);
        fake_line[0].stuck = true;
        output("ALICE", &"name? ERASE"[from]);
        fake_line[0].stuck = false;
        assert_string_equal(comes_back(1), "done\r\nname? ERASE");
        output("ALICE", " X\r\n");
        turn();
        assert_string_equal(shown(1), " X\r\n");
        type(1, "#CP LOGOFF\r");
        shown(1);
    }
}

static void assert_ends(const char *text, const char *end)
{
    assert_true(strlen(text) >= strlen(end));
    assert_string_equal(text + strlen(text) - strlen(end), end);
}

static void who_comes_back_to_cp_finds_its_prompt_and_what_was_typed_there(void **state)
{
    (void)state;
    logon(0, "ALICE");
    vm_stop(vm_of("ALICE"), VM_STOP_TRIPLE_FAULT, 0);
    turn();
    assert_shows(0, "CP> ");
    assert_ends(comes_back(1), "triple fault at 0000000000100020\r\nCP> ");
    type(1, "QUERY USERID\r");
    assert_shows(1, "ALICE    AT VMN");
    type(1, "#CP DISCONNECT\r");
    logon(0, "ALICE");
    type(0, "QUERY USE");
    assert_ends(comes_back(1), "\r\nCP> QUERY USE");
    type(1, "RID\r");
    assert_shows(1, "ALICE    AT VMN");
}

/* The last lines, whole ones, and nothing that was there before the session. */
static void who_comes_back_sees_the_last_screen_again(void **state)
{
    char expected[OUTPUT_SCREEN + 200], line[OUTPUT_SCREEN];
    (void)state;
    logon(0, "BOB");
    output("BOB", "BOB's own\r\n");
    type(0, "#CP LOGOFF\r");
    logon(0, "ALICE");
    assert_null(strstr(comes_back(1), "BOB"));
    for (unsigned i = 0; i < 100; i++) {
        snprintf(line, sizeof line, "line %u\r\n", i);
        output("ALICE", line);
        turn();
    }
    type(1, "#CP DISCONNECT\r");
    for (unsigned i = 100; i < 102; i++) {
        snprintf(line, sizeof line, "line %u\r\n", i);
        output("ALICE", line);
    }
    shown(0);
    logon(0, "ALICE");
    const char *text = strstr(shown(0), "RECONNECTED AT ");
    *expected = 0;
    for (unsigned i = 100 - OUTPUT_SCREEN_LINES + 1; i < 102; i++)
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%sline %u\r\n",
                 i == 100 ? "#CP DISCONNECT\r\n" : "", i);
    assert_non_null(text);
    assert_string_equal(strchr(text, '\n') + 1, expected);
    memset(line, 'x', sizeof line);
    for (unsigned i = 0; i < 3; i++) {
        vm_output(vm_of("ALICE"), 0, (const uint8_t *)line, OUTPUT_SCREEN / 2);
        turn();
        output("ALICE", "\r\n");
        turn();
    }
    type(0, "#CP DISCONNECT\r");
    logon(1, "ALICE");
    text = strstr(shown(1), "RECONNECTED AT ");
    size_t shown_again = strlen(strchr(text, '\n') + 1);
    assert_in_range(shown_again, OUTPUT_SCREEN / 2, OUTPUT_SCREEN);
    type(1, "#CP LOGOFF\r");
}

static void words_that_were_lost_are_told_of_once(void **state)
{
    char words[300], told[64];
    (void)state;
    logon(0, "ALICE");
    type(0, "#CP DISCONNECT\r");
    struct session *alice = session_find("ALICE");
    memset(words, 'x', sizeof words);
    while (!alice->output.dropped)
        output_say(&alice->output, "%.300s", words);
    snprintf(told, sizeof told, "\r\n%u characters of CP's messages are lost\r\n", alice->output.dropped);
    logon(1, "ALICE");
    assert_shows(1, told);
    for (unsigned i = 0; i < OUTPUT_SCREEN_LINES; i++)
        output("ALICE", "a line more\r\n");
    type(1, "#CP DISCONNECT\r");
    logon(0, "ALICE");
    assert_null(strstr(shown(0), "are lost"));
}

static void a_command_half_typed_for_cp_is_not_taken_for_the_machines_line(void **state)
{
    (void)state;
    logon(0, "ALICE");
    output("ALICE", "name? ");
    type(0, "#CP QUER");
    assert_string_equal(comes_back(1), "name? ");
    type(1, "x");
    assert_received("ALICE", "x");
}

static void a_connected_user_stays_unless_here_is_said(void **state)
{
    (void)state;
    logon(0, "BOB");
    struct vm *vm = vm_of("BOB");
    logon(1, "BOB");
    assert_shows(1, "HCPLGA054E Already logged on L0001");
    shown(0);
    type(1, "LOGON BOB HERE\r");
    type(1, "vmn\r");
    assert_shows(1, "RECONNECTED AT ");
    assert_shows(0, "VM/N ONLINE");
    assert_ptr_equal(vm_of("BOB"), vm);
}

#define TEST(name) cmocka_unit_test_setup(name, scene_reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reconnecting_loses_nothing),
        TEST(a_line_half_typed_at_the_machine_is_seen_again_by_who_comes_back),
        TEST(who_comes_back_to_cp_finds_its_prompt_and_what_was_typed_there),
        TEST(who_comes_back_sees_the_last_screen_again),
        TEST(words_that_were_lost_are_told_of_once),
        TEST(a_command_half_typed_for_cp_is_not_taken_for_the_machines_line),
        TEST(a_connected_user_stays_unless_here_is_said),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
