/* States of a session, and rests: who is awake again does what they did before, unless something else was said
 * meanwhile, and is shown again what they were at. */
#include "tests/unit/session_scene.h"

#include "cp/session/state.h"

static struct session *alice;

static int at_her_machine(void **state)
{
    fake_clock_tick = 0;
    scene_reset(state);
    logon(0, "ALICE");
    type(0, "#CP DETACH 190\r");
    shown(0);
    alice = session_find("ALICE");
    return 0;
}

static unsigned typed_and_not_taken(void) { return ring_used(&alice->output.terminal->input); }

static void after_seconds(unsigned seconds)
{
    fake_clock_advance(seconds * 1000000000ull);
    turn();
}

/* The machine's DIAGNOSE 8 with a large buffer. */
static void machine_asks(const char *text)
{
    uint64_t *gpr = alice->vm->vcpu.gpr;
    assert_int_equal(guest_write(&alice->vm->storage, gpa(0x1000), text, strlen(text)), GUEST_OK);
    gpr[RAX] = DIAGNOSE_COMMAND, gpr[RBX] = 0x1000, gpr[RCX] = strlen(text), gpr[RDX] = 0x8000, gpr[RSI] = 60000;
    assert_int_equal(vm_diagnose(alice->vm), DIAGNOSE_OK);
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static bool reads_a_line(const struct session_row *row)
{
    return row->reads == READS_LINES || row->reads == READS_COMMAND || row->reads == READS_SECRET;
}

static void each_state_that_waits_says_what_follows_and_no_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SESSION_STATES; i++) {
        const struct session_row *row = &session_states[i];
        assert_int_equal(row->follows != NULL, reads_a_line(row) || row->awaits != AWAITS_LINE);
        assert_false(reads_a_line(row) && row->awaits != AWAITS_LINE);
        assert_int_equal(row->prompt != NULL, row->reads == READS_LINES || row->reads == READS_COMMAND);
    }
}

static void nobody_rests_for_ever_or_talks_to_a_machine_that_does_not_run(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SESSION_STATES; i++) {
        const struct session_row *row = &session_states[i];
        assert_false(row->machine == MACHINE_RESTS && row->awaits == AWAITS_LINE);
        bool anothers = i == SESSION_DIALED;
        assert_false(row->reads == READS_MACHINE && row->machine != MACHINE_RUNS && !anothers);
    }
}

static void what_is_typed_goes_where_the_states_row_says(void **state)
{
    static const struct {
        const char *command;
        enum session_state rests;
    } rows[] = {{"#CP SLEEP\r", SESSION_SLEEP},
                {"#CP LINK MAINT 190 190 W wrong\r", SESSION_CHECK},
                {"#CP DISPLAY 0.1000\r", SESSION_TASK}};
    (void)state;
    ((struct fake_vm *)alice->vm)->fifo = 100;
    fake_clock_tick = WORK_SLICE / 3;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned received = ((struct fake_vm *)alice->vm)->received;
        fake_type(0, rows[i].command);
        for (unsigned turns = 0; !session_rests(alice) && turns < 200; turns++)
            user_poll();
        assert_int_equal(alice->state, rows[i].rests);
        assert_int_equal(alice->vm->state, VM_STOPPED);
        fake_type(0, "x");
        user_poll();
        assert_int_equal(typed_and_not_taken(), 1);
        assert_int_equal(((struct fake_vm *)alice->vm)->received, received);
        alice->output.terminal->input.tail++; /* or it would be in the way of the Enter */
        type(0, "\r");
        for (unsigned turns = 0; alice->state != SESSION_RUN && turns < 20; turns++)
            turn();
        assert_int_equal(alice->state, SESSION_RUN);
        assert_int_equal(alice->vm->state, VM_RUNNABLE);
    }
}

/* ---- rests that end otherwise ------------------------------------------------------------------------------------ */

/* Others lacked frames, and its storage is being cleared. */
static void take(struct vm *vm)
{
    vm->stop = VM_STOP_TAKEN;
    vm_stopped(vm);
}

static void a_machine_that_was_taken_while_it_rested_is_not_begun_by_a_later_rest(void **state)
{
    (void)state;
    type(0, "#CP SLEEP 5 SEC\r");
    assert_int_equal(alice->state, SESSION_SLEEP);
    take(alice->vm);
    assert_int_equal(alice->state, SESSION_READ);
    unsigned begun = ((struct fake_vm *)alice->vm)->begun;
    type(0, "SLEEP 1 SEC\r");
    assert_int_equal(alice->state, SESSION_SLEEP);
    after_seconds(2);
    assert_int_equal(alice->state, SESSION_READ);
    assert_int_equal(((struct fake_vm *)alice->vm)->begun, begun);
    assert_int_equal(alice->vm->state, VM_STOPPED);
}

static void a_long_answer_to_a_machine_that_was_taken_is_not_mixed_with_one_to_the_terminal(void **state)
{
    uint64_t *gpr = alice->vm->vcpu.gpr;
    (void)state;
    fake_clock_tick = WORK_SLICE / 3;
    machine_asks("DISPLAY 0.1000\nQUERY USERID");
    assert_int_equal(alice->state, SESSION_TASK);
    take(alice->vm);
    shown(0);
    gpr[RAX] = 4711, gpr[RBX] = 4712;
    type(0, "DISPLAY 0.400\r");
    for (unsigned turns = 0; alice->state == SESSION_TASK && turns < 20; turns++)
        turn();
    assert_int_equal(alice->state, SESSION_READ);
    assert_int_equal(gpr[RAX], 4711);
    assert_int_equal(gpr[RBX], 4712);
    const char *said = shown(0);
    assert_non_null(strstr(said, "V00000000  "));
    assert_non_null(strstr(said, "V000003F0  "));
    assert_null(strstr(said, "ALICE    AT VMN"));
}

static void the_results_of_two_long_lines_come_when_both_are_answered(void **state)
{
    uint64_t *gpr = alice->vm->vcpu.gpr;
    char answer[8];
    (void)state;
    fake_clock_tick = WORK_SLICE / 3;
    machine_asks("DISPLAY 0.400\nDISPLAY 1000.400");
    for (unsigned turns = 0; alice->state == SESSION_TASK && turns < 20000; turns++) {
        assert_int_equal(gpr[RBX], 0x1000); /* as the call had it */
        user_poll();
    }
    assert_int_equal(alice->state, SESSION_RUN);
    assert_int_equal(gpr[RBX], 0);
    uint64_t half = gpr[RCX] / 2;
    assert_int_equal(guest_read(&alice->vm->storage, gpa(0x8000 + half), answer, 5), GUEST_OK);
    assert_memory_equal(answer, "V0000", 5);
}

static void sleep_that_a_machine_asks_for_answers_when_it_is_over_and_leaves_the_half_typed_line(void **state)
{
    uint64_t *gpr = alice->vm->vcpu.gpr;
    (void)state;
    type(0, "#CP QUERY US");
    machine_asks("SLEEP 1 SEC\nQUERY USERID");
    assert_int_equal(gpr[RBX], 0);
    assert_int_equal(gpr[RCX], 0); /* lines behind it are not obeyed */
    assert_int_equal(alice->state, SESSION_SLEEP);
    after_seconds(2);
    assert_int_equal(alice->state, SESSION_COMMAND);
    assert_int_equal(alice->vm->state, VM_RUNNABLE);
    type(0, "ERID\r");
    assert_shows(0, "ALICE    AT VMN\r\n");
}

/* ---- and after one ---------------------------------------------------------------------------------------------- */

static void the_time_of_one_sleep_does_not_end_the_next(void **state)
{
    (void)state;
    type(0, "#CP SLEEP 1 SEC\r");
    after_seconds(2);
    type(0, "#CP SLEEP\r"); /* for no time, until Enter */
    assert_int_equal(alice->state, SESSION_SLEEP);
    type(0, "\r");
    type(0, "#CP SLEEP 5 SEC\r");
    type(0, "\r");
    type(0, "#CP SLEEP\r");
    after_seconds(6);
    assert_int_equal(alice->state, SESSION_SLEEP);
    type(0, "\r");
    assert_int_equal(alice->state, SESSION_RUN);
}

static void a_line_of_the_machine_is_shown_again_after_a_rest(void **state)
{
    (void)state;
    vm_output(alice->vm, 0, (const uint8_t *)"Name? ", 6);
    type(0, "#CP SLEEP 1 SEC\r");
    shown(0);
    after_seconds(2);
    assert_string_equal(shown(0), "Name? ");
}

static void a_rest_that_ends_while_a_logoff_waits_for_disks_begins_no_machine(void **state)
{
    (void)state;
    type(0, "#CP SLEEP 1 SEC\r");
    ((struct fake_vm *)alice->vm)->in_flight = 1;
    deed_note_logoff(alice, NULL, false);
    after_seconds(2);
    assert_int_equal(alice->state, SESSION_RUN);
    assert_int_equal(alice->vm->state, VM_STOPPED);
    ((struct fake_vm *)alice->vm)->in_flight = 0;
    turn();
    assert_null(vm_of("ALICE"));
}

static void a_machine_that_asks_to_be_disconnected_after_a_long_answer_goes_on(void **state)
{
    (void)state;
    fake_clock_tick = WORK_SLICE / 3;
    machine_asks("DISPLAY 0.400\nDISCONNECT");
    assert_int_equal(alice->state, SESSION_TASK);
    for (unsigned turns = 0; alice->output.terminal && turns < 20; turns++)
        turn();
    fake_clock_tick = 0;
    turn();
    assert_null(alice->output.terminal);
    assert_int_equal(alice->state, SESSION_RUN);
    assert_int_equal(alice->vm->state, VM_RUNNABLE);
    assert_int_equal(alice->vm->vcpu.gpr[RAX], DIAGNOSE_OK);
    assert_int_equal(alice->vm->vcpu.gpr[RBX], 0);
}

static void a_machine_that_stopped_by_itself_is_not_begun_by_a_rest_in_cp(void **state)
{
    (void)state;
    type(0, "#CP SET RUN ON\r#CP\r");
    type(0, "SLEEP 1 SEC\r");
    assert_int_equal(alice->vm->state, VM_STOPPED);
    after_seconds(2);
    assert_int_equal(alice->vm->state, VM_RUNNABLE);
    assert_int_equal(alice->state, SESSION_READ);
    vm_stop(alice->vm, VM_STOP_TRIPLE_FAULT, 0);
    type(0, "SLEEP 1 SEC\r");
    after_seconds(2);
    assert_int_equal(alice->state, SESSION_READ);
    assert_int_equal(alice->vm->state, VM_STOPPED);
}

static void a_rest_of_the_machine_leaves_what_is_typed_at_the_prompt(void **state)
{
    (void)state;
    type(0, "#CP SET RUN ON\r#CP\rQUERY US");
    machine_asks("SLEEP 1 SEC");
    after_seconds(2);
    assert_int_equal(alice->state, SESSION_READ);
    shown(0);
    type(0, "ERID\r");
    assert_shows(0, "ALICE    AT VMN\r\n");
}

static void hang_up(void)
{
    struct line *line = &fake_line[0].line;
    line->carrier(line, false);
    turn();
    line->carrier(line, true);
    turn();
}

static void whose_user_hangs_up_meanwhile_runs_on_after_it(void **state)
{
    (void)state;
    type(0, "#CP\rSLEEP 2 SEC\r");
    hang_up();
    assert_int_equal(alice->vm->state, VM_STOPPED);
    after_seconds(3);
    assert_int_equal(alice->state, SESSION_RUN);
    assert_int_equal(alice->vm->state, VM_RUNNABLE);
}

static void but_not_if_it_had_stopped_by_itself(void **state)
{
    (void)state;
    vm_stop(alice->vm, VM_STOP_TRIPLE_FAULT, 0);
    turn();
    type(0, "SLEEP 2 SEC\r");
    hang_up();
    after_seconds(3);
    assert_int_equal(alice->state, SESSION_READ);
    assert_int_equal(alice->vm->state, VM_STOPPED);
}

static void a_command_half_typed_before_a_rest_does_not_outlive_a_hang_up(void **state)
{
    static const char *const typed[] = {"#CP DEFINE STORAGE 4", "#CP SET RUN ON\r#CP\rDEFINE STORAGE 4"};
    for (unsigned i = 0; i < 2; i++) {
        at_her_machine(state);
        type(0, typed[i]);
        machine_asks("SLEEP 2 SEC");
        hang_up();
        after_seconds(3);
        assert_int_equal(alice->vm->state, VM_RUNNABLE);
        shown(0);
        type(0, "LOGON ALICE\r");
        type(0, "vmn\r");
        assert_null(strstr(shown(0), "DEFINE"));
        type(0, "M\r");
        assert_null(strstr(shown(0), "STORAGE ="));
        assert_int_equal(alice->state, SESSION_RUN);
    }
}

static void who_is_being_logged_off_is_told_no_more_and_asked_nothing(void **state)
{
    (void)state;
    fake_clock_tick = WORK_SLICE / 3;
    type(0, "#CP\r");
    shown(0);
    fake_type(0, "DISPLAY 0.1000\r");
    for (unsigned turns = 0; alice->state != SESSION_TASK && turns < 200; turns++)
        user_poll();
    assert_int_equal(alice->state, SESSION_TASK);
    ((struct fake_vm *)alice->vm)->in_flight = 1;
    deed_note_logoff(alice, NULL, false);
    shown(0);
    fake_clock_tick = 0;
    type(0, "QUERY USERID\r");
    assert_string_equal(shown(0), "");
    output_say(&alice->output, "News");
    turn();
    assert_string_equal(shown(0), "News\r\n"); /* and no prompt */
    ((struct fake_vm *)alice->vm)->in_flight = 0;
    turn();
    assert_null(vm_of("ALICE"));
}

/* ---- what is shown again ---------------------------------------------------------------------------------------- */

static void a_command_without_an_answer_gives_the_machine_its_line_back(void **state)
{
    (void)state;
    vm_output(alice->vm, 0, (const uint8_t *)"Name? ", 6);
    type(0, "#CP SET MSG ON\r");
    assert_shows(0, "#CP SET MSG ON\r\nName? ");
}

static void a_line_too_long_to_be_kept_is_not_shown_in_part(void **state)
{
    char text[OUTPUT_PARTIAL + 1];
    (void)state;
    memset(text, 'x', sizeof text);
    vm_output(alice->vm, 0, (const uint8_t *)text, sizeof text);
    turn();
    shown(0);
    output_say(&alice->output, "News");
    turn();
    assert_string_equal(shown(0), "\r\nNews\r\n");
}

static void there_is_no_prompt_between_commands_of_a_line_that_take_several_turns(void **state)
{
    (void)state;
    type(0, "#CP\r");
    shown(0);
    fake_clock_tick = WORK_SLICE;
    fake_type(0, "QUERY USERID#QUERY USERID#QUERY USERID\rQUERY USERS\r");
    for (unsigned turns = 0; turns < 500; turns++)
        user_poll();
    assert_string_equal(shown(0), "QUERY USERID#QUERY USERID#QUERY USERID\r\n"
                                  "ALICE    AT VMN\r\nALICE    AT VMN\r\nALICE    AT VMN\r\nCP> QUERY USERS\r\n"
                                  "1 USERS, 0 DIALED\r\nCP> ");
}

static void there_is_no_prompt_while_a_logoff_waits_for_disks(void **state)
{
    (void)state;
    type(0, "#CP\r");
    ((struct fake_vm *)alice->vm)->in_flight = 1;
    shown(0);
    type(0, "LOGOFF\rQUERY USERID\r"); /* which is for the next prompt */
    output_say(&alice->output, "News");
    turn();
    assert_string_equal(shown(0), "LOGOFF\r\nNews\r\n");
    ((struct fake_vm *)alice->vm)->in_flight = 0;
    turn();
    assert_shows(0, "LOGOFF AT");
}

static void what_is_noted_is_done_before_the_next_command_of_the_line(void **state)
{
    (void)state;
    type(0, "#CP SYSTEM RESET#QUERY USERID\r");
    assert_shows(0, "System reset.\r\nALICE    AT VMN\r\nCP> ");
}

static void a_line_feed_after_the_return_belongs_to_it(void **state)
{
    (void)state;
    type(0, "#CP SET MSG ON\n");
    shown(0);
    type(0, "#CP\r\n");
    assert_string_equal(shown(0), "#CP\r\nCP> ");
}

/* ---- what is noted ----------------------------------------------------------------------------------------------- */

static void what_resets_or_clears_a_machine_waits_for_its_disks(void **state)
{
    static const char *const commands[] = {"SYSTEM RESET", "SYSTEM CLEAR", "SYSTEM RESTART", "IPL TEST",
                                           "DEFINE STORAGE 3M"};
    struct fake_vm *f = (struct fake_vm *)alice->vm;
    (void)state;
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++) {
        unsigned resets = f->resets;
        f->in_flight = 1;
        type(0, i ? "" : "#CP\r");
        type(0, commands[i]);
        type(0, "\r");
        assert_int_equal(f->resets, resets);
        assert_int_not_equal(alice->deed.noted, DEED_NONE);
        f->in_flight = 0;
        turn();
        assert_true(f->resets > resets);
        assert_int_equal(alice->deed.noted, DEED_NONE);
        type(0, "#CP\r");
    }
}

static void a_minidisk_is_not_linked_by_who_is_being_logged_off(void **state)
{
    (void)state;
    fake_type(0, "#CP LINK MAINT 190 190 W secret\r");
    for (unsigned turns = 0; alice->state != SESSION_CHECK && turns < 200; turns++)
        user_poll();
    assert_int_equal(alice->state, SESSION_CHECK);
    ((struct fake_vm *)alice->vm)->in_flight = 1;
    deed_note_logoff(alice, NULL, false);
    shown(0);
    turn();
    turn();
    assert_int_equal(alice->state, SESSION_CHECK);
    assert_string_equal(shown(0), "");
    ((struct fake_vm *)alice->vm)->in_flight = 0;
    turn();
    assert_null(vm_of("ALICE"));
}

#define TEST(name) cmocka_unit_test_setup(name, at_her_machine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_state_that_waits_says_what_follows_and_no_other),
        TEST(nobody_rests_for_ever_or_talks_to_a_machine_that_does_not_run),
        TEST(what_is_typed_goes_where_the_states_row_says),
        TEST(a_machine_that_was_taken_while_it_rested_is_not_begun_by_a_later_rest),
        TEST(a_long_answer_to_a_machine_that_was_taken_is_not_mixed_with_one_to_the_terminal),
        TEST(the_results_of_two_long_lines_come_when_both_are_answered),
        TEST(sleep_that_a_machine_asks_for_answers_when_it_is_over_and_leaves_the_half_typed_line),
        TEST(the_time_of_one_sleep_does_not_end_the_next),
        TEST(a_line_of_the_machine_is_shown_again_after_a_rest),
        TEST(a_rest_that_ends_while_a_logoff_waits_for_disks_begins_no_machine),
        TEST(a_machine_that_asks_to_be_disconnected_after_a_long_answer_goes_on),
        TEST(a_machine_that_stopped_by_itself_is_not_begun_by_a_rest_in_cp),
        TEST(a_rest_of_the_machine_leaves_what_is_typed_at_the_prompt),
        TEST(whose_user_hangs_up_meanwhile_runs_on_after_it),
        TEST(but_not_if_it_had_stopped_by_itself),
        TEST(a_command_half_typed_before_a_rest_does_not_outlive_a_hang_up),
        TEST(who_is_being_logged_off_is_told_no_more_and_asked_nothing),
        TEST(a_command_without_an_answer_gives_the_machine_its_line_back),
        TEST(a_line_too_long_to_be_kept_is_not_shown_in_part),
        TEST(there_is_no_prompt_between_commands_of_a_line_that_take_several_turns),
        TEST(there_is_no_prompt_while_a_logoff_waits_for_disks),
        TEST(what_is_noted_is_done_before_the_next_command_of_the_line),
        TEST(a_line_feed_after_the_return_belongs_to_it),
        TEST(what_resets_or_clears_a_machine_waits_for_its_disks),
        TEST(a_minidisk_is_not_linked_by_who_is_being_logged_off),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
