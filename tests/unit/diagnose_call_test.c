/* DIAGNOSE: its functions, and every wrong pointer and length. */
#include "cp/diagnose.h"
#include "tests/unit/session_scene.h"

static struct vm *vm;

static uint64_t call(uint64_t code, uint64_t rbx, uint64_t rcx, uint64_t rdx, uint64_t rsi)
{
    uint64_t *gpr = vm->vcpu.gpr;
    gpr[RAX] = code, gpr[RBX] = rbx, gpr[RCX] = rcx, gpr[RDX] = rdx, gpr[RSI] = rsi;
    return vm_diagnose(vm);
}

static uint64_t command(const char *text, uint64_t to, uint64_t size)
{
    guest_write(&vm->storage, gpa(0x1000), text, strlen(text));
    return call(DIAGNOSE_COMMAND, 0x1000, strlen(text), to, size);
}

static const char *storage_at(uint64_t at, unsigned bytes)
{
    static char text[4096];
    assert_int_equal(guest_read(&vm->storage, gpa(at), text, bytes), GUEST_OK);
    text[bytes] = 0;
    return text;
}

static int begin(void **state)
{
    fake_clock_tick = 0;
    scene_reset(state);
    logon(0, "ALICE");
    vm = vm_of("ALICE");
    shown(0);
    return 0;
}

static void identify_tells_who_and_what(void **state)
{
    (void)state;
    assert_int_equal(call(DIAGNOSE_IDENTIFY, 0x1FD0, 48, 0, 0), DIAGNOSE_OK); /* to the end of a page */
    assert_string_equal(storage_at(0x1FD0, 32), "VM/N    1.0             ALICE   ");
    assert_int_equal(call(DIAGNOSE_IDENTIFY, 0x1FF0, 48, 0, 0), DIAGNOSE_OK); /* across pages */
    assert_int_equal(call(DIAGNOSE_IDENTIFY, 0x2000, 47, 0, 0), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(call(DIAGNOSE_IDENTIFY, (2 << 20) - 47, 48, 0, 0), DIAGNOSE_BAD_ADDRESS);
    assert_int_equal(call(DIAGNOSE_IDENTIFY, UINT64_MAX - 10, 48, 0, 0), DIAGNOSE_BAD_ADDRESS);
}

static void a_line_is_as_wide_as_the_terminal_there(void **state)
{
    struct terminal *mine = fake_line[0].line.owner, *caller = fake_line[1].line.owner;
    (void)state;
    vm->config.uarts = 2;
    vm->machine.uart[1].modem_control = UART_MCR_DTR;
    mine->columns = 100, caller->columns = 132;
    mine->rows = 40;
    assert_int_equal(call(DIAGNOSE_LINE, 0x3F8, 7, 7, 7), DIAGNOSE_OK);
    assert_int_equal(vm->vcpu.gpr[RCX], 100);
    assert_int_equal(vm->vcpu.gpr[RDX], 40);
    call(DIAGNOSE_LINE, 0x2F8, 7, 0, 0);
    assert_int_equal(vm->vcpu.gpr[RCX], 0);
    type(1, "DIAL ALICE\r");
    call(DIAGNOSE_LINE, 0x2F8, 7, 0, 0);
    assert_int_equal(vm->vcpu.gpr[RCX], 132);
    assert_int_equal(vm->vcpu.gpr[RDX], 0);
    assert_int_equal(command("TERMINAL LINESIZE 60", 0, 0), DIAGNOSE_OK);
    assert_int_equal(command("TERMINAL PAGELENGTH 30", 0, 0), DIAGNOSE_OK);
    call(DIAGNOSE_LINE, 0x3F8, 7, 0, 0);
    assert_int_equal(vm->vcpu.gpr[RCX], 60);
    assert_int_equal(vm->vcpu.gpr[RDX], 30);
    static const uint64_t none[] = {0x3E8, 0, 0x3F9, 0x103F8, 1ull << 32 | 0x3F8, UINT64_MAX};
    for (unsigned i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(call(DIAGNOSE_LINE, none[i], 7, 0, 0), DIAGNOSE_OK);
        assert_int_equal(vm->vcpu.gpr[RCX], 0);
    }
    type(0, "#CP DISCONNECT\r");
    assert_int_equal(call(DIAGNOSE_LINE, 0x3F8, 7, 0, 0), DIAGNOSE_OK);
    assert_int_equal(vm->vcpu.gpr[RCX], 60); /* LINESIZE is the session's */
    type(1, "#CP UNDIAL\r");
    mine->columns = mine->rows = caller->columns = 0;
}

static void times_are_true(void **state)
{
    struct diagnose_times times;
    (void)state;
    vm->virtual_ticks = 1500;
    vm->total_ticks = 2500;
    assert_int_equal(call(DIAGNOSE_TIMES, 0x3000, sizeof times, 0, 0), DIAGNOSE_OK);
    guest_read(&vm->storage, gpa(0x3000), &times, sizeof times);
    assert_int_equal(times.unix_seconds, clock_unix_us() / 1000000);
    assert_int_equal(times.virtual_ns, 1500);
    assert_int_equal(times.total_ns, 2500);
    assert_int_equal(call(DIAGNOSE_TIMES, 0x3000, 31, 0, 0), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(call(DIAGNOSE_TIMES, 0xC0000000, 32, 0, 0), DIAGNOSE_BAD_ADDRESS);
}

static void the_chain_is_told_as_far_as_it_fits(void **state)
{
    static const char own[] = "LEVEL 1: ALICE    AT VMN, VM/N 1.0, NESTED MEMORY\n";
    static const char real[] = "LEVEL 0: REAL MACHINE, VMX\n";
    unsigned length = strlen(own) + strlen(real);
    (void)state;
    assert_int_equal(call(DIAGNOSE_CHAIN, 0x3FF0, 200, 0, 0), DIAGNOSE_OK);
    assert_int_equal(vm->vcpu.gpr[RCX], length);
    assert_int_equal(vm->vcpu.gpr[RDX], 0);
    assert_memory_equal(storage_at(0x3FF0, length), own, strlen(own));
    assert_string_equal(storage_at(0x3FF0 + strlen(own), strlen(real)), real);
    assert_int_equal(call(DIAGNOSE_CHAIN, 0x5000, 10, 0, 0), DIAGNOSE_OK);
    assert_int_equal(vm->vcpu.gpr[RCX], 10);
    assert_int_equal(vm->vcpu.gpr[RDX], 1);
    assert_string_equal(storage_at(0x5000, 10), "LEVEL 1: A");
    assert_int_equal(storage_at(0x5000, 11)[10], 0);
    assert_int_equal(call(DIAGNOSE_CHAIN, 0x5000, 0, 0, 0), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(call(DIAGNOSE_CHAIN, 0x5000, DIAGNOSE_CHAIN_MAX + 1, 0, 0), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(call(DIAGNOSE_CHAIN, (2 << 20) - 9, 10, 0, 0), DIAGNOSE_BAD_ADDRESS);
    assert_int_equal(call(DIAGNOSE_CHAIN, UINT64_MAX, 10, 0, 0), DIAGNOSE_BAD_ADDRESS);
}

static void a_command_answers_into_the_buffer(void **state)
{
    (void)state;
    assert_int_equal(command("QUERY USERID", 0x4000, 100), DIAGNOSE_OK);
    assert_int_equal(vm->vcpu.gpr[RBX], 0);
    assert_int_equal(vm->vcpu.gpr[RCX], 16);
    assert_int_equal(vm->vcpu.gpr[RDX], 0);
    assert_string_equal(storage_at(0x4000, 16), "ALICE    AT VMN\n");
    assert_int_equal(command("QUERY USERID", 0x4FF8, 10), DIAGNOSE_OK);
    assert_int_equal(vm->vcpu.gpr[RCX], 10);
    assert_int_equal(vm->vcpu.gpr[RDX], 1);
    assert_string_equal(storage_at(0x4FF8, 11), "ALICE    A"); /* and not a byte more */
    assert_int_equal(storage_at(0x4FF8, 11)[10], 0);
    assert_string_equal(shown(0), "");
}

static void several_commands_go_on_to_the_first_that_fails(void **state)
{
    (void)state;
    assert_int_equal(command("QUERY USERID\nNONSENSE\nQUERY USERS", 0x4000, 4000), DIAGNOSE_OK);
    assert_int_equal(vm->vcpu.gpr[RBX], 1);
    assert_string_equal(storage_at(0x4000, vm->vcpu.gpr[RCX]),
                        "ALICE    AT VMN\nHCPCMD001E Unknown CP command: NONSENSE\n");
}

/* The call's results, once its machine goes on. */
static unsigned turns_until_it_goes_on(void)
{
    unsigned turns = 0;
    for (; vm->state == VM_STOPPED; turns++) {
        assert_true(turns < 1000);
        fake_clock_advance(1000);
        user_poll();
    }
    return turns;
}

static void a_minidisks_password_is_hashed_while_only_its_machine_rests(void **state)
{
    (void)state;
    assert_int_equal(command("LINK MAINT 190 300 W wrong", 0x4000, 400), DIAGNOSE_OK);
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(vm->vcpu.gpr[RCX], strlen("LINK MAINT 190 300 W wrong")); /* no result yet */
    fake_clock_tick = WORK_SLICE / 10;
    assert_true(turns_until_it_goes_on() > 10);
    assert_int_equal(vm->vcpu.gpr[RAX], DIAGNOSE_OK);
    assert_int_equal(vm->vcpu.gpr[RBX], 298);
    assert_string_equal(storage_at(0x4000, vm->vcpu.gpr[RCX]),
                        "HCPLNM298E MAINT 0190 not linked; password incorrect\n");
}

static void a_long_answer_is_the_same_as_one_given_at_once(void **state)
{
    static const char text[] = "DISPLAY T0.200 1000.60\nDISPLAY PSW T2FF0.20\nHELP\nINDICATE NEST\n"
                               "INDICATE LONGEST\nQUERY USERID\nDISPLAY 20.20";
    static char at_once[65536], later[65536];
    (void)state;
    fake_clock_tick = 0;
    assert_int_equal(command(text, 0x8000, 60000), DIAGNOSE_OK);
    assert_int_equal(vm->state, VM_RUNNABLE);
    uint64_t length = vm->vcpu.gpr[RCX];
    guest_read(&vm->storage, gpa(0x8000), at_once, length);
    guest_fill(&vm->storage, gpa(0x8000), 0, length);
    fake_clock_tick = WORK_SLICE / 3;
    assert_int_equal(command(text, 0x8000, 60000), DIAGNOSE_OK);
    assert_int_equal(vm->state, VM_STOPPED);
    assert_true(turns_until_it_goes_on() > 20);
    assert_int_equal(vm->vcpu.gpr[RAX], DIAGNOSE_OK);
    assert_int_equal(vm->vcpu.gpr[RBX], 0);
    assert_int_equal(vm->vcpu.gpr[RCX], length);
    guest_read(&vm->storage, gpa(0x8000), later, length);
    assert_memory_equal(later, at_once, length);
}

static void many_short_commands_go_on_too_and_stop_at_the_first_that_fails(void **state)
{
    char text[DIAGNOSE_COMMAND_MAX + 1] = "";
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        strcat(text, "Q USERID\n");
    strcat(text, "DISPLAY 0.20 FFFFFFF0\nQ USERID");
    fake_clock_tick = WORK_SLICE / 3;
    assert_int_equal(command(text, 0x8000, 60000), DIAGNOSE_OK);
    assert_true(turns_until_it_goes_on() > 5);
    assert_int_equal(vm->vcpu.gpr[RBX], 160);
    assert_int_equal(strncmp(storage_at(0x8000, 64), "ALICE    AT VMN\nALICE    AT VMN\n", 32), 0);
}

static void who_is_forced_off_in_the_middle_of_a_long_answer_is_gone(void **state)
{
    (void)state;
    fake_clock_tick = WORK_SLICE / 3;
    assert_int_equal(command("DISPLAY T0.1000", 0x8000, 60000), DIAGNOSE_OK);
    user_poll();
    deed_note(session_find("ALICE"), DEED_LOGOFF);
    turn();
    assert_null(session_find("ALICE"));
    assert_shows(0, "LOGOFF AT");
}

static void the_lines_around_one_that_waits_are_obeyed_once(void **state)
{
    (void)state;
    assert_int_equal(command("QUERY USERID\nDETACH 190\nLINK MAINT 190 190 W secret\nQUERY USERID\nNONSENSE\nQ T",
                             0x4000, 4000),
                     DIAGNOSE_OK);
    turns_until_it_goes_on();
    assert_int_equal(vm->vcpu.gpr[RAX], DIAGNOSE_OK);
    assert_int_equal(vm->vcpu.gpr[RBX], 1);
    assert_int_equal(vm->vcpu.gpr[RDX], 0);
    assert_string_equal(storage_at(0x4000, vm->vcpu.gpr[RCX]),
                        "ALICE    AT VMN\nDASD 0190 DETACHED\nDASD 0190 LINKED R/W\nALICE    AT VMN\n"
                        "HCPCMD001E Unknown CP command: NONSENSE\n");
    assert_string_equal(shown(0), "");
}

static void a_buffer_that_is_full_before_the_wait_stays_full(void **state)
{
    (void)state;
    assert_int_equal(command("QUERY USERID\nLINK MAINT 190 300 W wrong", 0x4000, 20), DIAGNOSE_OK);
    turns_until_it_goes_on();
    assert_int_equal(vm->vcpu.gpr[RCX], 20);
    assert_int_equal(vm->vcpu.gpr[RDX], 1);
    assert_string_equal(storage_at(0x4000, 20), "ALICE    AT VMN\nHCPL");
    assert_int_equal(storage_at(0x4000, 21)[20], 0);
}

static void two_passwords_in_one_call_are_two_waits(void **state)
{
    (void)state;
    assert_int_equal(command("DETACH 190\nLINK MAINT 190 300 W secret\nDETACH 300\nLINK MAINT 190 301 W secret", 0, 0),
                     DIAGNOSE_OK);
    turns_until_it_goes_on();
    assert_int_equal(vm->vcpu.gpr[RBX], 0);
    turn();
    assert_string_equal(shown(0), "DASD 0190 DETACHED\r\nDASD 0300 LINKED R/W\r\nDASD 0300 DETACHED\r\n"
                                  "DASD 0301 LINKED R/W\r\n");
}

static void who_is_forced_off_while_a_password_is_hashed_is_gone(void **state)
{
    (void)state;
    logon(1, "OPERATOR");
    assert_int_equal(command("LINK MAINT 190 300 W secret", 0x4000, 400), DIAGNOSE_OK);
    type(1, "FORCE ALICE\r");
    assert_null(session_find("ALICE"));
}

/* It was resting when it was stopped and cleared for others. */
static void what_a_machine_asked_before_it_was_stopped_is_not_answered_later(void **state)
{
    (void)state;
    assert_int_equal(command("LINK MAINT 190 300 W wrong", 0x4000, 400), DIAGNOSE_OK);
    vm->stop = VM_STOP_TAKEN;
    vm_stopped(vm);
    shown(0);
    vm->vcpu.gpr[RBX] = 12345;
    type(0, "LINK MAINT 190 300 W wrong\r");
    for (unsigned turns = 0; session_find("ALICE")->state == SESSION_CHECK && turns < 1000; turns++) {
        fake_clock_advance(1000);
        user_poll();
    }
    assert_non_null(strstr(shown(0), "HCPLNM298E"));
    assert_int_equal(vm->vcpu.gpr[RBX], 12345);
}

static void what_is_typed_waits_for_a_password_typed_before(void **state)
{
    (void)state;
    type(0, "#CP DETACH 190\r");
    shown(0);
    type(0, "#CP LINK MAINT 190 300 W secret#QUERY USERID\r#CP Q V 300\r");
    const char *text = shown(0);
    const char *linked = strstr(text, "DASD 0300 LINKED R/W"), *userid = strstr(text, "ALICE    AT VMN");
    assert_non_null(linked);
    assert_true(userid > linked);
    assert_non_null(strstr(userid, "DASD 0300 9336 VMN001 R/W"));
    assert_int_equal(vm->state, VM_RUNNABLE);
}

static void without_a_buffer_the_console_answers(void **state)
{
    (void)state;
    assert_int_equal(command("QUERY USERID", 0, 0), DIAGNOSE_OK);
    assert_int_equal(vm->vcpu.gpr[RCX], 0);
    assert_string_equal(shown(0), "ALICE    AT VMN\r\n");
    fake_line[0].stuck = true;
    int calls = 0;
    while (command("HELP", 0, 0) == DIAGNOSE_OK)
        assert_true(++calls < 1000);
    assert_true(calls > 10);
    assert_int_equal(vm->vcpu.gpr[RBX], 0x1000); /* busy changes nothing */
}

static void pointers_and_lengths_are_judged_before_anything_happens(void **state)
{
    (void)state;
    assert_int_equal(call(DIAGNOSE_COMMAND, 0x1000, 0, 0, 0), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(call(DIAGNOSE_COMMAND, 0x1000, 241, 0, 0), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(call(DIAGNOSE_COMMAND, 0x1000, 10, 0, 65537), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(call(DIAGNOSE_COMMAND, UINT64_MAX, 10, 0, 0), DIAGNOSE_BAD_ADDRESS);
    assert_int_equal(call(DIAGNOSE_COMMAND, 2 << 20, 10, 0, 0), DIAGNOSE_BAD_ADDRESS);
    assert_int_equal(call(DIAGNOSE_COMMAND, (2 << 20) - 5, 10, 0, 0), DIAGNOSE_BAD_ADDRESS);
    assert_int_equal(command("SYSTEM CLEAR", (2 << 20) - 5, 10), DIAGNOSE_BAD_ADDRESS);
    assert_int_equal(vm->state, VM_RUNNABLE);
    assert_int_equal(call(0x123, 0, 0, 0, 0), DIAGNOSE_BAD_CODE);
    assert_int_equal(call(1ull << 32, 0x1000, 48, 0, 0), DIAGNOSE_BAD_CODE);
}

static void without_frames_the_call_may_be_made_again(void **state)
{
    (void)state;
    vm->storage.account.limit = vm->storage.account.frames;
    assert_int_equal(call(DIAGNOSE_IDENTIFY, 0x100000 - 0x5000, 48, 0, 0), DIAGNOSE_BUSY);
    vm->storage.account.limit = 0;
    assert_int_equal(call(DIAGNOSE_IDENTIFY, 0x100000 - 0x5000, 48, 0, 0), DIAGNOSE_OK);
}

/* Every command there is, from within the machine's own call: the fake's vm_create and the like assert that it is
 * nobody's turn, and no virtual CPU changes but by the call's own results. */
static void no_command_of_a_call_does_what_it_should_note(void **state)
{
    static const char *const lines[] = {
        "BEGIN 1000",
        "DEFINE STORAGE 1M",
        "DETACH 191",
        "DISCONNECT",
        "DISPLAY G X PSW 0.100",
        "FORCE BOB",
        "FORCE ALICE",
        "HELP",
        "INDICATE",
        "INDICATE USER",
        "INDICATE NEST",
        "IPL TEST",
        "LINK MAINT 190 300 RR",
        "LOGON BOB",
        "LOGOFF",
        "MESSAGE BOB x",
        "MESSAGE ALL x",
        "QUERY NAMES",
        "QUERY VIRTUAL",
        "QUERY NEST",
        "RESET",
        "SET NESTED OFF",
        "SET RUN ON",
        "SLEEP 1 SEC",
        "STOP",
        "STORE RAX 1",
        "STORE RIP 1",
        "STORE RFLAGS 0",
        "STORE S100 00",
        "SYSTEM RESET",
        "SYSTEM CLEAR",
        "SYSTEM RESTART",
        "SYSTEM END",
        "TRACE VMX ON",
        "WARNING BOB x",
        "XAUTOLOG MAINT",
        "XAUTOLOG BOB",
        "SHUTDOWN" /* last: nobody comes after it */,
    };
    (void)state;
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
        scene_reset(state);
        logon(0, "OPERATOR");
        logon(1, "BOB");
        logon(2, "ALICE");
        type(1, i % 2 ? "LOGOFF\r" : "\r");
        session_find("OPERATOR")->own.classes = 0xFF; /* all */
        vm = vm_of("OPERATOR");
        vm_begin(vm);
        struct fake_vm *others[] = {(struct fake_vm *)vm_of("ALICE"), (struct fake_vm *)vm_of("BOB")};
        struct vcpu before[2] = {others[0]->vm.vcpu};
        if (others[1])
            before[1] = others[1]->vm.vcpu;
        vm_turn = vm;
        assert_int_equal(command(lines[i], 0x4000, 4000), DIAGNOSE_OK);
        vm_turn = NULL;
        assert_memory_equal(&others[0]->vm.vcpu, &before[0], sizeof before[0]);
        if (others[1])
            assert_memory_equal(&others[1]->vm.vcpu, &before[1], sizeof before[1]);
        assert_ptr_equal(vm_of("OPERATOR"), vm); /* it exists, whatever it asked for */
        if (!strncmp(lines[i], "STORE R", 7))
            assert_int_equal(vm->vcpu.gpr[RBX], 9028);
    }
}

static void the_console_takes_many_bytes_at_one_call(void **state)
{
    char text[DIAGNOSE_CONSOLE_MAX];
    (void)state;
    memset(text, '.', sizeof text);
    memcpy(text + sizeof text - 6, "\033end\r", 5);
    text[sizeof text - 1] = '\n';
    guest_write(&vm->storage, gpa(0x5F00), text, sizeof text);
    assert_int_equal(call(DIAGNOSE_CONSOLE, 0x5F00, sizeof text, 7, 0), DIAGNOSE_OK);
    assert_int_equal(vm->vcpu.gpr[RCX], sizeof text);
    assert_int_equal(vm->vcpu.gpr[RDX], 7);
    turn();
    assert_memory_equal(shown(0), text, sizeof text); /* not cleaned: it is the machine's own */
}

static void a_console_that_is_full_takes_what_it_has_room_for(void **state)
{
    uint64_t taken = 0, calls = 0;
    (void)state;
    fake_line[0].stuck = true;
    for (; calls < 10; calls++) {
        assert_int_equal(call(DIAGNOSE_CONSOLE, 0x5000, 1500, 0, 0), DIAGNOSE_OK);
        taken += vm->vcpu.gpr[RCX];
        if (vm->vcpu.gpr[RCX] < 1500)
            break;
    }
    assert_in_range(taken, OUTPUT_CONNECTED - 100, OUTPUT_CONNECTED);
    assert_int_equal(call(DIAGNOSE_CONSOLE, 0x5000, 1, 0, 0), DIAGNOSE_OK);
    assert_int_equal(vm->vcpu.gpr[RCX], 0);
    fake_line[0].stuck = false;
    turn();
    assert_int_equal(((struct fake_vm *)vm)->output_ready, 1); /* the UART is told, and tells the machine */
}

static void what_is_no_text_for_the_console_is_refused(void **state)
{
    static const struct {
        uint64_t at, bytes, status;
    } cases[] = {{0x5000, 0, DIAGNOSE_BAD_LENGTH}, {0x5000, DIAGNOSE_CONSOLE_MAX + 1, DIAGNOSE_BAD_LENGTH},
                 {0x5000, UINT64_MAX, DIAGNOSE_BAD_LENGTH}, {(2 << 20) - 9, 10, DIAGNOSE_BAD_ADDRESS},
                 {UINT64_MAX, 10, DIAGNOSE_BAD_ADDRESS}, {0xFEE00000, 10, DIAGNOSE_BAD_ADDRESS}};
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(call(DIAGNOSE_CONSOLE, cases[i].at, cases[i].bytes, 0, 0), cases[i].status);
        assert_int_equal(vm->vcpu.gpr[RCX], cases[i].bytes);
    }
    turn();
    assert_string_equal(shown(0), "");
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(identify_tells_who_and_what),
        TEST(a_line_is_as_wide_as_the_terminal_there),
        TEST(times_are_true),
        TEST(the_chain_is_told_as_far_as_it_fits),
        TEST(a_command_answers_into_the_buffer),
        TEST(several_commands_go_on_to_the_first_that_fails),
        TEST(a_minidisks_password_is_hashed_while_only_its_machine_rests),
        TEST(a_long_answer_is_the_same_as_one_given_at_once),
        TEST(many_short_commands_go_on_too_and_stop_at_the_first_that_fails),
        TEST(who_is_forced_off_in_the_middle_of_a_long_answer_is_gone),
        TEST(the_lines_around_one_that_waits_are_obeyed_once),
        TEST(a_buffer_that_is_full_before_the_wait_stays_full),
        TEST(two_passwords_in_one_call_are_two_waits),
        TEST(who_is_forced_off_while_a_password_is_hashed_is_gone),
        TEST(what_a_machine_asked_before_it_was_stopped_is_not_answered_later),
        TEST(what_is_typed_waits_for_a_password_typed_before),
        TEST(without_a_buffer_the_console_answers),
        TEST(the_console_takes_many_bytes_at_one_call),
        TEST(a_console_that_is_full_takes_what_it_has_room_for),
        TEST(what_is_no_text_for_the_console_is_refused),
        TEST(pointers_and_lengths_are_judged_before_anything_happens),
        TEST(without_frames_the_call_may_be_made_again),
        TEST(no_command_of_a_call_does_what_it_should_note),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
