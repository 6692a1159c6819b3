/* Loads of segment registers that CP carries out: what is read of and marked in the table, what becomes of the
 * register, and that nothing does where the table cannot be read or marked. */
#include "cp/decode/descriptor.h"
#include "cp/vcpu/execute_state.h"
#include "cp/vcpu/segment_load.h"
#include "tests/unit/dispatch_scene.h"

enum { TABLE = 0x6000, RIP = 0x100000, DATA = 0x10, CODE = 0x18, TASK = 0x20, LOCAL = 0x30, GATE = 0x38,
       DATA_MARKED = 0x93, MOV_SS = 2, STI = 1 };
enum { PRESENT = 1, WRITABLE = 2, DIRECTORY = 0x8000 };
#define DEVICE 0xE0000000ull

static uint16_t operand;
static uint64_t device_read(void *device, uint64_t offset, unsigned size)
{
    return (void)device, (void)offset, assert_int_equal(size, sizeof operand), operand;
}
static void device_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
    (void)device, (void)offset, (void)size, (void)value;
}

static int begin(void **state)
{
    const struct bus_mmio mmio = {
        .first = DEVICE, .last = DEVICE + 0xFFF, .device = &operand, .read = device_read, .write = device_write};

    scene_begin(state);
    assert_int_equal(bus_claim_mmio(&vm->machine.bus, &mmio), 0);
    set(VMCS_GUEST_GDTR_BASE, TABLE);
    set(VMCS_GUEST_GDTR_LIMIT, 0x3F);
    poke(TABLE + DATA, 0x00CF92345678ABCD, 8);
    poke(TABLE + CODE, 0x00CF9A000000FFFF, 8);
    poke(TABLE + TASK, 0x1200893456780067, 8);
    poke(TABLE + TASK + 8, 0, 8);
    poke(TABLE + LOCAL, 0x000082007000000F, 8);
    poke(TABLE + GATE, 0x00008C0000080000, 8);
    return 0;
}

static int load(enum segment segment, uint16_t selector) { return state_load_segment(vm, segment, selector); }

static int system_load(enum operation operation, uint16_t selector)
{
    const struct instruction in = {.operation = operation};
    return state_load_system(vm, &in, selector, 0);
}

static void assert_refused(int result, unsigned vector, uint16_t error)
{
    assert_int_equal(result, STATE_FAULTED);
    assert_int_equal(vm->vcpu.event_error, error);
    assert_int_equal(taken_exception(), vector);
}

static void a_load_marks_the_descriptor_and_takes_what_it_says(void **state)
{
    (void)state;
    assert_int_equal(load(SEGMENT_FS, DATA), 0);
    assert_int_equal(get(VMCS_GUEST_FS_SELECTOR), DATA);
    assert_int_equal(get(VMCS_GUEST_FS_BASE), 0x00345678);
    assert_int_equal(get(VMCS_GUEST_FS_LIMIT), 0xFABCDFFF);
    assert_int_equal(get(VMCS_GUEST_FS_ACCESS_RIGHTS), 0xC093);
    assert_int_equal(peek(TABLE + DATA, 8), 0x00CF93345678ABCD);
    assert_refused(load(SEGMENT_DS, 0x43), VECTOR_GP, 0x40); /* outside */
    assert_refused(load(SEGMENT_DS, DATA | SELECTOR_LOCAL), VECTOR_GP, DATA | SELECTOR_LOCAL);
    poke(TABLE + DATA, 0x00CF12345678ABCD, 8);
    assert_refused(load(SEGMENT_DS, DATA), VECTOR_NP, DATA);
    assert_refused(load(SEGMENT_SS, DATA), VECTOR_SS, DATA);
    assert_int_equal(peek(TABLE + DATA, 8), 0x00CF12345678ABCD);
}

static void page_at(uint64_t at, uint64_t flags) { poke(DIRECTORY + 0x3000 + (at >> 12) * 8, at | flags, 8); }

/* Long mode, its pages mapped to where they are. */
static void paged(void)
{
    for (unsigned level = 0; level < 3; level++)
        poke(DIRECTORY + 0x1000 * level, DIRECTORY + 0x1000 * (level + 1) + (PRESENT | WRITABLE), 8);
    for (uint64_t at = 0; at < 0x10000; at += PAGE_SIZE)
        page_at(at, PRESENT | WRITABLE);
    scene_long_mode();
    set(VMCS_GUEST_CR3, DIRECTORY);
}

static void a_table_that_cannot_be_read_or_marked_leaves_everything_as_it_was(void **state)
{
    struct segment_value code;
    uint16_t from;

    (void)state;
    paged();
    page_at(TABLE, PRESENT);
    assert_int_equal(load(SEGMENT_DS, DATA), STATE_FAULTED);
    assert_int_equal(vm->vcpu.event_error, 3); /* a write, as a supervisor */
    assert_int_equal(vm->vcpu.event_payload, TABLE + DATA + 5);
    assert_int_equal(taken_exception(), VECTOR_PF);
    assert_int_equal(state_find_code(vm, CODE, &code, &from), STATE_FAULTED);
    assert_int_equal(taken_exception(), VECTOR_PF);
    assert_int_equal(system_load(OP_LTR, TASK), STATE_FAULTED);
    assert_int_equal(taken_exception(), VECTOR_PF);
    page_at(TABLE, 0);
    assert_int_equal(load(SEGMENT_DS, DATA), STATE_FAULTED);
    assert_int_equal(vm->vcpu.event_error, 0);
    assert_int_equal(taken_exception(), VECTOR_PF);
    assert_int_equal(get(VMCS_GUEST_DS_SELECTOR), 16);
    assert_int_equal(get(VMCS_GUEST_DS_BASE), 0);
    assert_int_equal(get(VMCS_GUEST_TR_SELECTOR), 0);
    assert_int_equal(peek(TABLE + DATA, 8), 0x00CF92345678ABCD);
    set(VMCS_GUEST_GDTR_BASE, 0xE0000000); /* not mapped */
    assert_int_equal(load(SEGMENT_DS, DATA), STATE_FAULTED);
    set(VMCS_GUEST_CR0, CR0_PE | CR0_ET | CR0_NE);
    assert_int_equal(load(SEGMENT_DS, DATA), STATE_STOPPED); /* a device */
}

static void without_protection_a_base_is_sixteen_times_the_selector(void **state)
{
    (void)state;
    set(VMCS_GUEST_CR0, CR0_ET | CR0_NE);
    set(VMCS_GUEST_ES_ACCESS_RIGHTS, RIGHTS_UNUSABLE);
    assert_int_equal(load(SEGMENT_DS, 0xFEDC), 0);
    assert_int_equal(get(VMCS_GUEST_DS_BASE), 0xFEDC0);
    assert_int_equal(get(VMCS_GUEST_DS_LIMIT), 0xFFFFFFFF); /* as it was */
    assert_int_equal(load(SEGMENT_ES, 0), 0);
    assert_int_equal(get(VMCS_GUEST_ES_ACCESS_RIGHTS), DATA_MARKED);
    set(VMCS_GUEST_CR0, CR0_PE | CR0_ET | CR0_NE);
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_VM);
    set(VMCS_GUEST_SS_ACCESS_RIGHTS, 0xF3);
    assert_int_equal(load(SEGMENT_SS, 3), 0);
    assert_int_equal(get(VMCS_GUEST_SS_BASE), 0x30);
    assert_refused(system_load(OP_LMSW, 0), VECTOR_GP, 0);
}

static void only_ss_may_not_be_null_but_in_64_bit_mode(void **state)
{
    (void)state;
    assert_int_equal(load(SEGMENT_DS, 3), 0);
    assert_int_equal(get(VMCS_GUEST_DS_SELECTOR), 3);
    assert_true(get(VMCS_GUEST_DS_ACCESS_RIGHTS) & RIGHTS_UNUSABLE);
    assert_refused(load(SEGMENT_SS, 0), VECTOR_GP, 0);
    scene_long_mode();
    assert_refused(load(SEGMENT_SS, 1), VECTOR_GP, 0);
    assert_int_equal(load(SEGMENT_SS, 0), 0);
    set(VMCS_GUEST_SS_ACCESS_RIGHTS, 0xC0D3); /* level 2 keeps */
    assert_int_equal(load(SEGMENT_SS, 2), 0);
    assert_int_equal(registers_cpl(&vm->vcpu), 2);
    set(VMCS_GUEST_SS_ACCESS_RIGHTS, 0xC0F3);
    assert_refused(load(SEGMENT_SS, 3), VECTOR_GP, 0);
}

static void a_task_becomes_busy_and_a_local_table_serves(void **state)
{
    (void)state;
    assert_int_equal(system_load(OP_LTR, TASK), 0);
    assert_int_equal(get(VMCS_GUEST_TR_ACCESS_RIGHTS), 0x8B);
    assert_int_equal(get(VMCS_GUEST_TR_BASE), 0x12345678);
    assert_int_equal(peek(TABLE + TASK, 8), 0x12008B3456780067);
    assert_refused(system_load(OP_LTR, TASK), VECTOR_GP, TASK);
    assert_refused(system_load(OP_LTR, 0), VECTOR_GP, 0);
    assert_int_equal(system_load(OP_LLDT, LOCAL), 0);
    poke(0x7008, 0x00CF92000000FFFF, 8);
    assert_int_equal(load(SEGMENT_GS, 0x0C), 0);
    assert_int_equal(peek(0x7008, 8), 0x00CF93000000FFFF);
    assert_int_equal(system_load(OP_LLDT, 0), 0);
    assert_refused(load(SEGMENT_GS, 0x0C), VECTOR_GP, 0x0C);
    set(VMCS_GUEST_SS_ACCESS_RIGHTS, 0xC0F3);
    assert_refused(system_load(OP_LLDT, 0), VECTOR_GP, 0);
}

static void a_far_branch_is_judged_before_anything_is_changed(void **state)
{
    struct segment_value code;
    uint16_t from;

    (void)state;
    assert_int_equal(state_find_code(vm, CODE, &code, &from), 0);
    assert_int_equal(from, 8);
    assert_int_equal(peek(TABLE + CODE, 8), 0x00CF9A000000FFFF);
    assert_true(state_may_enter(vm, &code, 0xFFFFF));
    code.limit = 0xFFFF;
    assert_false(state_may_enter(vm, &code, 0x10000));
    assert_int_equal(state_enter(vm, &code, 0x1234), 0);
    assert_int_equal(get(VMCS_GUEST_CS_SELECTOR), CODE);
    assert_int_equal(vm->vcpu.exit.rip, 0x1234);
    assert_int_equal(peek(TABLE + CODE, 8), 0x00CF9B000000FFFF);
    assert_int_equal(state_find_code(vm, GATE, &code, &from), EXECUTE_UNKNOWN);
    assert_refused(state_find_code(vm, 3, &code, &from), VECTOR_GP, 0);
    poke(TABLE + CODE, 0x00CFFE000000FFFF, 8); /* conforming, of level 3: not from level 0 */
    assert_refused(state_find_code(vm, CODE | 3, &code, &from), VECTOR_GP, CODE);
    poke(TABLE + CODE, 0x00CF9E000000FFFF, 8);
    set(VMCS_GUEST_SS_ACCESS_RIGHTS, 0xC0F3);
    assert_int_equal(state_find_code(vm, CODE, &code, &from), 0);
    assert_int_equal(code.selector, CODE | 3); /* the level does not change */
}

static void in_64_bit_code_an_offset_is_canonical(void **state)
{
    struct segment_value code = {.rights = 0xA09B};

    (void)state;
    scene_long_mode();
    assert_true(state_may_enter(vm, &code, 0x00007FFFFFFFFFFF));
    assert_false(state_may_enter(vm, &code, 0x0000800000000000));
    code = (struct segment_value){.rights = 0xC09B, .limit = 0xFFFF};
    assert_false(state_may_enter(vm, &code, 0x10000));
}

/* mov ss, [DEVICE] */
static enum exit_action move_to_stack_segment(void)
{
    static const uint8_t code[] = {0x8E, 0x15, 0, 0, 0, 0xE0};

    assert_int_equal(guest_write(&vm->storage, gpa(RIP), code, sizeof code), GUEST_OK);
    set(VMCS_GUEST_RIP, RIP);
    vm->vcpu.exit = (struct exit){.reason = EXIT_EPT_VIOLATION, .rip = RIP, .guest_physical = DEVICE,
                                  .guest_linear = DEVICE, .qualification = 0x181};
    operand = DATA;
    return exit_ept_violation(vm);
}

static void a_load_of_ss_shadows_the_next_instruction(void **state)
{
    enum { BREAKPOINT = 1, ENABLED = 1 << 12, READS_TWO_BYTES = 7 << 16 | 3 };

    (void)state;
    set(VMCS_GUEST_INTERRUPTIBILITY, STI);
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_RF);
    assert_int_equal(move_to_stack_segment(), EXIT_RESUME);
    assert_int_equal(get(VMCS_GUEST_SS_SELECTOR), DATA);
    assert_int_equal(get(VMCS_GUEST_RIP), RIP + 6);
    assert_int_equal(get(VMCS_GUEST_RFLAGS), 2);
    assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), MOV_SS);
    assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), 0);
    set(VMCS_GUEST_INTERRUPTIBILITY, 0);
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_TF);
    set(VMCS_GUEST_DR7, READS_TWO_BYTES);
    vm->vcpu.dr[0] = DEVICE;
    assert_int_equal(move_to_stack_segment(), EXIT_RESUME);
    assert_int_equal(taken_exception(), -1); /* the trap waits */
    assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), DR6_BS | BREAKPOINT | ENABLED);
}

#define loading_test(name) cmocka_unit_test_setup_teardown(name, begin, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        loading_test(a_load_marks_the_descriptor_and_takes_what_it_says),
        loading_test(a_table_that_cannot_be_read_or_marked_leaves_everything_as_it_was),
        loading_test(without_protection_a_base_is_sixteen_times_the_selector),
        loading_test(only_ss_may_not_be_null_but_in_64_bit_mode),
        loading_test(a_task_becomes_busy_and_a_local_table_serves),
        loading_test(a_far_branch_is_judged_before_anything_is_changed),
        loading_test(in_64_bit_code_an_offset_is_canonical),
        loading_test(a_load_of_ss_shadows_the_next_instruction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
