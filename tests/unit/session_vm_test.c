/* What a machine tells the session it belongs to: its console, its end, and its wish to begin again. */
#include "tests/unit/session_scene.h"

#include "cp/ipl/nss.h"
#include "cp/ipl/rom.h"
#include "cp/session/deed.h"

static struct session *alice;
static struct fake_vm *machine;

static int at_her_machine(void **state)
{
    scene_reset(state);
    logon(0, "ALICE");
    alice = session_find("ALICE");
    machine = (struct fake_vm *)alice->vm;
    shown(0);
    return 0;
}

static void output(const char *text) { vm_output(alice->vm, 0, (const uint8_t *)text, strlen(text)); }

/* ---- its console ------------------------------------------------------------------------------------------------- */

static void what_a_machine_writes_behind_cps_words_goes_on_where_it_was(void **state)
{
    (void)state;
    output("Name? ");
    output_say(&alice->output, "News");
    output("ERASE"); /* before CP had a turn to show the line again */
    turn();          /* in which the machine's bytes go to the line */
    assert_string_equal(shown(0), "Name? \r\nNews\r\nName? ERASE");
}

/* ---- its end ----------------------------------------------------------------------------------------------------- */

/* As the event loop tells of a stop, some time after it. */
static void told_of(enum vm_stop why)
{
    alice->vm->state = VM_STOPPED;
    alice->vm->stop = why;
    vm_stopped(alice->vm);
    turn();
}

static void a_stop_by_the_user_or_one_that_is_over_is_not_told(void **state)
{
    (void)state;
    told_of(VM_STOP_USER);
    told_of(VM_STOP_NONE); /* it was begun again meanwhile */
    assert_string_equal(shown(0), "");
    assert_int_equal(alice->state, SESSION_RUN);
}

static void a_command_that_is_begun_when_it_ends_goes_on_at_the_prompt(void **state)
{
    (void)state;
    type(0, "#CP QUERY US");
    told_of(VM_STOP_POWER_OFF);
    type(0, "ERID\r");
    const char *text = shown(0);
    assert_non_null(strstr(text, "due to a power off\r\nCP> QUERY USERID\r\nALICE    AT VMN\r\n"));
    assert_int_equal(alice->state, SESSION_READ);
}

static void so_does_one_of_which_not_even_cp_is_typed(void **state)
{
    (void)state;
    for (unsigned begun = 1; begun <= 3; begun++) {
        static const char *const line = "#cp query userid\r";
        char head[4] = "";
        fake_type(0, memcpy(head, line, begun));
        turn();
        told_of(VM_STOP_POWER_OFF);
        type(0, line + begun);
        assert_shows(0, "CP> #cp query userid\r\nALICE    AT VMN\r\n");
        type(0, "IPL TEST\r");
        shown(0);
    }
    assert_string_equal(machine->input, "");
}

static void so_does_one_when_it_begins_again(void **state)
{
    (void)state;
    type(0, "#CP QUERY US");
    told_of(VM_STOP_RESET);
    assert_int_equal(alice->vm->state, VM_RUNNABLE);
    type(0, "ERID\r");
    assert_shows(0, "ALICE    AT VMN\r\n");
    assert_int_equal(alice->state, SESSION_RUN);
    assert_string_equal(machine->input, "");
}

static void nor_is_one_of_a_machine_that_something_else_is_noted_of(void **state)
{
    (void)state;
    machine->in_flight = 1;
    type(0, "#CP SYSTEM RESET\r");
    shown(0);
    told_of(VM_STOP_TAKEN);
    assert_string_equal(shown(0), "");
    machine->in_flight = 0;
    turn();
    assert_string_equal(shown(0), "System reset.\r\nCP> ");
}

static void what_is_typed_at_the_prompt_is_still_there_when_a_machine_stops_behind_it(void **state)
{
    (void)state;
    type(0, "#CP SET RUN ON\r#CP\rQUERY US");
    shown(0);
    vm_stop(alice->vm, VM_STOP_TRIPLE_FAULT, 0);
    turn();
    assert_string_equal(shown(0), "\r\nHCPGIR453W CP entered; triple fault at 0000000000100020\r\nCP> QUERY US");
    type(0, "ERID\r");
    assert_shows(0, "ALICE    AT VMN\r\n");
}

static void a_machine_without_a_system_that_resets_itself_enters_cp(void **state)
{
    (void)state;
    logon(1, "BOB");
    type(1, "BEGIN\r");
    shown(1);
    vm_stop(vm_of("BOB"), VM_STOP_RESET, 0);
    turn();
    const char *said = shown(1);
    assert_non_null(strstr(said, "HCPGIR9006I"));
    assert_null(strstr(said, "HCPNSS"));
    assert_string_equal(said + strlen(said) - 4, "CP> ");
    assert_int_equal(session_find("BOB")->state, SESSION_READ);
}

/* ---- and begun again --------------------------------------------------------------------------------------------- */

/* The command line that the loader left. */
static const char *command_line(void)
{
    enum { FLAG_COMMAND_LINE = 4, AT_COMMAND_LINE = 16 };
    static char text[64];
    uint32_t flags, at;
    uint64_t information = alice->vm->vcpu.gpr[RBX];
    assert_int_equal(guest_read(&alice->vm->storage, gpa(information), &flags, 4), GUEST_OK);
    assert_int_equal(guest_read(&alice->vm->storage, gpa(information + AT_COMMAND_LINE), &at, 4), GUEST_OK);
    assert_true(flags & FLAG_COMMAND_LINE);
    assert_int_equal(guest_read(&alice->vm->storage, gpa(at), text, sizeof text), GUEST_OK);
    return text;
}

static void a_system_that_is_restarted_has_no_parameter_of_the_ipl_before(void **state)
{
    (void)state;
    type(0, "#CP IPL TEST PARM some words\r");
    assert_string_equal(command_line(), "TEST some words");
    type(0, "#CP SYSTEM RESTART\r");
    assert_string_equal(command_line(), "TEST");
}

/* ---- a disk, by firmware ---------------------------------------------------------------------------------------- */

static void a_disk_is_not_ipled_without_firmware(void **state)
{
    (void)state;
    type(0, "#CP IPL 222\r");
    assert_shows(0, "HCPNSS9014E Named saved system 222 does not exist");
    type(0, "#CP IPL 191\r");
    assert_shows(0, "HCPVMI9011E 191 cannot be IPLed: CP was started without firmware");
}

static void a_disk_is_ipled_by_its_number_from_the_reset_vector_on(void **state)
{
    static uint8_t rom[ROM_LEAST], got[16];
    (void)state;
    rom[sizeof rom - 16] = 0xEA;
    assert_null(system_register("firmware", rom, sizeof rom));
    type(0, "#CP IPL 191\r");
    assert_int_equal(alice->vm->state, VM_RUNNABLE);
    assert_int_equal(vcpu_read(&alice->vm->vcpu, VMCS_GUEST_CS_BASE) + vcpu_read(&alice->vm->vcpu, VMCS_GUEST_RIP),
                     0xFFFFFFF0);
    assert_int_equal(guest_read(&alice->vm->storage, gpa(0xFFFFFFF0), got, sizeof got), GUEST_OK);
    assert_memory_equal(got, rom + sizeof rom - 16, sizeof got);
    assert_non_null(alice->vm->machine.fw_cfg.area);
    type(0, "#CP IPL 191 PARM text\r");
    assert_shows(0, "HCPVMI9011E 191 cannot be IPLed: a disk takes no PARM");
    type(0, "IPL 0191 PARM \r");
    type(0, "#CP SYSTEM RESTART\r");
    assert_int_equal(alice->vm->state, VM_RUNNABLE);
    type(0, "#CP SYSTEM RESET\r");
    type(0, "BEGIN\r"); /* what it left of itself below 1 MiB is no ROM */
    assert_shows(0, "HCPBEG9015E");
    type(0, "#CP IPL TEST\r");
    assert_null(alice->vm->machine.fw_cfg.area);
    assert_int_equal(alice->vm->storage.rom, 0);
    type(0, "#CP IPL FIRMWARE\r");
    assert_int_equal(alice->vm->storage.rom, sizeof rom);
}

/* It has no room, CP holds the next byte for it, and finds its command among what comes behind. */
static void what_one_program_has_not_read_is_not_for_the_next(void **state)
{
    static const char *const commands[] = {"#CP IPL TEST\r", "#CP SYSTEM CLEAR\r", "#CP SYSTEM RESET\r",
                                           "#CP DEFINE STORAGE 2M\r", "#CP SYSTEM RESTART\r"};
    (void)state;
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++) {
        alice->vm->state = VM_STOPPED;
        machine->fifo = 0;
        type(0, "xyz\r");
        fake_clock_advance(2000000000);
        turn();
        type(0, commands[i]);
        fake_clock_advance(2000000000);
        turn();
        assert_int_equal(alice->typing.attention.held, 0);
        machine->received = 0, machine->fifo = 100;
        if (alice->state == SESSION_READ)
            type(0, "IPL TEST\r");
        assert_int_equal(alice->state, SESSION_RUN);
        type(0, "new\r");
        assert_string_equal(machine->input, "new\r");
    }
}

/* ---- its storage is taken ---------------------------------------------------------------------------------------- */

static enum nss_outcome save_on(struct vm *vm, const char *name)
{
    const char *why = "";
    work_slice();
    return nss_save(vm, name, "ALICE", &why);
}

static void one_whose_storage_is_taken_while_it_is_saved_keeps_nobody_from_saving(void **state)
{
    struct nss_definition d = {.name = "POINT", .ranges = 1, .min_pages = 2, .range = {{0, 1, 1}}};
    (void)state;
    logon(1, "BOB");
    assert_null(nss_define(&d, "ALICE"));
    assert_int_equal(save_on(alice->vm, "POINT"), NSS_MORE);
    assert_int_equal(save_on(vm_of("BOB"), "POINT"), NSS_BUSY);
    told_of(VM_STOP_TAKEN);
    assert_shows(0, "HCPGIR9009");
    assert_int_equal(alice->state, SESSION_READ);
    while (save_on(vm_of("BOB"), "POINT") == NSS_MORE) {}
    assert_non_null(nss_find("POINT"));
    assert_true(nss_purge("POINT"));
}

static void one_whose_storage_is_taken_while_a_system_is_loaded_keeps_nobody_from_ipl(void **state)
{
    const char *reason = "";
    (void)state;
    logon(1, "BOB");
    assert_int_equal(system_ipl(alice->vm, "TEST", "", &reason), 0);
    alice->deed.noted = DEED_LOAD;
    assert_int_equal(system_ipl(vm_of("BOB"), "TEST", "", &reason), -EAGAIN);
    alice->vm->state = VM_STOPPED;
    alice->vm->stop = VM_STOP_TAKEN;
    vm_stopped(alice->vm);
    assert_int_equal(alice->deed.noted, DEED_NONE);
    assert_int_equal(system_ipl(vm_of("BOB"), "TEST", "", &reason), 0);
    system_ipl_cancel(vm_of("BOB"));
    turn();
    assert_shows(0, "HCPGIR9009");
}

#define TEST(name) cmocka_unit_test_setup(name, at_her_machine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_machine_writes_behind_cps_words_goes_on_where_it_was),
        TEST(a_stop_by_the_user_or_one_that_is_over_is_not_told),
        TEST(a_command_that_is_begun_when_it_ends_goes_on_at_the_prompt),
        TEST(so_does_one_of_which_not_even_cp_is_typed),
        TEST(so_does_one_when_it_begins_again),
        TEST(nor_is_one_of_a_machine_that_something_else_is_noted_of),
        TEST(what_is_typed_at_the_prompt_is_still_there_when_a_machine_stops_behind_it),
        TEST(a_machine_without_a_system_that_resets_itself_enters_cp),
        TEST(what_one_program_has_not_read_is_not_for_the_next),
        TEST(a_disk_is_not_ipled_without_firmware),
        TEST(a_disk_is_ipled_by_its_number_from_the_reset_vector_on),
        TEST(one_whose_storage_is_taken_while_it_is_saved_keeps_nobody_from_saving),
        TEST(one_whose_storage_is_taken_while_a_system_is_loaded_keeps_nobody_from_ipl),
        TEST(a_system_that_is_restarted_has_no_parameter_of_the_ipl_before),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
