/* The chain: what CP0 carries out alone, what it leaves to the owner and how that one finds it, and what ends it. */
#include "tests/unit/nest_chain_scene.h"

static bool never(struct tower *tower)
{
    (void)tower;
    return false;
}

static struct nest *inner(void)
{
    assert_true(tower_chained(&t));
    return t.m.nest.innermost;
}

/* ---- CP0 alone --------------------------------------------------------------------------------- */

static void an_exit_v2_asked_for_passes_no_cp_in_between(void **state)
{
    (void)state;
    uint64_t turns = t.m.nest.counts.instructions[EXIT_VMRESUME];
    for (unsigned i = 0; i < 5; i++) {
        enter(P2);
        assert_true(tower_chained(&t));
        l3_executes(EXIT_CPUID);
        assert_false(t.in_l3);
        assert_int_equal(page_at(P2)->fields.exit_reason, EXIT_CPUID);
    }
    assert_int_equal(t.m.nest.counts.instructions[EXIT_VMRESUME], turns);
    assert_int_equal(t.delegated, 5);
    assert_int_equal(t.carried_exits, 5);
}

static void storage_of_l3_is_what_three_tables_say(void **state)
{
    (void)state;
    enter(P2);
    assert_int_equal(l3_touches(0x3010, 2), 0x100000000ull + TOWER_V2 + L3_STORAGE + 0x3010);
    assert_true(tower_chained(&t));
}

static void a_failed_entry_is_told_in_the_page(void **state)
{
    (void)state;
    vmcs_page_write(page_at(P2), VMCS_INDEX_HOST_CR4, 0);
    tower_v2_call(&t, P2);
    assert_false(t.in_l3);
    assert_int_equal(t.m.gpr[RAX], TOWER_ENTRY_FAILED + NEST_PAGE_FAILED);
    assert_int_equal(page_at(P2)->fields.instruction_error, 8);
    assert_int_equal(t.outer, 0);
    vmcs_page_write(page_at(P2), VMCS_INDEX_HOST_CR4, 0x2020);
    vmcs_page_write(page_at(P2), VMCS_INDEX_GUEST_RFLAGS, 0);
    tower_v2_call(&t, P2);
    assert_int_equal(page_at(P2)->fields.exit_reason, EXIT_ENTRY_GUEST_STATE | EXIT_ENTRY_FAILED);
    assert_int_equal(t.outer, 0);
}

static void each_depth_has_tags_of_its_own(void **state)
{
    (void)state;
    enter(P2);
    const struct nest_policy *policy = &inner()->policy;
    assert_true(policy->vpid_first >= t.m.nest.policy.vpid_first + NEST_ACTIVE || !policy->vpid_count);
    l3_executes(EXIT_CPUID);
}

/* ---- what is not carried --------------------------------------------------------------------------- */

static void what_is_not_carried_is_the_owners_and_its_page_as_it_was(void **state)
{
    static const struct {
        enum vmcs_index index;
        uint64_t set, clear;
    } rows[] = {
        {VMCS_INDEX_EXIT_MSR_STORE_COUNT, 1, 0},
        {VMCS_INDEX_EXIT_MSR_LOAD_COUNT, 1, 0},
        {VMCS_INDEX_ENTRY_MSR_LOAD_COUNT, 1, 0},
        {VMCS_INDEX_EXIT_CONTROLS, 0, EXIT_HOST_LONG_MODE},
        {VMCS_INDEX_GUEST_ACTIVITY_STATE, 1, 0},
        {VMCS_INDEX_PROCESSOR_CONTROLS, CPU_MONITOR_TRAP_FLAG, 0},
        {VMCS_INDEX_SECONDARY_CONTROLS, CPU2_VM_FUNCTIONS, 0},
        {VMCS_INDEX_SECONDARY_CONTROLS, CPU2_PML, 0},
        {VMCS_INDEX_SECONDARY_CONTROLS, CPU2_VMCS_SHADOWING, 0},
        {VMCS_INDEX_SECONDARY_CONTROLS, 0, CPU2_VPID},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vmcs_page *page = tower_make_page(&t, P2, TABLES), before;
        unsigned held = t.m.frames_held;
        uint64_t was = vmcs_get(&page->fields, rows[i].index);
        vmcs_page_write(page, rows[i].index, (was | rows[i].set) & ~rows[i].clear);
        before = *page;
        struct vmcs v2 = t.m.loaded->held;
        assert_int_equal(call_of_v2(P2), NEST_OUTER);
        assert_memory_equal(&page->fields, &before.fields, sizeof(before.fields));
        assert_int_equal(page->rax, before.rax);
        assert_memory_equal(&t.m.loaded->held, &v2, sizeof(v2));
        assert_false(tower_chained(&t));
        assert_true(t.m.frames_held <= held + 2); /* the nest, and no page */
    }
}

static void a_call_that_is_refused_is_the_owners_to_refuse(void **state)
{
    static const uint64_t bad[] = {TOWER_V2_VMXON, MSRS, P2 + 8, TOWER_V2_BYTES, 1ull << 50, ~0ull};
    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        unsigned outer = t.outer;
        tower_v2_call(&t, bad[i]);
        sound();
        assert_false(t.in_l3);
        assert_true(t.m.gpr[RAX] >= TOWER_ENTRY_FAILED && t.m.gpr[RAX] < TOWER_ENTRY_FAILED + NEST_PAGE_FAILED);
        assert_int_equal(t.outer, outer + 1);
    }
}

static void who_does_not_delegate_has_the_call(void **state)
{
    (void)state;
    t.delegates = never;
    tower_v2_executes(&t, EXIT_CPUID);
    enter(P2);
    assert_false(tower_chained(&t));
    l3_executes(EXIT_CPUID);
    assert_int_equal(t.delegated + t.outer, 0);
}

static void a_window_of_the_owner_keeps_its_guests_calls_its_own(void **state)
{
    static const uint32_t windows[] = {CPU_INTERRUPT_WINDOW_EXITING, CPU_NMI_WINDOW_EXITING, CPU_MONITOR_TRAP_FLAG};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        t.m.nest.current->vmcs12.processor_controls |= windows[i];
        assert_int_equal(call_of_v2(P2), NEST_OUTER);
        t.m.nest.current->vmcs12.processor_controls &= ~windows[i];
    }
    t.m.nest.current->vmcs12.exception_bitmap |= 1 << 6;
    assert_int_equal(call_of_v2(P2), NEST_OUTER);
    t.m.nest.current->vmcs12.exception_bitmap &= ~(1u << 6);
    assert_int_equal(call_of_v2(P2), NEST_ENTERED);
    assert_true(fake_vmx_load(&t.m));
    t.in_l3 = true;
}

/* ---- going back to the owner ------------------------------------------------------------------------ */

static void an_event_on_its_way_survives(void **state)
{
    (void)state;
    enter(P2);
    t.event0 = (struct nest_event){0x80000B0D, 0x38, 0};
    tower_give_back(&t);
    sound();
    assert_true(t.in_l3);
    assert_int_equal(t.event0.info, 0x80000B0D);
    assert_int_equal(t.event0.error, 0x38);
    struct nest_event delivered = {0};
    struct l3_step step = {.reason = EXIT_CPUID};
    l3_does(&step, &delivered);
    assert_int_equal(delivered.info, 0x80000B0D);
    assert_false(page_at(P2)->fields.entry_interruption_info >> 31);
}

static void an_event_that_was_delivered_does_not_come_again(void **state)
{
    (void)state;
    vmcs_page_write(page_at(P2), VMCS_INDEX_ENTRY_INTERRUPTION_INFO, 0x80000306);
    enter(P2);
    assert_int_equal(t.event0.info, 0x80000306);
    t.event0 = (struct nest_event){0};
    tower_give_back(&t);
    assert_true(t.in_l3);
    assert_int_equal(t.event0.info, 0);
}

static void the_timer_goes_on_where_it_was(void **state)
{
    (void)state;
    for (unsigned saves = 0; saves < 2; saves++) {
        struct vmcs_page *page = tower_make_page(&t, P2, TABLES);
        page->fields.pin_controls |= PIN_PREEMPTION_TIMER;
        page->fields.exit_controls |= saves ? EXIT_SAVE_PREEMPTION_TIMER : 0;
        page->fields.preemption_timer = 100;
        tower_v2_operand(&t, EXIT_VMCLEAR, P2, 0, 0);
        enter(P2);
        t.m.tsc += 60 * 32;
        nest_chain_stop(&t.m.nest);
        assert_int_equal(page->resumes, VMCS_PAGE_RESUMES | 40);
        assert_true(fake_vmx_load(&t.m));
        tower_settle(&t);
        assert_int_equal(page->resumes, 0);
        assert_true(tower_chained(&t));
        t.m.tsc += 39 * 32;
        tower_interrupt(&t);
        tower_settle(&t);
        t.m.tsc += 32;
        l3_executes(EXIT_CPUID);
        assert_int_equal(page->fields.exit_reason, EXIT_PREEMPTION_TIMER);
        assert_int_equal(page->fields.preemption_timer, saves ? 0 : 100);
    }
}

static void registers_of_the_caller_are_those_of_its_call(void **state)
{
    (void)state;
    page_at(P2)->rax = 0x111, page_at(P2)->rbx = 0x222;
    enter(P2);
    assert_int_equal(t.m.gpr[RAX], 0x111);
    assert_int_equal(t.m.gpr[RBX], 0x222);
    t.m.gpr[RAX] = 0x333, t.m.gpr[RCX] = 0x444;
    nest_chain_stop(&t.m.nest);
    assert_int_equal(t.m.gpr[RAX], TOWER_CALL);
    assert_int_equal(t.m.gpr[RBX], P2);
    assert_int_equal(t.m.gpr[RCX], 0x444);
    assert_int_equal(page_at(P2)->rax, 0x333);
    assert_true(fake_vmx_load(&t.m));
    tower_settle(&t);
    assert_int_equal(t.m.gpr[RAX], 0x333);
}

static void the_owners_timer_takes_all_within_out(void **state)
{
    (void)state;
    t.deadline1 = t.m.tsc + 640;
    tower_v2_executes(&t, EXIT_CPUID);
    enter(P2);
    assert_true(tower_chained(&t));
    t.m.tsc += 640;
    assert_true(timer_is_over());
    const struct exit exit = {.reason = EXIT_PREEMPTION_TIMER};
    assert_int_equal(nest_exit(&t.m.nest, &exit), NEST_REFLECTED);
    assert_false(t.m.nest.in_guest);
    assert_int_equal(t.first.page->fields.exit_reason, EXIT_PREEMPTION_TIMER);
    assert_int_equal(t.m.gpr[RAX], TOWER_CALL);
    tower_run(&t);
    tower_settle(&t);
    sound();
}

/* What the owner does when an interrupt comes for it. */
static uint64_t paged_out;

static void page_out(struct tower *tower)
{
    tower_page_out(tower, paged_out);
    tower->between = NULL;
}

static void swap_pages(struct tower *tower)
{
    unsigned from = (L3_STORAGE + 0x2000) / 0x1000, to = (L3_STORAGE + 0x5000) / 0x1000;
    uint64_t entry = tower->ept01[from];
    tower->ept01[from] = tower->ept01[to], tower->ept01[to] = entry;
    tower_invept(tower, tower_eptp(tower));
    tower->between = NULL;
}

static unsigned regions_left, frames_left;

static void clear_p1(struct tower *tower)
{
    tower_vmclear(tower, tower->first.page);
    regions_left = tower->m.regions_held, frames_left = tower->m.frames_held;
    tower->between = NULL;
}

static void owner_does(void (*what)(struct tower *))
{
    t.between = what;
    tower_interrupt(&t);
    tower_settle(&t);
    sound();
}

/* ---- the owner's EPT ----------------------------------------------------------------------------------- */

static void after_invept_of_the_owner_pages_are_where_they_are_now(void **state)
{
    (void)state;
    enter(P2);
    uint64_t before = l3_touches(0x2000, 1);
    owner_does(swap_pages);
    assert_true(tower_chained(&t));
    assert_int_equal(l3_touches(0x2000, 1), before + 0x3000);
    assert_int_equal(l3_touches(0x5000, 1), before);
}

static void tables_that_the_owner_does_not_map_are_no_misconfiguration(void **state)
{
    (void)state;
    for (unsigned level = 0; level < 4; level++) {
        enter(P2);
        paged_out = TABLES + level * 0x1000;
        owner_does(page_out);
        assert_true(tower_chained(&t));
        assert_int_equal(exit_of_l3(EXIT_EPT_VIOLATION, 0x3000, 1), NEST_OUTER);
        assert_true(l3_touches(0x3000, 1));
        assert_true(t.in_l3);
        l3_executes(EXIT_CPUID);
    }
}

static void a_bitmap_that_the_owner_does_not_map_asks_for_nothing(void **state)
{
    (void)state;
    memset(tower_v2(&t, MSRS), 0, 0x1000);
    vmcs_page_write(page_at(P2), VMCS_INDEX_PROCESSOR_CONTROLS,
                    page_at(P2)->fields.processor_controls | CPU_MSR_BITMAPS);
    vmcs_page_write(page_at(P2), VMCS_INDEX_MSR_BITMAP, MSRS);
    t.ept01[MSRS / 0x1000] = 0;
    assert_int_equal(call_of_v2(P2), NEST_OUTER);
    enter(P2);
    t.m.gpr[RCX] = 0x10;
    l3_executes(EXIT_RDMSR);
    assert_true(t.in_l3);
}

static void a_page_is_not_written_to_that_the_owner_lets_be_read_only(void **state)
{
    (void)state;
    t.ept01[P2 / 0x1000] &= ~2ull;
    struct vmcs_page before = *page_at(P2);
    assert_int_equal(call_of_v2(P2), NEST_OUTER);
    assert_memory_equal(&before, page_at(P2), sizeof(before));
}

/* ---- frames ------------------------------------------------------------------------------------------------ */

static void frames_may_run_out_anywhere(void **state)
{
    (void)state;
    for (int spare = 0; spare < 16; spare++) {
        t.frames_spare = spare;
        enter(P2);
        assert_true(l3_touches(0x1000, 2));
        assert_true(t.in_l3);
        l3_executes(EXIT_CPUID);
        assert_int_equal(page_at(P2)->fields.exit_reason, EXIT_CPUID);
        tower_v2_operand(&t, EXIT_INVEPT, 0, 0, 2);
    }
    assert_true(t.outer > 2 && t.delegated > 2);
}

/* What CP0 holds when P1 alone is kept, however far L3 came. */
static void all_frames_come_back_when_p1_goes(void **state)
{
    (void)state;
    enter(P2);
    l3_touches(0x1000, 2);
    assert_true(tower_chained(&t));
    owner_does(clear_p1);
    assert_int_equal(regions_left, 0);
    assert_int_equal(frames_left, 5); /* the fake machine's own bitmaps, and EPT02, which outlives VMCLEAR */
    assert_true(l3_touches(0x1000, 2));
}

static void a_reset_in_mid_flight_leaves_nothing(void **state)
{
    (void)state;
    enter(P2);
    l3_touches(0x1000, 2);
    assert_true(tower_chained(&t));
    t.m.loaded = &t.m.first;
    nest_reset(&t.m.nest, true);
    assert_int_equal(t.m.regions_held, 0);
    assert_int_equal(t.m.frames_held, 3); /* the fake machine's own bitmaps */
    assert_ptr_equal(t.m.nest.innermost, &t.m.nest);
    fake_vmx_enter_operation(&t.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ALL(an_exit_v2_asked_for_passes_no_cp_in_between),
        WITH_ALL(storage_of_l3_is_what_three_tables_say),
        WITH_ALL(a_failed_entry_is_told_in_the_page),
        WITH_ALL(each_depth_has_tags_of_its_own),
        WITH_ALL(what_is_not_carried_is_the_owners_and_its_page_as_it_was),
        WITH_ALL(a_call_that_is_refused_is_the_owners_to_refuse),
        WITH_ALL(who_does_not_delegate_has_the_call),
        WITH_ALL(a_window_of_the_owner_keeps_its_guests_calls_its_own),
        WITH_ALL(an_event_on_its_way_survives),
        WITH_ALL(an_event_that_was_delivered_does_not_come_again),
        WITH_ALL(the_timer_goes_on_where_it_was),
        WITH_ALL(registers_of_the_caller_are_those_of_its_call),
        WITH_ALL(the_owners_timer_takes_all_within_out),
        WITH_ALL(after_invept_of_the_owner_pages_are_where_they_are_now),
        WITH_ALL(tables_that_the_owner_does_not_map_are_no_misconfiguration),
        WITH_ALL(a_bitmap_that_the_owner_does_not_map_asks_for_nothing),
        WITH_ALL(a_page_is_not_written_to_that_the_owner_lets_be_read_only),
        WITH_ALL(frames_may_run_out_anywhere),
        WITH_ALL(all_frames_come_back_when_p1_goes),
        WITH_ALL(a_reset_in_mid_flight_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
