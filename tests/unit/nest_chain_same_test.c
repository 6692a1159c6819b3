/* Whether CP0 carries out what V2 enters, or CP1 does, or now this one and now that: what V2, L3 and CP1 see is the
 * same. One and the same story is told three times. */
#include "tests/unit/nest_chain_story.h"

#include <stdlib.h>

/* ---- what each run does for itself -------------------------------------------------------------- */

static bool delegates(struct tower *tower)
{
    (void)tower;
    return run == ALWAYS || (run == SOMETIMES && luck(8));
}

static void between(struct tower *tower)
{
    if (run != SOMETIMES)
        return;
    switch (luck(24)) {
    case 0:
        tower_invept(tower, tower_eptp(tower));
        break;
    case 1:
        tower_invept(tower, 0);
        break;
    case 2:
        tower_vmclear(tower, tower->first.page);
        break;
    case 3:
        tower_page_out(tower, luck(TOWER_V2_PAGES) * 0x1000);
        break;
    case 4:
        tower->deadline1 = tower->m.tsc + luck(64) * 32;
        break;
    default:
        break;
    }
}

/* CP0 drops what it may drop at any time. */
static void disturb(void)
{
    if (run != SOMETIMES || !t.in_l3 || luck(4))
        return;
    t.frames_spare = luck(8) ? -1 : (int)luck(24);
    switch (luck(4)) {
    case 0:
        tower_interrupt(&t);
        break;
    case 1:
        if (tower_chained(&t)) {
            tower_give_back(&t);
            given_back++;
        }
        break;
    case 2:
        nest_ept01_changed(&t.m.nest, 0, 0x1000);
        break;
    default:
        nest_shrink(&t.m.nest);
    }
    if (t.in_l3)
        tower_settle(&t);
}

/* ---- V2's part -------------------------------------------------------------------------------------- */

static void write_field(struct vmcs_page *page)
{
    static const uint32_t events[] = {0x80000306, 0x80000B0D, 0x80000202, 0x80000480, 0};
    static const uint32_t toggled[] = {CPU_HLT_EXITING, CPU_RDTSC_EXITING, CPU_MSR_BITMAPS, CPU_IO_BITMAPS,
                                       CPU_UNCONDITIONAL_IO_EXITING, CPU_TPR_SHADOW, CPU_TSC_OFFSETTING};
    const struct vmcs *v = &page->fields;
    switch (pick(22)) {
    case 0:
        vmcs_page_write(page, VMCS_INDEX_PIN_CONTROLS, v->pin_controls ^ PIN_EXTERNAL_INTERRUPT_EXITING);
        break;
    case 1:
        vmcs_page_write(page, VMCS_INDEX_PIN_CONTROLS, v->pin_controls ^ PIN_PREEMPTION_TIMER);
        break;
    case 2:
    case 3:
        vmcs_page_write(page, VMCS_INDEX_PROCESSOR_CONTROLS,
                        v->processor_controls ^ toggled[pick(sizeof(toggled) / sizeof(toggled[0]))]);
        break;
    case 4:
        vmcs_page_write(page, VMCS_INDEX_EXCEPTION_BITMAP, random_of(&story) & random_of(&story) & 0xFFFFFFFF);
        break;
    case 5:
        vmcs_page_write(page, VMCS_INDEX_PREEMPTION_TIMER, pick(40));
        break;
    case 6:
        vmcs_page_write(page, VMCS_INDEX_EXIT_CONTROLS, v->exit_controls ^ EXIT_SAVE_PREEMPTION_TIMER);
        break;
    case 7:
        vmcs_page_write(page, VMCS_INDEX_EPT_POINTER, (pick(2) ? TABLES : TABLES_B) | 3 << 3 | 6 |
                                                          (pick(2) ? EPTP_ACCESSED_DIRTY : 0));
        break;
    case 8:
        vmcs_page_write(page, VMCS_INDEX_SECONDARY_CONTROLS,
                        v->secondary_controls ^ (pick(3) ? CPU2_VPID : CPU2_EPT | CPU2_UNRESTRICTED_GUEST));
        break;
    case 9:
    case 10: {
        uint32_t event = events[pick(5)];
        vmcs_page_write(page, VMCS_INDEX_ENTRY_INTERRUPTION_INFO, event);
        vmcs_page_write(page, VMCS_INDEX_ENTRY_EXCEPTION_ERROR_CODE, pick(64) * 8);
        vmcs_page_write(page, VMCS_INDEX_ENTRY_INSTRUCTION_LENGTH, 2);
        break;
    }
    case 11:
        vmcs_page_write(page, VMCS_INDEX_GUEST_RIP, 0x4000 + pick(256));
        break;
    case 12:
        vmcs_page_write(page, VMCS_INDEX_GUEST_GS_BASE, pick(1 << 20));
        break;
    case 13:
        vmcs_page_write(page, VMCS_INDEX_HOST_GS_BASE, pick(1 << 20));
        break;
    case 14:
        vmcs_page_write(page, VMCS_INDEX_TSC_OFFSET, random_of(&story));
        break;
    case 15: /* what is not entered, or not carried, and then again */
        vmcs_page_write(page, VMCS_INDEX_ENTRY_MSR_LOAD_COUNT, !v->entry_msr_load_count && !pick(3));
        break;
    case 16:
        vmcs_page_write(page, VMCS_INDEX_GUEST_CR0, v->guest_cr0 ^ (pick(4) ? 8 : 1u << 31));
        break;
    case 17:
        vmcs_page_write(page, VMCS_INDEX_HOST_CR4, v->host_cr4 ^ (pick(4) ? 0x200 : 0x20));
        break;
    case 18:
        vmcs_page_write(page, VMCS_INDEX_CR0_MASK, pick(2) ? 0x20 : 0x60000008);
        break;
    case 19:
        vmcs_page_write(page, VMCS_INDEX_VPID, 1 + pick(3));
        break;
    case 20:
        vmcs_page_write(page, VMCS_INDEX_ENTRY_CONTROLS,
                        v->entry_controls ^ (pick(2) ? ENTRY_LOAD_PAT : ENTRY_LOAD_DEBUG_CONTROLS));
        break;
    default:
        vmcs_page_write(page, VMCS_INDEX_EXIT_CONTROLS,
                        v->exit_controls ^ (pick(2) ? EXIT_LOAD_PAT : EXIT_SAVE_DEBUG_CONTROLS));
    }
}

static void change_tables(void)
{
    uint64_t tables = pick(2) ? TABLES : TABLES_B, *entry = &table_at(tables + 0x3000)[pick(L3_PAGES)];
    switch (pick(5)) {
    case 0:
        *entry = 0;
        break;
    case 1:
        *entry = TOWER_V2_BYTES | RWX | WRITE_BACK; /* a device's */
        break;
    case 2:
        *entry = (*entry & ~7ull) | 5;
        break;
    case 3:
        *entry |= 2 | (pick(6) ? 1 : 0); /* maybe a misconfiguration */
        break;
    default:
        *entry = (L3_STORAGE + pick(L3_PAGES) * 0x1000) | RWX | WRITE_BACK;
    }
    tower_v2_operand(&t, EXIT_INVEPT, tables | 3 << 3 | 6, 0, 1);
}

/* By VMREAD. */
static void look_at_vmcs(void)
{
    static const enum vmcs_field fields[] = {
        VMCS_EXIT_REASON, VMCS_EXIT_QUALIFICATION, VMCS_GUEST_RIP, VMCS_GUEST_RSP, VMCS_GUEST_CR3, VMCS_GUEST_GS_BASE,
        VMCS_GUEST_PHYSICAL_ADDRESS, VMCS_EXIT_INTERRUPTION_INFO, VMCS_PIN_CONTROLS, VMCS_PROCESSOR_CONTROLS,
        VMCS_EXIT_INSTRUCTION_LENGTH, VMCS_GUEST_CR0, VMCS_GUEST_SYSENTER_ESP, VMCS_HOST_RIP, VMCS_PREEMPTION_TIMER,
        VMCS_INSTRUCTION_ERROR, VMCS_VPID, VMCS_EPT_POINTER,
    };
    enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };
    struct line *l = line(V2_RUNS);
    unsigned from = pick(FIELDS);
    l->value[0] = 4;
    for (unsigned i = 1; i < 6; i++)
        l->value[i] = tower_v2_read(&t, fields[(from + i * 5) % FIELDS]);
}

static void write_to_vmcs(void)
{
    static const enum vmcs_field fields[] = {VMCS_GUEST_RIP, VMCS_GUEST_GS_BASE, VMCS_HOST_GS_BASE, VMCS_TSC_OFFSET};
    uint64_t was;
    switch (pick(6)) {
    case 0:
        was = tower_v2_read(&t, VMCS_PIN_CONTROLS);
        tower_v2_write(&t, VMCS_PIN_CONTROLS,
                       was ^ (pick(2) ? PIN_EXTERNAL_INTERRUPT_EXITING : PIN_PREEMPTION_TIMER));
        break;
    case 1:
        was = tower_v2_read(&t, VMCS_PROCESSOR_CONTROLS);
        tower_v2_write(&t, VMCS_PROCESSOR_CONTROLS, was ^ (pick(2) ? CPU_MSR_BITMAPS : CPU_IO_BITMAPS));
        break;
    case 2:
        tower_v2_write(&t, VMCS_ENTRY_INTERRUPTION_INFO, pick(2) ? 0x80000306 : 0x80000202);
        break;
    case 3:
        tower_v2_write(&t, VMCS_PREEMPTION_TIMER, pick(40));
        break;
    default:
        tower_v2_write(&t, fields[pick(4)], 0x4000 + pick(4096));
    }
}

/* As a hypervisor that does not know pages. */
static void instruction_of_v2(void)
{
    uint64_t region = pick(3) ? REGION : REGION_B;
    switch (pick(12)) {
    case 0:
        tower_v2_operand(&t, EXIT_VMCLEAR, region, 0, 0);
        break;
    case 1:
    case 2:
        tower_v2_operand(&t, EXIT_VMPTRLD, region, 0, 0);
        break;
    case 3:
    case 4:
        look_at_vmcs();
        break;
    case 5:
    case 6:
        write_to_vmcs();
        break;
    case 7:
        if (pick(4))
            break;
        tower_v2_executes(&t, EXIT_VMXOFF);
        if (pick(2))
            tower_v2_call(&t, P2);
        tower_v2_operand(&t, EXIT_VMXON, TOWER_V2_VMXON, 0, 0);
        break;
    case 8:
    case 9:
        tower_v2_enters(&t, EXIT_VMLAUNCH);
        break;
    default:
        tower_v2_enters(&t, EXIT_VMRESUME);
    }
}

static void step_of_v2(void)
{
    static const uint64_t bad[] = {TOWER_V2_VMXON, MSRS, 0x123, TOWER_V2_BYTES, 1ull << 50};
    uint64_t gpa = pick(3) ? P2 : P2B;
    t.m.gpr[5 + pick(10)] = random_of(&story);
    if (pick(100) < by_regions) {
        instruction_of_v2();
        return;
    }
    switch (pick(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
        write_field(page_at(gpa));
        break;
    case 4:
        ((uint8_t *)tower_v2(&t, MSRS + pick(3) * 0x1000))[pick(4096)] = (uint8_t)random_of(&story);
        break;
    case 5:
        change_tables();
        break;
    case 6:
        tower_v2_operand(&t, EXIT_VMCLEAR, gpa, 0, 0);
        break;
    case 7:
        tower_v2_operand(&t, EXIT_INVVPID, 1 + pick(8), 0, 1);
        break;
    case 8:
        tower_v2_executes(&t, EXIT_CPUID);
        break;
    case 9:
        if (!pick(4))
            tower_v2_operand(&t, EXIT_INVEPT, 0, 0, 2);
        else
            t.m.loaded->held.guest_rsp = 0x9000 + pick(64) * 8;
        break;
    case 10:
        tower_v2_call(&t, bad[pick(sizeof(bad) / sizeof(bad[0]))]);
        break;
    default:
        tower_v2_call(&t, gpa);
    }
}

/* ---- L3's ------------------------------------------------------------------------------------------------ */

static void interrupt_for_v2(void)
{
    bool wants = t.nest.in_guest || tower_chained(&t);
    if (wants && !t.event0.info && t.vector1 < 0) {
        t.vector1 = 0x40;
        tower_interrupt(&t);
        struct l3_step nothing = {.reason = EXIT_HLT};
        (void)nothing;
    }
}

static void step_of_l3(void)
{
    static const enum exit_reason reasons[] = {EXIT_CPUID, EXIT_HLT, EXIT_RDTSC, EXIT_VMREAD, EXIT_INVEPT, EXIT_VMCALL,
                                               EXIT_VMXON, EXIT_TRIPLE_FAULT};
    struct nest_event delivered = {0};
    struct l3_step what = {.reason = reasons[pick(8)]};
    struct vmcs *held = &t.m.loaded->held;
    switch (pick(14)) {
    case 0:
    case 1:
        what.reason = pick(2) ? EXIT_RDMSR : EXIT_WRMSR;
        t.m.gpr[RCX] = pick(2) ? pick(0x2100) : 0xC0000000u + pick(0x2000);
        break;
    case 2:
        what = (struct l3_step){.reason = EXIT_IO, .qualification = (uint64_t)pick(65536) << 16};
        break;
    case 3:
        what = (struct l3_step){.reason = EXIT_EXCEPTION_NMI, .info = 0x80000300 | pick(20)};
        if ((what.info & 0xFF) == 2)
            what.info = 0x80000202;
        break;
    case 4:
    case 5:
    case 6:
    case 7: {
        unsigned page = pick(L3_PAGES + 1);
        what = (struct l3_step){.reason = EXIT_EPT_VIOLATION, .gpa3 = page * 0x1000 + 0x18,
                                .qualification = 0x180 | 1u << pick(3)};
        break;
    }
    case 8:
        t.m.tsc += 32 * pick(30);
        break;
    case 9:
        held->guest_rsp += 16;
        held->guest_cr3 ^= 0x1000;
        held->guest_gs_base += 3;
        held->guest_sysenter_esp += 8;
        held->guest_rip += 5;
        t.m.gpr[6] += 77;
        return;
    case 10:
        if (what.reason == EXIT_VMCALL && pick(2))
            t.m.gpr[RAX] = TOWER_CALL, t.m.gpr[RBX] = P2;
        break;
    case 11:
        what = (struct l3_step){.reason = EXIT_CR_ACCESS, .qualification = 8 | (pick(2) ? 1 << 4 : 0)};
        break;
    case 12:
        interrupt_for_v2();
        break;
    default:
        what.reason = EXIT_EXTERNAL_INTERRUPT; /* CP0's own */
    }
    if (what.reason == EXIT_EXTERNAL_INTERRUPT) {
        struct exit exit = {.reason = EXIT_EXTERNAL_INTERRUPT};
        if (!t.event0.info)
            tower_exit(&t, &exit);
        return;
    }
    l3_does(&what, &delivered);
    struct line *l = line(L3_RUNS);
    l->value[0] = what.hpa, l->value[1] = delivered.info;
    l->value[4] = what.reason, l->value[5] = t.m.gpr[RCX];
    l->value[2] = delivered.info & HAS_ERROR ? delivered.error : 0;
    l->value[3] = (delivered.info & TYPE) == SOFTWARE ? delivered.length : 0;
}

/* ---- the story ----------------------------------------------------------------------------------------------- */

static void make_bitmaps(void)
{
    uint64_t seed = story;
    for (unsigned i = 0; i < 3 * 4096; i++)
        ((uint8_t *)tower_v2(&t, MSRS))[i] = (uint8_t)(random_of(&seed) & random_of(&seed));
    for (unsigned i = 0; i < 2; i++) {
        struct vmcs *v = &page_at(i ? P2B : P2)->fields;
        struct nest_region *region = tower_v2(&t, i ? REGION_B : REGION);
        v->msr_bitmap = MSRS, v->io_bitmap_a = IO_A, v->io_bitmap_b = IO_B, v->virtual_apic_address = APIC;
        v->entry_msr_load_address = 0xA000;
        v->pin_controls |= PIN_PREEMPTION_TIMER;
        v->preemption_timer = 100000;
        region->fields = *v;
    }
    *(uint64_t *)tower_v2(&t, 0xA000) = 0xC0000081;
}

static void tell(uint64_t seed)
{
    story = seed, chance = seed * 31 + run;
    assert_int_equal(start(NULL), 0);
    t.m.versions = pick(2);
    by_regions = pick(3) * 40;
    t.delegates = delegates, t.between = between, t.seen = seen;
    make_bitmaps();
    tower_v2_executes(&t, EXIT_CPUID); /* so CP1 enters by the rules of this run */
    count[run] = 0;
    for (step = 0; step < STEPS; step++) {
        t.m.versions += !!t.m.versions; /* whatever is written in this step */
        if (t.in_l3)
            step_of_l3();
        else
            step_of_v2();
        sound();
        disturb();
        if (t.in_l3)
            tower_settle(&t);
        look();
    }
    carried += t.carried_exits, calls += t.delegated, refused += t.outer;
    if (run == NEVER)
        assert_int_equal(t.delegated + t.outer, 0);
    assert_int_equal(stop(NULL), 0);
}

/* ---- the same --------------------------------------------------------------------------------------------------- */

static void differ(const struct line *a, const struct line *b, const char *what, uint64_t one, uint64_t other)
{
    static const char *const names[KINDS] = {"V2 runs", "L3 runs", "CP1 sees"};
    fail_msg("story %u, step %u (%s): %s is %#llx without the chain, %#llx %s", now, a->step, names[a->kind], what,
             (unsigned long long)one, (unsigned long long)other, run == ALWAYS ? "with it" : "with it at times");
    (void)b;
}

static void same_line(const struct line *a, const struct line *b)
{
    if (a->step != b->step || a->kind != b->kind)
        differ(a, b, "the order of what happens", a->kind, b->step * 16 + b->kind);
    for (unsigned i = 0; i < 6; i++)
        if (a->value[i] != b->value[i]) {
            char name[] = "value  ";
            name[6] = (char)('0' + i);
            differ(a, b, name, a->value[i], b->value[i]);
        }
    for (unsigned i = 0; i < 16; i++)
        if (a->gpr[i] != b->gpr[i]) {
            char name[] = "register  ";
            name[9] = (char)('a' + i);
            differ(a, b, name, a->gpr[i], b->gpr[i]);
        }
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (vmcs_get(&a->fields, i) != vmcs_get(&b->fields, i))
            differ(a, b, vmcs_field_name(vmcs_field_rows[i].encoding), vmcs_get(&a->fields, i),
                   vmcs_get(&b->fields, i));
    if (a->storage != b->storage)
        differ(a, b, "V2's storage", a->storage, b->storage);
}

static void the_same_is_seen_whoever_carries_it_out(void **state)
{
    const char *only = getenv("STORY");
    (void)state;
    for (now = only ? (unsigned)atoi(only) : 0; now < TRIALS; now++) {
        uint64_t seed = (now + 1) * 0x9E3779B97F4A7C15ull;
        for (run = NEVER; run < RUNS; run++) {
            tell(seed);
            for (unsigned i = 0; run != NEVER && i < count[NEVER] && i < count[run]; i++)
                same_line(&lines[NEVER][i], &lines[run][i]);
            assert_int_equal(count[run], count[NEVER]);
        }
        if (only)
            break;
    }
    print_message("%u exits given by CP0 alone, %u calls carried out, %u not, %u given back\n", carried, calls, refused,
                  given_back);
    if (!only)
        assert_true(carried > 8 * TRIALS && given_back > TRIALS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_is_seen_whoever_carries_it_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
