#include "tests/unit/dispatch_scene.h"

enum { TO_CR = 0 << 4, FROM_CR = 1 << 4, CLTS = 2 << 4, LMSW = 3 << 4 };
#define CR0_TS   (1ull << 3)
#define CR0_MP   (1ull << 1)
#define CR0_EM   (1ull << 2)
#define CR0_BASE (CR0_PE | CR0_ET)

static enum exit_action move(unsigned cr, uint64_t value)
{
    vm->vcpu.exit.qualification = TO_CR | cr | RBX << 8;
    vm->vcpu.gpr[RBX] = value;
    return exit_cr_access(vm);
}

static enum exit_action lmsw(uint16_t value)
{
    vm->vcpu.exit.qualification = (uint64_t)value << 16 | LMSW;
    return exit_cr_access(vm);
}

static void done(enum exit_action action)
{
    assert_int_equal(action, EXIT_SKIP);
    assert_int_equal(vm->vcpu.event_info, 0);
}

static uint64_t seen0(void) { return registers_cr0(&vm->vcpu); }

static void cp_keeps_ne_set_and_the_caches_on_and_the_guest_sees_what_it_wrote(void **state)
{
    (void)state;
    done(move(0, CR0_BASE | CR0_CD | CR0_NW));
    assert_int_equal(seen0(), CR0_BASE | CR0_CD | CR0_NW);
    assert_int_equal(get(VMCS_GUEST_CR0), CR0_BASE | CR0_NE);
    done(move(0, CR0_BASE | CR0_NE));
    assert_int_equal(seen0(), CR0_BASE | CR0_NE);
    done(move(0, CR0_PE)); /* ET is one whatever is written */
    assert_int_equal(seen0(), CR0_BASE);
    done(move(0, 0xFFFFFFFF & ~CR0_PG));
    assert_int_equal(seen0(), 0x6005003F); /* reserved bits are ignored and read as zero */
}

static void refused(uint64_t value)
{
    uint64_t real = get(VMCS_GUEST_CR0), seen = seen0();
    assert_general_protection(move(0, value));
    assert_int_equal(get(VMCS_GUEST_CR0), real);
    assert_int_equal(seen0(), seen);
    assert_int_equal(linear_flushes, 0);
}

static void contradictions_in_cr0_are_general_protection_and_change_nothing(void **state)
{
    (void)state;
    refused(CR0_BASE | CR0_NW);
    refused(CR0_ET | CR0_PG);
    scene_long_mode();
    for (unsigned bit = 32; bit < 64; bit++)
        refused(CR0_BASE | CR0_PG | CR0_WP | 1ull << bit);
    done(move(0, CR0_BASE | CR0_PG | CR0_WP));
}

static void outside_64_bit_mode_the_operand_has_32_bits(void **state)
{
    (void)state;
    done(move(0, 0xFFFFFFFF00000000 | CR0_BASE | CR0_CD));
    assert_int_equal(seen0(), CR0_BASE | CR0_CD);
    done(move(4, 0xFFFFFFFF00000000 | CR4_PSE));
    assert_int_equal(registers_cr4(&vm->vcpu), CR4_PSE);
}

static void the_stack_pointer_is_an_operand_too(void **state)
{
    (void)state;
    set(VMCS_GUEST_RSP, CR0_BASE | CR0_CD);
    vm->vcpu.gpr[RSP] = 0;
    vm->vcpu.exit.qualification = TO_CR | RSP << 8;
    done(exit_cr_access(vm));
    assert_int_equal(seen0(), CR0_BASE | CR0_CD);
    done(move(8, 9));
    vm->vcpu.exit.qualification = FROM_CR | 8 | RSP << 8;
    done(exit_cr_access(vm));
    assert_int_equal(get(VMCS_GUEST_RSP), 9);
}

static void clts_clears_ts_only(void **state)
{
    (void)state;
    set(VMCS_GUEST_CR0, get(VMCS_GUEST_CR0) | CR0_TS | CR0_MP);
    vm->vcpu.exit.qualification = CLTS;
    done(exit_cr_access(vm));
    assert_int_equal(seen0(), CR0_BASE | CR0_MP);
}

static void lmsw_writes_four_bits_and_cannot_clear_pe(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 16; value++)
        for (unsigned pe = 0; pe < 2; pe++) {
            set(VMCS_GUEST_CR0, CR0_ET | CR0_NE | CR0_WP | pe | CR0_EM);
            set(VMCS_CR0_SHADOW, 0);
            done(lmsw((uint16_t)(0xFFF0 | value)));
            assert_int_equal(seen0(), CR0_ET | CR0_WP | value | pe);
        }
}

static void paging_on_with_lme_is_long_mode_and_off_ends_it(void **state)
{
    (void)state;
    set(VMCS_GUEST_EFER, EFER_LME);
    assert_general_protection(move(0, CR0_BASE | CR0_PG)); /* without PAE */
    set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
    set(VMCS_GUEST_CS_ACCESS_RIGHTS, 0xE09B);
    assert_general_protection(move(0, CR0_BASE | CR0_PG)); /* CS.L already */
    set(VMCS_GUEST_CS_ACCESS_RIGHTS, 0xC09B);
    assert_int_equal(get(VMCS_GUEST_EFER), EFER_LME);
    done(move(0, CR0_BASE | CR0_PG));
    assert_int_equal(get(VMCS_GUEST_EFER), EFER_LME | EFER_LMA);
    assert_true(get(VMCS_ENTRY_CONTROLS) & ENTRY_LONG_MODE);
    assert_int_equal(linear_flushes, 1);
    done(move(0, CR0_BASE));
    assert_int_equal(get(VMCS_GUEST_EFER), EFER_LME);
    assert_false(get(VMCS_ENTRY_CONTROLS) & ENTRY_LONG_MODE);
    assert_int_equal(linear_flushes, 2);
}

static void paging_does_not_end_in_64_bit_code_nor_with_pcids(void **state)
{
    (void)state;
    scene_long_mode();
    assert_general_protection(move(0, CR0_BASE));
    set(VMCS_GUEST_CS_ACCESS_RIGHTS, 0xC09B); /* compatibility mode */
    set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE | CR4_PCIDE);
    assert_general_protection(move(0, CR0_BASE));
    assert_true(get(VMCS_GUEST_EFER) & EFER_LMA);
    set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
    done(move(0, CR0_BASE));
    assert_false(get(VMCS_GUEST_EFER) & EFER_LMA);
}

static const enum vmcs_field pdpte[4] = {VMCS_GUEST_PDPTE0, VMCS_GUEST_PDPTE1, VMCS_GUEST_PDPTE2, VMCS_GUEST_PDPTE3};

static void table_of_four(uint64_t at, const uint64_t entry[4])
{
    for (unsigned i = 0; i < 4; i++)
        poke(at + 8 * i, entry[i], 8);
    set(VMCS_GUEST_CR3, at);
}

static void pae_paging_loads_its_four_entries(void **state)
{
    static const uint64_t entry[4] = {0x5001, 0x6E1A, 0x7FFFFFF019, 0};

    (void)state;
    table_of_four(0x3FE0, entry); /* 32-byte aligned is enough */
    set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
    done(move(0, CR0_BASE | CR0_PG));
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(get(pdpte[i]), entry[i]);
    done(move(0, CR0_BASE));
    set(VMCS_GUEST_CR4, CR4_VMXE);
    done(move(0, CR0_BASE | CR0_PG));
    poke(0x3FE0, 0x9001, 8);
    done(move(4, CR4_PAE)); /* by CR4 while paging is on */
    assert_int_equal(get(pdpte[0]), 0x9001);
}

/* By the processor's own walks, where these do so: at any depth. */
static void entries_that_a_walk_marked_are_loaded_as_they_were(void **state)
{
    static const uint64_t entry[4] = {0x5021, 0x6E3A, 0x7FFFFFF039, 0x20};

    (void)state;
    cpuid_marks_pdptes = true;
    table_of_four(0x3FE0, entry);
    set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
    done(move(0, CR0_BASE | CR0_PG));
    cpuid_marks_pdptes = false;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(get(pdpte[i]), entry[i] & ~0x20ull);
}

static void a_reserved_bit_in_any_of_the_four_is_refused_whole(void **state)
{
    (void)state;
    set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned bit = 1; bit < 64; bit++) {
            uint64_t entry[4] = {0x5001, 0x6001, 0x7001, 0x8001};
            bool reserved = bit == 1 || bit == 2 || (bit >= 5 && bit <= 8) || bit >= 39;
            set(VMCS_GUEST_CR0, CR0_BASE | CR0_NE);
            for (unsigned j = 0; j < 4; j++)
                set(pdpte[j], 0);
            entry[i] |= 1ull << bit;
            table_of_four(0x3000, entry);
            if (reserved) {
                assert_general_protection(move(0, CR0_BASE | CR0_PG));
                assert_int_equal(get(pdpte[0]) | get(pdpte[1]) | get(pdpte[2]) | get(pdpte[3]), 0);
                assert_false(get(VMCS_GUEST_CR0) & CR0_PG);
            } else {
                done(move(0, CR0_BASE | CR0_PG));
                assert_int_equal(get(pdpte[i]), entry[i]);
            }
            entry[i] &= ~1ull; /* one that is not present may hold anything */
            table_of_four(0x3000, entry);
            set(VMCS_GUEST_CR0, CR0_BASE | CR0_NE);
            done(move(0, CR0_BASE | CR0_PG));
        }
}

static void a_table_of_four_outside_storage_is_refused(void **state)
{
    (void)state;
    set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
    set(VMCS_GUEST_CR3, 0xFEC00000);
    assert_general_protection(move(0, CR0_BASE | CR0_PG));
}

static void cr4_takes_exactly_what_cpuid_allows(void **state)
{
    (void)state;
    scene_long_mode();
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t value = CR4_PAE | 1ull << bit;
        uint64_t before = get(VMCS_GUEST_CR4);
        if (cpuid_cr4_allowed(vm) >> bit & 1) {
            done(move(4, value));
            assert_int_equal(registers_cr4(&vm->vcpu), value);
            assert_int_equal(get(VMCS_GUEST_CR4), value | CR4_VMXE | CR4_MCE);
        } else {
            assert_general_protection(move(4, value));
            assert_int_equal(get(VMCS_GUEST_CR4), before);
        }
    }
}

static void vmxe_is_real_always_and_seen_only_when_written(void **state)
{
    (void)state;
    assert_general_protection(move(4, CR4_VMXE));
    vm->config.nesting = NEST_TRAP;
    vm_masks_write(vm);
    done(move(4, CR4_VMXE));
    assert_int_equal(registers_cr4(&vm->vcpu), CR4_VMXE);
    done(move(4, 0));
    assert_int_equal(registers_cr4(&vm->vcpu), 0);
    assert_int_equal(get(VMCS_GUEST_CR4), CR4_VMXE | CR4_MCE);
    vm->config.nesting = NEST_OFF;
}

/* A machine check that finds it clear shuts the processor down. */
static void machine_checks_are_on_always_and_seen_only_when_enabled(void **state)
{
    (void)state;
    for (unsigned mode = NEST_OFF; mode < NEST_MODES; mode++) {
        vm->config.nesting = mode;
        vm_reset(vm);
        assert_true(get(VMCS_GUEST_CR4) & CR4_MCE);
        assert_true(get(VMCS_CR4_MASK) & CR4_MCE);
        assert_int_equal(registers_cr4(&vm->vcpu), 0);
        done(move(4, CR4_MCE));
        assert_int_equal(registers_cr4(&vm->vcpu), CR4_MCE);
        done(move(4, 0));
        assert_int_equal(registers_cr4(&vm->vcpu), 0);
        assert_true(get(VMCS_GUEST_CR4) & CR4_MCE);
    }
    vm->config.nesting = NEST_OFF;
}

static void pae_does_not_go_while_in_long_mode(void **state)
{
    (void)state;
    scene_long_mode();
    assert_general_protection(move(4, CR4_PSE));
    done(move(4, CR4_PAE | CR4_PSE));
}

static void pcids_come_only_in_long_mode_with_pcid_zero(void **state)
{
    (void)state;
    assert_general_protection(move(4, CR4_PCIDE));
    scene_long_mode();
    set(VMCS_GUEST_CR3, 0x5001);
    assert_general_protection(move(4, CR4_PAE | CR4_PCIDE));
    set(VMCS_GUEST_CR3, 0x5000);
    done(move(4, CR4_PAE | CR4_PCIDE));
    set(VMCS_GUEST_CR3, 0x5001);
    done(move(4, CR4_PAE | CR4_PCIDE | CR4_PGE)); /* once set any PCID goes */
    done(move(4, CR4_PAE));
}

static void cr4_flushes_when_a_paging_bit_changes_and_not_else(void **state)
{
    static const uint64_t flushing[] = {CR4_PSE, CR4_PGE, CR4_SMEP, CR4_SMAP, CR4_PCIDE};

    (void)state;
    scene_long_mode();
    done(move(4, CR4_PAE | 1 << 9));
    done(move(4, CR4_PAE | CR4_OSXSAVE));
    assert_int_equal(linear_flushes, 0);
    for (unsigned i = 0; i < sizeof flushing / sizeof *flushing; i++) {
        done(move(4, CR4_PAE | flushing[i]));
        done(move(4, CR4_PAE));
        assert_int_equal(linear_flushes, 2 * (i + 1));
    }
}

static void cr8_is_the_task_priority(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 16; value++) {
        done(move(8, value));
        assert_int_equal(lapic_read_cr8(&vm->machine.lapic), value);
        vm->vcpu.exit.qualification = FROM_CR | 8 | R9 << 8;
        vm->vcpu.gpr[R9] = ~0ull;
        done(exit_cr_access(vm));
        assert_int_equal(vm->vcpu.gpr[R9], value);
    }
    assert_general_protection(move(8, 16));
    assert_general_protection(move(8, 0x80000000));
    assert_int_equal(lapic_read_cr8(&vm->machine.lapic), 15);
}

static void there_is_no_other_control_register(void **state)
{
    (void)state;
    assert_int_equal(move(5, 0), EXIT_INJECT);
    assert_int_equal(taken_exception(), VECTOR_UD);
}

static enum exit_action xsetbv(uint32_t ecx, uint64_t value)
{
    uint64_t *gpr = vm->vcpu.gpr;
    gpr[RCX] = 0xFFFFFFFF00000000 | ecx;
    gpr[RAX] = 0xABCD000000000000 | (uint32_t)value;
    gpr[RDX] = value >> 32;
    return exit_xsetbv(vm);
}

/* SDM "Enabling the XSAVE Feature Set and XSAVE-Enabled Features" */
static bool model(uint64_t value)
{
    bool avx512 = (value & 0xE0) == 0xE0, some512 = value & 0xE0, avx = value & 4, sse = value & 2, x87 = value & 1;
    return x87 && !(value & ~0xE7ull) && (!avx || sse) && (!some512 || (avx512 && avx));
}

static void xcr0_takes_only_sets_that_go_together(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < 1 << 10; value++) {
        vm->vcpu.xstate.xcr0 = 1;
        if (model(value))
            done(xsetbv(0, value));
        else
            assert_general_protection(xsetbv(0, value));
        assert_int_equal(vm->vcpu.xstate.xcr0, model(value) ? value : 1);
    }
    for (unsigned bit = 8; bit < 64; bit++)
        assert_general_protection(xsetbv(0, 7 | 1ull << bit));
}

static void xsetbv_knows_xcr0_only(void **state)
{
    (void)state;
    assert_general_protection(xsetbv(1, 1));
    assert_general_protection(xsetbv(0x80000000, 1));
}

static void xcr0_is_refused_where_cpuid_offers_less(void **state)
{
    (void)state;
    cpuid_policy_init(everything, CPU2_ALL, 3, SCENE_HZ);
    done(xsetbv(0, 3));
    assert_general_protection(xsetbv(0, 7));
    cpuid_policy_init(everything, CPU2_ALL, 0, SCENE_HZ);
    assert_general_protection(xsetbv(0, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(cp_keeps_ne_set_and_the_caches_on_and_the_guest_sees_what_it_wrote),
        scene_test(contradictions_in_cr0_are_general_protection_and_change_nothing),
        scene_test(outside_64_bit_mode_the_operand_has_32_bits),
        scene_test(the_stack_pointer_is_an_operand_too),
        scene_test(clts_clears_ts_only),
        scene_test(lmsw_writes_four_bits_and_cannot_clear_pe),
        scene_test(paging_on_with_lme_is_long_mode_and_off_ends_it),
        scene_test(paging_does_not_end_in_64_bit_code_nor_with_pcids),
        scene_test(pae_paging_loads_its_four_entries),
        scene_test(entries_that_a_walk_marked_are_loaded_as_they_were),
        scene_test(a_reserved_bit_in_any_of_the_four_is_refused_whole),
        scene_test(a_table_of_four_outside_storage_is_refused),
        scene_test(cr4_takes_exactly_what_cpuid_allows),
        scene_test(vmxe_is_real_always_and_seen_only_when_written),
        scene_test(machine_checks_are_on_always_and_seen_only_when_enabled),
        scene_test(pae_does_not_go_while_in_long_mode),
        scene_test(pcids_come_only_in_long_mode_with_pcid_zero),
        scene_test(cr4_flushes_when_a_paging_bit_changes_and_not_else),
        scene_test(cr8_is_the_task_priority),
        scene_test(there_is_no_other_control_register),
        scene_test(xcr0_takes_only_sets_that_go_together),
        scene_test(xsetbv_knows_xcr0_only),
        scene_test(xcr0_is_refused_where_cpuid_offers_less),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
