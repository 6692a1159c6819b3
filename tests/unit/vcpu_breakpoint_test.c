/* Breakpoints on data and ports at what CP carries out for a guest. */
#include "cp/vcpu/breakpoint.h"
#include "tests/unit/dispatch_scene.h"

enum { WRITES = 1, PORTS = 2, ACCESSES = 3, IN = 1 << 3, STRING = 1 << 4, REPEATED = 1 << 5, RIP = 0x100000,
       BUFFER = 0x5000, PORT = 0x3000, LMSW = 3 << 4 | 1 << 6, BY_MOV_SS = 2 };
#define CR4_DE 8ull

static const uint8_t lengths[4] = {1, 2, 8, 4};

static uint64_t dr7_of(unsigned n, unsigned type, unsigned length_code)
{
    return 1ull << (2 * n + 1) | (uint64_t)(type | length_code << 2) << (16 + 4 * n);
}

/* Byte by byte. */
static bool meets(unsigned type, uint64_t breakpoint, unsigned length, enum breakpoint_access access, uint64_t at,
                  unsigned bytes)
{
    bool kind = type == WRITES     ? access == BREAKPOINT_WRITE
                : type == PORTS    ? access == BREAKPOINT_PORT
                : type == ACCESSES ? access != BREAKPOINT_PORT
                                   : false;
    for (uint64_t b = at; kind && b < at + bytes; b++)
        if (b / length == breakpoint / length)
            return true;
    return false;
}

static void each_is_met_by_any_byte_of_an_access_of_its_kind(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 4; type++)
        for (unsigned code = 0; code < 4; code++)
            for (unsigned from = 16; from < 32; from++)
                for (unsigned at = 4; at < 44; at++)
                    for (unsigned bytes = 1; bytes <= 16; bytes *= 2)
                        for (unsigned access = 1; access <= 4; access *= 2) {
                            const struct breakpoints b = {{0, 0, from}, dr7_of(2, type, code), true};
                            assert_int_equal(breakpoints_met(&b, access, at, bytes),
                                             meets(type, from, lengths[code], access, at, bytes) ? 4 : 0);
                        }
}

static void one_that_is_not_enabled_is_told_of_only_beside_one_that_is(void **state)
{
    struct breakpoints b = {{8, 8, 8, 9}, dr7_of(0, WRITES, 0) | dr7_of(1, ACCESSES, 0) | dr7_of(3, WRITES, 0), true};

    (void)state;
    assert_int_equal(breakpoints_met(&b, BREAKPOINT_WRITE, 8, 2), 1 | 2 | 8);
    assert_int_equal(breakpoints_met(&b, BREAKPOINT_READ, 8, 2), 2);
    b.dr7 &= ~(uint64_t)0xC0;
    assert_int_equal(breakpoints_met(&b, BREAKPOINT_WRITE, 8, 2), 1 | 2 | 8);
    assert_int_equal(breakpoints_met(&b, BREAKPOINT_WRITE, 9, 1), 0);
    b.dr7 |= 0x40; /* L3 */
    assert_int_equal(breakpoints_met(&b, BREAKPOINT_WRITE, 9, 1), 8);
}

static void there_are_none_on_ports_without_cr4_de(void **state)
{
    struct breakpoints b = {{PORT}, dr7_of(0, PORTS, 0), true};

    (void)state;
    assert_int_equal(breakpoints_met(&b, BREAKPOINT_PORT, PORT, 1), 1);
    b.extensions = false;
    assert_int_equal(breakpoints_met(&b, BREAKPOINT_PORT, PORT, 1), 0);
}

static void arm(unsigned n, uint64_t at, unsigned type, unsigned code)
{
    vm->vcpu.dr[n] = at;
    set(VMCS_GUEST_DR7, get(VMCS_GUEST_DR7) | dr7_of(n, type, code));
    set(VMCS_GUEST_CR4, CR4_DE);
}

static void what_wraps_at_4_gib_meets_them_at_both_ends(void **state)
{
    (void)state;
    arm(0, 1, ACCESSES, 0);
    arm(1, 0xFFFFFFFF, ACCESSES, 0);
    vm->vcpu.breakpoints_met = 0;
    breakpoint_note(&vm->vcpu, BREAKPOINT_READ, 0xFFFFFFFE, 4);
    assert_int_equal(vm->vcpu.breakpoints_met, 3);
    vm->vcpu.breakpoints_met = 0;
    breakpoint_note(&vm->vcpu, BREAKPOINT_READ, 0xFFFFFFFD, 2);
    assert_int_equal(vm->vcpu.breakpoints_met, 0);
}

static void those_on_instructions_are_none_to_watch_for(void **state)
{
    (void)state;
    assert_false(breakpoints_watch(&vm->vcpu));
    arm(1, BUFFER, 0, 0);
    assert_false(breakpoints_watch(&vm->vcpu));
    arm(2, BUFFER, WRITES, 0);
    assert_true(breakpoints_watch(&vm->vcpu));
    set(VMCS_GUEST_DR7, get(VMCS_GUEST_DR7) & ~0xFFull);
    assert_false(breakpoints_watch(&vm->vcpu));
}

/* ---- at exits ---------------------------------------------------------------------------------------------------- */

static void exit_at(const void *code, unsigned length, enum exit_reason reason, uint64_t qualification)
{
    assert_int_equal(guest_write(&vm->storage, gpa(RIP), code, length), GUEST_OK);
    set(VMCS_GUEST_RIP, RIP);
    vm->vcpu.event_info = 0;
    vm->vcpu.exit =
        (struct exit){.reason = reason, .instruction_length = length, .qualification = qualification, .rip = RIP};
    exit_dispatch(vm);
}

static void expect_debug(uint64_t conditions, uint64_t rip)
{
    assert_int_equal(get(VMCS_GUEST_RIP), rip);
    assert_int_equal(vm->vcpu.event_info, conditions ? 0x80000301 : 0);
    if (conditions)
        assert_int_equal(vm->vcpu.event_payload, conditions);
}

static uint64_t io(unsigned flags) { return (uint64_t)PORT << 16 | flags; }

static void a_port_traps_behind_the_instruction_and_with_its_step(void **state)
{
    (void)state;
    set(VMCS_GUEST_RFLAGS, 2);
    exit_at("\xEC", 1, EXIT_IO, io(IN));
    expect_debug(0, RIP + 1);
    arm(3, PORT, PORTS, 0);
    exit_at("\xEC", 1, EXIT_IO, io(IN));
    expect_debug(8, RIP + 1);
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_TF);
    exit_at("\xEC", 1, EXIT_IO, io(IN));
    expect_debug(DR6_BS | 8, RIP + 1);
    exit_at("\x0F\xA2", 2, EXIT_CPUID, 0); /* what was met before is not met again */
    expect_debug(DR6_BS, RIP + 2);
}

static void a_load_of_ss_before_it_has_what_it_met_come_with_it(void **state)
{
    (void)state;
    set(VMCS_GUEST_RFLAGS, 2);
    arm(3, PORT, PORTS, 0);
    set(VMCS_GUEST_INTERRUPTIBILITY, BY_MOV_SS);
    set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 1 << 12 | 2);
    exit_at("\xEC", 1, EXIT_IO, io(IN));
    expect_debug(8 | 2, RIP + 1);
    assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), 0);
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_TF);
    set(VMCS_GUEST_INTERRUPTIBILITY, BY_MOV_SS);
    set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, DR6_BS | 1 << 12 | 2);
    exit_at("\x0F\xA2", 2, EXIT_CPUID, 0);
    expect_debug(DR6_BS | 2, RIP + 2);
}

static void its_first_element_is_all_that_a_load_of_ss_waits_for(void **state)
{
    uint64_t *gpr = vm->vcpu.gpr;

    (void)state;
    set(VMCS_GUEST_RFLAGS, 2);
    arm(0, BUFFER + 40, WRITES, 0);
    set(VMCS_GUEST_INTERRUPTIBILITY, BY_MOV_SS);
    set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 1 << 12 | 2);
    gpr[RDI] = BUFFER, gpr[RDX] = PORT, gpr[RCX] = 3;
    exit_at("\xF3\x6C", 2, EXIT_IO, io(IN | STRING | REPEATED));
    expect_debug(2, RIP);
    assert_int_equal(gpr[RCX], 2);
    assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), 0);
    exit_at("\xF3\x6C", 2, EXIT_IO, io(IN | STRING | REPEATED));
    expect_debug(0, RIP);
}

static void a_repetition_traps_behind_each_element_that_meets_one(void **state)
{
    uint64_t *gpr = vm->vcpu.gpr;

    (void)state;
    set(VMCS_GUEST_RFLAGS, 2);
    arm(0, BUFFER + 1, WRITES, 0);
    gpr[RDI] = BUFFER, gpr[RDX] = PORT, gpr[RCX] = 3;
    exit_at("\xF3\x6C", 2, EXIT_IO, io(IN | STRING | REPEATED)); /* REP INSB */
    expect_debug(0, RIP);
    exit_at("\xF3\x6C", 2, EXIT_IO, io(IN | STRING | REPEATED));
    expect_debug(1, RIP);
    assert_int_equal(gpr[RCX], 1);
    assert_true(get(VMCS_GUEST_RFLAGS) & RFLAGS_RF);
    exit_at("\xF3\x6C", 2, EXIT_IO, io(IN | STRING | REPEATED));
    expect_debug(0, RIP + 2);
}

static void a_repetition_that_nobody_watches_goes_on_in_large_pieces(void **state)
{
    uint64_t *gpr = vm->vcpu.gpr;

    (void)state;
    set(VMCS_GUEST_RFLAGS, 2);
    arm(0, BUFFER + 1, 0, 0);
    gpr[RSI] = BUFFER, gpr[RDX] = PORT, gpr[RCX] = 40;
    exit_at("\xF3\x6E", 2, EXIT_IO, io(STRING | REPEATED)); /* REP OUTSB */
    expect_debug(0, RIP + 2);
    arm(0, BUFFER + 1, ACCESSES, 0);
    gpr[RSI] = BUFFER, gpr[RCX] = 40;
    exit_at("\xF3\x6E", 2, EXIT_IO, io(STRING | REPEATED));
    assert_int_equal(gpr[RCX], 39);
}

static void lmsw_reads_its_operand(void **state)
{
    (void)state;
    set(VMCS_GUEST_RFLAGS, 2);
    arm(0, BUFFER + 1, ACCESSES, 0);
    set(VMCS_GUEST_LINEAR_ADDRESS, BUFFER);
    exit_at("\x0F\x01\x30", 3, EXIT_CR_ACCESS, LMSW | 1 << 16);
    expect_debug(1, RIP + 3);
    exit_at("\x0F\x01\xF0", 3, EXIT_CR_ACCESS, 3 << 4 | 1 << 16); /* a register */
    expect_debug(0, RIP + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_met_by_any_byte_of_an_access_of_its_kind),
        cmocka_unit_test(one_that_is_not_enabled_is_told_of_only_beside_one_that_is),
        cmocka_unit_test(there_are_none_on_ports_without_cr4_de),
        scene_test(what_wraps_at_4_gib_meets_them_at_both_ends),
        scene_test(those_on_instructions_are_none_to_watch_for),
        scene_test(a_port_traps_behind_the_instruction_and_with_its_step),
        scene_test(a_load_of_ss_before_it_has_what_it_met_come_with_it),
        scene_test(its_first_element_is_all_that_a_load_of_ss_waits_for),
        scene_test(a_repetition_traps_behind_each_element_that_meets_one),
        scene_test(a_repetition_that_nobody_watches_goes_on_in_large_pieces),
        scene_test(lmsw_reads_its_operand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
