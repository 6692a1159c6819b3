/* L1's storage as CP reaches it for L1 and L2: operands and lists of MSRs, pages hardware works on, bitmaps; and
 * devices, where there is none. */
#include "tests/unit/nested_scene.h"

#include "cp/storage/share.h"
#include "cp/storage/watch.h"
#include "nest/active.h"

enum { MSR_STAR = 0xC0000081, MSR_MTRR_DEF_TYPE = 0x2FF, MSR_FS_BASE = 0xC0000100, LOAD_LIST = 0x11000,
       STORE_LIST = 0x12000, MTRR_RESET = 0xC06 };

static const struct exit wbinvd = {.reason = EXIT_WBINVD, .instruction_length = 2};
static const struct exit interrupted = {.reason = EXIT_EXTERNAL_INTERRUPT};

static int begin(void **state)
{
    (void)state;
    l1_ready(NEST_SHADOW);
    return 0;
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

static void one_behind_tables_that_are_no_storage_is_one_that_no_table_maps(void **state)
{
    uint64_t at;
    uint32_t error = ~0u;

    (void)state;
    poke(PT_TOP + 8, 0xC0000000 | PRESENT | WRITABLE, 8);
    fake_vmx_memory(processor(), EXIT_VMPTRLD, 0x40000800, 0);
    assert_int_equal(vm->vcpu.event_info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_PF);
    assert_int_equal(vm->vcpu.event_error, 0);
    assert_int_equal(vm->vcpu.event_payload, 0x40000800);
    vm->vcpu.event_info = 0;
    assert_false(processor()->host.linear(vm, 0x40000800, NEST_READ, &at, &error)); /* whatever was there before */
    assert_int_equal(error, 0);
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

/* A list is of L1's time: SDM "Saving MSRs", "Loading MSRs". */
static void lists_know_nothing_of_l2s_tsc_offset(void **state)
{
    enum { MSR_TSC = 0x10 };
    const uint64_t own = 1ull << 44, back = 1ull << 45;

    (void)state;
    fake_now = 1000;
    vmwrite(VMCS_PROCESSOR_CONTROLS, vmread(VMCS_PROCESSOR_CONTROLS) | CPU_TSC_OFFSETTING);
    vmwrite(VMCS_TSC_OFFSET, 1ull << 40);
    vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
    vmwrite(VMCS_ENTRY_MSR_LOAD_ADDRESS, LOAD_LIST);
    list_entry(LOAD_LIST, 0, MSR_TSC, own);
    vmwrite(VMCS_EXIT_MSR_STORE_COUNT, 1);
    vmwrite(VMCS_EXIT_MSR_STORE_ADDRESS, STORE_LIST);
    list_entry(STORE_LIST, 0, MSR_TSC, 0);
    vmwrite(VMCS_EXIT_MSR_LOAD_COUNT, 1);
    vmwrite(VMCS_EXIT_MSR_LOAD_ADDRESS, LOAD_LIST + 16);
    list_entry(LOAD_LIST, 1, MSR_TSC, back);
    uint64_t before = fake_now;
    PLAY(IN_L1(launch), IN_L2(cpuid), IN_L1(wbinvd));
    assert_true(peek(STORE_LIST + 8, 8) >= own && peek(STORE_LIST + 8, 8) <= own + (fake_now - before));
    assert_true(vm->vcpu.tsc_offset + fake_now >= back && vm->vcpu.tsc_offset + before <= back);
    assert_int_equal(get(VMCS_TSC_OFFSET), vm->vcpu.tsc_offset);
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

enum { LINK = 0x4000, READS = 0x15000, WRITES = 0x16000 };

/* L1 lets L2 read RIP of the VMCS at LINK. */
static void offer_link(void)
{
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
}

static void what_l2_may_reach_of_a_linked_vmcs_is_a_region_of_cps(void **state)
{
    (void)state;
    offer_link();
    PLAY(IN_L1(launch), IN_L2(interrupted));
    const struct fake_region *linked = (const void *)(uintptr_t)processor()->loaded->held.vmcs_link_pointer;
    assert_true(linked >= processor()->regions && linked < processor()->regions + FAKE_REGIONS);
    assert_true(linked->used && linked->shadow);
}

/* VMREAD that L1 lets through and hardware did not carry out: RCX says of what, RAX where to. */
static void to_900(void) { vm->vcpu.gpr[RCX] = VMCS_GUEST_RIP, vm->vcpu.gpr[RAX] = 0x900; }
static void to_9000(void) { vm->vcpu.gpr[RCX] = VMCS_GUEST_RIP, vm->vcpu.gpr[RAX] = 0x9000; }
static void to_40000900(void) { vm->vcpu.gpr[RCX] = VMCS_GUEST_RIP, vm->vcpu.gpr[RAX] = 0x40000900; }
static void to_200900(void) { vm->vcpu.gpr[RCX] = VMCS_GUEST_RIP, vm->vcpu.gpr[RAX] = 0x200900; }

static void an_operand_that_l2_does_not_map_is_its_page_fault_and_one_that_l1_does_not_is_l1s_exit(void **state)
{
    enum { TO_RAX = 1u << 28 | 2 << 7 | 1 << 22, TO_RDX = 1u << 28 | 1 << 10 | 2 << 3 };
    const struct exit to_storage = {.reason = EXIT_VMREAD, .instruction_length = 3, .instruction_info = TO_RAX},
                      to_rdx = {.reason = EXIT_VMREAD, .instruction_length = 3, .instruction_info = TO_RDX};

    (void)state;
    offer_link();
    map_l2(1);
    poke(0x6000, PT_TOP | PRESENT | WRITABLE, 8);
    poke(0x900, ~0ull, 8);
    PLAY(IN_L1(launch), IN_L2(to_storage, .then = to_900), IN_L2(to_storage, .then = to_40000900), IN_L2(interrupted));
    assert_int_equal(peek(0x900, 8), 0);
    assert_int_equal(entered[2].rip, L2_RIP + 3);
    assert_int_equal(entered[3].rip, L2_RIP + 3);
    assert_int_equal(entered[3].info, EVENT_VALID | EVENT_HARDWARE_EXCEPTION | EVENT_ERROR | VECTOR_PF);
    assert_int_equal(entered[3].error, 2);
    assert_int_equal(vm->vcpu.cr2, 0x40000900);
    PLAY(IN_L2(to_storage, .then = to_200900)); /* L2 maps it */
    assert_l1_has(EXIT_EPT_VIOLATION);
    assert_int_equal(vmread(VMCS_GUEST_RIP), L2_RIP + 3);
    PLAY(IN_L1(resume), IN_L2(to_rdx, .then = to_900), IN_L2(cpuid)); /* the next one is CP's again */
    assert_int_equal(entered[2].rip, L2_RIP + 6);
    assert_l1_has(EXIT_CPUID);
}

/* L2 has the same CR3 as L1, and another page at each address. */
static void what_is_kept_of_l1s_translations_is_not_l2s_nor_the_other_way_round(void **state)
{
    enum { HERE = 0x9000, L2S = 0x200000, MEMORY_RAX = 2 << 7 | 1 << 22, VALUE = 0x5A5A };
    const struct exit to_storage = {.reason = EXIT_VMREAD, .instruction_length = 3,
                                    .instruction_info = MEMORY_RAX | 1u << 28},
                      from_storage = {.reason = EXIT_VMWRITE, .instruction_length = 3,
                                      .instruction_info = MEMORY_RAX | 1u << 28};

    (void)state;
    offer_link();
    poke(WRITES + (VMCS_GUEST_RIP >> 3), 0, 1);
    map_l2(1);
    poke(0x22000, peek(0x22000, 8) | L2S, 8);
    poke(L2S + PT_ROOT, PT_TOP | PRESENT | WRITABLE, 8);
    poke(L2S + PT_TOP, LARGE | PRESENT | WRITABLE, 8);
    vmwrite(VMCS_GUEST_CR3, PT_ROOT);
    set(VMCS_GUEST_CR4, get(VMCS_GUEST_CR4) | CR4_MCE); /* which CP sets for either */
    fake_vmx_pointer(processor(), EXIT_VMCLEAR, FAKE_VMCS_B); /* what L1 reads at 800H is kept */
    poke(L2S + 0x900, VALUE, 8);
    poke(L2S + HERE, ~0ull, 8);
    PLAY(IN_L1(launch), IN_L2(from_storage, .then = to_900), IN_L2(to_storage, .then = to_9000), IN_L2(cpuid));
    assert_int_equal(peek(L2S + HERE, 8), VALUE);
    fake_vmx_memory(processor(), EXIT_VMPTRST, HERE, 0);
    assert_int_equal(peek(HERE, 8), FAKE_VMCS);
    assert_int_equal(peek(L2S + HERE, 8), VALUE);
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

static void set_bit_of_msr(void)
{
    uint64_t at;

    assert_true(fake_vmx_touch(processor(), FAKE_BITMAPS + 0x176 / 8, 2, &at));
    *(uint8_t *)(uintptr_t)at |= 1 << (0x176 & 7);
}

/* L1 gave its guest the page it keeps one in. */
static void so_does_one_that_l2_changes(void **state)
{
    const struct exit store = {.reason = EXIT_EPT_VIOLATION, .qualification = 2 | 3 << 7,
                               .guest_physical = FAKE_BITMAPS + 0x176 / 8};

    (void)state;
    memset((void *)(uintptr_t)processor()->base.msr_bitmap, 0, 4096);
    vmwrite(VMCS_PROCESSOR_CONTROLS, vmread(VMCS_PROCESSOR_CONTROLS) | CPU_MSR_BITMAPS);
    vmwrite(VMCS_MSR_BITMAP, FAKE_BITMAPS);
    map_l2(1);
    PLAY(IN_L1(launch), IN_L2(cpuid));
    PLAY(IN_L1(resume), IN_L2(cpuid)); /* the union is kept, and its page watched */
    PLAY(IN_L1(resume), IN_L2(store), IN_L2(cpuid, .then = set_bit_of_msr), IN_L1(resume), IN_L2(interrupted));
    assert_true(exits_at_msr(0x176));
}

static void touch_msr_bitmap(void)
{
    uint64_t at;

    assert_true(fake_vmx_touch(processor(), FAKE_BITMAPS, 2, &at));
}

static void not_to_be_touched(void)
{
    uint64_t at;

    assert_false(fake_vmx_touch(processor(), FAKE_BITMAPS, 2, &at));
}

/* Or it would write there unseen. */
static void a_page_that_l2_may_write_to_is_taken_from_it_when_l1_keeps_a_bitmap_there(void **state)
{
    const struct exit store = {.reason = EXIT_EPT_VIOLATION, .qualification = 2 | 3 << 7,
                               .guest_physical = FAKE_BITMAPS};

    (void)state;
    map_l2(1);
    PLAY(IN_L1(launch), IN_L2(store), IN_L2(cpuid, .then = touch_msr_bitmap));
    vmwrite(VMCS_PROCESSOR_CONTROLS, vmread(VMCS_PROCESSOR_CONTROLS) | CPU_MSR_BITMAPS);
    vmwrite(VMCS_MSR_BITMAP, FAKE_BITMAPS);
    PLAY(IN_L1(resume), IN_L2(cpuid, .then = not_to_be_touched));
}

static void a_page_has_one_number_until_it_is_written(void **state)
{
    const struct nest_host *host = &processor()->host;

    (void)state;
    unsigned flushes = fake_cpu_flushes;
    uint64_t number = host->version(vm, FAKE_BITMAPS);
    assert_true(number > 0);
    assert_int_equal(fake_cpu_flushes, flushes + 1); /* it is write-protected now */
    assert_int_equal(host->version(vm, FAKE_BITMAPS), number);
    assert_int_equal(fake_cpu_flushes, flushes + 1);
    guest_written(&vm->storage, gpa(FAKE_BITMAPS), 1);
    uint64_t next = host->version(vm, FAKE_BITMAPS);
    assert_true(next && next != number);
    assert_int_equal(host->version(vm, 0xC0000000), 0); /* no storage */
}

/* ---- L2 and devices ---------------------------------------------------------------------------------------------- */

enum { IOAPIC = 0xFEC00000 };

/* L2's paging and L1's EPT map it one to one; L2 stands at MOV [RBX], EAX. */
static void give_l2_the_ioapic(void)
{
    enum { ALL = 7 };
    poke(0x6000, PT_TOP | PRESENT | WRITABLE, 8);
    poke(PT_TOP + 24, 0xC0000000 | LARGE | PRESENT | WRITABLE, 8);
    map_l2(1);
    poke(0x21000 + 24, 0x23000 | ALL, 8);
    poke(0x23000 + 8 * (IOAPIC >> 21 & 511), IOAPIC | LARGE | ALL, 8);
    poke(L2_RIP, 0x0389, 2);
}

static void stays(struct guest_storage *storage) { (void)storage; }

/* Neither L2's tables nor the processor's work on pages reach one that other machines have too. */
static void a_page_l1_shares_with_others_is_its_own_before_l2_or_the_processor_has_it(void **state)
{
    enum { SHARED = 0x123000, PINNED = 0x124000 };
    struct guest_storage saved = {0};
    struct nest_translation translation;

    (void)state;
    guest_storage_init(&saved, 4 << 20, 0);
    assert_int_equal(guest_write(&saved, gpa(SHARED), "saved", 6), GUEST_OK);
    assert_int_equal(guest_write(&saved, gpa(PINNED), "saved", 6), GUEST_OK);
    *guest_entry(&vm->storage, gpa(SHARED)) = *guest_entry(&vm->storage, gpa(PINNED)) = 0;
    vm->storage.moved = stays;
    share_begin(&vm->storage, &saved);
    assert_int_equal(share_map(&vm->storage, gpa(SHARED)), GUEST_OK);
    assert_int_equal(vm->storage.shared, 2);
    assert_true(processor()->host.translate(vm, SHARED, NEST_READ, &translation));
    assert_int_equal(translation.rights, 7);
    assert_ptr_not_equal(frame_pointer(hpa(translation.hpa)), guest_pointer(&saved, gpa(SHARED), NULL));
    assert_int_not_equal(processor()->host.pin(vm, PINNED),
                         frame_address(guest_pointer(&saved, gpa(PINNED), NULL)).a);
    assert_int_equal(vm->storage.shared, 0);
    *(char *)frame_pointer(hpa(translation.hpa)) = 'L';
    assert_string_equal(guest_pointer(&saved, gpa(SHARED), NULL), "saved");
    assert_string_equal(guest_pointer(&vm->storage, gpa(SHARED), NULL), "Laved");
    vm->storage.shares = NULL;
    guest_storage_free(&saved);
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
    assert_false(processor()->host.translate(vm, IOAPIC, NEST_WRITE, &(struct nest_translation){0}));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_operand_l1_does_not_map_is_its_page_fault),
        TEST(one_behind_tables_that_are_no_storage_is_one_that_no_table_maps),
        TEST(where_l1_writes_twice_is_looked_up_once),
        TEST(an_operand_is_read_anew_when_its_mapping_has_changed),
        TEST(msr_lists_reach_the_msrs_of_the_machine),
        TEST(lists_know_nothing_of_l2s_tsc_offset),
        TEST(a_list_that_cannot_be_loaded_at_entry_is_a_failed_entry),
        TEST(one_that_cannot_be_loaded_at_an_exit_is_a_vmx_abort),
        TEST(a_virtual_apic_page_is_l1s_own),
        TEST(what_l2_may_reach_of_a_linked_vmcs_is_a_region_of_cps),
        TEST(an_operand_that_l2_does_not_map_is_its_page_fault_and_one_that_l1_does_not_is_l1s_exit),
        TEST(what_is_kept_of_l1s_translations_is_not_l2s_nor_the_other_way_round),
        TEST(a_bitmap_l1_changes_counts_at_the_next_entry),
        TEST(so_does_one_that_l2_changes),
        TEST(a_page_that_l2_may_write_to_is_taken_from_it_when_l1_keeps_a_bitmap_there),
        TEST(a_page_has_one_number_until_it_is_written),
        TEST(a_page_l1_shares_with_others_is_its_own_before_l2_or_the_processor_has_it),
        TEST(a_device_l1_gave_to_l2_is_reached_through_both_pagings),
        TEST(delivery_of_an_event_to_a_device_ends_l2_by_a_triple_fault),
        TEST(an_interrupt_that_waits_keeps_l2_from_its_halt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
