/* A whole machine's life: what its devices tell the loop, what it shows and reads, why it stops, and that one that
 * could not be made leaves nothing behind. */
#include "tests/unit/dispatch_machine_scene.h"

#include "cp/storage/share.h"
#include "cp/diagnose.h"

enum { START = 0x100000, IOAPIC = 0xFEC00000, OUT_BYTE = 0, OUT_WORD = 1, OUT_LONG = 3, IN_BYTE = 8, UART = 0x3F8,
       RED_TABLE = 0x10 };
#define PORT(port) ((uint64_t)(port) << 16)

static const struct exit wbinvd = {.reason = EXIT_WBINVD, .instruction_length = 2};
static const struct exit at_ioapic = {.reason = EXIT_EPT_VIOLATION, .guest_physical = IOAPIC + RED_TABLE};

static int begin(void **state)
{
    (void)state;
    machine_begin(NEST_OFF);
    return 0;
}

static int end(void **state)
{
    (void)state;
    while (vm_list)
        vm_destroy(vm_list);
    vm_stopped = NULL, vm_output = NULL, vm_input_room = NULL, vm_hung_up = NULL;
    cpu_backend = &fake_cpu_backend;
    scene_no_context = false;
    frame_cp_account.limit = 0;
    return 0;
}

/* ---- ways to end ------------------------------------------------------------------------------------------------- */

static void each_way_out_stops_the_machine_and_says_which(void **state)
{
    static const struct {
        uint16_t port;
        unsigned size;
        uint32_t value;
        enum vm_stop why;
        uint32_t detail;
    } ways[] = {
        {POWER_PM1_CONTROL, OUT_WORD, POWER_SLP_EN, VM_STOP_POWER_OFF, 0},
        {POWER_PM1_CONTROL_BOCHS, OUT_WORD, POWER_SLP_EN, VM_STOP_POWER_OFF, 0},
        {POWER_RESET_CONTROL, OUT_BYTE, 6, VM_STOP_RESET, 0},
        {POWER_PORT_92, OUT_BYTE, 1, VM_STOP_RESET, 0},
        {0x64, OUT_BYTE, 0xFE, VM_STOP_RESET, 0},
        {0xF4, OUT_LONG, 0x31, VM_STOP_TEST_EXIT, 0x31},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        const struct step out = IN_L1({.reason = EXIT_IO, .qualification = ways[i].size | PORT(ways[i].port),
                                       .instruction_length = 1});
        set(VMCS_GUEST_RIP, START);
        vm->vcpu.gpr[RAX] = ways[i].value;
        stops_seen = 0;
        play_steps(&out, 1);
        assert_int_equal(vm->stop, ways[i].why);
        assert_int_equal(vm->stop_detail, ways[i].detail);
        assert_int_equal(stops_seen, 1);
        assert_int_equal(get(VMCS_GUEST_RIP), START); /* where it would be asked again */
        vm_reset(vm);
        registers_start_flat(&vm->vcpu, START, 0, 0);
        vm_begin(vm);
    }
}

static void so_does_an_outs(void **state)
{
    (void)state;
    poke(START, 0x6E, 1); /* OUTSB */
    poke(0x2000, 0x22, 1);
    vm->vcpu.gpr[RDX] = 0xF4;
    vm->vcpu.gpr[RSI] = 0x2000;
    PLAY(IN_L1({.reason = EXIT_IO, .qualification = OUT_BYTE | 1 << 4 | PORT(0xF4)}));
    assert_int_equal(vm->stop, VM_STOP_TEST_EXIT);
    assert_int_equal(vm->stop_detail, 0x22);
}

static void begin_starts_a_stopped_machine_only_and_once(void **state)
{
    (void)state;
    vm_begin(vm);
    assert_false(scheduler_contended());
    vm_stop(vm, VM_STOP_USER, 0);
    assert_false(vm->stop_unseen); /* the user knows */
    assert_null(scheduler_pick());
    vm_stop(vm, VM_STOP_TRIPLE_FAULT, 0);
    assert_int_equal(vm->stop, VM_STOP_USER); /* it stands already */
    vm_begin(vm);
    assert_int_equal(vm->stop, VM_STOP_NONE);
    assert_ptr_equal(scheduler_pick(), vm);
    vm_wake(vm); /* nothing to wake */
    assert_int_equal(vm->state, VM_RUNNABLE);
}

/* ---- held by a call ---------------------------------------------------------------------------------------------- */

static uint64_t called(struct vm *of, unsigned error) { return assert_ptr_equal(of, vm), 100 + error; }

static void tell_done(unsigned error)
{
    vm->machine.host.event(vm->machine.host.context, MACHINE_CALL_DONE, error);
}

static void hold_it(void)
{
    vm_called = called;
    vm_begin(vm);
    vm->vcpu.gpr[RAX] = 0;
    vm_hold(vm);
    scheduler_remove(vm);
}

static void a_machine_that_is_held_waits_for_its_call_whatever_interrupts(void **state)
{
    (void)state;
    hold_it();
    vm->vcpu.nmi_pending = true;
    assert_true(event_deliverable(vm));
    vm_wake(vm);
    vm_unhalt(vm);
    assert_int_equal(vm->state, VM_WAITING);
    assert_null(scheduler_pick());
    tell_done(5);
    assert_int_equal(vm->state, VM_RUNNABLE);
    assert_int_equal(vm->vcpu.gpr[RAX], 105);
    assert_ptr_equal(scheduler_pick(), vm);
    vm->vcpu.gpr[RAX] = 1;
    tell_done(0); /* of nobody's call */
    assert_int_equal(vm->vcpu.gpr[RAX], 1);
}

static void one_that_is_stopped_meanwhile_is_held_again_when_it_begins(void **state)
{
    (void)state;
    hold_it();
    vm_stop(vm, VM_STOP_USER, 0);
    vm_begin(vm);
    assert_int_equal(vm->state, VM_WAITING);
    assert_null(scheduler_pick());
    vm_stop(vm, VM_STOP_USER, 0);
    tell_done(0);
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(vm->vcpu.gpr[RAX], 100);
    vm_begin(vm);
    assert_int_equal(vm->state, VM_RUNNABLE);
}

static void a_reset_forgets_the_call(void **state)
{
    (void)state;
    hold_it();
    vm_reset(vm);
    tell_done(0);
    assert_int_not_equal(vm->vcpu.gpr[RAX], 100);
    vm_begin(vm);
    assert_int_equal(vm->state, VM_RUNNABLE);
}

static void an_nmi_of_the_real_machine_is_no_matter_of_the_guests(void **state)
{
    (void)state;
    PLAY(IN_L1({.reason = EXIT_EXCEPTION_NMI, .interruption_info = EVENT_VALID | EVENT_NMI | VECTOR_NMI}),
         IN_L1(wbinvd));
    assert_int_equal(entered[1].info, 0);
    assert_int_equal(entered[1].rip, START);
}

/* ---- the console ------------------------------------------------------------------------------------------------- */

static char shown[8];
static unsigned shown_count, room_uart, rooms, hang_ups, hung_up_uart;

static unsigned output(struct vm *of, unsigned uart, const uint8_t *bytes, unsigned count)
{
    assert_ptr_equal(of, vm);
    assert_int_equal(uart, 0);
    memcpy(shown + shown_count, bytes, count);
    shown_count += count;
    return count;
}

static void input_room(struct vm *of, unsigned uart)
{
    assert_ptr_equal(of, vm);
    room_uart = uart;
    rooms++;
}

static void hung_up(struct vm *of, unsigned uart)
{
    assert_ptr_equal(of, vm);
    hung_up_uart = uart;
    hang_ups++;
}

static const struct exit send = {.reason = EXIT_IO, .qualification = OUT_BYTE | PORT(UART), .instruction_length = 1};
static const struct exit receive = {.reason = EXIT_IO, .qualification = IN_BYTE | PORT(UART), .instruction_length = 1};

static void what_the_guest_sends_is_shown_and_lost_by_nobody(void **state)
{
    (void)state;
    vm->vcpu.gpr[RAX] = 'A';
    PLAY(IN_L1(send), IN_L1(wbinvd)); /* nobody looks: it must not wait for ever */
    vm_output = output;
    shown_count = 0;
    fake_clock_advance(1000000);
    vm->vcpu.gpr[RAX] = 'B';
    PLAY(IN_L1(send), IN_L1(wbinvd));
    fake_clock_advance(1000000);
    assert_int_equal(shown_count, 1);
    assert_int_equal(shown[0], 'B');
}

static void one_who_has_read_all_asks_for_more(void **state)
{
    (void)state;
    uint8_t byte = 'x';
    rooms = 0;
    assert_int_equal(machine_input(&vm->machine, 0, &byte, 1), 1);
    PLAY(IN_L1(receive), IN_L1(wbinvd)); /* nobody has more */
    assert_int_equal(vm->vcpu.gpr[RAX] & 0xFF, 'x');
    vm_input_room = input_room;
    assert_int_equal(machine_input(&vm->machine, 0, &byte, 1), 1);
    PLAY(IN_L1(receive), IN_L1(wbinvd));
    assert_int_equal(rooms, 1);
    assert_int_equal(room_uart, 0);
}

/* By its program, by a reset, by another size of storage. */
static void one_that_takes_dtr_away_hangs_up(void **state)
{
    static const struct exit modem = {.reason = EXIT_IO, .qualification = OUT_BYTE | PORT(UART + 4),
                                      .instruction_length = 1};
    (void)state;
    hang_ups = 0;
    vm->vcpu.gpr[RAX] = UART_MCR_DTR;
    PLAY(IN_L1(modem), IN_L1(wbinvd));
    assert_true(uart_takes_calls(&vm->machine.uart[0]));
    vm_hung_up = hung_up;
    vm->vcpu.gpr[RAX] = 0;
    PLAY(IN_L1(modem), IN_L1(wbinvd));
    assert_int_equal(hang_ups, 1);
    assert_int_equal(hung_up_uart, 0);
    vm->vcpu.gpr[RAX] = UART_MCR_DTR;
    PLAY(IN_L1(modem), IN_L1(wbinvd));
    vm_reset(vm);
    assert_int_equal(hang_ups, 2);
    vm_reset(vm);
    assert_int_equal(hang_ups, 2);
}

/* ---- accesses that cannot be carried out ------------------------------------------------------------------------- */

static void code(const char *bytes)
{
    uint64_t value = 0;
    memcpy(&value, bytes, strlen(bytes));
    poke(START, value, 8);
    vm->vcpu.gpr[RBX] = IOAPIC + RED_TABLE;
    set(VMCS_GUEST_RIP, START);
}

static void an_instruction_writes_the_stack_pointer_and_the_flags(void **state)
{
    (void)state;
    bus_mmio_write(&vm->machine.bus, IOAPIC, 4, RED_TABLE); /* entry 0, low half: masked */
    bus_mmio_write(&vm->machine.bus, IOAPIC + RED_TABLE, 4, 0x10055);
    code("\x8b\x23"); /* MOV ESP, [EBX] */
    PLAY(IN_L1(at_ioapic), IN_L1(wbinvd));
    assert_int_equal(get(VMCS_GUEST_RSP), 0x10055);
    code("\x85\x0b"); /* TEST [EBX], ECX */
    vm->vcpu.gpr[RCX] = 0x20000;
    set(VMCS_GUEST_RFLAGS, 2);
    PLAY(IN_L1(at_ioapic), IN_L1(wbinvd));
    assert_int_equal(get(VMCS_GUEST_RFLAGS) & 0x40, 0x40); /* ZF */
}

static void what_cannot_be_decoded_stops_the_machine(void **state)
{
    (void)state;
    code("\xd8\x03"); /* FADD */
    PLAY(IN_L1(at_ioapic));
    assert_int_equal(vm->stop, VM_STOP_EMULATION);
    assert_int_equal(vm->stop_detail, EXIT_EPT_VIOLATION);
}

static void delivery_of_an_event_to_a_device_stops_the_machine(void **state)
{
    (void)state;
    code("\x89\x03");
    PLAY(IN_L1({.reason = EXIT_EPT_VIOLATION, .guest_physical = IOAPIC, .idt_vectoring_info = EVENT_VALID | 0x30}));
    assert_int_equal(vm->stop, VM_STOP_EMULATION);
}

static void page_tables_that_are_no_storage_stop_the_machine(void **state)
{
    (void)state;
    code("\x89\x03");
    set(VMCS_GUEST_CR3, 0xE0000000);
    set(VMCS_GUEST_CR0, get(VMCS_GUEST_CR0) | CR0_PG);
    PLAY(IN_L1(at_ioapic));
    assert_int_equal(vm->stop, VM_STOP_NO_STORAGE);
}

static void storage_that_cannot_be_had_stops_the_machine(void **state)
{
    (void)state;
    code("\xa5"); /* MOVSD from the device to a page nobody has touched */
    vm->vcpu.gpr[RSI] = IOAPIC + RED_TABLE;
    vm->vcpu.gpr[RDI] = 0x400000;
    vm->storage.account.limit = vm->storage.account.frames;
    PLAY(IN_L1(at_ioapic));
    assert_int_equal(vm->stop, VM_STOP_NO_FRAMES);
    vm_begin(vm);
    PLAY(IN_L1({.reason = EXIT_EPT_VIOLATION, .guest_physical = 0x600000}));
    assert_int_equal(vm->stop, VM_STOP_NO_FRAMES);
    assert_int_equal(stops_seen, 2);
}

/* The overcommit rule for pages that are shared: who wants a copy and can have no frame is stopped, nobody else. */
static void a_copy_that_cannot_be_had_stops_the_machine_and_writes_nothing(void **state)
{
    static struct guest_storage saved, other;
    (void)state;
    guest_storage_init(&saved, 8 << 20, 0);
    guest_storage_init(&other, 8 << 20, 0);
    assert_int_equal(guest_write(&saved, gpa(0x600000), "saved", 6), GUEST_OK);
    share_begin(&vm->storage, &saved);
    share_begin(&other, &saved);
    assert_int_equal(share_map(&vm->storage, gpa(0x600000)), GUEST_OK);
    assert_int_equal(share_map(&other, gpa(0x600000)), GUEST_OK);
    vm->storage.account.limit = vm->storage.account.frames;
    PLAY(IN_L1({.reason = EXIT_EPT_VIOLATION, .guest_physical = 0x600000, .qualification = 2}));
    assert_int_equal(vm->stop, VM_STOP_NO_FRAMES);
    assert_string_equal(guest_pointer(&vm->storage, gpa(0x600000), NULL), "saved");
    vm->storage.account.limit = 0; /* there are some again: BEGIN goes on */
    vm_begin(vm);
    PLAY(IN_L1({.reason = EXIT_EPT_VIOLATION, .guest_physical = 0x600000, .qualification = 2}));
    assert_int_equal(stops_seen, 1);
    assert_int_equal(guest_write(&vm->storage, gpa(0x600000), "mine!", 6), GUEST_OK);
    assert_int_equal(vm->storage.shared, 0);
    assert_string_equal(guest_pointer(&other, gpa(0x600000), NULL), "saved");
    guest_storage_renew(&vm->storage, 8 << 20);
    guest_storage_free(&other);
    guest_storage_free(&saved);
}

enum { P = 1, W = 2, PS = 0x80, DIRECTORY = 0x20000, TABLE = 0x21000 };

/* 32-bit paging: the page at START alone, and the IOAPIC's 4 MiB. */
static void one_page_of_code(void)
{
    set(VMCS_GUEST_CR4, CR4_PSE | CR4_VMXE);
    set(VMCS_GUEST_CR3, DIRECTORY);
    set(VMCS_GUEST_CR0, get(VMCS_GUEST_CR0) | CR0_PG);
    poke(DIRECTORY, TABLE | P | W, 4);
    poke(TABLE + 4 * (START >> 12), START | P | W, 4);
    poke(DIRECTORY + 4 * (IOAPIC >> 22), (IOAPIC & ~0x3FFFFFu) | PS | P | W, 4);
}

static void an_instruction_at_the_end_of_its_page_needs_no_next_one(void **state)
{
    (void)state;
    code("\x89\x03");
    poke(START + 0xFFE, 0x0389, 2);
    one_page_of_code();
    set(VMCS_GUEST_RIP, START + 0xFFE);
    vm->vcpu.gpr[RBX] = IOAPIC;
    vm->vcpu.gpr[RAX] = 0x12;
    PLAY(IN_L1(at_ioapic), IN_L1(wbinvd));
    assert_int_equal(bus_mmio_read(&vm->machine.bus, IOAPIC, 4), 0x12);
    assert_int_equal(entered[1].rip, START + 0x1000);
}

static void code_that_went_away_meanwhile_is_a_page_fault_of_its_fetch(void **state)
{
    (void)state;
    one_page_of_code();
    set(VMCS_GUEST_RIP, START + 0x2000);
    PLAY(IN_L1(at_ioapic), IN_L1(wbinvd));
    assert_int_equal(entered[1].info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_PF);
    assert_int_equal(entered[1].error, 0);
    assert_int_equal(vm->vcpu.cr2, START + 0x2000);
}

/* ---- one that cannot be made ------------------------------------------------------------------------------------- */

static struct machine_config config = {.userid = "NOBODY", .storage_bytes = 1 << 20, .uarts = 1};
static int create_fails(struct vcpu *v) { return (void)v, -12; }

static void assert_none_is_made(void)
{
    uint64_t frames = frame_available(), cp = frame_cp_account.frames;
    assert_null(vm_create(&config));
    assert_int_equal(frame_available(), frames);
    assert_int_equal(frame_cp_account.frames, cp);
    assert_ptr_equal(vm_list, vm);
    assert_null(vm->next);
}

static void a_machine_there_is_no_storage_for_leaves_nothing_behind(void **state)
{
    static struct cpu_backend broken;

    (void)state;
    config.frame_limit = 1;
    assert_none_is_made();
    config.frame_limit = 0;
    scene_no_context = true;
    assert_none_is_made();
    scene_no_context = false;
    broken = fake_cpu_backend;
    broken.create = create_fails;
    cpu_backend = &broken;
    assert_none_is_made();
    cpu_backend = &fake_cpu_backend;
}

static void one_upon_another_has_its_account_and_what_it_had(void **state)
{
    (void)state;
    vm->virtual_ticks = 100, vm->total_ticks = 200, vm->steal_ticks = 30, vm->vruntime = 4000;
    vm->share = (struct share){.absolute = true};
    work_all(); /* those before leave theirs to be given back */
    uint64_t frames = frame_available();
    config.frame_limit = 1; /* it counts for nothing */
    struct vm *upper = vm_create_upon(&config, vm);
    config.frame_limit = 0;
    assert_non_null(upper);
    assert_ptr_equal(upper->storage.account.beside, &vm->storage.account);
    assert_int_equal(upper->storage.account.promise, 0);
    assert_int_equal(upper->virtual_ticks, 100);
    assert_int_equal(upper->steal_ticks, 30);
    assert_int_equal(upper->vruntime, 4000);
    assert_true(upper->share.absolute);
    upper->virtual_ticks = 1100, upper->vruntime = 5000;
    vm_hand_over(upper, vm);
    assert_int_equal(vm->virtual_ticks, 1100);
    assert_int_equal(vm->vruntime, 5000);
    vm_destroy(upper);
    work_all();
    assert_int_equal(frame_available(), frames);
    assert_ptr_equal(vm_list, vm);
}

static void another_size_of_storage_is_a_machine_reset_and_cleared(void **state)
{
    (void)state;
    poke(0x5000, 0x1234, 8);
    assert_int_equal(vm_define_storage(vm, 4 << 20), 0);
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(vm->config.storage_bytes, 4 << 20);
    assert_int_equal(peek(0x5000, 8), 0);
    assert_int_equal(get(VMCS_GUEST_RIP), 0xFFF0);
    uint64_t value;
    assert_int_equal(guest_read(&vm->storage, gpa(4 << 20), &value, 8), GUEST_NOT_RAM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_way_out_stops_the_machine_and_says_which),
        TEST(so_does_an_outs),
        TEST(begin_starts_a_stopped_machine_only_and_once),
        TEST(a_machine_that_is_held_waits_for_its_call_whatever_interrupts),
        TEST(one_that_is_stopped_meanwhile_is_held_again_when_it_begins),
        TEST(a_reset_forgets_the_call),
        TEST(an_nmi_of_the_real_machine_is_no_matter_of_the_guests),
        TEST(what_the_guest_sends_is_shown_and_lost_by_nobody),
        TEST(one_who_has_read_all_asks_for_more),
        TEST(one_that_takes_dtr_away_hangs_up),
        TEST(an_instruction_writes_the_stack_pointer_and_the_flags),
        TEST(what_cannot_be_decoded_stops_the_machine),
        TEST(delivery_of_an_event_to_a_device_stops_the_machine),
        TEST(page_tables_that_are_no_storage_stop_the_machine),
        TEST(storage_that_cannot_be_had_stops_the_machine),
        TEST(a_copy_that_cannot_be_had_stops_the_machine_and_writes_nothing),
        TEST(an_instruction_at_the_end_of_its_page_needs_no_next_one),
        TEST(code_that_went_away_meanwhile_is_a_page_fault_of_its_fetch),
        TEST(a_machine_there_is_no_storage_for_leaves_nothing_behind),
        TEST(one_upon_another_has_its_account_and_what_it_had),
        TEST(another_size_of_storage_is_a_machine_reset_and_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
