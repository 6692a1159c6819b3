#include "tests/unit/device_lapic_scene.h"

static void it_starts_as_firmware_leaves_it(void **state)
{
    (void)state;
    assert_int_equal(rdmsr(MSR_APIC_BASE), LAPIC_DEFAULT_BASE | EN | BSP);
    assert_true(lapic_accepts_extint(&lapic));
    assert_int_equal(load(VERSION), LAPIC_VERSION);
    assert_int_equal(load(ID), 0);
    assert_int_equal(load(LVT_LINT0), 0x700);
    assert_int_equal(load(SVR), 0xff);
    assert_int_equal(load(LVT_TIMER), MASKED);
}

static void while_software_disabled_it_takes_nothing_and_masks_all(void **state)
{
    (void)state;
    assert_false(deliver(0x40, false));
    store(LVT_TIMER, 0x30);
    assert_int_equal(load(LVT_TIMER), MASKED | 0x30);
    store(SVR, 0x1ff);
    store(LVT_TIMER, 0x30);
    assert_int_equal(load(LVT_TIMER), 0x30);
    store(SVR, 0xff);
    assert_int_equal(load(LVT_TIMER), MASKED | 0x30);
    assert_false(lapic_accepts_extint(&lapic));
    assert_true(lapic_deliver(&lapic, &(struct lapic_message){.delivery = LAPIC_NMI}));
    assert_int_equal(nmis, 1);
}

static void priorities_decide_what_is_pending(void **state)
{
    (void)state;
    assert_int_equal(lapic_vector_pending(&lapic), -1);
    deliver(0x41, false);
    deliver(0x85, false);
    assert_int_equal(load(IRR + 2), 1 << 1);
    assert_int_equal(lapic_vector_pending(&lapic), 0x85);
    store(TPR, 0x80);
    assert_int_equal(lapic_vector_pending(&lapic), -1);
    store(TPR, 0x7f);
    assert_int_equal(load(PPR), 0x7f);
    assert_int_equal(lapic_acknowledge(&lapic), 0x85);
    assert_int_equal(load(ISR + 4), 1 << 5);
    assert_int_equal(load(PPR), 0x80);
    assert_int_equal(lapic_acknowledge(&lapic), -1);
    lapic_write_cr8(&lapic, 0);
    assert_int_equal(load(TPR), 0);
    deliver(0x8f, false); /* the same class does not nest */
    assert_int_equal(lapic_vector_pending(&lapic), -1);
    deliver(0x90, false);
    assert_int_equal(lapic_acknowledge(&lapic), 0x90);
    store(EOI, 0);
    store(EOI, 0);
    assert_int_equal(lapic_acknowledge(&lapic), 0x8f);
    store(EOI, 0);
    assert_int_equal(lapic_acknowledge(&lapic), 0x41);
    store(EOI, 0);
    store(EOI, 0);
    assert_int_equal(eois, 0);
}

static void the_end_of_a_level_is_broadcast_unless_suppressed(void **state)
{
    (void)state;
    deliver(0x51, true);
    assert_int_equal(load(TMR + 2), 1 << 17);
    lapic_acknowledge(&lapic);
    store(EOI, 0);
    assert_int_equal(eois, 1);
    assert_int_equal(last_eoi, 0x51);
    store(SVR, 0x11ff);
    deliver(0x51, true);
    lapic_acknowledge(&lapic);
    store(EOI, 0);
    assert_int_equal(eois, 1);
    deliver(0x51, false);
    assert_int_equal(load(TMR + 2), 0);
}

static void destinations_are_physical_flat_or_cluster(void **state)
{
    static const struct { uint32_t ldr, dfr; bool logical; uint8_t destination; bool taken; } cases[] = {
        {0, 0xffffffff, false, 0, true}, {0, 0xffffffff, false, 1, false}, {0, 0xffffffff, false, 0xff, true},
        {0x04000000, 0xffffffff, true, 0x06, true}, {0x04000000, 0xffffffff, true, 0x03, false},
        {0x04000000, 0xffffffff, true, 0xff, true}, {0x21000000, 0x0fffffff, true, 0x23, true},
        {0x21000000, 0x0fffffff, true, 0x22, false}, {0x21000000, 0x0fffffff, true, 0x31, false},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        store(LDR, cases[i].ldr);
        store(DFR, cases[i].dfr);
        assert_int_equal(lapic_deliver(&lapic, &(struct lapic_message){.vector = 0x40, .logical = cases[i].logical,
                                                                       .destination = cases[i].destination}),
                         cases[i].taken);
    }
}

static void messages_are_stores_to_its_address(void **state)
{
    (void)state;
    assert_true(lapic_deliver_msi(&lapic, 0xFEE00000, 0x4061));
    assert_int_equal(lapic_vector_pending(&lapic), 0x61);
    assert_false(lapic_deliver_msi(&lapic, 0xFEE01000, 0x4062)); /* APIC 1 */
    assert_false(lapic_deliver_msi(&lapic, 0xFED00000, 0x4063));
    assert_false(lapic_deliver_msi(&lapic, 0x1FEE00000, 0x4064));
    assert_int_equal(lapic_vector_pending(&lapic), 0x61);
}

static void ipis_reach_this_cpu_by_every_way_that_includes_it(void **state)
{
    (void)state;
    store(ICR, 0x40000 | 0x31); /* self */
    assert_int_equal(lapic_acknowledge(&lapic), 0x31);
    store(ICR, 0x80000 | 0x42); /* all */
    assert_int_equal(lapic_acknowledge(&lapic), 0x42);
    store(ICR, 0xc0000 | 0x53); /* all others */
    assert_int_equal(lapic_acknowledge(&lapic), -1);
    store(ICR_HIGH, 0);
    store(ICR, 0x4000 | 0x64);
    assert_int_equal(lapic_acknowledge(&lapic), 0x64);
    store(ICR_HIGH, 0x05000000);
    assert_int_equal(load(ICR_HIGH), 0x05000000);
    store(ICR, 0x75);
    assert_int_equal(lapic_acknowledge(&lapic), -1);
    store(ICR_HIGH, 0xff000000);
    store(ICR, 0x1400); /* NMI; bit 12 is the status and stays 0 */
    assert_int_equal(nmis, 1);
    assert_int_equal(load(ICR), 0x400);
    store(ICR, 0xc0500); /* INIT, all others */
    store(ICR, 0x8500);  /* INIT level de-assert */
    assert_int_equal(inits, 0);
    store(ICR_HIGH, 0);
    store(ICR, 0x4500);
    assert_int_equal(inits, 1);
    assert_int_equal(load(SVR), 0xff);
}

static void illegal_vectors_and_registers_are_errors(void **state)
{
    (void)state;
    store(LVT_ERROR, 0xee);
    store(ICR, 0x40000 | 0x0f);
    assert_int_equal(lapic_acknowledge(&lapic), 0xee);
    assert_int_equal(load(ESR), 0);
    deliver(0x05, false);
    load(0x3d);
    store(ESR, 0);
    assert_int_equal(load(ESR), 0xe0);
    store(ESR, 0);
    assert_int_equal(load(ESR), 0);
    store(LVT_ERROR, 0x02); /* an error interrupt that is itself illegal ends there */
    load(0x3d);
    store(ESR, 0);
    assert_int_equal(load(ESR), 0xc0);
}

static void the_base_register_allows_only_the_manual_s_transitions(void **state)
{
    const uint64_t at = LAPIC_DEFAULT_BASE | BSP;

    (void)state;
    assert_int_equal(wrmsr(MSR_APIC_BASE, at | EXTD), -1);
    assert_int_equal(wrmsr(MSR_APIC_BASE, at | EN | 1), -1);
    assert_int_equal(wrmsr(MSR_APIC_BASE, at | EN | 1 << 9), -1);
    assert_int_equal(wrmsr(MSR_APIC_BASE, at | EN | UINT64_C(1) << 40), -1);
    assert_int_equal(wrmsr(MSR_APIC_BASE, at | EN | EXTD), 0);
    assert_int_equal(wrmsr(MSR_APIC_BASE, at | EN), -1); /* back to xAPIC */
    assert_int_equal(wrmsr(MSR_APIC_BASE, at | EXTD), -1);
    assert_int_equal(rdmsr(MSR_APIC_BASE), at | EN | EXTD);
    assert_int_equal(wrmsr(MSR_APIC_BASE, at), 0);
    assert_int_equal(wrmsr(MSR_APIC_BASE, at | EN | EXTD), -1); /* straight from disabled */
    assert_int_equal(wrmsr(MSR_APIC_BASE, at | EN), 0);
}

static void disabled_it_is_gone_and_enabled_it_comes_back_fresh(void **state)
{
    (void)state;
    deliver(0x40, false);
    store(LVT_TIMER, PERIODIC | 0x30);
    store(INITIAL, 1000000);
    wrmsr(MSR_APIC_BASE, LAPIC_DEFAULT_BASE | BSP);
    assert_false(lapic_enabled(&lapic));
    assert_int_equal(lapic_vector_pending(&lapic), -1);
    assert_int_equal(timer_next(), UINT64_MAX);
    assert_int_equal(load(VERSION), 0xffffffff);
    assert_false(lapic_deliver(&lapic, &(struct lapic_message){.delivery = LAPIC_NMI}));
    assert_true(lapic_accepts_extint(&lapic));
    wrmsr(MSR_APIC_BASE, LAPIC_DEFAULT_BASE | BSP | EN);
    assert_int_equal(load(VERSION), LAPIC_VERSION);
    assert_int_equal(load(LVT_LINT0), MASKED);
    assert_false(lapic_accepts_extint(&lapic));
    store(SVR, 0x1ff);
    assert_true(deliver(0x41, false));
    assert_int_equal(lapic_acknowledge(&lapic), 0x41);
}

static void its_page_follows_the_base_register(void **state)
{
    (void)state;
    assert_int_equal(wrmsr(MSR_APIC_BASE, 0xD0000000 | EN | BSP), 0);
    assert_int_equal(load(VERSION), 0xffffffff);
    assert_int_equal(bus_mmio_read(&bus, 0xD0000030, 4), LAPIC_VERSION);
    bus_claim_mmio(&bus, &(struct bus_mmio){.first = 0xC0000000, .last = 0xC0000fff, .device = &bus});
    assert_int_equal(wrmsr(MSR_APIC_BASE, 0xC0000000 | EN | BSP), 0); /* onto another device: nowhere */
    assert_false(bus_mmio_claimed(&bus, 0xD0000030));
    assert_int_equal(wrmsr(MSR_APIC_BASE, LAPIC_DEFAULT_BASE | EN | BSP), 0);
    assert_int_equal(load(VERSION), LAPIC_VERSION);
}

static void x2apic_registers_are_msrs_and_not_memory(void **state)
{
    (void)state;
    assert_int_equal(load(VERSION), 0xffffffff);
    assert_int_equal(rdmsr(0x800 + VERSION), LAPIC_VERSION);
    assert_int_equal(rdmsr(0x800 + LDR), 1);
    assert_int_equal(wrmsr(0x800 + ICR, 0x40000 | 0x35), 0);
    assert_int_equal(lapic_acknowledge(&lapic), 0x35);
    assert_int_equal(wrmsr(0x800 + EOI, 0), 0);
    assert_int_equal(wrmsr(0x800 + SELF_IPI, 0x36), 0);
    assert_int_equal(lapic_acknowledge(&lapic), 0x36);
    assert_int_equal(wrmsr(0x800 + EOI, 0), 0);
    assert_int_equal(wrmsr(0x800 + ICR, 0xffffffff00000037), 0);
    assert_int_equal(lapic_acknowledge(&lapic), 0x37);
    assert_int_equal(wrmsr(0x800 + EOI, 0), 0);
    assert_int_equal(wrmsr(0x800 + ICR, 0x000000ff00000038), 0); /* APIC 255, no broadcast */
    assert_int_equal(lapic_acknowledge(&lapic), -1);
    assert_int_equal(wrmsr(0x800 + ICR, 0x0000000100000839), 0); /* logical, cluster 0, member 0 */
    assert_int_equal(lapic_acknowledge(&lapic), 0x39);
    assert_int_equal(rdmsr(0x800 + ICR), 0x0000000100000839);
}

static void x2apic_accesses_fault_where_the_manual_says(void **state)
{
    static const uint8_t absent[] = {0x00, 0x01, 0x04, 0x09, 0x0c, 0x0e, 0x29, 0x2f, 0x31, 0x3a, 0x3d, 0x40, 0xff};
    static const uint8_t read_only[] = {ID, VERSION, PPR, LDR, ISR, ISR + 7, TMR, IRR + 7, CURRENT};
    static const struct { uint8_t reg; uint64_t value;
    } reserved[] = {
        {TPR, 0x100},
        {EOI, 1},
        {SVR, 0x200},
        {SVR, 1 << 13},
        {ESR, 1},
        {ICR, 1 << 13},
        {ICR, 1 << 20},
        {LVT_TIMER, 1 << 19},
        {LVT_TIMER, 0x100},
        {LVT_LINT0, 0x800},
        {LVT_ERROR, 0x100},
        {INITIAL, UINT64_C(1) << 32},
        {DIVIDE, 4},
        {SELF_IPI, 0x100},
        {LVT_LINT1, UINT64_C(1) << 32},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof absent; i++) {
        assert_true(rdmsr_faults(0x800 + absent[i]));
        assert_int_equal(wrmsr(0x800 + absent[i], 0), -1);
    }
    for (unsigned i = 0; i < sizeof read_only; i++) {
        assert_false(rdmsr_faults(0x800 + read_only[i]));
        assert_int_equal(wrmsr(0x800 + read_only[i], 0), -1);
    }
    for (unsigned i = 0; i < sizeof reserved / sizeof *reserved; i++)
        assert_int_equal(wrmsr(0x800 + reserved[i].reg, reserved[i].value), -1);
    assert_true(rdmsr_faults(0x800 + EOI));
    assert_true(rdmsr_faults(0x800 + SELF_IPI));
    assert_int_equal(wrmsr(0x800 + LVT_LINT0, rdmsr(0x800 + LVT_LINT0) | 1 << 12), 0); /* read-only is not reserved */
}

static void without_x2apic_its_msrs_fault(void **state)
{
    (void)state;
    for (uint32_t msr = MSR_X2APIC_FIRST; msr <= MSR_X2APIC_LAST; msr++) {
        assert_true(rdmsr_faults(msr));
        assert_int_equal(wrmsr(msr, 0), -1);
    }
}

static void the_local_pins_do_what_their_entries_say(void **state)
{
    (void)state;
    store(LVT_LINT0, 0x700);
    lapic_raise_lint0(&lapic);
    assert_int_equal(lapic_vector_pending(&lapic), -1);
    assert_true(lapic_accepts_extint(&lapic));
    store(LVT_LINT0, 0x45); /* fixed: virtual wire IRQ */
    assert_false(lapic_accepts_extint(&lapic));
    lapic_raise_lint0(&lapic);
    assert_int_equal(lapic_vector_pending(&lapic), 0x45);
}

static void odd_accesses_to_its_page_do_no_harm(void **state)
{
    (void)state;
    store(TPR, 0x55);
    assert_int_equal(bus_mmio_read(&bus, LAPIC_DEFAULT_BASE + 0x80, 1), 0x55);
    assert_int_equal(bus_mmio_read(&bus, LAPIC_DEFAULT_BASE + 0x31, 1), LAPIC_VERSION >> 8 & 0xff);
    assert_int_equal(bus_mmio_read(&bus, LAPIC_DEFAULT_BASE + 0x84, 4), 0);
    bus_mmio_write(&bus, LAPIC_DEFAULT_BASE + 0x80, 1, 0);
    bus_mmio_write(&bus, LAPIC_DEFAULT_BASE + 0x88, 4, 0);
    assert_int_equal(load(TPR), 0x55);
    store(PPR, 0);
    store(ISR, 0xffffffff);
    assert_int_equal(load(ISR), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(begin, it_starts_as_firmware_leaves_it),
        TEST(begin, while_software_disabled_it_takes_nothing_and_masks_all),
        TEST(begin_enabled, priorities_decide_what_is_pending),
        TEST(begin_enabled, the_end_of_a_level_is_broadcast_unless_suppressed),
        TEST(begin_enabled, destinations_are_physical_flat_or_cluster),
        TEST(begin_enabled, messages_are_stores_to_its_address),
        TEST(begin_enabled, ipis_reach_this_cpu_by_every_way_that_includes_it),
        TEST(begin_enabled, illegal_vectors_and_registers_are_errors),
        TEST(begin_enabled, the_base_register_allows_only_the_manual_s_transitions),
        TEST(begin_enabled, disabled_it_is_gone_and_enabled_it_comes_back_fresh),
        TEST(begin_enabled, its_page_follows_the_base_register),
        TEST(begin_x2apic, x2apic_registers_are_msrs_and_not_memory),
        TEST(begin_x2apic, x2apic_accesses_fault_where_the_manual_says),
        TEST(begin_enabled, without_x2apic_its_msrs_fault),
        TEST(begin_enabled, the_local_pins_do_what_their_entries_say),
        TEST(begin_enabled, odd_accesses_to_its_page_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
