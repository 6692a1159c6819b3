/* The memory way: what the call to enter by a page takes over and gives back. */
#include "tests/unit/nest_page_scene.h"

static bool noted(uint64_t gpa, enum vmcs_index index)
{
    return vmcs_set_has(&page_at(gpa)->written, index);
}

/* ---- what is taken over -------------------------------------------------------------- */

static void a_page_is_entered_with_its_own_rax_and_rbx(void **state)
{
    (void)state;
    page_at(PAGE)->rax = 0x1111, page_at(PAGE)->rbx = 0x2222;
    m.gpr[1] = 0x3333;
    enter(PAGE);
    assert_int_equal(m.gpr[RAX], 0x1111);
    assert_int_equal(m.gpr[RBX], 0x2222);
    assert_int_equal(m.gpr[1], 0x3333);
    assert_int_equal(m.loaded->held.guest_rip, 0x4000);
    assert_true(nest_in_guest(&m.nest) && nest_entered_by_page(&m.nest));
    assert_int_equal(m.nest.counts.instructions[EXIT_VMRESUME], 1);
}

static void what_is_noted_is_taken_and_its_note_cleared(void **state)
{
    (void)state;
    enter(PAGE);
    leave();
    page_write(PAGE, VMCS_INDEX_GUEST_CR3, 0x7000);
    page_write(PAGE, VMCS_INDEX_GUEST_RIP, 0x4444);
    assert_true(noted(PAGE, VMCS_INDEX_GUEST_CR3));
    enter(PAGE);
    assert_int_equal(m.loaded->held.guest_cr3, 0x7000);
    assert_int_equal(m.loaded->held.guest_rip, 0x4444);
    assert_true(vmcs_set_empty(&page_at(PAGE)->written));
}

static void what_is_not_noted_is_not_seen_until_it_is(void **state)
{
    (void)state;
    enter(PAGE);
    leave();
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (i != VMCS_INDEX_GUEST_CR3)
            vmcs_set(&page_at(PAGE)->fields, i, ~0ull);
    page_write(PAGE, VMCS_INDEX_GUEST_CR3, 0x7000);
    const struct vmcs before = m.nest.current->vmcs12;
    enter(PAGE); /* with a single note */
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        assert_true(vmcs_get(&m.nest.current->vmcs12, i) ==
                    (i == VMCS_INDEX_GUEST_CR3 ? 0x7000 : vmcs_get(&before, i)));
    leave();
    vmcs_set_add(&page_at(PAGE)->written, VMCS_INDEX_HOST_CR3);
    refuse(PAGE, NEST_PAGE_FAILED); /* now all ones are seen there */
    assert_int_equal(page_at(PAGE)->fields.instruction_error, VM_ERROR_HOST_STATE);
}

static void notes_outlive_a_call_that_fails_before_it_takes_them(void **state)
{
    (void)state;
    enter(PAGE);
    leave();
    page_write(PAGE, VMCS_INDEX_GUEST_CR3, 0x7000);
    m.first.held.guest_interruptibility = 2;
    refuse(PAGE, NEST_PAGE_FAILED);
    assert_int_equal(page_at(PAGE)->fields.instruction_error, VM_ERROR_MOV_SS);
    m.first.held.guest_interruptibility = 0;
    enter(PAGE);
    assert_int_equal(m.loaded->held.guest_cr3, 0x7000);
}

/* ---- what an exit leaves ----------------------------------------------------------------------- */

static void an_exit_is_reported_in_the_page(void **state)
{
    const struct exit exit = {.reason = EXIT_EPT_VIOLATION, .qualification = 0x181, .instruction_length = 3,
                              .guest_physical = 0x123456, .guest_linear = 0x7890, .idt_vectoring_info = 0x80000021};
    (void)state;
    enter(PAGE);
    vmcs_set_clear(&page_at(PAGE)->changed);
    m.loaded->held.guest_rip = 0x4010, m.loaded->held.guest_rsp = 0x4700, m.loaded->held.guest_cr3 = 0x9000;
    leave_by(&exit);
    const struct vmcs *fields = &page_at(PAGE)->fields;
    assert_int_equal(fields->exit_reason, EXIT_EPT_VIOLATION);
    assert_int_equal(fields->guest_physical_address, 0x123456);
    assert_int_equal(fields->guest_linear_address, 0x7890);
    assert_int_equal(fields->idt_vectoring_info, 0x80000021);
    assert_int_equal(fields->guest_rip, 0x4010);
    assert_int_equal(fields->guest_rsp, 0x4700);
    assert_int_equal(fields->guest_cr3, 0x9000);
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        assert_int_equal(told(PAGE, i), vmcs_set_has(&vmcs_set_exit, i) || i == VMCS_INDEX_GUEST_CR3);
    assert_true(vmcs_set_empty(&page_at(PAGE)->written));
}

static void an_event_that_was_injected_is_no_longer_valid_in_the_page(void **state)
{
    (void)state;
    page_write(PAGE, VMCS_INDEX_ENTRY_INTERRUPTION_INFO, 0x80000020);
    page_write(PAGE, VMCS_INDEX_GUEST_RFLAGS, 0x202);
    enter(PAGE);
    assert_int_equal(m.nest.event.info, 0x80000020);
    leave();
    assert_int_equal(page_at(PAGE)->fields.entry_interruption_info, 0x20);
    assert_true(told(PAGE, VMCS_INDEX_ENTRY_INTERRUPTION_INFO));
}

/* L1's copy of the page may be stale while L2 runs: CP's own is what counts. */
static void what_happens_to_the_page_while_l2_runs_harms_nobody(void **state)
{
    (void)state;
    enter(PAGE);
    memset(page_at(PAGE), 0xFF, sizeof(struct vmcs_page));
    leave();
    assert_int_equal(m.loaded->held.guest_rip, 0x8100);
    refuse(PAGE, NEST_PAGE_MALFORMED); /* notes of everything */
    make_page(PAGE);
    vmcs_set_clear(&page_at(PAGE)->written);
    enter(PAGE);
}

/* ---- VMX instructions on a page -------------------------------------------------------------------- */

static void vmread_and_vmwrite_reach_an_active_page(void **state)
{
    (void)state;
    enter(PAGE);
    leave();
    page_write(PAGE, VMCS_INDEX_GUEST_CR3, 0x7000);
    fake_vmx_pointer(&m, EXIT_VMPTRLD, PAGE);
    assert_int_equal(fake_vmx_verdict(&m), FAKE_SUCCEEDED);
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_CR3), 0x7000);
    fake_vmx_write(&m, VMCS_GUEST_RSP, 0x4600);
    assert_int_equal(fake_vmx_verdict(&m), FAKE_SUCCEEDED);
    assert_int_equal(page_at(PAGE)->fields.guest_rsp, 0x4600);
    assert_true(told(PAGE, VMCS_INDEX_GUEST_RSP));
    enter(PAGE);
    assert_int_equal(m.loaded->held.guest_cr3, 0x7000);
    assert_int_equal(m.loaded->held.guest_rsp, 0x4600);
}

static void a_page_is_not_entered_by_vmlaunch_or_vmresume(void **state)
{
    (void)state;
    enter(PAGE);
    leave();
    fake_vmx_pointer(&m, EXIT_VMPTRLD, PAGE);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMRESUME), NEST_SKIP);
    assert_int_equal(fake_vmx_verdict(&m), FAKE_FAILED_INVALID);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_SKIP);
    assert_int_equal(fake_vmx_verdict(&m), FAKE_FAILED_INVALID);
    enter(PAGE);
}

static void vmclear_lets_go_of_a_page_and_leaves_it_one(void **state)
{
    (void)state;
    enter(PAGE);
    leave();
    for (unsigned i = 0; i < 2; i++) { /* an active one, and one that no longer is */
        fake_vmx_pointer(&m, EXIT_VMCLEAR, PAGE);
        assert_int_equal(fake_vmx_verdict(&m), FAKE_SUCCEEDED);
        assert_null(nest_active_find(&m.nest, PAGE));
        assert_null(m.nest.current);
    }
    page_at(PAGE)->fields.guest_cr3 = 0x7000; /* without a note: it is taken as it stands */
    enter(PAGE);
    assert_int_equal(m.loaded->held.guest_cr3, 0x7000);
}

static void a_region_and_a_page_take_turns(void **state)
{
    (void)state;
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    fake_vmx_write(&m, VMCS_GUEST_CR3, 0xA000);
    for (unsigned i = 0; i < 40; i++) { /* long enough for its shadow region to be closed */
        fake_vmx_pointer(&m, EXIT_VMPTRLD, FAKE_VMCS);
        assert_int_equal(fake_vmx_plain(&m, i ? EXIT_VMRESUME : EXIT_VMLAUNCH), NEST_ENTERED);
        assert_true(fake_vmx_load(&m));
        assert_int_equal(m.loaded->held.guest_cr3, 0xA000);
        assert_false(nest_entered_by_page(&m.nest));
        leave();
        enter(PAGE);
        assert_int_equal(m.loaded->held.guest_cr3, 0x6000);
        assert_null(m.link);
        leave();
    }
}

/* ---- room and frames --------------------------------------------------------------------------------- */

static void more_pages_than_there_is_room_for_come_back_as_they_were(void **state)
{
    enum { PAGES = NEST_ACTIVE + 5 };
    (void)state;
    for (unsigned i = 0; i < PAGES; i++)
        *make_page(0x100000 + i * 0x1000) = *page_at(PAGE);
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < PAGES; i++) {
            uint64_t gpa = 0x100000 + i * 0x1000;
            page_write(gpa, VMCS_INDEX_GUEST_CR3, 0x200000 + (round * PAGES + i) * 0x1000);
            page_at(gpa)->rax = i;
            enter(gpa);
            assert_int_equal(m.loaded->held.guest_cr3, 0x200000 + (round * PAGES + i) * 0x1000);
            if (round)
                assert_int_equal(m.loaded->held.guest_rsp, 0x4800 + i);
            assert_int_equal(m.gpr[RAX], i);
            m.loaded->held.guest_rsp = 0x4800 + i;
            leave();
        }
}

/* However many there are, an entry that finds none fails and what it took is given back. */
static void without_frames_the_call_is_refused_or_the_machine_stops(void **state)
{
    bool entered = false, refused = false, stopped = false;
    (void)state;
    for (unsigned spare = 0; !entered; spare++) {
        start(NULL);
        link_pages(PAGE, LINK);
        page_write(PAGE, VMCS_INDEX_PROCESSOR_CONTROLS,
                   page_at(PAGE)->fields.processor_controls | CPU_MSR_BITMAPS | CPU_IO_BITMAPS | CPU_TPR_SHADOW);
        page_write(PAGE, VMCS_INDEX_VIRTUAL_APIC_ADDRESS, 0x60000);
        m.frames_limit = m.frames_held + spare;
        enum nest_result result = call(PAGE);
        if (result == NEST_SKIP) {
            assert_int_equal(error, NEST_PAGE_NO_FRAMES);
            refused = true;
        } else if (result == NEST_NO_FRAMES) {
            assert_false(nest_in_guest(&m.nest));
            nest_reset(&m.nest, true);
            stopped = true;
        } else {
            assert_int_equal(result, NEST_ENTERED);
            entered = true;
        }
        assert_int_equal(stop(NULL), 0);
    }
    assert_true(refused && stopped);
    start(NULL);
}

static bool no_region02;
static void *(*real_region_alloc)(struct vcpu *, bool);
static void *some_regions(struct vcpu *cpu, bool shadow)
{
    return !shadow && no_region02 ? NULL : real_region_alloc(cpu, shadow);
}

static void without_a_region_for_vmcs02_the_machine_stops(void **state)
{
    (void)state;
    real_region_alloc = m.vmx.region_alloc;
    m.vmx.region_alloc = some_regions;
    no_region02 = true;
    assert_int_equal(call(PAGE), NEST_NO_FRAMES);
    no_region02 = false;
    enter(PAGE); /* nothing is half made */
}

/* ---- the end --------------------------------------------------------------------------------------------- */

static void reset_lets_go_of_everything_whenever_it_comes(void **state)
{
    (void)state;
    for (unsigned when = 0; when < 4; when++) {
        link_pages(PAGE, LINK);
        page_write(PAGE, VMCS_INDEX_PROCESSOR_CONTROLS, page_at(PAGE)->fields.processor_controls | CPU_TPR_SHADOW);
        page_write(PAGE, VMCS_INDEX_VIRTUAL_APIC_ADDRESS, 0x60000);
        if (when)
            enter(PAGE);
        if (when > 1)
            leave();
        if (when == 3)
            fake_vmx_plain(&m, EXIT_VMXOFF);
        m.loaded = &m.first;
        nest_reset(&m.nest, when & 1);
        assert_int_equal(m.regions_held, 0);
        assert_int_equal(m.pins, 0);
        assert_int_equal(m.frames_held, 3); /* CP's own */
        fake_vmx_enter_operation(&m);
        make_page(PAGE);
    }
}

/* The page is its own bitmap, MSR lists, virtual-APIC page and EPT: CP reads what it wrote there, and that is all. */
static void a_page_that_is_everything_at_once_harms_nobody(void **state)
{
    static const uint8_t addresses[] = {VMCS_INDEX_MSR_BITMAP, VMCS_INDEX_IO_BITMAP_A, VMCS_INDEX_IO_BITMAP_B,
        VMCS_INDEX_VIRTUAL_APIC_ADDRESS, VMCS_INDEX_VMREAD_BITMAP, VMCS_INDEX_VMWRITE_BITMAP,
        VMCS_INDEX_EXIT_MSR_STORE_ADDRESS, VMCS_INDEX_EXIT_MSR_LOAD_ADDRESS, VMCS_INDEX_ENTRY_MSR_LOAD_ADDRESS,
        VMCS_INDEX_GUEST_CR3, VMCS_INDEX_HOST_CR3, VMCS_INDEX_EPTP_LIST_ADDRESS};
    const struct exit violation = {.reason = EXIT_EPT_VIOLATION, .guest_physical = 0x1234};
    (void)state;
    for (unsigned versions = 0; versions < 2; versions++)
        for (unsigned counts = 0; counts < 8; counts++) {
            m.versions = versions;
            for (unsigned i = 0; i < sizeof(addresses); i++)
                page_write(PAGE, addresses[i], PAGE);
            page_write(PAGE, VMCS_INDEX_EPT_POINTER, PAGE | 3 << 3 | 6);
            page_write(PAGE, VMCS_INDEX_PROCESSOR_CONTROLS, page_at(PAGE)->fields.processor_controls | CPU_MSR_BITMAPS |
                                                            CPU_IO_BITMAPS | CPU_TPR_SHADOW);
            page_write(PAGE, VMCS_INDEX_EXIT_MSR_STORE_COUNT, counts & 1 ? 3 : 0);
            page_write(PAGE, VMCS_INDEX_EXIT_MSR_LOAD_COUNT, counts & 2 ? 3 : 0);
            page_write(PAGE, VMCS_INDEX_ENTRY_MSR_LOAD_COUNT, counts & 4 ? 3 : 0);
            enum nest_result result = call(PAGE);
            if (result == NEST_ENTERED && fake_vmx_load(&m)) {
                result = fake_vmx_exit(&m, &violation);
                assert_true(result == NEST_REFLECTED || result == NEST_ABORT || result == NEST_RESUME);
            }
            assert_null(m.complaint);
            m.loaded = &m.first;
            nest_reset(&m.nest, true);
            fake_vmx_enter_operation(&m);
            make_page(PAGE);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_page_is_entered_with_its_own_rax_and_rbx),
        TEST(what_is_noted_is_taken_and_its_note_cleared),
        TEST(what_is_not_noted_is_not_seen_until_it_is),
        TEST(notes_outlive_a_call_that_fails_before_it_takes_them),
        TEST(an_exit_is_reported_in_the_page),
        TEST(an_event_that_was_injected_is_no_longer_valid_in_the_page),
        TEST(what_happens_to_the_page_while_l2_runs_harms_nobody),
        TEST(vmread_and_vmwrite_reach_an_active_page),
        TEST(a_page_is_not_entered_by_vmlaunch_or_vmresume),
        TEST(vmclear_lets_go_of_a_page_and_leaves_it_one),
        TEST(a_region_and_a_page_take_turns),
        TEST(more_pages_than_there_is_room_for_come_back_as_they_were),
        cmocka_unit_test_teardown(without_frames_the_call_is_refused_or_the_machine_stops, stop),
        TEST(without_a_region_for_vmcs02_the_machine_stops),
        TEST(reset_lets_go_of_everything_whenever_it_comes),
        TEST(a_page_that_is_everything_at_once_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
