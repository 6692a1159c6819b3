/* The memory way, VMCS shadowing for L1's own guests: a page that another page links to, what of it L2 reaches, and
 * when either side sees what the other wrote. */
#include "tests/unit/nest_page_scene.h"

static const struct exit hlt = {.reason = EXIT_HLT, .instruction_length = 1};
static const struct exit vmptrld = {.reason = EXIT_VMPTRLD, .instruction_length = 4};

static void *(*real_region_alloc)(struct vcpu *, bool);
static void *no_shadow_regions(struct vcpu *cpu, bool shadow)
{
    return shadow ? NULL : real_region_alloc(cpu, shadow);
}

/* As on SVM: no hardware regions for VMREAD and VMWRITE. */
static int start_plain(void **state)
{
    start(state);
    real_region_alloc = m.vmx.region_alloc;
    m.vmx.region_alloc = no_shadow_regions;
    return 0;
}

/* What L2's VMREAD and VMWRITE reach by hardware; NULL: they exit. */
static struct fake_region *linked(void)
{
    uint64_t link = m.loaded->held.vmcs_link_pointer;
    return link == ~0ull ? NULL : (struct fake_region *)(uintptr_t)link;
}

static const uint8_t *bitmap_of_l2(bool write)
{
    return (const uint8_t *)(uintptr_t)(write ? m.loaded->held.vmwrite_bitmap : m.loaded->held.vmread_bitmap);
}

/* L2 executes them, as hardware with shadowing would: RCX is the field, RDX the value.  false: an exit L1 got. */
static bool l2_exits(enum exit_reason reason, enum vmcs_field field)
{
    const struct exit exit = {.reason = reason, .instruction_length = 3,
                              .instruction_info = 1u << 10 | 1u << 28 | 2u << 3};
    m.gpr[1] = field;
    enum nest_result result = fake_vmx_exit(&m, &exit);
    if (result == NEST_SKIP)
        assert_true(fake_vmx_load(&m));
    return result == NEST_SKIP;
}

static bool l2_reads(enum vmcs_field field, uint64_t *value)
{
    if (linked() && !vmcs_bitmap_exits(bitmap_of_l2(false), field)) {
        *value = vmcs_field_read(linked()->active ? &linked()->held : &linked()->memory, field, true);
        return true;
    }
    bool done = l2_exits(EXIT_VMREAD, field);
    *value = m.gpr[2];
    return done;
}

static bool l2_writes(enum vmcs_field field, uint64_t value)
{
    if (linked() && !vmcs_bitmap_exits(bitmap_of_l2(true), field)) {
        vmcs_field_write(linked()->active ? &linked()->held : &linked()->memory, field, value, true);
        return true;
    }
    m.gpr[2] = value;
    return l2_exits(EXIT_VMWRITE, field);
}

static void assert_l2_reads(enum vmcs_field field, uint64_t value)
{
    uint64_t found;
    assert_true(l2_reads(field, &found));
    assert_int_equal(found, value);
}

/* HOST_CR3 is a cold field, GUEST_CR3 a hot one. */
static struct vmcs_page *link_with(bool cold)
{
    static const enum vmcs_field hot[] = {VMCS_GUEST_CR3, VMCS_GUEST_RIP, VMCS_GUEST_RSP};
    struct vmcs_page *link = link_pages(PAGE, LINK);
    memset(m.storage + READS, 0, 4096); /* it may read all */
    for (unsigned i = 0; i < sizeof(hot) / sizeof(hot[0]); i++)
        let_through(WRITES, hot[i]);
    if (cold)
        let_through(WRITES, VMCS_HOST_CR3);
    return link;
}

/* ---- both sides see ---------------------------------------------------------------- */

static void l2_reads_what_l1_wrote(void **state)
{
    (void)state;
    struct vmcs_page *link = link_with(true);
    link->fields.guest_cr3 = 0x1234;
    enter(PAGE);
    assert_l2_reads(VMCS_GUEST_CR3, 0x1234);
    leave();
    for (unsigned i = 0; i < VMCS_FIELDS; i++) /* exit information too */
        if (capability_has_field(&m.offered, i) && i != VMCS_INDEX_VMCS_LINK_POINTER)
            vmcs_page_write(link, i, 0x100 + i);
    enter(PAGE);
    assert_true(vmcs_set_empty(&link->written));
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (capability_has_field(&m.offered, i) && i != VMCS_INDEX_VMCS_LINK_POINTER)
            assert_l2_reads(vmcs_field_rows[i].encoding, 0x100 + i);
}

static void what_l2_wrote_is_in_the_page_after_an_exit_for_a_vmx_instruction(void **state)
{
    (void)state;
    for (unsigned cold = 0; cold < 2; cold++) {
        struct vmcs_page *link = link_with(cold);
        enter(PAGE);
        vmcs_set_clear(&link->changed);
        assert_true(l2_writes(VMCS_GUEST_CR3, 0x5000 + cold));
        assert_true(l2_writes(VMCS_GUEST_RIP, 0x6000 + cold));
        if (cold)
            assert_true(l2_writes(VMCS_HOST_CR3, 0x7000));
        leave_by(&vmptrld);
        assert_int_equal(link->fields.guest_cr3, 0x5000 + cold);
        assert_int_equal(link->fields.guest_rip, 0x6000 + cold);
        assert_true(vmcs_set_has(&link->changed, VMCS_INDEX_GUEST_CR3) &&
                    vmcs_set_has(&link->changed, VMCS_INDEX_GUEST_RIP));
        assert_int_equal(vmcs_set_has(&link->changed, VMCS_INDEX_HOST_CR3), cold);
        assert_int_equal(link->fields.host_cr3, cold ? 0x7000 : 0);
        fake_vmx_pointer(&m, EXIT_VMCLEAR, LINK);
    }
}

/* L2 may have written cold fields on its way to an exit nobody looked into the page for. */
static void cold_fields_are_not_forgotten_when_the_bitmaps_are_closed(void **state)
{
    (void)state;
    struct vmcs_page *link = link_with(true);
    enter(PAGE);
    assert_true(l2_writes(VMCS_HOST_CR3, 0x7000));
    leave_by(&hlt);
    memset(m.storage + WRITES, 0xFF, 4096); /* L1 closes them */
    enter(PAGE);
    leave_by(&vmptrld);
    assert_int_equal(link->fields.host_cr3, 0x7000);
    assert_true(vmcs_set_has(&link->changed, VMCS_INDEX_HOST_CR3));
}

static void nor_when_cp_carried_out_a_vmread_meanwhile(void **state)
{
    (void)state;
    struct vmcs_page *link = link_with(true);
    enter(PAGE);
    assert_true(l2_writes(VMCS_HOST_CR3, 0x7000));
    assert_true(l2_exits(EXIT_VMREAD, VMCS_HOST_CR3)); /* as hardware without shadowing of it would */
    assert_int_equal(m.gpr[2], 0x7000);
    leave_by(&vmptrld);
    assert_int_equal(link->fields.host_cr3, 0x7000);
    assert_true(vmcs_set_has(&link->changed, VMCS_INDEX_HOST_CR3));
}

/* A guest that writes an exit's reason where it is only linked to by a note of RIP keeps the rest. */
static void l1s_note_of_one_field_leaves_l2_the_others(void **state)
{
    (void)state;
    struct vmcs_page *link = link_with(true);
    let_through(WRITES, VMCS_EXIT_QUALIFICATION);
    enter(PAGE);
    assert_true(l2_writes(VMCS_EXIT_QUALIFICATION, 0x99));
    leave_by(&hlt);
    vmcs_page_write(link, VMCS_INDEX_GUEST_RIP, 0x1110);
    vmcs_page_write(link, VMCS_INDEX_EXIT_REASON, EXIT_HLT);
    enter(PAGE);
    assert_l2_reads(VMCS_GUEST_RIP, 0x1110);
    assert_l2_reads(VMCS_EXIT_REASON, EXIT_HLT);
    assert_l2_reads(VMCS_EXIT_QUALIFICATION, 0x99);
}

static void vmclear_of_a_linked_page_brings_all_l2_wrote_into_it(void **state)
{
    (void)state;
    struct vmcs_page *link = link_with(true);
    let_through(WRITES, VMCS_EXIT_QUALIFICATION);
    enter(PAGE);
    assert_true(l2_writes(VMCS_GUEST_CR3, 0x5000) && l2_writes(VMCS_HOST_CR3, 0x7000));
    assert_true(l2_writes(VMCS_EXIT_QUALIFICATION, 0x99));
    leave_by(&hlt);
    vmcs_page_write(link, VMCS_INDEX_GUEST_RSP, 0x8880); /* L1's writes are the later ones */
    vmcs_page_write(link, VMCS_INDEX_GUEST_CR3, 0x5500);
    fake_vmx_pointer(&m, EXIT_VMCLEAR, LINK);
    assert_int_equal(link->fields.guest_cr3, 0x5500);
    assert_int_equal(link->fields.guest_rsp, 0x8880);
    assert_int_equal(link->fields.host_cr3, 0x7000);
    assert_int_equal(link->fields.exit_qualification, 0x99);
    assert_null(nest_active_find(&m.nest, LINK));
    enter(PAGE); /* active again, from the page */
    assert_ptr_equal(m.nest.current->link, nest_active_find(&m.nest, LINK));
    assert_l2_reads(VMCS_GUEST_CR3, 0x5500);
    assert_l2_reads(VMCS_HOST_CR3, 0x7000);
}

static void no_pull(struct vcpu *cpu, void *region, struct vmcs *copy, struct vmcs_set *changed, bool closed)
{
    (void)cpu, (void)region, (void)copy, (void)changed, (void)closed;
}

/* Where the region is a page itself, only letting go of it brings all that L2 wrote. */
static void vmclear_finds_what_pulling_did_not(void **state)
{
    (void)state;
    struct vmcs_page *link = link_with(true);
    enter(PAGE);
    assert_true(l2_writes(VMCS_GUEST_CR3, 0x5000) && l2_writes(VMCS_HOST_CR3, 0x7000));
    leave_by(&hlt);
    m.vmx.shadow_pull = no_pull;
    fake_vmx_pointer(&m, EXIT_VMCLEAR, LINK);
    assert_int_equal(link->fields.guest_cr3, 0x5000);
    assert_int_equal(link->fields.host_cr3, 0x7000);
}

static void l1_reaches_a_linked_page_by_vmread_and_vmwrite_too(void **state)
{
    (void)state;
    struct vmcs_page *link = link_with(true);
    enter(PAGE);
    assert_true(l2_writes(VMCS_GUEST_CR3, 0x5000) && l2_writes(VMCS_HOST_CR3, 0x7000));
    leave_by(&hlt);
    vmcs_page_write(link, VMCS_INDEX_GUEST_CR4, 0x2222);
    m.vmx.link = NULL; /* VMREAD and VMWRITE of L1 exit */
    fake_vmx_pointer(&m, EXIT_VMPTRLD, LINK);
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_CR3), 0x5000);
    assert_int_equal(fake_vmx_read(&m, VMCS_HOST_CR3), 0x7000);
    assert_int_equal(fake_vmx_read(&m, VMCS_GUEST_CR4), 0x2222);
    assert_int_equal(link->fields.host_cr3, 0x7000);
    assert_int_equal(link->fields.guest_cr4, 0x2222);
    fake_vmx_write(&m, VMCS_GUEST_RSP, 0x3330);
    assert_int_equal(link->fields.guest_rsp, 0x3330);
    enter(PAGE);
    assert_l2_reads(VMCS_GUEST_RSP, 0x3330);
}

/* ---- who may be linked to ---------------------------------------------------------------- */

static void two_pages_may_link_to_one(void **state)
{
    (void)state;
    make_page(PAGE_B);
    struct vmcs_page *link = link_with(true);
    page_at(PAGE_B)->fields = page_at(PAGE)->fields;
    enter(PAGE);
    assert_true(l2_writes(VMCS_GUEST_CR3, 0x5000));
    leave_by(&hlt);
    enter(PAGE_B);
    assert_l2_reads(VMCS_GUEST_CR3, 0x5000);
    assert_true(l2_writes(VMCS_HOST_CR3, 0x7000));
    leave_by(&vmptrld);
    assert_int_equal(link->fields.guest_cr3, 0x5000);
    assert_int_equal(link->fields.host_cr3, 0x7000);
    fake_vmx_pointer(&m, EXIT_VMCLEAR, LINK);
    vmcs_page_write(link, VMCS_INDEX_GUEST_CR3, 0x9000);
    enter(PAGE);
    assert_l2_reads(VMCS_GUEST_CR3, 0x9000);
    leave();
    enter(PAGE_B);
    assert_l2_reads(VMCS_GUEST_CR3, 0x9000);
}

static void assert_no_entry(void)
{
    assert_int_equal(call(PAGE), NEST_REFLECTED);
    assert_int_equal(page_at(PAGE)->fields.exit_reason, EXIT_ENTRY_GUEST_STATE | EXIT_ENTRY_FAILED);
    assert_int_equal(page_at(PAGE)->fields.exit_qualification, 4);
}

static void a_page_that_links_to_itself_or_to_one_that_is_no_shadow_is_not_entered(void **state)
{
    (void)state;
    make_page(PAGE_B);
    link_with(true);
    page_write(PAGE, VMCS_INDEX_VMCS_LINK_POINTER, PAGE);
    assert_no_entry();
    page_write(PAGE, VMCS_INDEX_VMCS_LINK_POINTER, PAGE_B);
    assert_no_entry();
    page_write(PAGE, VMCS_INDEX_VMCS_LINK_POINTER, FAKE_VMXON);
    assert_no_entry();
    page_write(PAGE, VMCS_INDEX_VMCS_LINK_POINTER, LINK);
    enter(PAGE);
}

/* L2 runs with no VMCS to read then. */
static void assert_l2_has_no_link(void)
{
    uint64_t found;
    enter(PAGE);
    assert_null(m.nest.current->link);
    assert_int_equal(m.loaded->held.vmcs_link_pointer, ~0ull);
    assert_true(l2_reads(VMCS_GUEST_CR3, &found));
    assert_int_equal(fake_vmx_verdict(&m), FAKE_FAILED_INVALID);
    leave();
}

static void what_only_looks_like_a_shadow_page_is_no_link(void **state)
{
    (void)state;
    struct vmcs_page *link = link_with(true);
    link->form = 0;
    assert_l2_has_no_link();
    fake_vmx_pointer(&m, EXIT_VMPTRLD, LINK); /* a shadow VMCS, by VMX instructions */
    assert_int_equal(fake_vmx_verdict(&m), FAKE_SUCCEEDED);
    assert_l2_has_no_link();
}

static void a_region_cannot_link_to_a_page(void **state)
{
    (void)state;
    link_with(true);
    enter(PAGE);
    leave();
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    fake_vmx_write(&m, VMCS_SECONDARY_CONTROLS, CPU2_EPT | CPU2_VMCS_SHADOWING);
    fake_vmx_write(&m, VMCS_VMREAD_BITMAP, READS);
    fake_vmx_write(&m, VMCS_VMWRITE_BITMAP, WRITES);
    fake_vmx_write(&m, VMCS_VMCS_LINK_POINTER, LINK);
    assert_int_equal(fake_vmx_plain(&m, EXIT_VMLAUNCH), NEST_ENTERED);
    assert_true(fake_vmx_load(&m));
    assert_int_equal(m.loaded->held.vmcs_link_pointer, ~0ull);
}

/* Its kind is looked at anew when CP had let go of it, even if the one that links to it did not change. */
static void a_link_that_is_no_shadow_any_more_fails_the_entry(void **state)
{
    (void)state;
    struct vmcs_page *link = link_with(true);
    enter(PAGE);
    leave();
    fake_vmx_pointer(&m, EXIT_VMCLEAR, LINK);
    link->revision &= ~VMCS_SHADOW_INDICATOR;
    assert_no_entry();
    link->revision |= VMCS_SHADOW_INDICATOR;
    enter(PAGE);
}

static void a_link_with_notes_of_what_is_not_offered_stays_as_it_was(void **state)
{
    (void)state;
    struct vmcs_page *link = link_with(true);
    link->fields.guest_cr3 = 0x1000;
    enter(PAGE);
    leave();
    vmcs_page_write(link, VMCS_INDEX_GUEST_CR3, 0x2000);
    link->written.word[2] |= 1ull << 63;
    enter(PAGE);
    assert_l2_reads(VMCS_GUEST_CR3, 0x1000);
    leave();
    link->written.word[2] &= ~(1ull << 63);
    enter(PAGE);
    assert_l2_reads(VMCS_GUEST_CR3, 0x2000);
}

/* Made active by one that had no region for it: what L1 writes until there is one is not lost. */
static void a_region_that_comes_late_has_what_l1_noted(void **state)
{
    (void)state;
    make_page(PAGE_B);
    struct vmcs_page *link = link_with(true);
    page_at(PAGE_B)->fields = page_at(PAGE)->fields;
    real_region_alloc = m.vmx.region_alloc;
    m.vmx.region_alloc = no_shadow_regions;
    enter(PAGE);
    assert_null(linked());
    leave();
    m.vmx.region_alloc = real_region_alloc;
    vmcs_page_write(link, VMCS_INDEX_GUEST_CR3, 0x4440);
    enter(PAGE_B);
    assert_non_null(linked());
    assert_l2_reads(VMCS_GUEST_CR3, 0x4440);
    leave();
    enter(PAGE); /* which has it too */
    assert_non_null(linked());
}

/* What a link pointer names was no page of ours at one entry, and is one at the next: another page links to it, too. */
static void a_page_that_becomes_one_is_the_link_of_all_that_name_it(void **state)
{
    (void)state;
    make_page(PAGE_B);
    struct vmcs_page *link = link_with(true);
    page_at(PAGE_B)->fields = page_at(PAGE)->fields;
    link->form = 0;
    enter(PAGE);
    assert_null(linked());
    leave();
    link->form = VMCS_PAGE_FORM;
    enter(PAGE_B);
    assert_non_null(linked());
    leave();
    enter(PAGE);
    assert_non_null(linked());
    assert_l2_reads(VMCS_GUEST_CR3, link->fields.guest_cr3);
}

static void so_it_is_after_a_call_that_would_enter_it(void **state)
{
    (void)state;
    struct vmcs_page *link = link_with(true);
    link->form = 0;
    enter(PAGE);
    assert_null(linked());
    leave();
    link->form = VMCS_PAGE_FORM;
    refuse(LINK, NEST_PAGE_MALFORMED); /* it is one to link to */
    enter(PAGE);
    assert_non_null(linked());
}

static void links_make_room_for_no_others_while_they_are_used(void **state)
{
    (void)state;
    link_with(true);
    enter(PAGE);
    assert_true(l2_writes(VMCS_GUEST_CR3, 0x5000));
    leave_by(&hlt);
    for (unsigned i = 0; i < 2 * NEST_ACTIVE; i++) { /* PAGE goes, and only then LINK may */
        make_page(0x100000 + i * 0x1000);
        enter(0x100000 + i * 0x1000);
        leave();
        assert_true(nest_active_find(&m.nest, LINK) || !nest_active_find(&m.nest, PAGE));
    }
    assert_null(nest_active_find(&m.nest, LINK));
    assert_int_equal(page_at(LINK)->fields.guest_cr3, 0x5000);
    enter(PAGE);
    assert_l2_reads(VMCS_GUEST_CR3, 0x5000);
}

/* ---- without hardware's help ------------------------------------------------------------------ */

static void without_hardware_l2s_vmread_and_vmwrite_are_done_on_the_page(void **state)
{
    (void)state;
    struct vmcs_page *link = link_with(false);
    link->fields.guest_cr3 = 0x1230;
    enter(PAGE);
    assert_null(linked());
    assert_l2_reads(VMCS_GUEST_CR3, 0x1230);
    assert_true(l2_writes(VMCS_GUEST_CR3, 0x4560));
    assert_int_equal(link->fields.guest_cr3, 0x4560); /* at once */
    assert_true(vmcs_set_has(&link->changed, VMCS_INDEX_GUEST_CR3));
    assert_l2_reads(VMCS_GUEST_CR3, 0x4560);
    assert_false(l2_writes(VMCS_HOST_CR3, 1)); /* not let through: L1's */
    assert_int_equal(page_at(PAGE)->fields.exit_reason, EXIT_VMWRITE);
    vmcs_page_write(link, VMCS_INDEX_GUEST_CR3, 0x7890);
    enter(PAGE);
    assert_l2_reads(VMCS_GUEST_CR3, 0x7890);
    leave();
    fake_vmx_pointer(&m, EXIT_VMCLEAR, LINK);
    assert_int_equal(link->fields.guest_cr3, 0x7890);
}

#define PLAIN(name) cmocka_unit_test_setup_teardown(name, start_plain, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(l2_reads_what_l1_wrote),
        PLAIN(l2_reads_what_l1_wrote),
        TEST(what_l2_wrote_is_in_the_page_after_an_exit_for_a_vmx_instruction),
        PLAIN(what_l2_wrote_is_in_the_page_after_an_exit_for_a_vmx_instruction),
        TEST(cold_fields_are_not_forgotten_when_the_bitmaps_are_closed),
        TEST(nor_when_cp_carried_out_a_vmread_meanwhile),
        PLAIN(cold_fields_are_not_forgotten_when_the_bitmaps_are_closed),
        TEST(l1s_note_of_one_field_leaves_l2_the_others),
        PLAIN(l1s_note_of_one_field_leaves_l2_the_others),
        TEST(vmclear_of_a_linked_page_brings_all_l2_wrote_into_it),
        PLAIN(vmclear_of_a_linked_page_brings_all_l2_wrote_into_it),
        TEST(vmclear_finds_what_pulling_did_not),
        TEST(l1_reaches_a_linked_page_by_vmread_and_vmwrite_too),
        PLAIN(l1_reaches_a_linked_page_by_vmread_and_vmwrite_too),
        TEST(two_pages_may_link_to_one),
        PLAIN(two_pages_may_link_to_one),
        TEST(a_page_that_links_to_itself_or_to_one_that_is_no_shadow_is_not_entered),
        TEST(what_only_looks_like_a_shadow_page_is_no_link),
        PLAIN(what_only_looks_like_a_shadow_page_is_no_link),
        TEST(a_region_cannot_link_to_a_page),
        TEST(a_link_that_is_no_shadow_any_more_fails_the_entry),
        PLAIN(a_link_that_is_no_shadow_any_more_fails_the_entry),
        TEST(a_link_with_notes_of_what_is_not_offered_stays_as_it_was),
        PLAIN(a_link_with_notes_of_what_is_not_offered_stays_as_it_was),
        TEST(a_region_that_comes_late_has_what_l1_noted),
        TEST(a_page_that_becomes_one_is_the_link_of_all_that_name_it),
        TEST(so_it_is_after_a_call_that_would_enter_it),
        TEST(links_make_room_for_no_others_while_they_are_used),
        PLAIN(links_make_room_for_no_others_while_they_are_used),
        PLAIN(without_hardware_l2s_vmread_and_vmwrite_are_done_on_the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
