/* SMSG and SEND: words for a machine's program, and lines entered at the console of somebody who is not there. */
#include "cp/diagnose.h"
#include "tests/unit/command_scene.h"

enum { AT = 0x3000, RAM = 2 << 20 };

static int begin(void **state)
{
    fake_clock_advance(10000ull * 1000000000);
    return everybody(state);
}

static struct fake_vm *alices(void) { return (struct fake_vm *)vm_of("ALICE"); }

static bool has_read(const char *text)
{
    alices()->input[alices()->received] = 0;
    return strstr(alices()->input, text) != NULL;
}

static void carrier(unsigned line, bool there)
{
    fake_line[line].line.carrier(&fake_line[line].line, there);
    turn();
}

static void alice_leaves(void)
{
    type(0, "#CP DISCONNECT\r");
    alices()->received = 0;
    shown(0);
}

static const char *alice_returns(void)
{
    shown(0);
    logon(0, "ALICE");
    return shown(0);
}

/* ---- SMSG -------------------------------------------------------------------------------------------------------- */

static uint64_t take_from(const char *user, uint64_t at, uint64_t length)
{
    uint64_t *gpr = vm_of(user)->vcpu.gpr;
    gpr[RAX] = DIAGNOSE_SPECIAL, gpr[RBX] = at, gpr[RCX] = length;
    return vm_diagnose(vm_of(user));
}

static void assert_takes(const char *expected, bool more)
{
    char bytes[sizeof(struct diagnose_special) + 1] = "";
    const uint64_t *gpr = vm_of("BOB")->vcpu.gpr;
    assert_int_equal(take_from("BOB", AT, 248), DIAGNOSE_OK);
    assert_int_equal(gpr[RCX], strlen(expected));
    assert_int_equal(gpr[RDX], more);
    guest_read(&vm_of("BOB")->storage, gpa(AT), bytes, gpr[RCX]);
    assert_string_equal(bytes, expected);
}

static void a_special_message_is_for_the_program_that_asked_for_it(void **state)
{
    (void)state;
    assert_answer("ALICE", "SMSG BOB hi", 57, "HCPMFS057I BOB not receiving; SMSG OFF");
    assert_answer("ALICE", "SMSG MAINT hi", 45, "HCPMFS045E MAINT not logged on");
    assert_answer("ALICE", "SMSG BOB", 26, "HCPMFS026E");
    assert_answer("BOB", "SET SMSG ON", 0, "");
    ((struct fake_vm *)vm_of("BOB"))->rings = 0;
    assert_answer("ALICE", "SMSG BOB start  the\033[2J job", 0, "");
    assert_answer("BOB", "SMSG * and this", 0, "");
    turn();
    assert_string_equal(shown(1), "");
    assert_int_equal(((struct fake_vm *)vm_of("BOB"))->rings, 1); /* COM1 */
    assert_int_equal(take_from("ALICE", AT, 248), DIAGNOSE_NO_MESSAGE);
    assert_takes("ALICE   start  the?[2J job", true);
    assert_takes("BOB     and this", false);
    assert_int_equal(take_from("BOB", AT, 248), DIAGNOSE_NO_MESSAGE);
    assert_answer("BOB", "SET SMSG OFF", 0, "");
    assert_answer("ALICE", "SMSG BOB hi", 57, "SMSG OFF");
}

static void who_is_disconnected_receives_special_messages_and_who_comes_next_has_none_of_them(void **state)
{
    (void)state;
    run("BOB", "SET SMSG ON");
    type(1, "DISCONNECT\r");
    assert_answer("ALICE", "SMSG BOB one", 0, "");
    assert_answer("ALICE", "SMSG BOB two", 0, "");
    assert_takes("ALICE   one", true);
    run("OPERATOR", "FORCE BOB");
    turn();
    logon(1, "BOB");
    assert_int_equal(take_from("BOB", AT, 248), DIAGNOSE_NO_MESSAGE);
    assert_answer("ALICE", "SMSG BOB hi", 57, "SMSG OFF");
}

static void what_points_astray_costs_no_message(void **state)
{
    (void)state;
    run("BOB", "SET SMSG ON");
    run("ALICE", "SMSG BOB hi");
    assert_int_equal(take_from("BOB", AT, 247), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(take_from("BOB", RAM - 247, 248), DIAGNOSE_BAD_ADDRESS);
    assert_int_equal(take_from("BOB", UINT64_MAX - 7, 248), DIAGNOSE_BAD_ADDRESS);
    assert_takes("ALICE   hi", false);
}

static void messages_that_nobody_takes_are_refused_and_none_is_lost(void **state)
{
    char text[240], expected[260];
    unsigned sent = 0;
    (void)state;
    run("BOB", "SET SMSG ON");
    for (;; sent++) {
        memset(text, 'a' + (int)sent, sizeof text);
        snprintf(text, 10, "SMSG BOB ");
        text[9] = (char)('a' + sent), text[239] = 0;
        if (run("OPERATOR", text))
            break;
    }
    assert_non_null(strstr(answer, "HCPMFS057I BOB not receiving; others wait"));
    assert_true(sent >= 8);
    for (unsigned i = 0; i < sent; i++) {
        memset(expected, 'a' + (int)i, sizeof expected);
        memcpy(expected, "OPERATOR", 8);
        expected[8 + 230] = 0;
        assert_takes(expected, i + 1 < sent);
    }
    assert_int_equal(run("OPERATOR", text), 0);
}

static void who_sends_many_special_messages_is_held_back(void **state)
{
    unsigned sent = 0;
    (void)state;
    run("BOB", "SET SMSG ON");
    while (sent < 1000 && !run("ALICE", "SMSG BOB x"))
        sent++;
    assert_int_equal(sent, 40);
    assert_non_null(strstr(answer, "too many messages"));
}

/* ---- SEND -------------------------------------------------------------------------------------------------------- */

static void a_line_for_the_program_of_who_is_not_there_is_typed_and_entered(void **state)
{
    (void)state;
    alice_leaves();
    assert_answer("OPERATOR", "SEND ALICE start  the\033[2J job", 0, "");
    alices()->fifo = 100;
    turn();
    assert_true(has_read("start  the?[2J job\r"));
    assert_answer("OPERATOR", "SEND ALICE", 0, "");
    turn();
    assert_true(has_read("job\r\r"));
}

static void only_class_c_sends_and_to_nobody_who_is_at_a_terminal(void **state)
{
    (void)state;
    alices()->received = 0;
    assert_answer("OPERATOR", "SEND ALICE hello", 9046, "HCPSND9046E ALICE is at a terminal");
    assert_answer("OPERATOR", "SEND CP ALICE LOGOFF", 9046, "HCPSND9046E ALICE is at a terminal");
    assert_answer("OPERATOR", "SEND MAINT hello", 45, "HCPSND045E MAINT not logged on");
    alice_leaves();
    assert_answer("BOB", "SEND ALICE hello", 9016, "SEND is for privilege class C");
    turn();
    assert_int_equal(alices()->received, 0);
    run("OPERATOR", "FORCE ALICE");
    assert_answer("OPERATOR", "SEND ALICE x", 361, "HCPSND361E LOGOFF/FORCE pending for user ALICE");
}

static void cp_is_reached_though_the_machine_reads_nothing(void **state)
{
    (void)state;
    alice_leaves();
    alices()->fifo = 4;
    assert_answer("OPERATOR", "SEND ALICE hello", 0, "");
    assert_answer("OPERATOR", "SEND CP ALICE QUERY TIME", 0, "");
    turn();
    assert_true(has_read("hell"));
    assert_true(sent_waits(session_find("ALICE"))); /* it may read yet */
    fake_clock_advance(2000000000);
    turn();
    assert_int_equal(alices()->received, 4);
    assert_int_equal(session_find("ALICE")->state, SESSION_RUN);
    assert_non_null(strstr(alice_returns(), "TIME IS "));
}

static void there_is_room_for_some_lines_and_for_one_to_cp_in_any_case(void **state)
{
    unsigned lines = 0;
    (void)state;
    alice_leaves();
    alices()->fifo = 0;
    while (lines < 1000 && !run("OPERATOR", "SEND ALICE 0123456789"))
        lines++;
    assert_in_range(lines, 30, 60);
    assert_non_null(strstr(answer, "HCPSND057I ALICE not receiving; input waits"));
    assert_answer("OPERATOR", "SEND CP ALICE QUERY TIME", 0, "");
    turn();
    assert_int_equal(alices()->received, 0);
    assert_non_null(strstr(alice_returns(), "TIME IS "));
}

static void the_rest_goes_on_when_the_machine_reads(void **state)
{
    (void)state;
    alice_leaves();
    alices()->fifo = 4;
    run("OPERATOR", "SEND ALICE hello");
    run("OPERATOR", "SEND CP ALICE QUERY TIME");
    turn();
    for (unsigned i = 0; i < 4; i++) {
        alices()->fifo = 1;
        vm_input_room(&alices()->vm, 0);
        turn();
    }
    assert_true(has_read("hello\r"));
    assert_non_null(strstr(alice_returns(), "TIME IS "));
}

static void who_comes_back_types_for_themselves(void **state)
{
    (void)state;
    alice_leaves();
    alices()->fifo = 2;
    run("OPERATOR", "SEND ALICE abcdefgh");
    turn();
    alice_returns();
    alices()->fifo = 100;
    vm_input_room(&alices()->vm, 0);
    type(0, "xyz\r");
    assert_true(has_read("xyz\r"));
    assert_false(has_read("d"));
}

static void cp_alone_stops_the_machine_and_lines_are_commands_then(void **state)
{
    (void)state;
    alice_leaves();
    run("OPERATOR", "SEND CP ALICE");
    turn();
    assert_int_equal(session_find("ALICE")->state, SESSION_READ);
    assert_int_equal(vm_of("ALICE")->state, VM_STOPPED);
    run("OPERATOR", "SEND ALICE QUERY USERID");
    turn();
    run("OPERATOR", "SEND ALICE BEGIN");
    turn();
    assert_int_equal(session_find("ALICE")->state, SESSION_RUN);
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
    assert_non_null(strstr(alice_returns(), "ALICE    AT VMN"));
    alice_leaves();
    run("OPERATOR", "SEND CP ALICE LOGOFF");
    turn();
    assert_null(session_find("ALICE"));
}

static void a_half_typed_line_of_who_left_is_not_glued_to_it(void **state)
{
    (void)state;
    type(1, "QUERY NA"); /* to CP */
    type(0, "ab");       /* to the program */
    carrier(0, false);
    carrier(1, false);
    run("OPERATOR", "SEND BOB QUERY USERID");
    run("OPERATOR", "SEND CP ALICE QUERY USERID");
    turn();
    carrier(0, true);
    carrier(1, true);
    assert_non_null(strstr(alice_returns(), "ALICE    AT VMN"));
    logon(1, "BOB");
    assert_shows(1, "BOB      AT VMN");
}

static void a_line_wakes_a_sleeper_without_a_time_and_waits_for_one_with(void **state)
{
    (void)state;
    alices()->fifo = 100;
    type(0, "#CP SLEEP\r");
    carrier(0, false);
    assert_int_equal(session_find("ALICE")->state, SESSION_SLEEP);
    run("OPERATOR", "SEND ALICE first");
    turn();
    assert_true(has_read("first\r"));
    carrier(0, true);
    alice_returns();
    type(0, "#CP SLEEP 1 HOUR\r");
    carrier(0, false);
    assert_int_equal(session_find("ALICE")->state, SESSION_SLEEP);
    run("OPERATOR", "SEND ALICE second");
    turn();
    assert_false(has_read("second"));
    fake_clock_advance(3601ull * 1000000000);
    turn();
    assert_true(has_read("second\r"));
    carrier(0, true);
}

static void it_is_recorded_but_not_what_may_be_a_password(void **state)
{
    (void)state;
    alice_leaves();
    run("OPERATOR", "SEND ALICE sesame");
    run("OPERATOR", "SEND CP ALICE LINK MAINT 190 300 W sesame");
    run("OPERATOR", "SEND NOBODY sesame");
    turn();
    run("OPERATOR", "QUERY AUDIT 30");
    assert_non_null(strstr(answer, "OPERATOR SEND ALICE\n"));
    assert_non_null(strstr(answer, "OPERATOR SEND CP ALICE\n"));
    assert_non_null(strstr(answer, "OPERATOR SEND NOBODY REFUSED 045\n"));
    assert_null(strstr(answer, "sesame"));
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_special_message_is_for_the_program_that_asked_for_it),
        TEST(who_is_disconnected_receives_special_messages_and_who_comes_next_has_none_of_them),
        TEST(what_points_astray_costs_no_message),
        TEST(messages_that_nobody_takes_are_refused_and_none_is_lost),
        TEST(who_sends_many_special_messages_is_held_back),
        TEST(a_line_for_the_program_of_who_is_not_there_is_typed_and_entered),
        TEST(only_class_c_sends_and_to_nobody_who_is_at_a_terminal),
        TEST(cp_is_reached_though_the_machine_reads_nothing),
        TEST(there_is_room_for_some_lines_and_for_one_to_cp_in_any_case),
        TEST(the_rest_goes_on_when_the_machine_reads),
        TEST(who_comes_back_types_for_themselves),
        TEST(cp_alone_stops_the_machine_and_lines_are_commands_then),
        TEST(a_half_typed_line_of_who_left_is_not_glued_to_it),
        TEST(a_line_wakes_a_sleeper_without_a_time_and_waits_for_one_with),
        TEST(it_is_recorded_but_not_what_may_be_a_password),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
