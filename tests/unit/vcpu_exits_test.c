/* What becomes of the state around an instruction that CP carries out in the guest's place: RIP, the shadow of STI and
 * MOV SS, the trap of RFLAGS.TF. */
#include "tests/unit/dispatch_scene.h"

enum { RIP = 0x100000, STI = 1, MOV_SS = 2, BY_NMI = 8, PORT = 0x3000 };
#define DEBUG_TRAP (EVENT_VALID | EVENT_HARDWARE_EXCEPTION | VECTOR_DB)

static void exits(enum exit_reason reason, unsigned length)
{
    set(VMCS_GUEST_RIP, RIP);
    vm->vcpu.exit = (struct exit){.reason = reason, .instruction_length = length, .rip = RIP};
    exit_dispatch(vm);
}

static uint32_t entered(void)
{
    assert_true(event_prepare(vm));
    uint32_t info = (uint32_t)get(VMCS_ENTRY_INTERRUPTION_INFO);
    set(VMCS_ENTRY_INTERRUPTION_INFO, 0);
    return info;
}

/* Of each kind one: answered at once, skipped, by a table, by a device. */
static const struct {
    enum exit_reason reason;
    unsigned length;
} done[] = {{EXIT_CPUID, 2}, {EXIT_WBINVD, 2}, {EXIT_INVD, 2}, {EXIT_RDMSR, 2}, {EXIT_IO, 1}};
#define EACH_DONE(i) for (unsigned i = 0; i < sizeof done / sizeof *done; i++)

static void perform(unsigned i)
{
    vm->vcpu.gpr[RAX] = 0;
    vm->vcpu.gpr[RCX] = 0xFE; /* IA32_MTRRCAP */
    exits(done[i].reason, done[i].length);
    assert_int_equal(get(VMCS_GUEST_RIP), RIP + done[i].length);
}

static void an_instruction_done_ends_the_shadow_of_the_one_before(void **state)
{
    static const unsigned shadows[] = {STI, MOV_SS};

    (void)state;
    EACH_DONE(i)
        for (unsigned n = 0; n < 2; n++) {
            set(VMCS_GUEST_INTERRUPTIBILITY, shadows[n] | BY_NMI);
            perform(i);
            assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), BY_NMI);
        }
}

static void an_instruction_done_clears_the_resume_flag_and_a_fault_sets_it(void **state)
{
    (void)state;
    EACH_DONE(i) {
        set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_RF);
        perform(i);
        assert_int_equal(get(VMCS_GUEST_RFLAGS), 2);
        assert_int_equal(vm->vcpu.event_info, 0);
    }
    vm->vcpu.gpr[RCX] = 0x12345; /* no such MSR */
    exits(EXIT_RDMSR, 2);
    assert_int_equal(taken_exception(), VECTOR_GP);
    assert_int_equal(get(VMCS_GUEST_RFLAGS), 2 | RFLAGS_RF);
    set(VMCS_GUEST_RFLAGS, 2);
    vcpu_queue_debug(&vm->vcpu, 1);
    assert_int_equal(get(VMCS_GUEST_RFLAGS), 2); /* of a trap it is not so */
    taken_exception();
}

/* Bochs leaves the step of TF pending at exits of instructions, and at violations. */
static void a_step_is_pending_at_no_exit_but_where_an_entry_wants_it(void **state)
{
    enum { PENDING_BS = 1 << 14, TF = 0x100 };
    (void)state;
    set(VMCS_GUEST_RFLAGS, 2 | TF);
    set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, PENDING_BS);
    perform(0);
    assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), 0);
    assert_int_equal(taken_exception(), VECTOR_DB);
    for (unsigned shadow = 0; shadow <= MOV_SS; shadow++) {
        set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, PENDING_BS);
        set(VMCS_GUEST_INTERRUPTIBILITY, shadow);
        vm->vcpu.exit = (struct exit){.reason = EXIT_EPT_VIOLATION, .qualification = 1, .guest_physical = 0x5000};
        exit_dispatch(vm);
        assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), shadow ? PENDING_BS : 0);
    }
}

static void an_instruction_that_faults_has_not_ended_it(void **state)
{
    (void)state;
    set(VMCS_GUEST_INTERRUPTIBILITY, STI);
    vm->vcpu.gpr[RCX] = 0x12345; /* no such MSR */
    exits(EXIT_RDMSR, 2);
    assert_int_equal(get(VMCS_GUEST_RIP), RIP);
    assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), STI);
    assert_int_equal(taken_exception(), VECTOR_GP);
}

static void a_stepped_instruction_is_followed_by_its_trap(void **state)
{
    (void)state;
    EACH_DONE(i) {
        vm->vcpu.dr6 = 0xFFFF0FF0;
        set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_TF);
        set(VMCS_GUEST_DR7, 0x400 | DR7_GD);
        set(VMCS_GUEST_INTERRUPTIBILITY, MOV_SS);
        perform(i);
        assert_int_equal(vm->vcpu.dr6, 0xFFFF0FF0); /* until it is delivered */
        assert_int_equal(entered(), DEBUG_TRAP);
        assert_int_equal(vm->vcpu.dr6, 0xFFFF0FF0 | DR6_BS);
        assert_int_equal(get(VMCS_GUEST_DR7), 0x400);
        assert_int_equal(entered(), 0);
    }
}

static void without_tf_or_stepping_by_branches_there_is_none(void **state)
{
    (void)state;
    EACH_DONE(i) {
        set(VMCS_GUEST_RFLAGS, 2);
        set(VMCS_GUEST_DEBUGCTL, 0);
        perform(i);
        assert_int_equal(entered(), 0);
        set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_TF);
        set(VMCS_GUEST_DEBUGCTL, DEBUGCTL_BTF);
        perform(i);
        assert_int_equal(entered(), 0);
    }
}

static void a_stepped_instruction_that_faults_gives_the_fault_alone(void **state)
{
    (void)state;
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_TF);
    vm->vcpu.gpr[RCX] = 0x12345;
    exits(EXIT_RDMSR, 2);
    assert_int_equal(taken_exception(), VECTOR_GP);
    assert_int_equal(entered(), 0);
}

static void the_trap_comes_before_an_interrupt(void **state)
{
    (void)state;
    assert_int_equal(msr_policy_write(vm, 0x1B, LAPIC_DEFAULT_BASE | 1 << 8 | 1 << 10 | 1 << 11), 0);
    assert_int_equal(msr_policy_write(vm, 0x80F, 0x1FF), 0);
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_TF | RFLAGS_IF);
    perform(0);
    lapic_deliver(&vm->machine.lapic, &(struct lapic_message){.vector = 0x51, .delivery = LAPIC_FIXED});
    assert_int_equal(entered(), DEBUG_TRAP);
    assert_int_equal(entered(), EVENT_VALID | EVENT_EXTERNAL | 0x51);
}

static void a_stepped_hlt_does_not_wait(void **state)
{
    static const uint64_t flags[] = {0, RFLAGS_IF};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_TF | flags[i]);
        exits(EXIT_HLT, 1);
        assert_int_equal(vm->state, VM_RUNNABLE);
        assert_int_equal(get(VMCS_GUEST_RIP), RIP + 1);
        assert_int_equal(entered(), DEBUG_TRAP);
    }
}

static void each_element_of_a_stepped_repetition_traps(void **state)
{
    uint64_t *gpr = vm->vcpu.gpr;

    (void)state;
    assert_int_equal(guest_write(&vm->storage, gpa(RIP), "\xF3\x6C", 2), GUEST_OK); /* REP INSB */
    gpr[RDI] = 0x5000, gpr[RDX] = PORT, gpr[RCX] = 3;
    set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_TF);
    for (unsigned left = 3; left--;) {
        set(VMCS_GUEST_RIP, RIP);
        vm->vcpu.exit = (struct exit){.reason = EXIT_IO, .instruction_length = 2, .rip = RIP,
                                      .qualification = PORT << 16 | 1 << 5 | 1 << 4 | 1 << 3};
        exit_dispatch(vm);
        assert_int_equal(gpr[RCX], left);
        assert_int_equal(get(VMCS_GUEST_RIP), left ? RIP : RIP + 2);
        assert_int_equal(entered(), DEBUG_TRAP);
    }
}

static uint64_t diagnose_that_stops(struct vm *asking)
{
    vm_stop(asking, VM_STOP_USER, 0);
    return 0x42;
}

static void a_diagnose_that_stops_the_machine_is_not_done_again(void **state)
{
    (void)state;
    vm_diagnose = diagnose_that_stops;
    exits(EXIT_VMCALL, 3);
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(get(VMCS_GUEST_RIP), RIP + 3);
    assert_int_equal(vm->vcpu.gpr[RAX], 0x42);
}

static void rip_wraps_at_4_gib_outside_64_bit_mode_only(void **state)
{
    (void)state;
    vm->vcpu.exit = (struct exit){.reason = EXIT_CPUID, .instruction_length = 2, .rip = 0xFFFFFFFF};
    exit_dispatch(vm);
    assert_int_equal(get(VMCS_GUEST_RIP), 1);
    scene_long_mode();
    vm->vcpu.exit = (struct exit){.reason = EXIT_CPUID, .instruction_length = 2, .rip = 0xFFFFFFFF};
    exit_dispatch(vm);
    assert_int_equal(get(VMCS_GUEST_RIP), 0x100000001);
}

/* ---- exceptions that CP takes of the guest, and gives back ------------------------------------------------------- */

#define HARDWARE(vector) (EVENT_VALID | EVENT_HARDWARE_EXCEPTION | (vector))

static void raises(uint32_t info, uint64_t qualification, uint32_t vectoring)
{
    set(VMCS_GUEST_RIP, RIP);
    vm->vcpu.exit = (struct exit){.reason = EXIT_EXCEPTION_NMI, .rip = RIP, .qualification = qualification,
                                  .interruption_info = info, .idt_vectoring_info = vectoring, .instruction_length = 1};
    exit_dispatch(vm);
    assert_int_equal(get(VMCS_GUEST_RIP), RIP);
}

static void an_alignment_check_is_given_back_with_its_error_code_and_rf(void **state)
{
    (void)state;
    set(VMCS_GUEST_INTERRUPTIBILITY, MOV_SS);
    raises(HARDWARE(VECTOR_AC) | EVENT_ERROR, 0, 0);
    assert_int_equal(entered(), HARDWARE(VECTOR_AC) | EVENT_ERROR);
    assert_int_equal(get(VMCS_ENTRY_EXCEPTION_ERROR_CODE), 0);
    assert_int_equal(get(VMCS_GUEST_RFLAGS), 2 | RFLAGS_RF);
    assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), MOV_SS);
}

static void a_debug_exception_is_given_back_with_what_it_does_to_debug_registers(void **state)
{
    static const struct {
        uint64_t qualification, dr6;
    } cases[] = {
        {1 << 14, 0xFFFF4FF0}, {1 << 13, 0xFFFF2FF0}, {1, 0xFFFF0FF1}, {0x6004, 0xFFFF6FF4}, {1 << 12 | 2, 0xFFFF0FF2}};

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        vm->vcpu.dr6 = 0xFFFF0FF8; /* one of long ago */
        set(VMCS_GUEST_DR7, 0x400 | DR7_GD | 1);
        set(VMCS_GUEST_DEBUGCTL, DEBUGCTL_BTF);
        raises(HARDWARE(VECTOR_DB), cases[i].qualification, 0);
        assert_int_equal(entered(), DEBUG_TRAP);
        assert_int_equal(vm->vcpu.dr6, cases[i].dr6);
        assert_int_equal(get(VMCS_GUEST_DR7), 0x401);
        assert_int_equal(get(VMCS_GUEST_DEBUGCTL), 0);
        assert_int_equal(get(VMCS_GUEST_RFLAGS), 2);
    }
}

static void int1_is_given_back_as_the_instruction_it_is(void **state)
{
    (void)state;
    vm->vcpu.dr6 = 0xFFFF0FF8;
    raises(EVENT_VALID | EVENT_PRIVILEGED | VECTOR_DB, 0, 0);
    assert_int_equal(entered(), EVENT_VALID | EVENT_PRIVILEGED | VECTOR_DB);
    assert_int_equal(get(VMCS_ENTRY_INSTRUCTION_LENGTH), 1);
    assert_int_equal(vm->vcpu.dr6, 0xFFFF0FF8);
}

static void a_debug_exception_in_a_shadow_is_one_that_an_entry_takes(void **state)
{
    static const unsigned shadows[] = {STI, MOV_SS};

    (void)state;
    for (unsigned n = 0; n < 2; n++) { /* or BS would have to be pending, which the exit has taken */
        set(VMCS_GUEST_RFLAGS, 2 | RFLAGS_TF | RFLAGS_IF);
        set(VMCS_GUEST_INTERRUPTIBILITY, shadows[n] | BY_NMI);
        set(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS, 0);
        raises(HARDWARE(VECTOR_DB), DR6_BS, 0);
        assert_int_equal(entered(), DEBUG_TRAP);
        assert_int_equal(get(VMCS_GUEST_INTERRUPTIBILITY), BY_NMI);
    }
}

static void one_that_recurs_in_its_delivery_lets_the_event_loop_look_each_time(void **state)
{
    static const unsigned vectors[] = {VECTOR_AC, VECTOR_DB};

    (void)state;
    for (unsigned i = 0; i < 2; i++)
        for (unsigned n = 0; n < 5; n++) {
            scene_looks = 0;
            raises(HARDWARE(vectors[i]), 1, n ? HARDWARE(vectors[i]) : 0);
            assert_int_equal(scene_looks, 1); /* also behind a delivery, where none was vectored */
            assert_int_equal(entered() & 0xFF, vectors[i]); /* benign: never a double fault */
            assert_false(vm->vcpu.triple_fault);
        }
    raises(HARDWARE(VECTOR_AC), 0, HARDWARE(VECTOR_DF) | EVENT_ERROR);
    assert_false(event_prepare(vm)); /* but for that */
}

static void an_nmi_of_the_real_machine_is_not_the_guests(void **state)
{
    (void)state;
    raises(EVENT_VALID | EVENT_NMI | 2, 0, 0);
    assert_int_equal(entered(), 0);
}

/* Whatever the processor asked before it left the guest. */
static void nothing_privileged_is_done_above_level_0(void **state)
{
    static const enum exit_reason reasons[] = {EXIT_HLT, EXIT_INVD, EXIT_VMCALL, EXIT_CR_ACCESS, EXIT_RDMSR,
                                               EXIT_WRMSR, EXIT_WBINVD, EXIT_XSETBV};
    (void)state;
    for (unsigned i = 0; i < sizeof reasons / sizeof *reasons; i++)
        for (unsigned level = 1; level <= 3; level++) {
            const uint64_t gpr[GPRS] = {[RAX] = 1, [RCX] = 0, [RDX] = 0};
            memcpy(vm->vcpu.gpr, gpr, sizeof gpr);
            set(VMCS_GUEST_SS_ACCESS_RIGHTS, 0xC093 | level << 5);
            exits(reasons[i], 3);
            assert_int_equal(taken_exception(), VECTOR_GP);
            assert_int_equal(get(VMCS_GUEST_RIP), RIP);
            assert_memory_equal(vm->vcpu.gpr, gpr, sizeof gpr);
            assert_int_not_equal(vm->state, VM_WAITING);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(an_instruction_done_ends_the_shadow_of_the_one_before),
        scene_test(an_instruction_done_clears_the_resume_flag_and_a_fault_sets_it),
        scene_test(a_step_is_pending_at_no_exit_but_where_an_entry_wants_it),
        scene_test(an_instruction_that_faults_has_not_ended_it),
        scene_test(a_stepped_instruction_is_followed_by_its_trap),
        scene_test(without_tf_or_stepping_by_branches_there_is_none),
        scene_test(a_stepped_instruction_that_faults_gives_the_fault_alone),
        scene_test(the_trap_comes_before_an_interrupt),
        scene_test(a_stepped_hlt_does_not_wait),
        scene_test(each_element_of_a_stepped_repetition_traps),
        scene_test(a_diagnose_that_stops_the_machine_is_not_done_again),
        scene_test(nothing_privileged_is_done_above_level_0),
        scene_test(rip_wraps_at_4_gib_outside_64_bit_mode_only),
        scene_test(an_alignment_check_is_given_back_with_its_error_code_and_rf),
        scene_test(a_debug_exception_is_given_back_with_what_it_does_to_debug_registers),
        scene_test(int1_is_given_back_as_the_instruction_it_is),
        scene_test(a_debug_exception_in_a_shadow_is_one_that_an_entry_takes),
        scene_test(one_that_recurs_in_its_delivery_lets_the_event_loop_look_each_time),
        scene_test(an_nmi_of_the_real_machine_is_not_the_guests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
