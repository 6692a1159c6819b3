/* The bitmaps L2 runs with: what either CP or L1 wants to exit exits, all else passes; and
 * no page of L1's is used itself. */
#include "tests/unit/nest_l2_scene.h"

enum {
    CONTROLS = 0x04006172 | CPU_SECONDARY_CONTROLS,
    PORTS_A = 0x12000,
    PORTS_B = 0x13000,
    MSRS = 0x14000,
    BYTES = 4096
};

static uint8_t cp_ports[2][BYTES];

/* How CP has L1's ports exit. */
static void cp_exits_on(uint32_t ports)
{
    uint32_t rest = m.base.processor_controls & ~(uint32_t)(CPU_UNCONDITIONAL_IO_EXITING | CPU_IO_BITMAPS);
    for (unsigned i = 0; i < BYTES; i++)
        cp_ports[0][i] = (uint8_t)(i % 3 == 0 ? 0x0F : 0), cp_ports[1][i] = (uint8_t)(i % 5 == 0 ? 0x81 : 0);
    nest_base_write(&m.nest, VMCS_INDEX_PROCESSOR_CONTROLS, rest | ports);
    nest_base_write(&m.nest, VMCS_INDEX_IO_BITMAP_A, (uintptr_t)cp_ports[0]);
    nest_base_write(&m.nest, VMCS_INDEX_IO_BITMAP_B, (uintptr_t)cp_ports[1]);
}

static void l1_exits_on(uint32_t controls)
{
    for (unsigned i = 0; i < BYTES; i++)
        m.storage[PORTS_A + i] = (uint8_t)(i * 7), m.storage[PORTS_B + i] = (uint8_t)(i * 11 + 1),
                            m.storage[MSRS + i] = (uint8_t)(i * 13);
    fake_vmx_write(&m, VMCS_PROCESSOR_CONTROLS, CONTROLS | controls);
    fake_vmx_write(&m, VMCS_IO_BITMAP_A, PORTS_A);
    fake_vmx_write(&m, VMCS_IO_BITMAP_B, PORTS_B);
    fake_vmx_write(&m, VMCS_MSR_BITMAP, MSRS);
}

static const uint8_t *page_at(uint64_t address) { return (const uint8_t *)(uintptr_t)address; }

static void assert_union(uint64_t address, const uint8_t *l1, const uint8_t *cp)
{
    for (unsigned i = 0; i < BYTES; i++)
        assert_int_equal(page_at(address)[i], l1[i] | (cp ? cp[i] : 0));
}

static uint32_t ports_of_l2(void)
{
    return m.loaded->held.processor_controls & (CPU_UNCONDITIONAL_IO_EXITING | CPU_IO_BITMAPS);
}

static void where_cp_lets_ports_pass_those_l1_names_exit(void **state)
{
    (void)state;
    cp_exits_on(0);
    l1_exits_on(CPU_IO_BITMAPS);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(ports_of_l2(), CPU_IO_BITMAPS);
    assert_union(m.loaded->held.io_bitmap_a, m.storage + PORTS_A, NULL);
    assert_union(m.loaded->held.io_bitmap_b, m.storage + PORTS_B, NULL);
    assert_ptr_not_equal(page_at(m.loaded->held.io_bitmap_a), m.storage + PORTS_A);
}

static void ports_of_both_exit(void **state)
{
    (void)state;
    cp_exits_on(CPU_IO_BITMAPS);
    l1_exits_on(CPU_IO_BITMAPS);
    enter(EXIT_VMLAUNCH);
    assert_int_equal(ports_of_l2(), CPU_IO_BITMAPS);
    assert_union(m.loaded->held.io_bitmap_a, m.storage + PORTS_A, cp_ports[0]);
    assert_union(m.loaded->held.io_bitmap_b, m.storage + PORTS_B, cp_ports[1]);
}

static void where_l1_lets_all_pass_cps_own_bitmaps_serve(void **state)
{
    (void)state;
    cp_exits_on(CPU_IO_BITMAPS);
    l1_exits_on(0);
    unsigned held = m.frames_held;
    enter(EXIT_VMLAUNCH);
    assert_int_equal(ports_of_l2(), CPU_IO_BITMAPS);
    assert_ptr_equal(page_at(m.loaded->held.io_bitmap_a), cp_ports[0]);
    assert_ptr_equal(page_at(m.loaded->held.io_bitmap_b), cp_ports[1]);
    assert_true(m.frames_held - held <= 4); /* its own frame, EPT02's: none for a union */
    leave();
    l1_exits_on(CPU_IO_BITMAPS);
    enter(EXIT_VMRESUME);
    assert_union(m.loaded->held.io_bitmap_a, m.storage + PORTS_A, cp_ports[0]);
    leave();
    l1_exits_on(0); /* and again */
    enter(EXIT_VMRESUME);
    assert_ptr_equal(page_at(m.loaded->held.io_bitmap_a), cp_ports[0]);
    assert_ptr_equal(page_at(m.loaded->held.io_bitmap_b), cp_ports[1]);
}

static void all_ports_exit_if_either_wants_all(void **state)
{
    static const uint32_t pairs[][2] = {{CPU_UNCONDITIONAL_IO_EXITING, CPU_IO_BITMAPS},
                                        {CPU_IO_BITMAPS, CPU_UNCONDITIONAL_IO_EXITING},
                                        {CPU_UNCONDITIONAL_IO_EXITING, 0},
                                        {0, CPU_UNCONDITIONAL_IO_EXITING}};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        cp_exits_on(pairs[i][0]);
        l1_exits_on(pairs[i][1]);
        unsigned reads = m.page_reads;
        enter(i ? EXIT_VMRESUME : EXIT_VMLAUNCH);
        assert_int_equal(ports_of_l2(), CPU_UNCONDITIONAL_IO_EXITING);
        assert_int_equal(m.page_reads, reads); /* and no page of L1's has been asked for it */
        leave();
    }
}

static void a_page_that_cannot_be_read_lets_nothing_pass(void **state)
{
    (void)state;
    cp_exits_on(0);
    l1_exits_on(CPU_IO_BITMAPS | CPU_MSR_BITMAPS);
    fake_vmx_write(&m, VMCS_IO_BITMAP_B, 0x20000000);
    fake_vmx_write(&m, VMCS_MSR_BITMAP, 0x20001000);
    enter(EXIT_VMLAUNCH);
    for (unsigned i = 0; i < BYTES; i++) {
        assert_int_equal(page_at(m.loaded->held.io_bitmap_b)[i], 0xFF);
        assert_int_equal(page_at(m.loaded->held.msr_bitmap)[i], 0xFF);
    }
    assert_union(m.loaded->held.io_bitmap_a, m.storage + PORTS_A, NULL);
}

static void without_msr_bitmaps_of_l1_every_msr_exits(void **state)
{
    (void)state;
    l1_exits_on(0);
    enter(EXIT_VMLAUNCH);
    assert_false(m.loaded->held.processor_controls & CPU_MSR_BITMAPS);
    assert_true(page_at(m.loaded->held.msr_bitmap) != m.storage + MSRS);
    leave();
    l1_exits_on(CPU_MSR_BITMAPS);
    enter(EXIT_VMRESUME);
    assert_true(m.loaded->held.processor_controls & CPU_MSR_BITMAPS);
    assert_union(m.loaded->held.msr_bitmap, m.storage + MSRS, page_at(m.base.msr_bitmap));
    leave();
    l1_exits_on(0);
    enter(EXIT_VMRESUME);
    assert_false(m.loaded->held.processor_controls & CPU_MSR_BITMAPS);
    assert_int_equal(m.loaded->held.msr_bitmap, m.base.msr_bitmap);
}

/* Whoever cannot say whether a page was written has it read at each entry. */
static void where_writes_are_not_told_a_page_is_read_each_time(void **state)
{
    (void)state;
    m.host.version = NULL;
    l1_exits_on(CPU_MSR_BITMAPS);
    enter(EXIT_VMLAUNCH);
    leave();
    m.storage[MSRS + 77] ^= 0xF0;
    enter(EXIT_VMRESUME);
    assert_union(m.loaded->held.msr_bitmap, m.storage + MSRS, page_at(m.base.msr_bitmap));
}

static void a_change_of_cps_bitmap_is_in_the_union_though_l1s_is_the_same(void **state)
{
    (void)state;
    m.versions = 5;
    cp_exits_on(CPU_IO_BITMAPS);
    l1_exits_on(CPU_IO_BITMAPS);
    enter(EXIT_VMLAUNCH);
    leave();
    cp_ports[1][9] = 0xFF;
    nest_base_write(&m.nest, VMCS_INDEX_IO_BITMAP_B, (uintptr_t)cp_ports[0]);
    enter(EXIT_VMRESUME);
    assert_union(m.loaded->held.io_bitmap_b, m.storage + PORTS_B, cp_ports[0]);
    leave();
    nest_base_write(&m.nest, VMCS_INDEX_IO_BITMAP_B, (uintptr_t)cp_ports[1]);
    enter(EXIT_VMRESUME);
    assert_union(m.loaded->held.io_bitmap_b, m.storage + PORTS_B, cp_ports[1]);
}

/* However many frames there are: either L2 has all its bitmaps, or it does not run. */
static void l2_does_not_run_with_half_its_bitmaps(void **state)
{
    unsigned refused = 0, held;
    (void)state;
    cp_exits_on(0);
    offer_link();
    l1_exits_on(CPU_IO_BITMAPS | CPU_MSR_BITMAPS);
    held = m.frames_held;
    for (unsigned more = 0; more < 64; more++) {
        m.frames_limit = held + more;
        enum nest_result result = fake_vmx_plain(&m, EXIT_VMLAUNCH);
        if (result == NEST_ENTERED) {
            const struct vmcs *v = &m.nest.current->vmcs02;
            assert_union(v->io_bitmap_a, m.storage + PORTS_A, NULL);
            assert_union(v->io_bitmap_b, m.storage + PORTS_B, NULL);
            assert_union(v->msr_bitmap, m.storage + MSRS, page_at(m.base.msr_bitmap));
            assert_true(v->secondary_controls & CPU2_VMCS_SHADOWING);
            assert_false(vmcs_bitmap_exits(page_at(v->vmread_bitmap), VMCS_GUEST_RIP));
            assert_true(vmcs_bitmap_exits(page_at(v->vmread_bitmap), VMCS_GUEST_RSP));
            assert_true(vmcs_bitmap_exits(page_at(v->vmwrite_bitmap), VMCS_GUEST_RIP));
            assert_true(refused > 6); /* one more for each bitmap */
            return;
        }
        assert_int_equal(result, NEST_NO_FRAMES);
        refused++;
    }
    fail_msg("never enough frames");
}

static void without_a_link_l2_has_no_shadowing_and_no_bitmaps_for_it(void **state)
{
    (void)state;
    offer_link();
    fake_vmx_write(&m, VMCS_VMCS_LINK_POINTER, ~0ull);
    unsigned held = m.frames_held;
    enter(EXIT_VMLAUNCH);
    assert_false(m.loaded->held.secondary_controls & CPU2_VMCS_SHADOWING);
    assert_int_equal(m.loaded->held.vmcs_link_pointer, ~0ull);
    assert_int_equal(m.loaded->held.vmread_bitmap | m.loaded->held.vmwrite_bitmap, 0);
    assert_true(m.frames_held - held <= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(where_cp_lets_ports_pass_those_l1_names_exit),
        TEST(ports_of_both_exit),
        TEST(where_l1_lets_all_pass_cps_own_bitmaps_serve),
        TEST(all_ports_exit_if_either_wants_all),
        TEST(a_page_that_cannot_be_read_lets_nothing_pass),
        TEST(without_msr_bitmaps_of_l1_every_msr_exits),
        TEST(where_writes_are_not_told_a_page_is_read_each_time),
        TEST(a_change_of_cps_bitmap_is_in_the_union_though_l1s_is_the_same),
        TEST(l2_does_not_run_with_half_its_bitmaps),
        TEST(without_a_link_l2_has_no_shadowing_and_no_bitmaps_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
