/* DIAL: a terminal at a line of another user's machine, and how it comes away from there. */
#include "tests/unit/dial_scene.h"

/* Back at a prompt that is nobody's, and the machine knows. */
static void assert_dropped(unsigned line, const char *from)
{
    const char *text = shown(line);
    const char *dropped = strstr(text, "DROPPED FROM ");
    if (!dropped || strncmp(dropped + 13, from, strlen(from)) || !strstr(dropped, "VM/N ONLINE") ||
        !strstr(dropped, "CP> "))
        fail_msg("not dropped from %s:\n%s", from, text);
    assert_int_equal(at(line)->state, SESSION_LOGON);
    assert_null(at(line)->dial.to);
    assert_null(at(line)->user);
}

static void one_who_dialed_types_to_the_line_and_is_shown_what_comes_from_there(void **state)
{
    (void)state;
    type(0, "DIAL ALICE\rahead\r");
    assert_shows(0, "DIALED TO ALICE 02F8\r\n");
    assert_int_equal(fake_of("ALICE")->carriers, 1 << LINE);
    assert_string_equal(received(), "ahead\r");
    assert_int_equal(fake_of("ALICE")->input_uart, LINE);
    write_to(LINE, "who is there\r\n");
    assert_string_equal(shown(0), "who is there\r\n");
    write_to(0, "console\r\n");
    assert_shows(1, "console\r\n");
    write_to(2, "nobody\r\n");
    assert_string_equal(shown(0), "");
    type(1, "console\r");
    assert_int_equal(fake_of("ALICE")->input_uart, 0);
}

static void the_first_free_line_is_taken_and_a_busy_one_is_refused(void **state)
{
    (void)state;
    dial(0);
    type(2, "DIAL ALICE 2F8\r");
    assert_shows(2, "HCPDIA056E Line 02F8 busy on ALICE");
    type(2, "DIAL ALICE\r");
    assert_shows(2, "DIALED TO ALICE 03E8");
    assert_int_equal(fake_of("ALICE")->carriers, 1 << 1 | 1 << 2);
    type(2, "#CP UNDIAL\r");
    assert_dropped(2, "ALICE 03E8");
    vm_of("ALICE")->machine.uart[2].modem_control = 0;
    type(2, "DIAL ALICE\r");
    assert_shows(2, "HCPDIA055E Line(s) not available on ALICE");
    write_to(LINE, "still here\r\n");
    assert_shows(0, "still here");
}

static void nobody_at_a_prompt_learns_who_is_there_and_takes_no_calls(void **state)
{
    static const char *const words[] = {"BOB", "NOBODY", "ALICE 2E8", "ALICE 3F8", "ALICE 123", "ALICE"};
    char line[64], expected[64];
    (void)state;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        if (i == 5)
            vm_of("ALICE")->machine.uart[1].modem_control = DTR | LOOP, vm_of("ALICE")->config.uarts = 2;
        snprintf(line, sizeof line, "DIAL %s\r", words[i]);
        snprintf(expected, sizeof expected, "HCPDIA055E Line(s) not available on %.*s\r\n",
                 (int)strcspn(words[i], " "), words[i]);
        type(0, line);
        assert_shows(0, expected);
    }
    assert_int_equal(fake_of("ALICE")->carriers, 0);
}

static void one_hangs_up_by_undial_and_what_was_typed_behind_it_is_for_the_prompt(void **state)
{
    (void)state;
    dial(0);
    type(0, "some\r#cp undial\rHELP UNDIAL\r");
    assert_string_equal(received(), "some\r");
    const char *text = shown(0);
    assert_non_null(strstr(text, "DROPPED FROM ALICE 02F8"));
    assert_non_null(strstr(strstr(text, "VM/N ONLINE"), "CP> HELP UNDIAL\r\nUNDIAL\r\n"));
    assert_int_equal(fake_of("ALICE")->carriers, 0);
    write_to(LINE, "nobody\r\n"); /* it must not wait for ever */
    assert_null(strstr(shown(0), "nobody"));
    dial(0);
    type(0, "DIAL\r");
    assert_string_equal(received(), "DIAL\r");
}

static void what_the_machine_showed_is_not_shown_again_at_the_prompt(void **state)
{
    (void)state;
    dial(0);
    write_to(LINE, "secret> ");
    type(0, "#CP UNDIAL\r");
    shown(0);
    type(0, "\x15");
    assert_null(strstr(shown(0), "secret"));
}

static void attention_alone_asks_for_one_command_and_a_blank_one_goes_back(void **state)
{
    (void)state;
    dial(0);
    write_to(LINE, "name: ");
    type(0, "#CP\r\n");
    assert_string_equal(shown(0), "name: #CP ");
    assert_int_equal(at(0)->state, SESSION_DIALED_COMMAND);
    type(0, "\r");
    assert_shows(0, "\r\nname: ");
    assert_int_equal(at(0)->state, SESSION_DIALED);
    type(0, "\x03#CP abandoned\x03");
    assert_int_equal(at(0)->state, SESSION_DIALED);
    type(0, "\x03on\r");
    assert_string_equal(received(), "\x03\x03on\r");
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
}

static void each_hash_more_is_for_one_level_more(void **state)
{
    (void)state;
    dial(0);
    fake_of("ALICE")->fifo = 100;
    type(0, "##CP QUERY NAMES\r###cp\r##CPX\r##C\r# #CP\rx##CP\r");
    assert_string_equal(received(), "#CP QUERY NAMES\r##cp\r##CPX\r##C\r# #CP\rx##CP\r");
    type(1, "##CP UNDIAL\r");
    assert_string_equal(received(), "#CP UNDIAL\r");
    assert_int_equal(at(0)->state, SESSION_DIALED);
}

static void only_so_many_levels_are_counted(void **state)
{
    (void)state;
    type(1, "#########CP\r");
    assert_string_equal(received(), "########CP\r");
    type(1, "##########CP\r");
    assert_string_equal(received(), "##########CP\r");
}

static void what_is_not_for_a_dialed_terminal_says_why(void **state)
{
    (void)state;
    type(0, "UNDIAL\r");
    assert_shows(0, "HCPCFC9029E UNDIAL is not valid now; the terminal is not dialed to a machine");
    type(1, "#CP DIAL ALICE\r");
    assert_shows(1, "HCPCFC9029E DIAL is not valid now; you are logged on");
    dial(0);
    type(0, "#CP LOGON BOB\r");
    assert_shows(0, "HCPCFC9029E LOGON is not valid now; the terminal is dialed to another machine");
    type(0, "#CP DIAL ALICE\r");
    assert_shows(0, "HCPCFC9029E DIAL is not valid now; the terminal is dialed to another machine");
    type(0, "#CP UNDIAL NOW\r");
    assert_shows(0, "HCPUND003E");
    type(0, "#CP NONSENSE\r");
    assert_shows(0, "HCPCMD001E");
    assert_int_equal(at(0)->state, SESSION_DIALED);
    assert_int_equal(session_users(), 1);
}

static void the_machine_hangs_up(void **state)
{
    (void)state;
    dial(0);
    fake_of("ALICE")->fifo = 0;
    type(0, "for the machine\r");
    vm_hung_up(vm_of("ALICE"), 2);
    turn();
    assert_int_equal(at(0)->state, SESSION_DIALED);
    vm_hung_up(vm_of("ALICE"), LINE);
    write_to(LINE, "to whoever comes next\r\n");
    assert_null(strstr(shown(1), "DROPPED"));
    assert_int_equal(ring_used(&terminal_of(0)->input), 0);
    const char *text = shown(0);
    assert_non_null(strstr(text, "DROPPED FROM ALICE 02F8"));
    assert_null(strstr(text, "whoever"));
    assert_int_equal(at(0)->state, SESSION_LOGON);
    vm_hung_up(vm_of("ALICE"), LINE);
    dial(0);
}

static void its_user_resets_the_line(void **state)
{
    (void)state;
    dial(0);
    type(1, "#CP RESET 3E8\r");
    assert_int_equal(at(0)->state, SESSION_DIALED);
    type(1, "#CP RESET 3F8\r");
    assert_shows(1, "HCPRST040E Device 3F8 does not exist");
    type(1, "#CP RESET 2F8\r");
    assert_dropped(0, "ALICE 02F8");
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
    assert_int_equal(fake_of("ALICE")->resets, 1); /* its IPL's */
}

static void power_off(void) { vm_stop(vm_of("ALICE"), VM_STOP_POWER_OFF, 0); }
static void triple_fault(void) { vm_stop(vm_of("ALICE"), VM_STOP_TRIPLE_FAULT, 0); }
static void logoff(void) { type(1, "#CP LOGOFF\r"); }

static void force(void)
{
    logon(2, "OPERATOR");
    type(2, "FORCE ALICE\r");
}

static void the_machine_ends(void **state)
{
    static void (*const ends[])(void) = {power_off, triple_fault, logoff, force};
    for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (i)
            begin(state);
        dial(0);
        type(0, "#CP half a comm");
        ends[i]();
        turn();
        assert_dropped(0, "ALICE 02F8");
        type(0, "QUERY TIME\r");
        assert_shows(0, "HCPCFC015E Command not valid before LOGON: QUERY");
    }
}

static void a_machine_that_stands_still_or_has_no_terminal_keeps_its_callers(void **state)
{
    (void)state;
    dial(0);
    type(1, "#CP\r");
    assert_int_equal(vm_of("ALICE")->state, VM_STOPPED);
    type(0, "wait\r");
    assert_int_equal(at(0)->state, SESSION_DIALED);
    type(1, "BEGIN\r");
    type(1, "#CP DISCONNECT\r");
    assert_int_equal(at(0)->state, SESSION_DIALED);
    logon(2, "ALICE");
    write_to(LINE, "on\r\n");
    assert_shows(0, "on\r\n");
    type(2, "#CP QUERY LINES\r");
    assert_shows(2, "LINE 02F8 ON L0001     NS16550\r\nLINE 03E8 ENABLED      NS16550\r\n"
                    "LINE 02E8 DISABLED     NS16550\r\n");
}

static void one_who_leaves_the_terminal_leaves_the_line(void **state)
{
    (void)state;
    dial(0);
    write_to(LINE, "private\r\n");
    shown(0);
    carrier(0, false);
    assert_int_equal(fake_of("ALICE")->carriers, 0);
    write_to(LINE, "more of it\r\n");
    carrier(0, true);
    const char *text = shown(0);
    assert_non_null(strstr(text, "VM/N ONLINE"));
    assert_null(strstr(text, "DROPPED"));
    assert_null(strstr(text, "more of it"));
    dial(0);
    fake_line[0].stuck = true;
    write_to(LINE, "never seen\r\n");
    carrier(0, false); /* in one turn with the next */
    fake_line[0].line.carrier(&fake_line[0].line, true);
    fake_line[0].stuck = false;
    turn();
    assert_null(strstr(shown(0), "never seen"));
}

static void a_machine_that_reads_nothing_keeps_nobody(void **state)
{
    (void)state;
    dial(0);
    fake_of("ALICE")->fifo = 0;
    for (unsigned i = 0; i < 1000; i++)
        fake_type(0, "flood\r");
    turn();
    assert_int_equal(at(0)->state, SESSION_DIALED);
    fake_type(0, "#CP UNDIAL\r");
    for (unsigned i = 0; i < 20; i++) {
        fake_clock_advance(100000000);
        turn();
    }
    assert_dropped(0, "ALICE 02F8");
}

static void a_terminal_that_shows_nothing_holds_up_the_line_alone(void **state)
{
    static const uint8_t flood[3 * OUTPUT_CONNECTED];
    struct vm *vm = vm_of("ALICE");
    (void)state;
    dial(0);
    fake_line[0].stuck = true;
    assert_in_range(vm_output(vm, LINE, flood, sizeof flood), 1, OUTPUT_CONNECTED);
    assert_int_equal(vm_output(vm, LINE, flood, 1), 0);
    write_to(0, "console\r\n");
    assert_shows(1, "console");
    turn();
    assert_int_equal(fake_of("ALICE")->output_ready, 0);
    fake_line[0].stuck = false;
    fake_line[0].line.room(&fake_line[0].line);
    assert_int_equal(fake_of("ALICE")->output_ready, 1);
}

/* It was told to look at its modem, and has not. */
static void what_the_machine_writes_before_it_knows_who_is_there_is_shown_to_nobody(void **state)
{
    struct uart *uart = &vm_of("ALICE")->machine.uart[LINE];
    (void)state;
    dial(0);
    uart->interrupt_enable = UART_IER_MODEM;
    uart->modem_status = UART_MSR_CARRIER_CHANGED;
    write_to(LINE, "for the last one\r\n");
    assert_string_equal(shown(0), "");
    uart->modem_status = 0;
    write_to(LINE, "hello\r\n");
    assert_string_equal(shown(0), "hello\r\n");
}

static void users_are_told_of_dialed_terminals(void **state)
{
    (void)state;
    type(1, "#CP QUERY USERS\r");
    assert_shows(1, "1 USERS, 0 DIALED\r\n");
    dial(2);
    type(1, "#CP QUERY USERS#QUERY NAMES#QUERY VIRTUAL LINES#QUERY VIRTUAL CONSOLE\r");
    const char *text = shown(1);
    assert_non_null(strstr(text, "1 USERS, 1 DIALED\r\n"));
    assert_non_null(strstr(text, "ALICE    - L0002\r\nDIALED   - L0003 TO ALICE 02F8\r\n"));
    assert_non_null(strstr(text, "LINE 02F8 ON L0003     NS16550\r\nLINE 03E8 ENABLED "));
    logon(0, "BOB");
    shown(0);
    type(0, "QUERY LINES\r");
    assert_shows(0, "HCPCQV9047E Your machine has no line that DIAL reaches");
}

static void a_storm_of_calls_leaves_nothing(void **state)
{
    uint64_t frames = frame_available();
    unsigned sessions = 0;
    (void)state;
    for (struct session *s = NULL; (s = session_next(s));)
        sessions++;
    for (unsigned i = 0; i < 200; i++) {
        fake_type(0, i % 2 ? "DIAL ALICE\rx\r#CP UNDIAL\r" : "DIAL ALICE 3E8\r#CP UNDIAL#\r");
        fake_type(2, "DIAL ALICE\rDIAL ALICE\r#CP UNDIAL\r");
        for (unsigned j = 0; j < 8; j++)
            user_poll();
        if (i % 10 == 9) {
            carrier(2, false);
            carrier(2, true);
        }
        shown(0), shown(2), received();
    }
    turn();
    for (struct session *s = NULL; (s = session_next(s));)
        sessions--;
    assert_int_equal(sessions, 0);
    assert_int_equal(frame_available(), frames);
    assert_int_equal(dial_count(), 0);
    assert_int_equal(fake_of("ALICE")->carriers, 0);
}

static void two_at_once_get_two_lines_or_one_gets_none(void **state)
{
    (void)state;
    fake_type(0, "DIAL ALICE 2F8\r");
    fake_type(2, "DIAL ALICE 2F8\r");
    turn();
    assert_shows(0, "DIALED TO ALICE 02F8");
    assert_shows(2, "HCPDIA056E Line 02F8 busy on ALICE");
}

static void one_dials_the_machine_of_the_terminal_beside_and_not_ones_own(void **state)
{
    (void)state;
    type(1, "DIAL ALICE\r"); /* it is the machine's to read */
    assert_string_equal(received(), "DIAL ALICE\r");
    assert_int_equal(dial_count(), 0);
}

static void the_end_of_what_is_typed_hangs_up_when_the_machine_waits_for_more(void **state)
{
    (void)state;
    dial(0);
    fake_type(0, "last");
    terminal_of(0)->ended = true;
    turn();
    assert_string_equal(received(), "last\r");
    assert_int_equal(at(0)->state, SESSION_DIALED);
    vm_of("ALICE")->state = VM_WAITING;
    sitter_wanted();
    turn();
    assert_dropped(0, "ALICE 02F8");
    terminal_of(0)->ended = false;
}

static void a_terminal_that_changes_rings_at_the_line_it_is_at(void **state)
{
    struct fake_vm *f = fake_of("ALICE");
    (void)state;
    dial(0);
    f->rings = 0;
    terminal_of(0)->resized = true;
    sitter_wanted();
    turn();
    assert_int_equal(f->rings, 1 << LINE);
    terminal_of(1)->resized = true;
    sitter_wanted();
    turn();
    assert_int_equal(f->rings, 1 << LINE | 1);
    f->rings = 0;
    type(1, "#CP TERMINAL LINESIZE 100\r");
    assert_int_equal(f->rings, 1);
    f->rings = 0;
    type(1, "#CP DISCONNECT\r");
    logon(2, "ALICE");
    assert_int_equal(f->rings, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

static int start(void **state)
{
    (void)state;
    scene_begin();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_who_dialed_types_to_the_line_and_is_shown_what_comes_from_there),
        TEST(the_first_free_line_is_taken_and_a_busy_one_is_refused),
        TEST(nobody_at_a_prompt_learns_who_is_there_and_takes_no_calls),
        TEST(one_hangs_up_by_undial_and_what_was_typed_behind_it_is_for_the_prompt),
        TEST(what_the_machine_showed_is_not_shown_again_at_the_prompt),
        TEST(attention_alone_asks_for_one_command_and_a_blank_one_goes_back),
        TEST(each_hash_more_is_for_one_level_more),
        TEST(only_so_many_levels_are_counted),
        TEST(what_is_not_for_a_dialed_terminal_says_why),
        TEST(the_machine_hangs_up),
        TEST(its_user_resets_the_line),
        TEST(the_machine_ends),
        TEST(a_machine_that_stands_still_or_has_no_terminal_keeps_its_callers),
        TEST(one_who_leaves_the_terminal_leaves_the_line),
        TEST(a_machine_that_reads_nothing_keeps_nobody),
        TEST(a_terminal_that_shows_nothing_holds_up_the_line_alone),
        TEST(what_the_machine_writes_before_it_knows_who_is_there_is_shown_to_nobody),
        TEST(users_are_told_of_dialed_terminals),
        TEST(a_storm_of_calls_leaves_nothing),
        TEST(two_at_once_get_two_lines_or_one_gets_none),
        TEST(one_dials_the_machine_of_the_terminal_beside_and_not_ones_own),
        TEST(a_terminal_that_changes_rings_at_the_line_it_is_at),
        TEST(the_end_of_what_is_typed_hangs_up_when_the_machine_waits_for_more),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
