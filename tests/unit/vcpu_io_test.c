#include "cp/storage/watch.h"
#include "tests/unit/dispatch_scene.h"

enum { PORT = 0x3000, IN = 1 << 3, STRING = 1 << 4, REPEATED = 1 << 5, RIP = 0x100000, BUFFER = 0x5000 };
#define MMIO 0xE0000000ull

struct access {
    uint64_t at, value;
    unsigned size;
    bool write;
};

static struct access seen[256];
static unsigned noted;
static uint64_t answer;

static void note(uint64_t at, unsigned size, bool write, uint64_t value)
{
    assert_true(noted < sizeof seen / sizeof *seen);
    seen[noted++] = (struct access){at, value, size, write};
}

static uint32_t port_read(void *device, uint16_t port, unsigned size)
{
    (void)device;
    note(port, size, false, 0);
    return (uint32_t)answer++;
}

static void port_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
    (void)device;
    note(port, size, true, value);
}

static uint64_t mmio_read(void *device, uint64_t offset, unsigned size)
{
    (void)device;
    note(offset, size, false, 0);
    return answer;
}

static void mmio_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    (void)device;
    note(offset, size, true, value);
}

static int begin(void **state)
{
    scene_begin(state);
    const struct bus_ports ports = {
        .first = PORT, .last = PORT + 7, .device = seen, .read = port_read, .write = port_write};
    const struct bus_mmio mmio = {
        .first = MMIO, .last = MMIO + 0xFFF, .device = seen, .read = mmio_read, .write = mmio_write};
    assert_int_equal(bus_claim_ports(&vm->machine.bus, &ports), 0);
    assert_int_equal(bus_claim_mmio(&vm->machine.bus, &mmio), 0);
    noted = 0;
    answer = 0;
    return 0;
}

static void exit_at(const void *code, unsigned length, enum exit_reason reason, uint64_t qualification)
{
    assert_int_equal(guest_write(&vm->storage, gpa(RIP), code, length), GUEST_OK);
    set(VMCS_GUEST_RIP, RIP);
    vm->vcpu.exit =
        (struct exit){.reason = reason, .instruction_length = length, .qualification = qualification, .rip = RIP};
}

static uint64_t io(uint16_t port, unsigned size, unsigned flags) { return (uint64_t)port << 16 | flags | (size - 1); }

static void expect(unsigned i, uint64_t at, unsigned size, bool write, uint64_t value)
{
    assert_true(i < noted);
    assert_int_equal(seen[i].at, at);
    assert_int_equal(seen[i].size, size);
    assert_int_equal(seen[i].write, write);
    assert_int_equal(seen[i].value, value);
}

static void in_merges_into_rax_by_size(void **state)
{
    static const struct {
        unsigned size;
        uint64_t rax;
    } cases[] = {{1, 0x1122334455667788 & ~0xFFull}, {2, 0x1122334455660000}, {4, 0}};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        unsigned size = cases[i].size;
        uint64_t mask = size == 4 ? 0xFFFFFFFF : size == 2 ? 0xFFFF : 0xFF;
        vm->vcpu.gpr[RAX] = 0x1122334455667788;
        answer = 0xA1B2C3D4;
        vm->vcpu.exit.qualification = io(PORT + 4, size, IN);
        assert_int_equal(exit_io(vm), EXIT_SKIP);
        assert_int_equal(vm->vcpu.gpr[RAX], cases[i].rax | (0xA1B2C3D4 & mask));
        expect(i, PORT + 4, size, false, 0);
    }
}

static void out_sends_only_its_own_bytes(void **state)
{
    (void)state;
    vm->vcpu.gpr[RAX] = 0x1122334455667788;
    for (unsigned i = 0; i < 3; i++) {
        unsigned size = 1u << i;
        vm->vcpu.exit.qualification = io(PORT, size, 0);
        assert_int_equal(exit_io(vm), EXIT_SKIP);
        expect(i, PORT, size, true, size == 4 ? 0x55667788 : size == 2 ? 0x7788 : 0x88);
    }
    assert_int_equal(vm->vcpu.gpr[RAX], 0x1122334455667788);
}

static void a_port_nobody_has_reads_all_ones(void **state)
{
    (void)state;
    vm->vcpu.gpr[RAX] = 0;
    vm->vcpu.exit.qualification = io(0x5555, 2, IN);
    assert_int_equal(exit_io(vm), EXIT_SKIP);
    assert_int_equal(vm->vcpu.gpr[RAX], 0xFFFF);
    vm->vcpu.exit.qualification = io(0xFFFF, 4, IN);
    assert_int_equal(exit_io(vm), EXIT_SKIP);
    assert_int_equal(vm->vcpu.gpr[RAX], 0xFFFFFFFF);
}

static void an_out_that_ends_the_machine_does_not_skip(void **state)
{
    (void)state;
    vm->vcpu.gpr[RAX] = 7;
    vm->vcpu.exit.qualification = io(0xF4, 1, 0);
    assert_int_equal(exit_io(vm), EXIT_STOP);
    assert_int_equal(vm->stop, VM_STOP_TEST_EXIT);
    assert_int_equal(vm->stop_detail, 7);
}

static void outs_reads_storage_and_moves_rsi_by_the_direction_flag(void **state)
{
    uint64_t *gpr = vm->vcpu.gpr;

    (void)state;
    poke(BUFFER, 0x44332211, 4);
    for (unsigned down = 0; down < 2; down++) {
        gpr[RSI] = BUFFER, gpr[RDX] = PORT;
        set(VMCS_GUEST_RFLAGS, 2 | down << 10);
        exit_at("\x66\x6F", 2, EXIT_IO, io(PORT, 2, STRING)); /* OUTSW */
        assert_int_equal(exit_io(vm), EXIT_SKIP);
        assert_int_equal(gpr[RSI], down ? BUFFER - 2 : BUFFER + 2);
        expect(down, PORT, 2, true, 0x2211);
        assert_int_equal(vm->vcpu.exit.instruction_length, 2);
    }
}

static void ins_writes_storage(void **state)
{
    uint64_t *gpr = vm->vcpu.gpr;

    (void)state;
    gpr[RDI] = BUFFER, gpr[RDX] = PORT;
    set(VMCS_GUEST_RFLAGS, 2);
    answer = 0xCAFEBABE;
    exit_at("\x6D", 1, EXIT_IO, io(PORT, 4, IN | STRING)); /* INSD */
    assert_int_equal(exit_io(vm), EXIT_SKIP);
    assert_int_equal(peek(BUFFER, 8), 0xCAFEBABE);
    assert_int_equal(gpr[RDI], BUFFER + 4);
}

static void a_long_repetition_is_done_in_bounded_pieces_at_the_same_rip(void **state)
{
    uint64_t *gpr = vm->vcpu.gpr;
    unsigned entries = 1;

    (void)state;
    gpr[RDI] = BUFFER, gpr[RDX] = PORT, gpr[RCX] = 200;
    set(VMCS_GUEST_RFLAGS, 2);
    exit_at("\xF3\x6C", 2, EXIT_IO, io(PORT, 1, IN | STRING | REPEATED)); /* REP INSB */
    for (; exit_dispatch(vm), get(VMCS_GUEST_RIP) == RIP; entries++)
        assert_true(entries < 20);
    assert_int_equal(entries, 13);
    assert_int_equal(gpr[RCX], 0);
    assert_int_equal(gpr[RDI], BUFFER + 200);
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(peek(BUFFER + i, 1), i);
    assert_int_equal(get(VMCS_GUEST_RIP), RIP + 2);
}

/* Identity pages from 0, of 4 KiB, 2 MiB of them; the entry of one page may be another. */
static void paging_with(uint64_t page, uint64_t entry)
{
    poke(0x20000, 0x21000 | 7, 8);
    poke(0x21000, 0x22000 | 7, 8);
    poke(0x22000, 0x23000 | 7, 8);
    for (unsigned i = 0; i < 512; i++)
        poke(0x23000 + 8 * i, i == page ? entry : (uint64_t)i << 12 | 7, 8);
    set(VMCS_GUEST_CR3, 0x20000);
    scene_long_mode();
    set(VMCS_GUEST_RFLAGS, 2);
}

static void what_a_walk_marks_in_the_tables_is_a_write_to_them(void **state)
{
    bool armed;

    (void)state;
    paging_with(~0ull, 0);
    uint64_t before = guest_watch(&vm->storage, gpa(0x23000), &armed);
    for (unsigned i = 0; i < 2; i++) {
        vm->vcpu.gpr[RSI] = BUFFER, vm->vcpu.gpr[RDX] = PORT;
        exit_at("\x6E", 1, EXIT_IO, io(PORT, 1, STRING));
        assert_int_equal(exit_io(vm), EXIT_SKIP);
        uint64_t after = guest_watch(&vm->storage, gpa(0x23000), &armed);
        assert_int_equal(after == before, i); /* the marks are there the second time */
        before = after;
    }
}

static void a_repetition_that_faults_has_done_what_it_counted(void **state)
{
    uint64_t *gpr = vm->vcpu.gpr;

    (void)state;
    paging_with(6, 0);
    gpr[RSI] = 0x5FFC, gpr[RDX] = PORT, gpr[RCX] = 8;
    exit_at("\xF3\x6E", 2, EXIT_IO, io(PORT, 1, STRING | REPEATED)); /* REP OUTSB */
    exit_dispatch(vm);
    assert_int_equal(get(VMCS_GUEST_RIP), RIP);
    assert_int_equal(noted, 4);
    assert_int_equal(gpr[RCX], 4);
    assert_int_equal(gpr[RSI], 0x6000);
    assert_int_equal(vm->vcpu.event_payload, 0x6000);
    assert_int_equal(vm->vcpu.event_error, 0);
    assert_int_equal(taken_exception(), VECTOR_PF);
}

static void a_write_that_crosses_into_a_read_only_page_faults_there(void **state)
{
    (void)state;
    paging_with(6, 0x6000 | 5);
    vm->vcpu.gpr[RDI] = 0x5FFE, vm->vcpu.gpr[RDX] = PORT;
    exit_at("\x6D", 1, EXIT_IO, io(PORT, 4, IN | STRING));
    assert_int_equal(exit_io(vm), EXIT_INJECT);
    assert_int_equal(noted, 0);
    assert_int_equal(vm->vcpu.event_payload, 0x6000);
    assert_int_equal(vm->vcpu.event_error, 3);
    assert_int_equal(taken_exception(), VECTOR_PF);
    assert_int_equal(vm->vcpu.gpr[RDI], 0x5FFE);
}

static void what_faults_in_its_second_page_has_done_nothing_in_the_first(void **state)
{
    (void)state;
    paging_with(6, 0);
    poke(0x5FFE, 0xEEEE, 2);
    poke(0x23000 + 8 * 7, MMIO | 7, 8);
    vm->vcpu.gpr[RDI] = 0x5FFE, vm->vcpu.gpr[RSI] = 0x7030;
    exit_at("\xA5", 1, EXIT_EPT_VIOLATION, 1); /* MOVSD */
    vm->vcpu.exit.guest_physical = MMIO + 0x30;
    exit_dispatch(vm);
    assert_int_equal(vm->vcpu.event_payload, 0x6000);
    assert_int_equal(taken_exception(), VECTOR_PF);
    assert_int_equal(peek(0x5FFE, 2), 0xEEEE);
    vm->vcpu.gpr[RDI] = 0x7FFE, vm->vcpu.gpr[RSI] = 0x5000; /* to a device, and a page that is not there */
    poke(0x23000 + 8 * 8, 0, 8);
    noted = 0;
    exit_at("\xA5", 1, EXIT_EPT_VIOLATION, 2);
    vm->vcpu.exit.guest_physical = MMIO + 0xFFE;
    exit_dispatch(vm);
    assert_int_equal(vm->vcpu.event_payload, 0x8000);
    assert_int_equal(taken_exception(), VECTOR_PF);
    assert_int_equal(noted, 0);
}

static void an_operand_in_two_pages_is_one_value(void **state)
{
    (void)state;
    paging_with(6, 0x9000 | 7);
    vm->vcpu.gpr[RDI] = 0x5FFE, vm->vcpu.gpr[RDX] = PORT;
    answer = 0x44332211;
    exit_at("\x6D", 1, EXIT_IO, io(PORT, 4, IN | STRING));
    assert_int_equal(exit_io(vm), EXIT_SKIP);
    assert_int_equal(peek(0x5FFE, 2), 0x2211);
    assert_int_equal(peek(0x9000, 2), 0x4433);
    vm->vcpu.gpr[RSI] = 0x5FFE;
    exit_at("\x6F", 1, EXIT_IO, io(PORT, 4, STRING));
    assert_int_equal(exit_io(vm), EXIT_SKIP);
    expect(1, PORT, 4, true, 0x44332211);
}

static void an_address_that_is_not_canonical_is_general_protection(void **state)
{
    static const uint64_t wrong[] = {0x0000800000000000, 0xFFFF7FFFFFFFFFFF, 0x1000000000005000, 0x00007FFFFFFFFFFE};

    (void)state;
    paging_with(~0ull, 0);
    vm->vcpu.gpr[RDX] = PORT;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        vm->vcpu.gpr[RSI] = wrong[i];
        exit_at("\x6F", 1, EXIT_IO, io(PORT, 4, STRING));
        assert_general_protection(exit_io(vm));
        assert_int_equal(vm->vcpu.gpr[RSI], wrong[i]);
    }
    assert_int_equal(noted, 0);
}

static void an_operand_beyond_its_segment_is_not_touched_and_the_elements_before_it_are_done(void **state)
{
    uint64_t *gpr = vm->vcpu.gpr;

    (void)state;
    set(VMCS_GUEST_ES_LIMIT, BUFFER + 6);
    set(VMCS_GUEST_RFLAGS, 2);
    gpr[RDI] = BUFFER, gpr[RDX] = PORT, gpr[RCX] = 9;
    exit_at("\xF3\x66\x6D", 3, EXIT_IO, io(PORT, 2, IN | STRING | REPEATED)); /* REP INSW */
    assert_general_protection(exit_io(vm));
    assert_int_equal(gpr[RCX], 6);
    assert_int_equal(gpr[RDI], BUFFER + 6);
    assert_int_equal(noted, 3); /* what the port would have given fourth is still there */
    gpr[RSI] = BUFFER;
    exit_at("\x36\x6E", 2, EXIT_IO, io(PORT, 1, STRING)); /* OUTSB of SS:[ESI] */
    set(VMCS_GUEST_SS_LIMIT, BUFFER - 1);
    assert_int_equal(exit_io(vm), EXIT_INJECT);
    assert_int_equal(taken_exception(), VECTOR_SS);
    assert_int_equal(noted, 3);
}

static void a_store_to_a_device_is_decoded_and_reaches_it(void **state)
{
    (void)state;
    vm->vcpu.gpr[RBX] = MMIO + 0x10, vm->vcpu.gpr[RCX] = 0xAABBCCDD;
    exit_at("\x89\x0B", 2, EXIT_EPT_VIOLATION, 2); /* MOV [EBX],ECX */
    vm->vcpu.exit.guest_physical = MMIO + 0x10;
    exit_dispatch(vm);
    expect(0, 0x10, 4, true, 0xAABBCCDD);
    assert_int_equal(get(VMCS_GUEST_RIP), RIP + 2);
    answer = 0x99;
    exit_at("\x8A\x03", 2, EXIT_EPT_VIOLATION, 1); /* MOV AL,[EBX] */
    vm->vcpu.exit.guest_physical = MMIO + 0x10;
    vm->vcpu.gpr[RAX] = 0x1234567811223344;
    exit_dispatch(vm);
    expect(1, 0x10, 1, false, 0);
    assert_int_equal(vm->vcpu.gpr[RAX], 0x1234567811223399);
}

static void lock_where_it_is_not_allowed_is_an_undefined_opcode(void **state)
{
    (void)state;
    vm->vcpu.gpr[RBX] = MMIO;
    exit_at("\xF0\x89\x0B", 3, EXIT_EPT_VIOLATION, 2); /* LOCK MOV [EBX],ECX */
    vm->vcpu.exit.guest_physical = MMIO;
    assert_int_equal(exit_ept_violation(vm), EXIT_INJECT);
    assert_int_equal(vm->vcpu.event_info, 0x80000306);
    assert_int_equal(noted, 0);
}

static void a_violation_in_storage_brings_the_page_and_tries_again(void **state)
{
    uint64_t before = vm->storage.resident;

    (void)state;
    exit_at("\x90", 1, EXIT_EPT_VIOLATION, 2);
    before = vm->storage.resident;
    vm->vcpu.exit.guest_physical = 0x345678;
    assert_int_equal(exit_ept_violation(vm), EXIT_RESUME);
    assert_int_equal(vm->storage.resident, before + 1);
    assert_int_equal(noted, 0);
}

static void with_it_come_those_around_it_once_the_machine_has_many(void **state)
{
    (void)state;
    for (uint64_t page = 0; vm->storage.resident < 256; page++)
        guest_bring_in(&vm->storage, gpa(page * PAGE_SIZE));
    exit_at("\x90", 1, EXIT_EPT_VIOLATION, 2);
    vm->vcpu.exit.guest_physical = 0x401678;
    assert_int_equal(exit_ept_violation(vm), EXIT_RESUME);
    const uint64_t *leaves = guest_leaves(&vm->storage, gpa(0x400000));
    assert_true(leaves[0] && leaves[1] && !leaves[2]);
}

static void what_cannot_be_emulated_stops_the_machine_and_says_by_which_exit(void **state)
{
    (void)state;
    exit_at("\x0F\x0B", 2, EXIT_EPT_VIOLATION, 2); /* UD2 does not touch memory: the code changed under it */
    vm->vcpu.exit.guest_physical = MMIO;
    assert_int_equal(exit_ept_violation(vm), EXIT_STOP);
    assert_int_equal(vm->stop, VM_STOP_EMULATION);
    assert_int_equal(vm->stop_detail, EXIT_EPT_VIOLATION);
}

static void a_machine_that_runs_where_it_has_no_storage_is_told_so(void **state)
{
    (void)state;
    exit_at("\x90", 1, EXIT_EPT_VIOLATION, 4);
    vcpu_write(&vm->vcpu, VMCS_GUEST_CS_BASE, 0xFFFF0000); /* as a reset leaves it */
    vm->vcpu.exit.rip = 0xFFF0;
    vm->vcpu.exit.guest_physical = 0xFFFFFFF0;
    assert_int_equal(exit_ept_violation(vm), EXIT_STOP);
    assert_int_equal(vm->stop, VM_STOP_NO_STORAGE);
}

static void a_device_reached_by_the_delivery_of_an_event_is_not_given_the_instruction_at_rip(void **state)
{
    (void)state;
    vm->vcpu.gpr[RBX] = MMIO + 0x10;
    exit_at("\x89\x0B", 2, EXIT_EPT_VIOLATION, 2); /* MOV [EBX],ECX was about to run; the stack is in the device */
    vm->vcpu.exit.guest_physical = MMIO + 0x20;
    vm->vcpu.exit.idt_vectoring_info = EVENT_VALID | EVENT_EXTERNAL | 0x51;
    exit_dispatch(vm);
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(vm->stop, VM_STOP_EMULATION);
    assert_int_equal(noted, 0);
}

#define io_test(name) cmocka_unit_test_setup_teardown(name, begin, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        io_test(in_merges_into_rax_by_size),
        io_test(out_sends_only_its_own_bytes),
        io_test(a_port_nobody_has_reads_all_ones),
        io_test(an_out_that_ends_the_machine_does_not_skip),
        io_test(outs_reads_storage_and_moves_rsi_by_the_direction_flag),
        io_test(ins_writes_storage),
        io_test(a_long_repetition_is_done_in_bounded_pieces_at_the_same_rip),
        io_test(what_a_walk_marks_in_the_tables_is_a_write_to_them),
        io_test(a_repetition_that_faults_has_done_what_it_counted),
        io_test(a_write_that_crosses_into_a_read_only_page_faults_there),
        io_test(what_faults_in_its_second_page_has_done_nothing_in_the_first),
        io_test(an_operand_in_two_pages_is_one_value),
        io_test(an_address_that_is_not_canonical_is_general_protection),
        io_test(an_operand_beyond_its_segment_is_not_touched_and_the_elements_before_it_are_done),
        io_test(a_store_to_a_device_is_decoded_and_reaches_it),
        io_test(a_violation_in_storage_brings_the_page_and_tries_again),
        io_test(with_it_come_those_around_it_once_the_machine_has_many),
        scene_test(what_cannot_be_emulated_stops_the_machine_and_says_by_which_exit),
        io_test(a_machine_that_runs_where_it_has_no_storage_is_told_so),
        io_test(a_device_reached_by_the_delivery_of_an_event_is_not_given_the_instruction_at_rip),
        io_test(lock_where_it_is_not_allowed_is_an_undefined_opcode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
