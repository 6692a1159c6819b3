/* A machine upon another (DIAGNOSE X'100'): how it begins, whose the console is, how it ends, and what may go wrong. */
#include "tests/unit/session_scene.h"

enum { IMAGE = 0x2000, LINE = 0x1000, OWN_RAM = 2 << 20 };

static struct session *alice;
static struct vm *first;

static int at_her_machine(void **state)
{
    fake_clock_tick = 0;
    fake_no_machines = 0;
    scene_reset(state);
    logon(0, "ALICE");
    alice = session_find("ALICE");
    first = alice->vm;
    shown(0);
    return 0;
}

static uint64_t call(struct vm *vm, uint64_t at, uint64_t bytes, uint64_t line, uint64_t length)
{
    uint64_t *gpr = vm->vcpu.gpr;
    gpr[RAX] = DIAGNOSE_MACHINE, gpr[RBX] = at, gpr[RCX] = bytes, gpr[RDX] = line, gpr[RSI] = length;
    vm_turn = vm; /* as in a turn of its own, in which nothing may be made */
    uint64_t status = gpr[RAX] = vm_diagnose(vm);
    vm_turn = NULL;
    turn();
    return status;
}

static uint64_t ask_with(const void *image, size_t bytes, const char *line)
{
    struct vm *vm = alice->vm;
    guest_write(&vm->storage, gpa(IMAGE), image, bytes);
    guest_write(&vm->storage, gpa(LINE), line, strlen(line));
    return call(vm, IMAGE, bytes, LINE, strlen(line));
}

static uint64_t ask(const char *line)
{
    size_t bytes;
    const void *image = scene_system(&bytes);
    return ask_with(image, bytes, line);
}

static struct vm *machine_upon_hers(void)
{
    assert_int_equal(ask("KERNEL one two"), DIAGNOSE_OK);
    assert_ptr_not_equal(alice->vm, first);
    return alice->vm;
}

static void stops(enum vm_stop why, uint32_t detail)
{
    alice->vm->state = VM_STOPPED;
    alice->vm->stop = why;
    alice->vm->stop_detail = detail;
    vm_stopped(alice->vm);
    turn();
}

static void assert_first_goes_on(uint64_t code)
{
    assert_ptr_equal(alice->vm, first);
    assert_int_equal(first->vcpu.gpr[RAX], DIAGNOSE_OK);
    assert_int_equal(first->vcpu.gpr[RBX], code);
    assert_int_not_equal(first->state, VM_STOPPED);
    assert_int_equal(alice->state, SESSION_RUN);
}

static unsigned machines(void)
{
    unsigned n = 0;
    for (const struct vm *vm = vm_list; vm; vm = vm->next)
        n++;
    return n;
}

/* ---- while it runs ----------------------------------------------------------------------------------------------- */

static void a_kernel_in_storage_runs_in_a_machine_of_its_own(void **state)
{
    uint32_t loaded[9];
    size_t bytes;
    (void)state;
    struct vm *vm = machine_upon_hers();
    assert_int_equal(guest_read(&vm->storage, gpa(0x100000), loaded, sizeof loaded), GUEST_OK);
    assert_memory_equal(loaded, scene_system(&bytes), sizeof loaded);
    assert_int_equal(vm->config.storage_bytes, 2 << 20); /* of 4, hers has 2 */
    assert_int_equal(vm->config.uarts, 1);
    assert_int_not_equal(vm->state, VM_STOPPED);
    assert_int_equal(first->state, VM_STOPPED);
    assert_null(((struct fake_vm *)vm)->disk[0]);
    assert_string_equal(alice->system, "KERNEL");
}

static void the_console_is_the_upper_machines(void **state)
{
    (void)state;
    struct fake_vm *f = (struct fake_vm *)machine_upon_hers();
    type(0, "hello\r");
    assert_string_equal(f->input, "hello\r");
    assert_string_equal(((struct fake_vm *)first)->input, "");
    vm_output(alice->vm, 0, (const uint8_t *)"Here", 4);
    turn();
    assert_shows(0, "Here");
    type(0, "#CP DISPLAY RAX\r");
    assert_shows(0, "RAX");
    type(0, "#CP\r");
    assert_int_equal(f->vm.state, VM_STOPPED);
    type(0, "BEGIN\r");
    assert_int_not_equal(f->vm.state, VM_STOPPED);
    assert_int_equal(first->state, VM_STOPPED);
}

static void minidisks_stay_the_first_machines(void **state)
{
    (void)state;
    machine_upon_hers();
    type(0, "#CP LINK MAINT 190 300 RR ALL\r");
    type(0, "#CP DETACH 191\r");
    assert_shows(0, "0191 DETACHED");
    struct fake_vm *f = (struct fake_vm *)first, *upper = (struct fake_vm *)alice->vm;
    unsigned here = 0, there = 0;
    for (unsigned i = 0; i < MACHINE_DISKS; i++)
        here += f->disk[i] && f->vdev[i] == 0x300, there += upper->disk[i] != NULL;
    assert_int_equal(here, 1);
    assert_int_equal(there, 0);
}

static void together_they_have_the_storage_of_one(void **state)
{
    (void)state;
    machine_upon_hers();
    assert_int_equal(ask("THIRD"), DIAGNOSE_NO_MACHINE);
    type(0, "#CP DEFINE STORAGE 3M\r");
    assert_shows(0, "HCPDST094E Storage size (3M) exceeds allowed maximum (2M)");
    type(0, "#CP DEFINE STORAGE 1M\rIPL TEST\r");
    assert_int_equal(ask("THIRD"), DIAGNOSE_OK);
    assert_int_equal(alice->vm->config.storage_bytes, 1 << 20);
    assert_int_equal(alice->stack.waiting, 1); /* 1 MiB has no room for what begins at 1 MiB */
    assert_shows(0, "HCPVMI9011E THIRD cannot be IPLed: ");
    assert_int_equal(alice->vm->vcpu.gpr[RBX], 9011);
    assert_int_equal(machines(), 2);
}

static void there_is_an_end_to_it(void **state)
{
    (void)state;
    alice->own.machine.storage_maximum = 1ull << 30;
    for (unsigned i = 0; i < STACK_WAITING; i++) {
        assert_int_equal(ask("AGAIN"), DIAGNOSE_OK);
        alice->vm->config.storage_bytes = 8 << 20; /* or it would have all there is */
    }
    assert_int_equal(alice->stack.waiting, STACK_WAITING);
    assert_int_equal(ask("AGAIN"), DIAGNOSE_NO_MACHINE);
    for (unsigned i = STACK_WAITING; i; i--)
        stops(VM_STOP_POWER_OFF, 0);
    assert_first_goes_on(0);
    assert_int_equal(machines(), 1);
}

/* ---- how it ends ------------------------------------------------------------------------------------------------- */

static void its_end_is_the_return_of_the_call(void **state)
{
    static const struct {
        enum vm_stop why;
        uint32_t detail;
        uint64_t code;
        const char *shown;
    } ends[] = {
        {VM_STOP_POWER_OFF, 0, 0, ""},
        {VM_STOP_RESET, 0, 0, ""},
        {VM_STOP_TEST_EXIT, 7, 7, ""},
        {VM_STOP_TRIPLE_FAULT, 0, 453, "HCPGIR453W CP entered; triple fault at"},
        {VM_STOP_DISABLED_WAIT, 0, 450, "HCPGIR450W"},
        {VM_STOP_NO_FRAMES, 0, 9002, "HCPGIR9042I The machine is ended, and the one that began it goes on"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
        machine_upon_hers();
        shown(0);
        stops(ends[i].why, ends[i].detail);
        assert_first_goes_on(ends[i].code);
        assert_shows(0, ends[i].shown);
        assert_int_equal(machines(), 1);
        assert_string_equal(alice->system, "TEST");
    }
}

static void its_user_ends_one_that_does_not_end(void **state)
{
    (void)state;
    machine_upon_hers();
    type(0, "#CP SYSTEM END\r");
    assert_first_goes_on(9042);
    assert_shows(0, "HCPSYS9042I The machine is ended, and the one that began it goes on");
    machine_upon_hers();
    type(0, "#CP\r");
    type(0, "SYSTEM END\r");
    assert_first_goes_on(9042);
    shown(0);
    type(0, "#CP SYSTEM END\r");
    assert_shows(0, "HCPSYS9043E No other machine of yours waits for the end of this one");
    assert_ptr_equal(alice->vm, first);
}

static void a_system_that_is_not_there_leaves_the_upper_machine(void **state)
{
    (void)state;
    struct vm *upper = machine_upon_hers();
    type(0, "#CP SYSTEM RESTART\r");
    assert_shows(0, "HCPNSS9014E Named saved system KERNEL does not exist");
    assert_ptr_equal(alice->vm, upper);
    assert_int_equal(alice->state, SESSION_READ);
}

static void time_and_share_go_from_one_to_the_other(void **state)
{
    (void)state;
    first->virtual_ticks = 1000, first->total_ticks = 2000;
    struct vm *vm = machine_upon_hers();
    assert_int_equal(vm->virtual_ticks, 1000);
    vm->virtual_ticks = 5000, vm->total_ticks = 9000;
    vm->share = (struct share){.absolute = true};
    stops(VM_STOP_POWER_OFF, 0);
    assert_int_equal(first->virtual_ticks, 5000);
    assert_int_equal(first->total_ticks, 9000);
    assert_true(first->share.absolute);
}

/* ---- what may go wrong ------------------------------------------------------------------------------------------- */

static void an_image_that_is_none_is_told_and_the_program_goes_on(void **state)
{
    static const uint32_t needs[3] = {0x1BADB002, 8, -(0x1BADB002 + 8)};
    static const uint32_t beyond[9] = {0x1BADB002, 0x10000, -(0x1BADB002 + 0x10000), 0x100000, 0x100000, 0x7FFFFFFF,
                                       0, 0x100020};
    static const uint32_t high[9] = {0x1BADB002, 0x10000, -(0x1BADB002 + 0x10000), 0xF0000000, 0xF0000000, 0, 0,
                                     0xF0000000};
    static const struct {
        const void *image;
        size_t bytes;
        const char *reason;
    } bad[] = {{"no kernel", 9, "no multiboot header"}, {needs, sizeof needs, "requires a feature"},
               {beyond, sizeof beyond, "loads more than the file"}, {high, sizeof high, "does not fit"}};
    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(ask_with(bad[i].image, bad[i].bytes, "BAD"), DIAGNOSE_OK);
        assert_first_goes_on(9011);
        const char *text = shown(0);
        assert_non_null(strstr(text, "HCPVMI9011E BAD cannot be IPLed: "));
        assert_non_null(strstr(text, bad[i].reason));
        assert_int_equal(machines(), 1);
    }
}

static void wrong_calls_are_refused_and_nothing_stops(void **state)
{
    char names[] = "LINUX MACHINE";
    (void)state;
    guest_write(&first->storage, gpa(LINE), "X\tY", 3);
    static const struct {
        uint64_t at, bytes, line, length, status;
    } calls[] = {
        {IMAGE, 0, LINE, 1, DIAGNOSE_BAD_LENGTH},
        {IMAGE, DIAGNOSE_IMAGE_MAX + 1ull, LINE, 1, DIAGNOSE_BAD_LENGTH},
        {IMAGE, 100, LINE, 0, DIAGNOSE_BAD_LENGTH},
        {IMAGE, 100, LINE, DIAGNOSE_LINE_MAX + 1, DIAGNOSE_BAD_LENGTH},
        {IMAGE, 100, LINE, 3, DIAGNOSE_BAD_LENGTH},
        {IMAGE, OWN_RAM, LINE, 1, DIAGNOSE_BAD_ADDRESS},
        {UINT64_MAX, 100, LINE, 1, DIAGNOSE_BAD_ADDRESS},
        {OWN_RAM, 100, LINE, 1, DIAGNOSE_BAD_ADDRESS},
        {IMAGE, 100, OWN_RAM - 1, 2, DIAGNOSE_BAD_ADDRESS},
        {IMAGE, 100, UINT64_MAX, 2, DIAGNOSE_BAD_ADDRESS},
    };
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++)
        assert_int_equal(call(first, calls[i].at, calls[i].bytes, calls[i].line, calls[i].length), calls[i].status);
    memcpy(first->config.forbidden, names, sizeof names);
    assert_int_equal(ask("FORBIDDEN"), DIAGNOSE_NOT_OFFERED);
    first->config.forbidden[0] = 0;
    assert_ptr_equal(alice->vm, first);
    assert_int_not_equal(first->state, VM_STOPPED);
}

static uint64_t forbidden(uint64_t at, uint64_t bytes)
{
    uint64_t *gpr = first->vcpu.gpr;
    gpr[RAX] = DIAGNOSE_FORBIDDEN, gpr[RBX] = at, gpr[RCX] = bytes;
    return vm_diagnose(first);
}

static void what_the_directory_forbids_is_told(void **state)
{
    enum { BYTES = DIAGNOSE_FORBIDDEN_BYTES, ACROSS_PAGES = 0x2000 - BYTES / 2 };
    char names[] = "LINUX MACHINE", told[BYTES];
    (void)state;
    memcpy(first->config.forbidden, names, sizeof names);
    assert_int_equal(forbidden(ACROSS_PAGES, BYTES), DIAGNOSE_OK);
    assert_int_equal(guest_read(&first->storage, gpa(ACROSS_PAGES), told, BYTES), GUEST_OK);
    assert_memory_equal(told, first->config.forbidden, BYTES);
    assert_int_equal(forbidden(0x2000, BYTES - 1), DIAGNOSE_BAD_LENGTH);
    assert_int_equal(forbidden((2 << 20) - BYTES + 1, BYTES), DIAGNOSE_BAD_ADDRESS);
    assert_int_equal(forbidden(UINT64_MAX, BYTES), DIAGNOSE_BAD_ADDRESS);
    first->config.forbidden[0] = 0;
}

static void without_frames_the_program_goes_on(void **state)
{
    (void)state;
    fake_no_machines = 1;
    assert_int_equal(ask("LACKS"), DIAGNOSE_OK);
    assert_first_goes_on(9011);
    assert_shows(0, "HCPVMI9011E LACKS cannot be IPLed: CP has no page frames for another machine");
    assert_int_equal(machines(), 1);
}

static void one_that_lost_its_storage_meanwhile_does_not_go_on(void **state)
{
    (void)state;
    machine_upon_hers();
    first->stop = VM_STOP_TAKEN;
    vm_stopped(first); /* nothing is said of it by now: the console is another's */
    turn();
    assert_int_equal(alice->stack.waiting, 1);
    shown(0);
    stops(VM_STOP_POWER_OFF, 0);
    assert_shows(0, "HCPGIR9009W");
    assert_ptr_equal(alice->vm, first);
    assert_int_equal(alice->state, SESSION_READ);
    assert_int_equal(first->state, VM_STOPPED);
}

/* ---- coming and going -------------------------------------------------------------------------------------------- */

static void they_leave_together(void **state)
{
    (void)state;
    machine_upon_hers();
    ((struct fake_vm *)first)->in_flight = 1; /* hers still writes */
    type(0, "#CP LOGOFF\r");
    assert_int_equal(machines(), 2);
    ((struct fake_vm *)first)->in_flight = 0;
    turn();
    assert_int_equal(machines(), 0);
    assert_shows(0, "LOGOFF AT");
    logon(1, "OPERATOR");
    logon(0, "ALICE");
    alice = session_find("ALICE"), first = alice->vm;
    machine_upon_hers();
    type(1, "#CP FORCE ALICE\r");
    assert_null(session_find("ALICE"));
    assert_int_equal(machines(), 1);
}

static void who_comes_back_finds_the_upper_machine_or_its_end(void **state)
{
    (void)state;
    struct vm *upper = machine_upon_hers();
    type(0, "#CP DISCONNECT\r");
    assert_int_not_equal(upper->state, VM_STOPPED);
    logon(0, "ALICE");
    assert_ptr_equal(alice->vm, upper);
    deed_note_disconnect(alice, false); /* and it ends in that very moment */
    alice->vm->state = VM_STOPPED;
    alice->vm->stop = VM_STOP_POWER_OFF;
    vm_stopped(alice->vm);
    turn();
    assert_first_goes_on(0);
    logon(0, "ALICE");
    assert_first_goes_on(0);
}

static void lines_that_are_dialed_stay_the_first_machines(void **state)
{
    (void)state;
    first->config.uarts = 2;
    first->machine.uart[1].modem_control = UART_MCR_DTR;
    type(1, "DIAL ALICE\r");
    assert_shows(1, "DIALED TO ALICE 02F8");
    machine_upon_hers();
    type(1, "x");
    assert_int_equal(((struct fake_vm *)first)->input_uart, 1);
    stops(VM_STOP_POWER_OFF, 0);
    assert_int_equal(session_find("ALICE")->dial.caller[1] != NULL, true);
    type(1, "#CP UNDIAL\r");
}

#define TEST(name) cmocka_unit_test_setup(name, at_her_machine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_kernel_in_storage_runs_in_a_machine_of_its_own),
        TEST(the_console_is_the_upper_machines),
        TEST(minidisks_stay_the_first_machines),
        TEST(together_they_have_the_storage_of_one),
        TEST(there_is_an_end_to_it),
        TEST(its_end_is_the_return_of_the_call),
        TEST(its_user_ends_one_that_does_not_end),
        TEST(a_system_that_is_not_there_leaves_the_upper_machine),
        TEST(time_and_share_go_from_one_to_the_other),
        TEST(an_image_that_is_none_is_told_and_the_program_goes_on),
        TEST(wrong_calls_are_refused_and_nothing_stops),
        TEST(what_the_directory_forbids_is_told),
        TEST(without_frames_the_program_goes_on),
        TEST(one_that_lost_its_storage_meanwhile_does_not_go_on),
        TEST(they_leave_together),
        TEST(who_comes_back_finds_the_upper_machine_or_its_end),
        TEST(lines_that_are_dialed_stay_the_first_machines),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
