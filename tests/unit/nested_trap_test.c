/* L1's monitor trap flag on a machine whose processor has one: an exit behind each instruction that CP carries out for
 * L2, as hardware has them behind its own, and the exit that L1 injects.
 * SDM "Monitor Trap Flag", "Pending MTF VM Exits". */
#include "tests/unit/nested_scene.h"

enum { PENDING_BS = 1 << 14, PENDING_ENABLED = 1 << 12, PORT = 0x80, EVENT_MTF = 7 << 8, STRING = 1 << 4,
       REPEATED = 1 << 5, L2_TEXT = 0x3000 };

static const struct exit port = {.reason = EXIT_IO, .instruction_length = 1, .qualification = PORT << 16};
static const struct exit string = {.reason = EXIT_IO, .instruction_length = 2,
                                   .qualification = PORT << 16 | STRING | REPEATED};
static const struct exit halt = {.reason = EXIT_HLT, .instruction_length = 1};
static const struct exit vmfunc = {.reason = EXIT_VMFUNC, .instruction_length = 3};

static void offer(struct vmx_capability *to)
{
    to->msr[VMX_CPU] |= (uint64_t)CPU_MONITOR_TRAP_FLAG << 32;
    to->msr[VMX_TRUE_CPU] |= (uint64_t)CPU_MONITOR_TRAP_FLAG << 32;
}

static int begin(void **state)
{
    (void)state;
    l1_ready(NEST_SHADOW);
    struct nest *nest = vm->vcpu.nest;
    static struct vmx_capability hardware, offered;
    hardware = *nest->capability, offered = *nest->offered;
    offer(&hardware), offer(&offered);
    nest->capability = &hardware, nest->offered = &offered;
    return 0;
}

static void controls(uint32_t set, uint32_t clear)
{
    vmwrite(VMCS_PROCESSOR_CONTROLS, (vmread(VMCS_PROCESSOR_CONTROLS) | set) & ~(uint64_t)clear);
}

static void assert_trapped_at(uint64_t rip)
{
    assert_l1_has(EXIT_MTF);
    assert_int_equal(vmread(VMCS_GUEST_RIP), rip);
    assert_int_equal(vmread(VMCS_EXIT_QUALIFICATION), 0);
    assert_int_equal(vmread(VMCS_IDT_VECTORING_INFO), 0);
}

static void behind_what_cp_carries_out_l1_has_its_exit(void **state)
{
    (void)state;
    controls(CPU_MONITOR_TRAP_FLAG, 0);
    PLAY(IN_L1(launch), IN_L2(port));
    assert_trapped_at(L2_RIP + 1);
    assert_int_equal(vmread(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), 0);
    assert_int_equal(vm->nested_handled[EXIT_IO], 1);
}

static void without_the_flag_l2_goes_on(void **state)
{
    (void)state;
    PLAY(IN_L1(launch), IN_L2(port), IN_L2(cpuid));
    assert_l1_has(EXIT_CPUID);
    assert_int_equal(vmread(VMCS_GUEST_RIP), L2_RIP + 1);
}

static void the_step_of_tf_waits_behind_it(void **state)
{
    (void)state;
    controls(CPU_MONITOR_TRAP_FLAG, 0);
    vmwrite(VMCS_GUEST_RFLAGS, 2 | RFLAGS_TF);
    PLAY(IN_L1(launch), IN_L2(port));
    assert_trapped_at(L2_RIP + 1);
    assert_int_equal(vmread(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), PENDING_BS);
    assert_int_equal(vm->vcpu.event_info, 0);
}

static void a_breakpoint_that_was_met_waits_with_it(void **state)
{
    (void)state;
    controls(CPU_MONITOR_TRAP_FLAG, 0);
    vm->vcpu.exit = launch;
    exit_dispatch(vm);
    nested_prepare(vm);
    vcpu_queue_debug(&vm->vcpu, DR6_BS | 2);
    event_trap_flag(&vm->vcpu);
    assert_false(vm->vcpu.event_made);
    assert_int_equal(get(VMCS_GUEST_PENDING_DEBUG_EXCEPTIONS), PENDING_BS | PENDING_ENABLED | 2);
}

static void each_element_of_a_repetition_is_one(void **state)
{
    (void)state;
    map_l2(1);
    vmwrite(VMCS_GUEST_CR3, PT_ROOT);
    poke(L2_RIP, 0x6EF3, 2); /* REP OUTSB */
    controls(CPU_MONITOR_TRAP_FLAG, 0);
    vm->vcpu.gpr[RCX] = 3, vm->vcpu.gpr[RSI] = L2_TEXT, vm->vcpu.gpr[RDX] = PORT;
    PLAY(IN_L1(launch), IN_L2(string));
    assert_trapped_at(L2_RIP);
    assert_int_equal(vm->vcpu.gpr[RCX], 2);
    assert_int_equal(vmread(VMCS_GUEST_RFLAGS) & RFLAGS_TF, 0);
    PLAY(IN_L1(resume), IN_L2(string), IN_L1(resume), IN_L2(string));
    assert_trapped_at(L2_RIP + 2);
    assert_int_equal(vm->vcpu.gpr[RCX], 0);
    assert_int_equal(vmread(VMCS_GUEST_RFLAGS) & RFLAGS_TF, 0);
}

static void a_halt_is_over_at_once(void **state)
{
    (void)state;
    controls(CPU_MONITOR_TRAP_FLAG, CPU_HLT_EXITING);
    PLAY(IN_L1(launch), IN_L2(halt));
    assert_trapped_at(L2_RIP + 1);
    assert_int_equal(vmread(VMCS_GUEST_ACTIVITY_STATE), 0);
}

static void a_vm_function_is_an_instruction_too(void **state)
{
    enum { LIST = 0x30000 };
    (void)state;
    controls(CPU_MONITOR_TRAP_FLAG | CPU_SECONDARY_CONTROLS, 0);
    vmwrite(VMCS_SECONDARY_CONTROLS, CPU2_EPT | CPU2_VM_FUNCTIONS);
    vmwrite(VMCS_VM_FUNCTION_CONTROLS, VM_FUNCTION_EPTP_SWITCHING);
    vmwrite(VMCS_EPTP_LIST_ADDRESS, LIST);
    poke(LIST, vmread(VMCS_EPT_POINTER), 8);
    vm->vcpu.gpr[RAX] = vm->vcpu.gpr[RCX] = 0;
    PLAY(IN_L1(launch), IN_L2(vmfunc));
    assert_trapped_at(L2_RIP + 3);
}

static void what_did_not_complete_has_none(void **state)
{
    const struct exit to_cr4 = {.reason = EXIT_CR_ACCESS, .instruction_length = 3, .qualification = 4};
    (void)state;
    controls(CPU_MONITOR_TRAP_FLAG, 0);
    vmwrite(VMCS_CR4_MASK, 0);
    vm->vcpu.gpr[RAX] = ~0ull;
    PLAY(IN_L1(launch), IN_L2(to_cr4), IN_L2(cpuid));
    assert_int_equal(entered[2].info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_GP);
    assert_l1_has(EXIT_CPUID); /* behind the delivery hardware has it */
}

static void it_comes_before_an_interrupt(void **state)
{
    (void)state;
    controls(CPU_MONITOR_TRAP_FLAG, 0);
    vmwrite(VMCS_PIN_CONTROLS, 0x16 | PIN_EXTERNAL_INTERRUPT_EXITING);
    PLAY(IN_L1(launch), IN_L2(port, .then = interrupt_51));
    assert_trapped_at(L2_RIP + 1);
    assert_true(machine_interrupt_pending(&vm->machine));
}

static void one_that_l1_injects_comes_before_l2_runs(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        vmwrite(VMCS_ENTRY_INTERRUPTION_INFO, EVENT_VALID | EVENT_MTF);
        vmwrite(VMCS_GUEST_ACTIVITY_STATE, n); /* it wakes a processor that halts */
        if (n)
            PLAY(IN_L1(resume));
        else
            PLAY(IN_L1(launch));
        assert_trapped_at(L2_RIP);
        assert_false(vmread(VMCS_ENTRY_INTERRUPTION_INFO) & EVENT_VALID);
        assert_int_equal(stops_seen, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, nested_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(behind_what_cp_carries_out_l1_has_its_exit),
        TEST(without_the_flag_l2_goes_on),
        TEST(the_step_of_tf_waits_behind_it),
        TEST(a_breakpoint_that_was_met_waits_with_it),
        TEST(each_element_of_a_repetition_is_one),
        TEST(a_halt_is_over_at_once),
        TEST(a_vm_function_is_an_instruction_too),
        TEST(what_did_not_complete_has_none),
        TEST(it_comes_before_an_interrupt),
        TEST(one_that_l1_injects_comes_before_l2_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
