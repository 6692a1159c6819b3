/* Virtual VMX of a machine beside entries and exits: what makes it and takes it away, its MSRs, what it costs and gives
 * back, L1's operands and lists, L2 at devices. */
#include "tests/unit/nested_scene.h"

#include "nest/active.h"

enum { MSR_FEATURE_CONTROL = 0x3A, MSR_BASIC = 0x480, MSR_STAR = 0xC0000081, MSR_MTRR_DEF_TYPE = 0x2FF,
       MSR_FS_BASE = 0xC0000100, LOAD_LIST = 0x11000, STORE_LIST = 0x12000, MTRR_RESET = 0xC06 };

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
    enum { ALL = 7, WRITE_BACK = 6 << 3 };
    poke(FAKE_EPT, 0x21000 | ALL, 8);
    poke(0x21000, 0x22000 | ALL, 8);
    poke(0x22000, LARGE | WRITE_BACK | ALL, 8);
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

/* ---- L1's operands and lists ------------------------------------------------------------------------------------- */

static void an_operand_l1_does_not_map_is_its_page_fault(void **state)
{
    (void)state;
    fake_vmx_memory(processor(), EXIT_VMPTRLD, 0x40000800, 0);
    assert_int_equal(vm->vcpu.event_info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_PF);
    assert_int_equal(vm->vcpu.event_error, 0);
    assert_int_equal(vm->vcpu.event_payload, 0x40000800);
    vm->vcpu.event_info = 0;
    fake_vmx_memory(processor(), EXIT_VMPTRST, 0x40000800, 0);
    assert_int_equal(vm->vcpu.event_error, 2); /* a write */
    vm->vcpu.event_info = 0;
}

static void where_l1_writes_twice_is_looked_up_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        poke(0x900, 0, 8);
        fake_vmx_memory(processor(), EXIT_VMPTRST, 0x900, 0);
        assert_int_equal(peek(0x900, 8), FAKE_VMCS);
        if (!i)
            assert_true(peek(PT_TOP, 8) & 0x40); /* dirty */
    }
    poke(PT_TOP, LARGE | PRESENT, 8); /* read-only now */
    set(VMCS_GUEST_CR0, get(VMCS_GUEST_CR0) | CR0_WP);
    fake_vmx_memory(processor(), EXIT_VMPTRST, 0x900, 0);
    assert_int_equal(vm->vcpu.event_info & 0xFF, VECTOR_PF);
    assert_int_equal(vm->vcpu.event_error, 3);
    vm->vcpu.event_info = 0;
}

static void an_operand_is_read_anew_when_its_mapping_has_changed(void **state)
{
    (void)state;
    uint64_t top = peek(PT_TOP, 8);
    fake_vmx_pointer(processor(), EXIT_VMCLEAR, FAKE_VMCS_B); /* the walk is kept */
    poke(PT_TOP, 0, 8);
    fake_vmx_memory(processor(), EXIT_VMCLEAR, 0x800, 0);
    assert_int_equal(vm->vcpu.event_info & 0xFF, VECTOR_PF);
    vm->vcpu.event_info = 0;
    poke(PT_TOP, top, 8);
    fake_vmx_memory(processor(), EXIT_VMCLEAR, 0x800, 0);
    assert_int_equal(vm->vcpu.event_info, 0);
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

static void list_entry(uint64_t list, unsigned n, uint32_t msr, uint64_t value)
{
    poke(list + 16 * n, msr, 8);
    poke(list + 16 * n + 8, value, 8);
}

static void msr_lists_reach_the_msrs_of_the_machine(void **state)
{
    (void)state;
    vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 2);
    vmwrite(VMCS_ENTRY_MSR_LOAD_ADDRESS, LOAD_LIST);
    list_entry(LOAD_LIST, 0, MSR_STAR, 0x1122334455667788);
    list_entry(LOAD_LIST, 1, MSR_MTRR_DEF_TYPE, MTRR_RESET ^ 0x800);
    vmwrite(VMCS_EXIT_MSR_STORE_COUNT, 2);
    vmwrite(VMCS_EXIT_MSR_STORE_ADDRESS, STORE_LIST);
    list_entry(STORE_LIST, 0, MSR_STAR, 0);
    list_entry(STORE_LIST, 1, MSR_MTRR_DEF_TYPE, 0);
    PLAY(IN_L1(launch), IN_L2(cpuid), IN_L1(wbinvd));
    assert_true(peek(STORE_LIST + 8, 8) == 0x1122334455667788);
    assert_int_equal(peek(STORE_LIST + 24, 8), MTRR_RESET ^ 0x800);
    assert_int_equal(vm->vcpu.mtrr_def_type, MTRR_RESET ^ 0x800);
}

static void a_list_that_cannot_be_loaded_at_entry_is_a_failed_entry(void **state)
{
    (void)state;
    vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 2);
    vmwrite(VMCS_ENTRY_MSR_LOAD_ADDRESS, LOAD_LIST);
    list_entry(LOAD_LIST, 0, MSR_STAR, 0);
    list_entry(LOAD_LIST, 1, 0x12345, 0);
    PLAY(IN_L1(launch), IN_L1(wbinvd));
    assert_int_equal(vmread(VMCS_EXIT_REASON), EXIT_ENTRY_MSR | EXIT_ENTRY_FAILED);
    assert_int_equal(vmread(VMCS_EXIT_QUALIFICATION), 2);
}

static void one_that_cannot_be_loaded_at_an_exit_is_a_vmx_abort(void **state)
{
    (void)state;
    vmwrite(VMCS_EXIT_MSR_LOAD_COUNT, 1);
    vmwrite(VMCS_EXIT_MSR_LOAD_ADDRESS, LOAD_LIST);
    list_entry(LOAD_LIST, 0, MSR_FS_BASE, 0);
    PLAY(IN_L1(launch), IN_L2(cpuid));
    assert_int_equal(vm->stop, VM_STOP_VMX_ABORT);
    assert_int_equal(vm->stop_detail, 4);
    assert_int_equal(peek(FAKE_VMCS + offsetof(struct nest_region, abort), 4), 4);
    assert_int_equal(stops_seen, 1);
    assert_ptr_equal(processor()->loaded, &processor()->first);
}

static void l1s_tsc_offset_adds_to_the_machines(void **state)
{
    (void)state;
    vmwrite(VMCS_PROCESSOR_CONTROLS, vmread(VMCS_PROCESSOR_CONTROLS) | CPU_TSC_OFFSETTING);
    vmwrite(VMCS_TSC_OFFSET, 500);
    assert_int_equal(msr_policy_write(vm, 0x10, 77777), 0); /* IA32_TIME_STAMP_COUNTER */
    PLAY(IN_L1(launch), IN_L2(interrupted));
    assert_true(processor()->loaded->held.tsc_offset == vm->vcpu.tsc_offset + 500);
}

/* ---- pages hardware works on for L2 ------------------------------------------------------------------------------ */

static void a_virtual_apic_page_is_l1s_own(void **state)
{
    enum { PAGE = 0x14000 };

    (void)state;
    vmwrite(VMCS_PROCESSOR_CONTROLS, vmread(VMCS_PROCESSOR_CONTROLS) | CPU_TPR_SHADOW);
    vmwrite(VMCS_VIRTUAL_APIC_ADDRESS, PAGE);
    PLAY(IN_L1(launch), IN_L2(interrupted));
    assert_true(processor()->loaded->held.virtual_apic_address ==
                (uint64_t)(uintptr_t)guest_pointer(&vm->storage, gpa(PAGE), NULL));
    PLAY(IN_L2(cpuid));
    assert_l1_has(EXIT_CPUID);
    vmwrite(VMCS_VIRTUAL_APIC_ADDRESS, 1ull << 38); /* no storage there */
    PLAY(IN_L1(resume), IN_L2(interrupted));
    const struct vmcs *held = &processor()->loaded->held;
    assert_false(held->processor_controls & CPU_TPR_SHADOW); /* each access exits instead */
    assert_true(held->processor_controls & CPU_CR8_LOAD_EXITING);
    assert_int_equal(held->virtual_apic_address, 0);
}

static void what_l2_may_reach_of_a_linked_vmcs_is_a_region_of_cps(void **state)
{
    enum { LINK = 0x4000, READS = 0x15000, WRITES = 0x16000 };

    (void)state;
    for (unsigned i = 0; i < 4096; i += 8) {
        poke(READS + i, ~0ull, 8);
        poke(WRITES + i, ~0ull, 8);
    }
    poke(READS + (VMCS_GUEST_RIP >> 3), (uint8_t)~(1 << (VMCS_GUEST_RIP & 7)), 1);
    poke(LINK, (uint32_t)vm->vcpu.nest->offered->msr[VMX_BASIC] | VMCS_SHADOW_INDICATOR, 4);
    vmwrite(VMCS_SECONDARY_CONTROLS, CPU2_EPT | CPU2_VMCS_SHADOWING);
    vmwrite(VMCS_VMREAD_BITMAP, READS);
    vmwrite(VMCS_VMWRITE_BITMAP, WRITES);
    vmwrite(VMCS_VMCS_LINK_POINTER, LINK);
    PLAY(IN_L1(launch), IN_L2(interrupted));
    const struct fake_region *linked = (const void *)(uintptr_t)processor()->loaded->held.vmcs_link_pointer;
    assert_true(linked >= processor()->regions && linked < processor()->regions + FAKE_REGIONS);
    assert_true(linked->used && linked->shadow);
}

/* ---- bitmaps L1 keeps in its storage ----------------------------------------------------------------------------- */

static bool exits_at_msr(uint32_t msr) /* L2's read of a low MSR */
{
    const uint8_t *bitmap = (const uint8_t *)(uintptr_t)processor()->loaded->held.msr_bitmap;
    return bitmap[msr >> 3] >> (msr & 7) & 1;
}

static void a_bitmap_l1_changes_counts_at_the_next_entry(void **state)
{
    enum { MSR = 0x176 };

    (void)state;
    memset((void *)(uintptr_t)processor()->base.msr_bitmap, 0, 4096);
    vmwrite(VMCS_PROCESSOR_CONTROLS, vmread(VMCS_PROCESSOR_CONTROLS) | CPU_MSR_BITMAPS);
    vmwrite(VMCS_MSR_BITMAP, FAKE_BITMAPS);
    PLAY(IN_L1(launch), IN_L2(interrupted));
    assert_false(exits_at_msr(MSR));
    PLAY(IN_L2(cpuid));
    PLAY(IN_L1(resume), IN_L2(cpuid)); /* unchanged: the union is kept; its page is watched */
    poke(FAKE_BITMAPS + MSR / 8, 1 << MSR % 8, 1);
    /* as L1's own store would tell: the page was write-protected */
    PLAY(IN_L1({.reason = EXIT_EPT_VIOLATION, .qualification = 2, .guest_physical = FAKE_BITMAPS + MSR / 8}),
         IN_L1(resume), IN_L2(interrupted));
    assert_true(exits_at_msr(MSR));
}

/* ---- L2 and devices ---------------------------------------------------------------------------------------------- */

enum { IOAPIC = 0xFEC00000 };

/* L2's paging and L1's EPT map it one to one; L2 stands at MOV [RBX], EAX. */
static void give_l2_the_ioapic(void)
{
    enum { ALL = 7, WRITE_BACK = 6 << 3 };
    poke(0x6000, PT_TOP | PRESENT | WRITABLE, 8);
    poke(PT_TOP + 24, 0xC0000000 | LARGE | PRESENT | WRITABLE, 8);
    poke(FAKE_EPT, 0x21000 | ALL, 8);
    poke(0x21000, 0x22000 | ALL, 8);
    poke(0x22000, LARGE | WRITE_BACK | ALL, 8);
    poke(0x21000 + 24, 0x23000 | ALL, 8);
    poke(0x23000 + 8 * (IOAPIC >> 21 & 511), IOAPIC | LARGE | ALL, 8);
    poke(L2_RIP, 0x0389, 2);
}

static const struct exit at_ioapic = {.reason = EXIT_EPT_VIOLATION, .qualification = 2, .guest_physical = IOAPIC};
static void the_index(void) { vm->vcpu.gpr[RBX] = IOAPIC, vm->vcpu.gpr[RAX] = 0x17; }

static void a_device_l1_gave_to_l2_is_reached_through_both_pagings(void **state)
{
    (void)state;
    give_l2_the_ioapic();
    PLAY(IN_L1(launch), IN_L2(at_ioapic, .then = the_index), IN_L2(cpuid));
    assert_int_equal(bus_mmio_read(&vm->machine.bus, IOAPIC, 4), 0x17);
    assert_int_equal(entered[2].rip, L2_RIP + 2);
    assert_l1_has(EXIT_CPUID);
}

static void delivery_of_an_event_to_a_device_ends_l2_by_a_triple_fault(void **state)
{
    (void)state;
    give_l2_the_ioapic();
    PLAY(IN_L1(launch),
         IN_L2({.reason = EXIT_EPT_VIOLATION, .qualification = 2, .guest_physical = IOAPIC,
                .idt_vectoring_info = EVENT_VALID | EVENT_EXTERNAL | 0x30}));
    assert_l1_has(EXIT_TRIPLE_FAULT);
    assert_int_equal(vm->state, VM_RUNNABLE);
}

static void an_interrupt_that_waits_keeps_l2_from_its_halt(void **state)
{
    (void)state;
    vmwrite(VMCS_PROCESSOR_CONTROLS, vmread(VMCS_PROCESSOR_CONTROLS) & ~(uint64_t)CPU_HLT_EXITING);
    PLAY(IN_L1(launch), IN_L2({.reason = EXIT_HLT, .instruction_length = 1}, .then = interrupt_51), IN_L1(wbinvd));
    assert_int_equal(idles, 0);
    assert_int_equal(vmread(VMCS_EXIT_REASON), EXIT_EXTERNAL_INTERRUPT);
    assert_int_equal(vmread(VMCS_GUEST_ACTIVITY_STATE), 0); /* it had not halted */
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
        TEST(a_reset_while_l2_runs_leaves_vmx_operation_and_gives_all_back),
        TEST(a_machine_destroyed_in_mid_nesting_gives_all_back),
        TEST(without_frames_for_vmcs02_the_machine_stops_and_says_why),
        TEST(without_a_shadow_vmcs_each_vmread_exits_and_without_vmcs02_the_machine_stops),
        TEST(without_a_frame_for_a_page_of_l2_the_machine_stops),
        TEST(without_a_frame_for_another_ept02_the_machine_stops_at_the_next_entry),
        TEST(an_operand_l1_does_not_map_is_its_page_fault),
        TEST(where_l1_writes_twice_is_looked_up_once),
        TEST(an_operand_is_read_anew_when_its_mapping_has_changed),
        TEST(in_user_mode_a_vmx_instruction_is_a_general_protection_fault),
        TEST(msr_lists_reach_the_msrs_of_the_machine),
        TEST(a_list_that_cannot_be_loaded_at_entry_is_a_failed_entry),
        TEST(one_that_cannot_be_loaded_at_an_exit_is_a_vmx_abort),
        TEST(l1s_tsc_offset_adds_to_the_machines),
        TEST(a_virtual_apic_page_is_l1s_own),
        TEST(what_l2_may_reach_of_a_linked_vmcs_is_a_region_of_cps),
        TEST(a_bitmap_l1_changes_counts_at_the_next_entry),
        TEST(a_device_l1_gave_to_l2_is_reached_through_both_pagings),
        TEST(delivery_of_an_event_to_a_device_ends_l2_by_a_triple_fault),
        TEST(an_interrupt_that_waits_keeps_l2_from_its_halt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
