/* What a person types at CP's prompt, or behind #CP: keys, lines that are too long or given up, the end of it all. */
#include "cp/session/turn.h"
#include "tests/unit/session_scene.h"

#define GUEST(id) ((struct fake_vm *)vm_of(id))

static struct terminal *terminal_of(unsigned line) { return fake_line[line].line.owner; }

static void keys_move_within_the_line(void **state)
{
    (void)state;
    logon(1, "BOB");
    type(1, "UERY USERIDX\033[D\033[3~\033[HQ\r");
    assert_shows(1, "BOB      AT VMN\r\n");
    shown(1);
    type(1, "QUERY QUX\033[A\r");
    assert_shows(1, "BOB      AT VMN\r\n");
}

static void type_times(unsigned line, const char *what, unsigned times)
{
    while (times--)
        fake_type(line, what);
    turn();
}

static void a_line_that_is_too_long_is_refused_whole(void **state)
{
    (void)state;
    logon(1, "BOB");
    type(1, "QUERY USERID#QUERY USERID");
    type_times(1, " ", EDITOR_LINE - 25 + 3);
    shown(1);
    type(1, "\r");
    const char *text = shown(1);
    assert_non_null(strstr(text, "HCPCFC9045E Line too long: 243 bytes; the limit is 240\r\nCP> "));
    assert_null(strstr(text, "AT VMN"));
    type(1, "QUERY USERID");
    type_times(1, " ", EDITOR_LINE - 12);
    type(1, "\r");
    assert_shows(1, "BOB      AT VMN\r\n");
}

static void behind_cp_too_and_the_machine_has_its_terminal_back(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1000;
    fake_type(0, "#CP QUERY USERID");
    type_times(0, " ", EDITOR_LINE);
    shown(0);
    type(0, "\rmine\r");
    assert_shows(0, "HCPCFC9045E Line too long: 252 bytes; the limit is 240\r\n");
    assert_string_equal(GUEST("ALICE")->input, "mine\r");
}

static void a_password_that_is_too_long_is_not_tried(void **state)
{
    (void)state;
    type(1, "LOGON BOB\r");
    type_times(1, "x", EDITOR_LINE + 1);
    type(1, "\r");
    assert_shows(1, "HCPCFC9045E");
    assert_int_equal(terminal_of(1)->refusals, 0);
    assert_int_equal(terminal_of(1)->session->state, SESSION_LOGON);
}

static void control_c_gives_up_a_line(void **state)
{
    (void)state;
    logon(1, "BOB");
    shown(1);
    type(1, "QUERY TI\003QUERY USERID\r");
    const char *text = shown(1);
    assert_non_null(strstr(text, "QUERY TI^C\r\nCP> QUERY USERID\r\nBOB      AT VMN\r\n"));
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1000;
    type(0, "#CP QUE\003mine\r");
    assert_int_equal(terminal_of(0)->session->state, SESSION_RUN);
    assert_string_equal(GUEST("ALICE")->input, "mine\r");
}

static void control_c_gives_up_a_logon(void **state)
{
    (void)state;
    type(1, "LOGON BOB\r");
    type(1, "vm\003");
    assert_int_equal(terminal_of(1)->session->state, SESSION_LOGON);
    type(1, "n\r");
    assert_null(session_find("BOB"));
    for (unsigned i = 0; i < EDITOR_LINE; i++)
        assert_true(terminal_of(1)->session->typing.editor.text[i] != 'v');
}

static void control_c_ends_sleep(void **state)
{
    (void)state;
    logon(0, "ALICE");
    type(0, "#CP SLEEP\r");
    assert_int_equal(vm_of("ALICE")->state, VM_STOPPED);
    type(0, "\003");
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
}

static void a_key_ends_sleep_though_commands_stand_behind_it(void **state)
{
    (void)state;
    static const char *const keys[] = {"\r", "\003"};
    logon(0, "ALICE");
    for (unsigned i = 0; i < 2; i++) {
        type(0, "#CP SLEEP#QUERY USERID\r");
        shown(0);
        assert_int_equal(vm_of("ALICE")->state, VM_STOPPED);
        type(0, keys[i]);
        assert_shows(0, "ALICE    AT VMN\r\n");
        assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
    }
}

static void what_is_typed_ahead_of_a_sleeper_leaves_nobody_asleep_for_ever(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1000;
    type(0, "#CP SLEEP\r");
    type(0, "hello");
    assert_int_equal(vm_of("ALICE")->state, VM_STOPPED);
    type(0, "\r");
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
    turn();
    assert_string_equal(GUEST("ALICE")->input, "hello\r");
    type(0, "#CP SLEEP 9 HOUR\r");
    type(0, "more\r"); /* as a script goes on */
    assert_int_equal(vm_of("ALICE")->state, VM_STOPPED);
    type(0, "\003");
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
    turn();
    assert_string_equal(GUEST("ALICE")->input, "hello\rmore\r\003");
}

static void words_that_come_while_a_long_line_is_edited_leave_it_whole(void **state)
{
    (void)state;
    logon(1, "BOB");
    type_times(1, "x", 200);
    type(1, "\001");
    shown(1);
    output_say(&session_find("BOB")->output, "News");
    turn();
    const char *text = shown(1);
    /* down from the first of three rows, then all of it again, and back to the first character */
    assert_true(!strncmp(text, "\r\n\r\n\r\nNews\r\nCP> xxx", 19));
    assert_non_null(strstr(text, "\r\033[2A\033[4C"));
}

static void the_machines_words_do_not_run_into_a_command_begun(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1000;
    shown(0);
    type(0, "#CP QUERY");
    vm_output(vm_of("ALICE"), 0, (const uint8_t *)"VM", 2);
    vm_output(vm_of("ALICE"), 0, (const uint8_t *)"/N\r\n", 4);
    turn();
    assert_string_equal(shown(0), "#CP QUERY\r\nVM/N\r\n#CP QUERY");
    type(0, " USERID\r");
    assert_shows(0, "ALICE    AT VMN\r\n");
}

static void a_second_goes_by(void)
{
    fake_clock_advance(1100000000);
    turn();
}

static void cp_is_reached_though_the_machine_reads_nothing(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1;
    type(0, "one\rtwo #CP no\r\xc3\xa9\177#cp QUERY USERID\rthree\r"); /* Backspace took both bytes */
    assert_null(strstr(shown(0), "AT VMN")); /* it may be about to read */
    a_second_goes_by();
    assert_shows(0, "#CP QUERY USERID\r\nALICE    AT VMN\r\n");
    GUEST("ALICE")->fifo = 1000;
    vm_input_room(vm_of("ALICE"), 0);
    turn();
    assert_string_equal(GUEST("ALICE")->input, "one\rtwo #CP no\r\xc3\xa9\177three\r");
}

static void what_was_typed_before_it_is_no_command_for_cp(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1;
    type(0, "one\rQUERY USERID\r#CP\rQUERY USERS\r");
    shown(0);
    a_second_goes_by();
    const char *text = shown(0);
    assert_non_null(strstr(text, "#CP\r\nCP> QUERY USERS\r\n1 USERS, 0 DIALED\r\n"));
    assert_null(strstr(text, "AT VMN"));
    assert_int_equal(vm_of("ALICE")->state, VM_STOPPED);
}

static void nor_is_it_for_who_comes_behind_a_logoff(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1;
    type(0, "one\rMESSAGE OPERATOR secret\r#CP LOGOFF\r");
    a_second_goes_by();
    assert_null(session_find("ALICE"));
    assert_null(strstr(shown(0), "secret"));
}

static void a_line_behind_cp_that_is_too_long_is_refused_there_too(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1;
    fake_type(0, "one\r#CP QUERY USERID");
    type_times(0, " ", 2 * EDITOR_LINE);
    type(0, "\r");
    a_second_goes_by();
    const char *text = shown(0);
    assert_non_null(strstr(text, "Line too long: 492 bytes"));
    assert_null(strstr(text, "AT VMN"));
    assert_int_equal(terminal_of(0)->session->state, SESSION_RUN);
}

static void a_machine_that_reads_slowly_has_its_lines_in_order(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1;
    type(0, "ab\r#CP QUERY USERID\r");
    for (unsigned i = 0; i < 5; i++) {
        fake_clock_advance(800000000);
        GUEST("ALICE")->fifo = 1;
        turn_wanted = true;
        turn();
    }
    assert_string_equal(GUEST("ALICE")->input, "ab\r");
    assert_shows(0, "AT VMN");
}

static void resized(unsigned line, unsigned columns)
{
    terminal_of(line)->columns = columns;
    terminal_of(line)->resized = true;
    turn_wanted = true;
    turn();
}

static void a_terminal_that_becomes_wider_has_its_line_drawn_anew(void **state)
{
    (void)state;
    logon(1, "BOB");
    type_times(1, "x", 90);
    shown(1);
    resized(1, 100);
    const char *text = shown(1);
    assert_true(!strncmp(text, "\r\nCP> xxx", 9));
    type(1, "\001");
    assert_string_equal(shown(1), "\r\033[4C");
    type(1, "\025\013\r");
    resized(1, 0);
}

static void linesize_says_how_wide_the_terminal_is(void **state)
{
    (void)state;
    logon(1, "BOB");
    shown(1);
    type(1, "QUERY TERMINAL\r");
    assert_shows(1, "LINEND # , PAGELENGTH 024, LINESIZE 080\r\n");
    resized(1, 132);
    type(1, "QUERY TERM\r");
    assert_shows(1, "LINESIZE 132\r\n");
    type(1, "TERMINAL LINESIZE 40\r");
    type(1, "QUERY TERM\r");
    assert_shows(1, "LINESIZE 040\r\n");
    type_times(1, "x", 50);
    shown(1);
    type(1, "\001");
    assert_string_equal(shown(1), "\r\033[1A\033[4C");
    type(1, "\025\013TERM LINES OFF#Q TERM\r");
    assert_shows(1, "LINESIZE 132\r\n");
    type(1, "TERMINAL LINESIZE 19#TERMINAL LINESIZE 256#TERMINAL WIDTH 80#TERMINAL LINESIZE#TERMINAL LINESIZE 80 X\r");
    const char *text = shown(1);
    assert_non_null(strstr(text, "HCPTRM002E Invalid operand - 19\r\n"));
    assert_non_null(strstr(text, "HCPTRM002E Invalid operand - 256\r\n"));
    assert_non_null(strstr(text, "HCPTRM002E Invalid operand - WIDTH\r\n"));
    assert_non_null(strstr(text, "HCPTRM026E Operand missing or invalid\r\n"));
    assert_non_null(strstr(text, "HCPTRM003E"));
    type(1, "QUERY TERMINAL\r");
    assert_shows(1, "LINESIZE 132\r\n");
    terminal_of(1)->rows = 50;
    type(1, "QUERY TERMINAL\r");
    assert_shows(1, "PAGELENGTH 050, LINESIZE 132\r\n");
    type(1, "TERMINAL PAGELENGTH 2#QUERY TERMINAL\r");
    assert_shows(1, "PAGELENGTH 002, LINESIZE 132\r\n");
    type(1, "TERMINAL PAGEL 256#TERMINAL PAGELENGTH 1\r");
    text = shown(1);
    assert_non_null(strstr(text, "HCPTRM002E Invalid operand - 256\r\n"));
    assert_non_null(strstr(text, "HCPTRM002E Invalid operand - 1\r\n"));
    type(1, "TERMINAL PAGELENGTH OFF#QUERY TERMINAL\r");
    assert_shows(1, "PAGELENGTH 050, LINESIZE 132\r\n");
    terminal_of(1)->rows = 0;
    resized(1, 0);
}

/* ---- the end of input -------------------------------------------------------------------------------------------- */

static void end_input(unsigned line)
{
    terminal_of(line)->ended = true;
    turn_wanted = true;
    turn();
}

static int input_goes_on(void **state)
{
    for (unsigned i = 0; i < FAKE_LINES; i++)
        terminal_of(i)->ended = false;
    fake_machine_busy = false;
    return scene_reset(state);
}

static void at_the_end_of_input_who_is_in_cp_is_logged_off(void **state)
{
    (void)state;
    fake_type(1, "LOGON BOB NOIPL\rvmn\rQUERY USERID"); /* the last line without its end */
    end_input(1);
    assert_shows(1, "BOB      AT VMN\r\n");
    assert_null(session_find("BOB"));
    assert_false(session_closed); /* others may come at the other lines */
}

static void a_machine_is_left_alone_until_it_waits_for_a_key_that_nobody_will_press(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 3;
    fake_type(0, "one\r");
    end_input(0);
    assert_non_null(session_find("ALICE")); /* it runs, and has not read all */
    GUEST("ALICE")->fifo = 1000;
    vm_input_room(vm_of("ALICE"), 0);
    turn();
    assert_non_null(session_find("ALICE"));
    fake_machine_busy = true;
    vm_of("ALICE")->state = VM_WAITING;
    turn();
    assert_non_null(session_find("ALICE")); /* a disk or a timer will wake it */
    fake_machine_busy = false;
    turn();
    assert_null(session_find("ALICE"));
}

static void a_line_begun_for_the_machine_is_finished(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1000;
    fake_type(0, "one\r#CP");
    end_input(0);
    assert_shows(0, "#CP\r\n"); /* which stops the machine, and so that was it */
    assert_null(session_find("ALICE"));
    logon(1, "ALICE");
    GUEST("ALICE")->fifo = 1000;
    fake_type(1, "two");
    end_input(1);
    assert_string_equal(GUEST("ALICE")->input, "two\r");
}

static void its_end_is_typed_once_however_slowly_the_machine_reads(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 3;
    fake_type(0, "one\r");
    end_input(0);
    for (unsigned i = 0; i < 5; i++) {
        GUEST("ALICE")->fifo = 1;
        turn_wanted = true;
        turn();
    }
    assert_string_equal(GUEST("ALICE")->input, "one\r");
}

static void a_question_without_an_answer_is_given_up(void **state)
{
    (void)state;
    fake_type(1, "LOGON BOB\r");
    end_input(1);
    assert_int_equal(terminal_of(1)->session->state, SESSION_LOGON);
    assert_int_equal(terminal_of(1)->refusals, 0);
    logon(0, "ALICE");
    fake_type(0, "#CP ");
    end_input(0);
    assert_int_equal(terminal_of(0)->session->state, SESSION_RUN);
}

static void a_rest_is_waited_for(void **state)
{
    (void)state;
    logon(1, "BOB");
    fake_type(1, "SLEEP 2 SEC#QUERY USERID\r");
    end_input(1);
    assert_non_null(session_find("BOB"));
    fake_clock_advance(2100000000);
    turn();
    assert_shows(1, "BOB      AT VMN\r\n");
    turn();
    assert_null(session_find("BOB"));
}

static void a_rest_that_only_a_key_would_end_is_not(void **state)
{
    (void)state;
    logon(1, "BOB");
    fake_type(1, "SLEEP#QUERY USERID\rSLEEP#QUERY TERMINAL");
    end_input(1);
    for (unsigned i = 0; i < 4; i++)
        turn();
    const char *text = shown(1);
    assert_non_null(strstr(text, "BOB      AT VMN\r\n"));
    assert_non_null(strstr(text, "LINESIZE 080\r\n"));
    assert_null(session_find("BOB"));
}

static void nor_one_behind_which_the_machine_reads_on(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1000;
    fake_type(0, "#CP SLEEP\rone\r");
    end_input(0);
    for (unsigned i = 0; i < 4; i++)
        turn();
    assert_string_equal(GUEST("ALICE")->input, "one\r");
    vm_of("ALICE")->state = VM_WAITING;
    turn();
    assert_null(session_find("ALICE"));
}

static int start(void **state)
{
    (void)state;
    scene_begin();
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, input_goes_on)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_move_within_the_line),
        TEST(a_line_that_is_too_long_is_refused_whole),
        TEST(behind_cp_too_and_the_machine_has_its_terminal_back),
        TEST(a_password_that_is_too_long_is_not_tried),
        TEST(control_c_gives_up_a_line),
        TEST(control_c_gives_up_a_logon),
        TEST(control_c_ends_sleep),
        TEST(what_is_typed_ahead_of_a_sleeper_leaves_nobody_asleep_for_ever),
        TEST(a_key_ends_sleep_though_commands_stand_behind_it),
        TEST(words_that_come_while_a_long_line_is_edited_leave_it_whole),
        TEST(the_machines_words_do_not_run_into_a_command_begun),
        TEST(cp_is_reached_though_the_machine_reads_nothing),
        TEST(what_was_typed_before_it_is_no_command_for_cp),
        TEST(nor_is_it_for_who_comes_behind_a_logoff),
        TEST(a_line_behind_cp_that_is_too_long_is_refused_there_too),
        TEST(a_machine_that_reads_slowly_has_its_lines_in_order),
        TEST(a_terminal_that_becomes_wider_has_its_line_drawn_anew),
        TEST(linesize_says_how_wide_the_terminal_is),
        TEST(at_the_end_of_input_who_is_in_cp_is_logged_off),
        TEST(a_machine_is_left_alone_until_it_waits_for_a_key_that_nobody_will_press),
        TEST(a_line_begun_for_the_machine_is_finished),
        TEST(its_end_is_typed_once_however_slowly_the_machine_reads),
        TEST(a_question_without_an_answer_is_given_up),
        TEST(a_rest_is_waited_for),
        TEST(a_rest_that_only_a_key_would_end_is_not),
        TEST(nor_one_behind_which_the_machine_reads_on),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
