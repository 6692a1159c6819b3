/* VMCS shadowing for L1's own guests: the region L1 links to, and its bitmaps. */
#include "nest/active.h"
#include "tests/unit/nest_l2_scene.h"

static void l2_reaches_the_very_region_l1_links_to(void **state)
{
    (void)state;
    put_revision(0x4000, VMCS_SHADOW_INDICATOR);
    fake_vmx_pointer(&m, EXIT_VMPTRLD, 0x4000);
    struct fake_region *region = m.link;
    fake_vmx_write(&m, VMCS_GUEST_RIP, 0x777);
    fake_vmx_pointer(&m, EXIT_VMPTRLD, FAKE_VMCS);
    offer_link();
    enter(EXIT_VMLAUNCH);
    const struct vmcs *v = &m.loaded->held;
    assert_int_equal(v->vmcs_link_pointer, (uint64_t)(uintptr_t)region);
    assert_true(v->secondary_controls & CPU2_VMCS_SHADOWING);
    assert_int_equal(region->held.guest_rip, 0x777);
    const uint8_t *bitmap = (const uint8_t *)(uintptr_t)v->vmread_bitmap;
    assert_false(vmcs_bitmap_exits(bitmap, VMCS_GUEST_RIP));
    assert_true(vmcs_bitmap_exits(bitmap, VMCS_GUEST_RSP)); /* L1 did not let it through */
}

static void l2_never_runs_with_l1s_shadow_bitmap_alone(void **state)
{
    (void)state;
    offer_link();
    memset(m.storage + 0x15000, 0, 4096); /* L1 lets everything through */
    enter(EXIT_VMLAUNCH);
    const uint8_t *bitmap = (const uint8_t *)(uintptr_t)m.loaded->held.vmread_bitmap;
    assert_true(vmcs_bitmap_exits(bitmap, VMCS_PML_ADDRESS));
    assert_true(vmcs_bitmap_exits(bitmap, 0x7FFE));
    assert_false(vmcs_bitmap_exits(bitmap, VMCS_EPT_POINTER));
}

static void a_linked_vmcs_cleared_by_l1_is_no_longer_linked(void **state)
{
    (void)state;
    offer_link();
    enter(EXIT_VMLAUNCH);
    leave();
    fake_vmx_pointer(&m, EXIT_VMCLEAR, 0x4000);
    enter(EXIT_VMRESUME); /* made active again, from storage */
    assert_ptr_equal(m.nest.current->link, nest_active_find(&m.nest, 0x4000));
    assert_int_equal(m.loaded->held.vmcs_link_pointer, (uint64_t)(uintptr_t)m.nest.current->link->shadow_region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(l2_reaches_the_very_region_l1_links_to),
        TEST(l2_never_runs_with_l1s_shadow_bitmap_alone),
        TEST(a_linked_vmcs_cleared_by_l1_is_no_longer_linked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
