/* Sessions: what is typed gets where it belongs and nothing is lost on the way. */
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

/* ---- logging on ------------------------------------------------------------------------------------------------- */

static void logon_gives_a_machine_and_ipls_it(void **state)
{
    (void)state;
    type(0, "logon alice\r");
    assert_shows(0, "logon alice\r\nENTER PASSWORD  (IT WILL NOT APPEAR WHEN TYPED):\r\n");
    type(0, "vmn\r");
    const char *text = shown(0);
    assert_null(strstr(text, "vmn"));
    assert_non_null(strstr(text, "LOGON AT 14:0"));
    assert_non_null(strstr(text, " UTC SATURDAY 11/21/26\r\n"));
    struct vm *vm = vm_of("ALICE");
    assert_non_null(vm);
    assert_int_equal(vm->state, VM_RUNNABLE);
    assert_int_equal(vm->config.storage_bytes, 2 << 20);
    assert_int_equal(vcpu_read(&vm->vcpu, VMCS_GUEST_RIP), 0x100020);
    assert_int_equal(vm->vcpu.gpr[RAX], 0x2BADB002);
    uint8_t code[4];
    assert_int_equal(guest_read(&vm->storage, gpa(0x100020), code, 4), GUEST_OK);
    assert_int_equal(code[1], 0xF4);
}

static void noipl_leaves_the_machine_in_cp(void **state)
{
    (void)state;
    type(0, "LOGON ALICE NOIPL\r");
    type(0, "vmn\r");
    assert_int_equal(vm_of("ALICE")->state, VM_STOPPED);
    assert_shows(0, "CP> ");
    type(0, "BEGIN\r");
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
}

static void unknown_users_and_wrong_passwords_look_alike(void **state)
{
    static const char *const ids[] = {"NOBODY", "ALICE"};
    char text[2][512];
    (void)state;
    for (int i = 0; i < 2; i++) {
        char line[32];
        snprintf(line, sizeof line, "LOGON %s\r", ids[i]);
        type(i, line);
        shown(i);
        type(i, "wrong\r");
        assert_string_equal(shown(i), "\r\n"); /* the answer waits */
        fake_clock_advance(1500000000);
        turn();
        snprintf(text[i], sizeof text[i], "%s", shown(i));
        assert_non_null(strstr(text[i], "HCPLGA050E LOGON unsuccessful--incorrect userid and/or password"));
    }
    assert_string_equal(text[0], text[1]);
    assert_int_equal(session_users(), 0);
}

static void wrong_passwords_wait_longer_and_longer_then_the_terminal_is_quiet(void **state)
{
    (void)state;
    for (unsigned seconds = 1; seconds <= 8; seconds *= 2) {
        type(2, "LOGON BOB\r");
        type(2, "no\r");
        shown(2);
        fake_clock_advance(seconds * 900000000ull);
        turn();
        assert_string_equal(shown(2), "");
        fake_clock_advance(seconds * 200000000ull);
        turn();
        if (seconds < 8)
            assert_shows(2, "HCPLGA050E");
    }
    assert_shows(2, "HCPLGA9020E Too many unsuccessful LOGONs");
    type(2, "LOGON BOB\rvmn\r");
    assert_string_equal(shown(2), "");
    assert_null(vm_of("BOB"));
    fake_clock_advance(61000000000ull);
    turn();
    assert_shows(2, "VM/N ONLINE");
    logon(2, "BOB");
    assert_shows(2, "HCPLGA9021W 4 unsuccessful attempts to log on as BOB since the last LOGON");
    type(2, "LOGOFF\r");
    logon(2, "BOB");
    assert_null(strstr(shown(2), "unsuccessful"));
}

static void typed_ahead_lines_are_all_obeyed(void **state)
{
    (void)state;
    type(0, "LOGON BOB\r\nvmn\r\nQUERY USERID\r\nLOGOFF\r\n");
    const char *text = shown(0);
    assert_non_null(strstr(text, "BOB      AT VMN\r\n"));
    assert_non_null(strstr(text, "LOGOFF AT "));
    assert_non_null(strstr(text, "CONNECT= 00:00:00 VIRTCPU= 000:00.00 TOTCPU= 000:00.00\r\n"));
    assert_null(vm_of("BOB"));
}

static void no_storage_refuses_the_logon_only(void **state)
{
    (void)state;
    fake_no_machines = 1;
    logon(0, "BOB");
    assert_shows(0, "HCPLGA9022E");
    logon(0, "BOB");
    assert_non_null(vm_of("BOB"));
}

static void as_many_as_cp_serves_at_once_and_no_more_log_on(void **state)
{
    struct session *s = NULL;
    (void)state;
    while (session_users() < USERS_AT_ONCE - 1 && (s = session_create()))
        s->user = &s->own;
    assert_non_null(s);
    logon(0, "BOB");
    assert_non_null(vm_of("BOB"));
    logon(1, "ALICE");
    assert_shows(1, "HCPLGA9022E");
    type(0, "#CP LOGOFF\r");
    logon(1, "ALICE");
    assert_non_null(vm_of("ALICE"));
    for (s = NULL; (s = session_next(s));)
        if (s->user && !s->vm)
            session_free(s);
}

/* ---- bytes to the machine --------------------------------------------------------------------------------------- */

static void bytes_go_to_the_machine_untouched(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1000;
    type(0, "abc\x03\x7f\t\x1b[A\rx#CP y\r #CP\r");
    assert_received("ALICE", "abc\x03\x7f\t\x1b[A\rx#CP y\r #CP\r");
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
}

static void a_full_machine_gets_the_rest_later(void **state)
{
    char text[4001];
    (void)state;
    logon(0, "ALICE");
    for (int i = 0; i < 4000; i++)
        text[i] = "#Cx\r#CPy#CP"[i % 11];
    text[4000] = 0;
    for (int i = 3; i < 4000; i++) /* nothing here may be a command */
        if (text[i] == '\r' && text[i + 1] == '#' && text[i + 2] == 'C' && text[i + 3] == 'P')
            text[i + 3] = 'Q';
    fake_type(0, text);
    for (int i = 0; i < 2000; i++) {
        GUEST("ALICE")->fifo = i % 3;
        vm_input_room(vm_of("ALICE"), 0);
        user_poll();
    }
    GUEST("ALICE")->fifo = 5000;
    vm_input_room(vm_of("ALICE"), 0);
    turn();
    assert_received("ALICE", text);
}

static void cp_in_its_own_line_is_recognised(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1000;
    shown(0);
    type(0, "one\r#cp");
    assert_received("ALICE", "one\r");
    assert_string_equal(shown(0), "");
    type(0, " query useridx\b\r");
    const char *text = shown(0);
    assert_non_null(strstr(text, "#CP query useridx\b \b\r\nALICE    AT VMN\r\n"));
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
    type(0, "two\r");
    assert_received("ALICE", "one\rtwo\r");
    type(0, "abc\b\b\b#CP QUERY USERID\r"); /* erased: the line is at its start again */
    assert_shows(0, "ALICE    AT VMN\r\n");
}

static void cp_is_recognised_also_when_the_machine_takes_what_was_typed_ahead(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 0;
    type(0, "one\r#CP QUERY USERID\rtwo\r");
    shown(0);
    GUEST("ALICE")->fifo = 1000;
    vm_input_room(vm_of("ALICE"), 0); /* and nothing more is typed */
    turn();
    assert_shows(0, "ALICE    AT VMN\r\n");
    assert_received("ALICE", "one\rtwo\r");
}

static void what_only_begins_like_cp_reaches_the_machine(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1000;
    type(0, "#\r#C\r#CPX\r#CQ\r#C#CP \r#C\b");
    assert_received("ALICE", "#\r#C\r#CPX\r#CQ\r#C#CP \r#C\b");
}

static void cp_alone_enters_cp_and_begin_resumes(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->fifo = 1000;
    shown(0);
    type(0, "#CP\r\n");
    assert_string_equal(shown(0), "#CP\r\nCP> ");
    assert_int_equal(vm_of("ALICE")->state, VM_STOPPED);
    type(0, "\rB\r");
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
    type(0, "x");
    assert_received("ALICE", "x");
    type(0, "\r#CP SET RUN ON\r#CP\r");
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
}

static void several_commands_are_separated_by_the_line_end_character(void **state)
{
    (void)state;
    logon(0, "BOB");
    shown(0);
    type(0, "QUERY USERID#SLEEP 2 SEC#CP QUERY USERS\r");
    const char *text = shown(0);
    assert_non_null(strstr(text, "BOB      AT VMN\r\n"));
    assert_null(strstr(text, "1 USERS"));
    fake_clock_advance(2100000000);
    turn();
    assert_shows(0, "1 USERS, 0 DIALED\r\n");
}

static void sleep_rests_the_machine_until_enter(void **state)
{
    (void)state;
    logon(0, "ALICE");
    type(0, "#CP SLEEP\r");
    assert_int_equal(vm_of("ALICE")->state, VM_STOPPED);
    type(0, "\r");
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
}

/* ---- bytes from the machine ------------------------------------------------------------------------------------- */

static void cps_words_begin_a_line_and_the_broken_one_is_shown_again(void **state)
{
    (void)state;
    logon(0, "ALICE");
    logon(1, "BOB");
    output("ALICE", "working\r\nprompt: ");
    shown(0);
    type(1, "MSG ALICE hello there\r");
    const char *text = shown(0);
    assert_non_null(strstr(text, "\r\n14:"));
    assert_non_null(strstr(text, "  * MSG FROM BOB     : hello there\r\nprompt: "));
    shown(1);
    fake_type(1, "QUERY US");
    turn();
    output_say(&session_find("BOB")->output, "News");
    turn();
    assert_string_equal(shown(1), "QUERY US\r\nNews\r\nCP> QUERY US");
}

static void a_slow_terminal_holds_the_machine_back(void **state)
{
    char block[1000];
    unsigned taken = 0, count = 0;
    (void)state;
    logon(0, "ALICE");
    shown(0);
    fake_line[0].stuck = true;
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 10; i++)
        taken += vm_output(vm_of("ALICE"), 0, (uint8_t *)block, sizeof block);
    assert_int_equal(taken, OUTPUT_CONNECTED);
    turn();
    assert_int_equal(GUEST("ALICE")->output_ready, 0);
    fake_line[0].stuck = false;
    fake_line[0].line.room(&fake_line[0].line);
    turn();
    assert_int_equal(GUEST("ALICE")->output_ready, 1);
    for (const char *at = shown(0); *at; at++)
        count += *at == 'x';
    assert_int_equal(count, taken);
}

static void another_uart_than_the_console_swallows(void **state)
{
    (void)state;
    logon(0, "ALICE");
    shown(0);
    assert_int_equal(vm_output(vm_of("ALICE"), 1, (const uint8_t *)"lost", 4), 4);
    assert_string_equal(shown(0), "");
}

/* ---- machines that stop ----------------------------------------------------------------------------------------- */

static void a_machine_that_stops_says_why_and_enters_cp(void **state)
{
    static const struct {
        enum vm_stop why;
        uint32_t detail;
        const char *text;
    } rows[] = {
        {VM_STOP_DISABLED_WAIT, 0, "HCPGIR450W CP entered; disabled wait at 0000000000100020\r\nCP> "},
        {VM_STOP_TRIPLE_FAULT, 0, "HCPGIR453W CP entered; triple fault at 0000000000100020\r\nCP> "},
        {VM_STOP_POWER_OFF, 0, "HCPGIR2629I The virtual machine is placed in CP mode due to a power off\r\nCP> "},
        {VM_STOP_TEST_EXIT, 42, "HCPGIR9004I CP entered; the test device was written with 42\r\nCP> "},
        {VM_STOP_EMULATION, 55, "HCPGIR9003W CP entered; exit 55 cannot be emulated at 0000000000100020\r\nCP> "},
        {VM_STOP_NO_STORAGE, 0, "HCPGIR9001W CP entered; the machine has no storage at the address it uses, at 0000"},
        {VM_STOP_NO_FRAMES, 0, "HCPGIR9002W CP entered; CP has no page frames left for this machine, at 0000"},
        {VM_STOP_BAD_ENTRY, 0, "HCPGIR451W CP entered; invalid machine state at 0000000000100020"},
        {VM_STOP_VMX_ABORT, 0, "HCPGIR9005W CP entered; VMX abort"}, 
        {VM_STOP_UNSOUND, 7, "HCPGIR9008W CP entered; CP refused to run the control block it had made for the machine: "
                             "check 7, at 0000"},
        {VM_STOP_MACHINE_CHECK, 0, "HCPGIR9007W CP entered; the hardware failed under the machine, at 0000"},
        {VM_STOP_TAKEN, 0, "HCPGIR9009W CP entered; others"}, {VM_STOP_RESET, 0, "HCPGIR9006I The machine was"},
    };
    (void)state;
    unsigned seen = 1u << VM_STOP_NONE | 1u << VM_STOP_USER; /* of which nothing is said */
    logon(0, "ALICE");
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        shown(0);
        seen |= 1u << rows[i].why;
        vm_stop(vm_of("ALICE"), rows[i].why, rows[i].detail);
        turn();
        assert_shows(0, rows[i].text);
        type(0, "IPL TEST\r");
        assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
    }
    assert_int_equal(seen, (1u << VM_STOPS) - 1);
}

static void a_machine_that_resets_itself_is_ipled_again(void **state)
{
    (void)state;
    logon(0, "ALICE");
    vcpu_write(&vm_of("ALICE")->vcpu, VMCS_GUEST_RIP, 0x1234);
    vm_stop(vm_of("ALICE"), VM_STOP_RESET, 0);
    turn();
    assert_int_equal(vm_of("ALICE")->state, VM_RUNNABLE);
    assert_int_equal(vcpu_read(&vm_of("ALICE")->vcpu, VMCS_GUEST_RIP), 0x100020);
}

static void a_machine_goes_only_when_its_disks_are_done(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->in_flight = 1;
    type(0, "#CP LOGOFF\r");
    assert_non_null(vm_of("ALICE"));
    GUEST("ALICE")->in_flight = 0;
    turn();
    assert_null(vm_of("ALICE"));
}

static void disks_that_fill_the_ring_they_serve_keep_no_machine_from_going(void **state)
{
    (void)state;
    logon(0, "ALICE");
    GUEST("ALICE")->in_flight = 1;
    GUEST("ALICE")->reads_its_ring = true;
    type(0, "#CP LOGOFF\r");
    turn();
    assert_null(vm_of("ALICE"));
}

static void a_flood_of_logons_finds_rows_again(void **state)
{
    uint64_t before = frame_available();
    (void)state;
    logon(0, "BOB");
    type(0, "LOGOFF\r");
    before = frame_available();
    for (int i = 0; i < 100; i++) {
        logon(0, "BOB");
        type(0, "DISC\r");
        logon(1, "BOB");
        type(1, "LOGOFF\r");
        assert_null(vm_of("BOB"));
    }
    assert_in_range(frame_available(), before - 200, before);
}

/* Three people typing whatever comes, machines that answer, stop and stall: AddressSanitizer and the asserts watch. */
static void random_typing_breaks_nothing(void **state)
{
    static const char *const words[] = {"\r",
                                        "LOGON ALICE\rvmn\r",
                                        "LOGON BOB HERE\rvmn\r",
                                        "#CP",
                                        "#CP ",
                                        "Q V\r",
                                        "DISC\r",
                                        "B\r",
                                        "LOGOFF\r",
                                        "IPL TEST\r",
                                        "MSG BOB x\r",
                                        "\b",
                                        "\x1b[A",
                                        "\x15",
                                        "SLEEP 1 SEC\r",
                                        "D 0\r",
                                        "SYSTEM CLEAR\r",
                                        "#",
                                        "XAUTOLOG BOB\r",
                                        "DEF STOR 4M\r",
                                        "LINK MAINT 190 200 RR\r"};
    uint32_t seed = 12345;
    (void)state;
    for (int i = 0; i < 4000; i++) {
        seed = seed * 1664525 + 1013904223;
        unsigned line = (seed >> 8) % FAKE_LINES, what = seed >> 16;
        char byte[2] = {(char)(what >> 4), 0};
        fake_type(line, what % 4 ? words[(what >> 2) % (sizeof words / sizeof *words)] : byte);
        struct vm *vm = vm_of(what & 1 ? "ALICE" : "BOB");
        if (vm && what % 7 == 0)
            ((struct fake_vm *)vm)->fifo = what % 40;
        if (vm && what % 5 == 0)
            vm_output(vm, 0, (const uint8_t *)"some\r\noutput", 12);
        if (vm && what % 11 == 0 && vm->state == VM_RUNNABLE)
            vm_input_room(vm, 0);
        if (vm && what % 13 == 0)
            vm_stop(vm, VM_STOP_TRIPLE_FAULT, 0);
        if (vm)
            ((struct fake_vm *)vm)->received = 0;
        for (unsigned n = 0; n < FAKE_LINES; n++)
            fake_line[n].length = fake_line[n].seen = 0;
        fake_disk_done_all(&scene_disk);
        fake_clock_advance(what % 64 == 0 ? 3000000000 : 1000);
        user_poll();
    }
    for (unsigned n = 0; n < FAKE_LINES; n++)
        type(n, "\r\x15\r#CP\r\x15LOGOFF\r");
}

#define TEST(name) cmocka_unit_test_setup(name, scene_reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(logon_gives_a_machine_and_ipls_it),
        TEST(noipl_leaves_the_machine_in_cp),
        TEST(unknown_users_and_wrong_passwords_look_alike),
        TEST(wrong_passwords_wait_longer_and_longer_then_the_terminal_is_quiet),
        TEST(typed_ahead_lines_are_all_obeyed),
        TEST(no_storage_refuses_the_logon_only),
        TEST(as_many_as_cp_serves_at_once_and_no_more_log_on),
        TEST(bytes_go_to_the_machine_untouched),
        TEST(a_full_machine_gets_the_rest_later),
        TEST(cp_in_its_own_line_is_recognised),
        TEST(cp_is_recognised_also_when_the_machine_takes_what_was_typed_ahead),
        TEST(what_only_begins_like_cp_reaches_the_machine),
        TEST(cp_alone_enters_cp_and_begin_resumes),
        TEST(several_commands_are_separated_by_the_line_end_character),
        TEST(sleep_rests_the_machine_until_enter),
        TEST(cps_words_begin_a_line_and_the_broken_one_is_shown_again),
        TEST(a_slow_terminal_holds_the_machine_back),
        TEST(another_uart_than_the_console_swallows),
        TEST(a_machine_that_stops_says_why_and_enters_cp),
        TEST(a_machine_that_resets_itself_is_ipled_again),
        TEST(a_machine_goes_only_when_its_disks_are_done),
        TEST(disks_that_fill_the_ring_they_serve_keep_no_machine_from_going),
        TEST(a_flood_of_logons_finds_rows_again),
        TEST(random_typing_breaks_nothing),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
