/* Virtual VMX of a machine beside entries and exits: what makes it and takes it away, its MSRs, what it costs and gives
 * back. */
#include "tests/unit/nested_scene.h"

#include "cp/storage/grave.h"
#include "nest/active.h"

enum { MSR_FEATURE_CONTROL = 0x3A, MSR_BASIC = 0x480 };

static const struct exit wbinvd = {.reason = EXIT_WBINVD, .instruction_length = 2};
static const struct exit interrupted = {.reason = EXIT_EXTERNAL_INTERRUPT};
static const struct exit vmxoff = {.reason = EXIT_VMXOFF, .instruction_length = 3};

static int begin(void **state)
{
    (void)state;
    l1_ready(NEST_SHADOW);
    return 0;
}

static int begin_outside(void **state)
{
    (void)state;
    l1_begin(NEST_SHADOW);
    return 0;
}

static int begin_without(void **state)
{
    (void)state;
    machine_begin(NEST_OFF);
    return 0;
}

/* ---- what there is ----------------------------------------------------------------------------------------------- */

static void without_it_the_msrs_are_not_there(void **state)
{
    uint64_t value;

    (void)state;
    assert_null(nested_of(vm));
    assert_int_equal(msr_policy_read(vm, MSR_BASIC, &value), -1);
    assert_int_equal(msr_policy_read(vm, MSR_FEATURE_CONTROL, &value), -1);
    assert_int_equal(msr_policy_write(vm, MSR_FEATURE_CONTROL, 5), -1);
    assert_false(cpuid_cr4_allowed(vm) & CR4_VMXE);
}

static void its_msrs_tell_what_is_offered_and_cannot_be_written(void **state)
{
    uint64_t value;

    (void)state;
    assert_int_equal(msr_policy_read(vm, MSR_BASIC, &value), 0);
    assert_int_equal(value, vm->vcpu.nest->offered->msr[VMX_BASIC]);
    assert_int_equal(msr_policy_write(vm, MSR_BASIC, value), -1);
    assert_int_equal(msr_policy_read(vm, MSR_FEATURE_CONTROL, &value), 0);
    assert_true(value & 1); /* locked, as firmware leaves it */
    assert_int_equal(msr_policy_write(vm, MSR_FEATURE_CONTROL, 0), -1);
}

static void a_machine_without_a_frame_for_it_has_undefined_instructions(void **state)
{
    (void)state;
    nested_destroy(vm);
    vm->storage.account.limit = vm->storage.account.frames;
    PLAY(IN_L1(vmxoff), IN_L1(wbinvd));
    assert_int_equal(entered[1].info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | VECTOR_UD);
    assert_int_equal(vm->state, VM_RUNNABLE);
}

static void vmx_operation_keeps_cr4_vmxe(void **state)
{
    const struct exit to_cr4 = {.reason = EXIT_CR_ACCESS, .instruction_length = 3, .qualification = 4};

    (void)state;
    vm->vcpu.gpr[RAX] = CR4_PAE;
    PLAY(IN_L1(to_cr4), IN_L1(wbinvd));
    assert_int_equal(entered[1].info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_GP);
    PLAY(IN_L1(vmxoff), IN_L1(to_cr4), IN_L1(wbinvd));
    assert_int_equal(entered[2].info, 0);
    assert_int_equal(registers_cr4(&vm->vcpu), CR4_PAE);
    assert_true(get(VMCS_GUEST_CR4) & CR4_VMXE); /* CP's own */
}

static void in_user_mode_a_vmx_instruction_is_a_general_protection_fault(void **state)
{
    (void)state;
    set(VMCS_GUEST_SS_ACCESS_RIGHTS, 0xC0F3);
    set(VMCS_GUEST_CS_ACCESS_RIGHTS, 0xA0FB);
    PLAY(IN_L1(vmxoff), IN_L1(wbinvd));
    assert_int_equal(entered[1].info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_GP);
    assert_true(vm->vcpu.nest->vmxon);
}

static void l1s_tsc_offset_adds_to_the_machines(void **state)
{
    (void)state;
    vmwrite(VMCS_PROCESSOR_CONTROLS, vmread(VMCS_PROCESSOR_CONTROLS) | CPU_TSC_OFFSETTING);
    vmwrite(VMCS_TSC_OFFSET, 500);
    assert_int_equal(msr_policy_write(vm, 0x10, 77777), 0); /* IA32_TIME_STAMP_COUNTER */
    PLAY(IN_L1(launch), IN_L2(interrupted));
    assert_true(processor()->loaded->held.tsc_offset == vm->vcpu.tsc_offset + 500);
    assert_int_equal(msr_policy_write(vm, 0x10, 99999), 0); /* while L2 runs */
    assert_ptr_equal(processor()->loaded, vm->vcpu.nest->current->region02);
    assert_true(processor()->first.held.tsc_offset == vm->vcpu.tsc_offset);
    PLAY(IN_L2(interrupted));
    assert_true(processor()->loaded->held.tsc_offset == vm->vcpu.tsc_offset + 500);
}

/* ---- what it holds ----------------------------------------------------------------------------------------------- */

static void a_reset_while_l2_runs_leaves_vmx_operation_and_gives_all_back(void **state)
{
    (void)state;
    uint64_t ram = vm->storage.resident;
    PLAY(IN_L1(launch), IN_L2(interrupted));
    assert_true(nested_runs(&vm->vcpu));
    vm_reset(vm);
    assert_null(vm->vcpu.nest);
    assert_ptr_equal(processor()->loaded, &processor()->first);
    assert_int_equal(get(VMCS_GUEST_RIP), 0xFFF0);
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(processor()->regions_held, 0);
    assert_int_equal(vm->storage.resident, ram);
    assert_false(nested_of(vm)->vmxon);
}

static void a_machine_destroyed_in_mid_nesting_gives_all_back(void **state)
{
    (void)state;
    vm_destroy(vm);
    work_all();
    uint64_t frames = frame_available(), cp = frame_cp_account.frames;
    l1_ready(NEST_SHADOW);
    PLAY(IN_L1(launch), IN_L2(interrupted));
    assert_true(frame_available() < frames);
    vm_destroy(vm);
    work_all();
    assert_int_equal(frame_available(), frames);
    assert_int_equal(frame_cp_account.frames, cp);
}

/* Tables for each of so many places: more than are freed at once. */
static void an_ept02_of_many_tables_goes_back_in_steps_and_whole(void **state)
{
    enum { PLACES = 12 };

    (void)state;
    vm_destroy(vm);
    work_all();
    uint64_t frames = frame_available();
    l1_ready(NEST_SHADOW);
    map_l2(PLACES);
    PLAY(IN_L1(launch), IN_L2(interrupted));
    for (uint64_t i = 0; i < PLACES; i++)
        PLAY(IN_L2({.reason = EXIT_EPT_VIOLATION, .qualification = 1 | 3 << 7, .guest_physical = i << 21 | PT_ROOT}));
    assert_int_equal(grave_frames(), 0);
    vm_reset(vm);
    assert_int_equal(grave_frames(), PLACES + 4); /* two tables above them, the root, and the books */
    work_all();
    assert_int_equal(grave_frames(), 0);
    vm_destroy(vm);
    work_all();
    assert_int_equal(frame_available(), frames);
}

/* All that L1 itself needs is there; its VMX may have so many frames more. */
static void begin_with_frames(unsigned more)
{
    l1_begin(NEST_SHADOW);
    fake_vmx_enter_operation(processor());
    poke(FAKE_VMCS, 0, 8);
    vm->storage.account.limit = vm->storage.account.frames + more;
    fake_vmx_make_vmcs(processor(), FAKE_VMCS);
    if (vm->state != VM_STOPPED)
        fake_vmx_plain(processor(), EXIT_VMLAUNCH);
    if (nested_runs(&vm->vcpu))
        nested_prepare(vm);
}

static void without_frames_for_vmcs02_the_machine_stops_and_says_why(void **state)
{
    unsigned more = 0;

    (void)state;
    for (;; more++) { /* at every frame asked for on the way to L2 */
        vm_destroy(vm);
        begin_with_frames(more);
        if (vm->state != VM_STOPPED)
            break;
        assert_int_equal(vm->stop, VM_STOP_NO_FRAMES);
        assert_ptr_equal(processor()->loaded, &processor()->first);
    }
    assert_true(nested_runs(&vm->vcpu));
    assert_int_equal(more, 3); /* the virtual VMCS, its EPT02 and that one's root */
}

static void without_a_shadow_vmcs_each_vmread_exits_and_without_vmcs02_the_machine_stops(void **state)
{
    (void)state;
    for (unsigned regions = 0; regions < 2; regions++) {
        vm_destroy(vm);
        l1_begin(NEST_SHADOW);
        processor()->regions_limit = regions;
        fake_vmx_enter_operation(processor());
        fake_vmx_make_vmcs(processor(), FAKE_VMCS);
        assert_int_equal(vm->state, VM_RUNNABLE);
        assert_int_equal(vmread(VMCS_HOST_RIP), L1_HOST_RIP);
        assert_int_equal(vm->exits[EXIT_VMREAD], regions ? 0 : 1);
        PLAY(IN_L1(launch));
        assert_int_equal(vm->stop, VM_STOP_NO_FRAMES);
        assert_int_equal(stops_seen, 1);
    }
}

static void without_a_frame_for_a_page_of_l2_the_machine_stops(void **state)
{
    (void)state;
    map_l2(1);
    PLAY(IN_L1(launch), IN_L2(interrupted));
    vm->storage.account.limit = vm->storage.account.frames;
    PLAY(IN_L2({.reason = EXIT_EPT_VIOLATION, .qualification = 1 | 3 << 7, .guest_physical = 0x123456}));
    assert_int_equal(vm->stop, VM_STOP_NO_FRAMES);
    assert_int_equal(stops_seen, 1);
}

static void without_a_frame_for_another_ept02_the_machine_stops_at_the_next_entry(void **state)
{
    enum { LIST = 0x13000, OTHER_EPT = 0x24000, FUNCTIONS = 1 << 13 };

    (void)state;
    poke(LIST, OTHER_EPT | 3 << 3 | 6, 8);
    vmwrite(VMCS_SECONDARY_CONTROLS, CPU2_EPT | FUNCTIONS);
    vmwrite(VMCS_VM_FUNCTION_CONTROLS, VM_FUNCTION_EPTP_SWITCHING);
    vmwrite(VMCS_EPTP_LIST_ADDRESS, LIST);
    PLAY(IN_L1(launch), IN_L2(interrupted));
    vm->storage.account.limit = vm->storage.account.frames;
    vm->vcpu.gpr[RAX] = vm->vcpu.gpr[RCX] = 0;
    PLAY(IN_L2({.reason = EXIT_VMFUNC, .instruction_length = 3}));
    assert_int_equal(vm->stop, VM_STOP_NO_FRAMES);
    assert_int_equal(stops_seen, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, nested_end)
#define TEST_IN(name, start) cmocka_unit_test_setup_teardown(name, start, nested_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_IN(without_it_the_msrs_are_not_there, begin_without),
        TEST_IN(its_msrs_tell_what_is_offered_and_cannot_be_written, begin_outside),
        TEST_IN(a_machine_without_a_frame_for_it_has_undefined_instructions, begin_outside),
        TEST(vmx_operation_keeps_cr4_vmxe),
        TEST(in_user_mode_a_vmx_instruction_is_a_general_protection_fault),
        TEST(l1s_tsc_offset_adds_to_the_machines),
        TEST(a_reset_while_l2_runs_leaves_vmx_operation_and_gives_all_back),
        TEST(a_machine_destroyed_in_mid_nesting_gives_all_back),
        TEST(an_ept02_of_many_tables_goes_back_in_steps_and_whole),
        TEST(without_frames_for_vmcs02_the_machine_stops_and_says_why),
        TEST(without_a_shadow_vmcs_each_vmread_exits_and_without_vmcs02_the_machine_stops),
        TEST(without_a_frame_for_a_page_of_l2_the_machine_stops),
        TEST(without_a_frame_for_another_ept02_the_machine_stops_at_the_next_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
