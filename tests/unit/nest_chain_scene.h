/* What tests of the chain share: a tower with a page that V2 may enter, and L3's instructions as hardware has them. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nest/chain.h"
#include "nest/chain_host.h"
#include "nest/enter.h"
#include "nest/ept.h"
#include "tests/unit/fake/chain_tower.h"

/* V2's storage. Two sets of tables map L3's pages to the same of V2's, the second the other way round. */
enum { P2 = 0x4000, P2B = 0x5000, MSRS = 0x6000, IO_A = 0x7000, IO_B = 0x8000, APIC = 0x9000, REGION = 0xB000,
       REGION_B = 0xC000, TABLES = 0x10000,
       TABLES_B = 0x14000, L3_STORAGE = 0x20000, L3_PAGES = 16 };
enum { RAX = 0, RCX = 1, RDX = 2, RBX = 3, RWX = 7, WRITE_BACK = 6 << 3 };

static struct tower t;

static inline struct vmcs_page *page_at(uint64_t gpa2)
{
    return tower_v2(&t, gpa2);
}

static inline uint64_t *table_at(uint64_t gpa2)
{
    return tower_v2(&t, gpa2);
}

static inline void make_tables(uint64_t at, bool backwards)
{
    for (unsigned level = 0; level < 3; level++)
        table_at(at + level * 0x1000)[0] = (at + (level + 1) * 0x1000) | RWX;
    for (unsigned i = 0; i < L3_PAGES; i++)
        table_at(at + 0x3000)[i] =
            (L3_STORAGE + (backwards ? L3_PAGES - 1 - i : i) * 0x1000) | RWX | WRITE_BACK;
}

static inline int start(void **state)
{
    (void)state;
    tower_start(&t);
    make_tables(TABLES, false);
    make_tables(TABLES_B, true);
    tower_make_page(&t, P2, TABLES);
    tower_make_page(&t, P2B, TABLES_B);
    for (unsigned i = 0; i < 2; i++) {
        struct nest_region *region = tower_v2(&t, i ? REGION_B : REGION);
        region->revision = page_at(P2)->revision;
        region->fields = page_at(i ? P2B : P2)->fields;
    }
    if (t.m.complaint)
        fail_msg("%s", t.m.complaint);
    return 0;
}

static inline int stop(void **state)
{
    (void)state;
    bool clean = tower_stop(&t);
    if (!clean)
        fail_msg("%s", t.m.complaint ? t.m.complaint : "nothing");
    return !clean;
}

static inline void sound(void)
{
    if (t.m.complaint)
        fail_msg("%s (%s)", t.m.complaint, t.m.traced ? t.m.traced : "");
}

static inline void enter(uint64_t gpa2)
{
    tower_v2_call(&t, gpa2);
    sound();
    assert_true(t.in_l3);
}

/* ---- L3's instructions ------------------------------------------------------------------ */

struct l3_step {
    enum exit_reason reason;
    uint64_t qualification, gpa3; /* EPT_VIOLATION: an access */
    uint32_t info;                /* EXCEPTION_NMI: the event */
    uint64_t hpa;                 /* out: where the access went; 0: nowhere */
};

static inline bool bit_of(uint64_t bitmap, uint32_t bit)
{
    return ((const uint8_t *)(uintptr_t)bitmap)[bit / 8] >> bit % 8 & 1;
}

static inline bool msr_exits(const struct vmcs *v, bool write)
{
    uint32_t msr = (uint32_t)t.m.gpr[RCX], base = write ? 2048 * 8 : 0;
    if (!(v->processor_controls & CPU_MSR_BITMAPS) || (msr >= 0x2000 && msr - 0xC0000000u >= 0x2000))
        return true;
    return bit_of(v->msr_bitmap, msr < 0x2000 ? base + msr : base + 1024 * 8 + (msr - 0xC0000000u));
}

static inline bool io_exits(const struct vmcs *v, uint64_t qualification)
{
    uint32_t port = qualification >> 16 & 0xFFFF;
    if (!(v->processor_controls & CPU_IO_BITMAPS))
        return v->processor_controls & CPU_UNCONDITIONAL_IO_EXITING;
    return bit_of(port < 0x8000 ? v->io_bitmap_a : v->io_bitmap_b, port & 0x7FFF);
}

/* Whether the processor exits, by what it runs L3 with. */
static inline bool exits(struct l3_step *step)
{
    const struct vmcs *v = &t.m.loaded->held;
    switch (step->reason) {
    case EXIT_HLT:
        return v->processor_controls & CPU_HLT_EXITING;
    case EXIT_RDTSC:
        return v->processor_controls & CPU_RDTSC_EXITING;
    case EXIT_RDMSR:
    case EXIT_WRMSR:
        return msr_exits(v, step->reason == EXIT_WRMSR);
    case EXIT_IO:
        return io_exits(v, step->qualification);
    case EXIT_EXCEPTION_NMI:
        return (step->info >> 8 & 7) == 2 || (v->exception_bitmap >> (step->info & 31) & 1);
    case EXIT_EPT_VIOLATION:
        return !fake_vmx_touch(&t.m, step->gpa3, step->qualification & 7, &step->hpa);
    default:
        return true;
    }
}

static inline bool timer_is_over(void)
{
    return t.m.tsc >= nest_deadline(&t.m.nest);
}

static inline void l3_takes(struct nest_event *delivered)
{
    if (delivered)
        *delivered = t.event0;
    t.event0 = (struct nest_event){0};
    t.m.loaded->held.entry_interruption_info &= 0x7FFFFFFF;
}

/* L3 executes it, again and again, until it did or V2 has an exit. `delivered`: by an event on its way. */
static inline void l3_does(struct l3_step *step, struct nest_event *delivered)
{
    t.done = false;
    for (unsigned i = 0; t.in_l3 && !t.done; i++) {
        struct exit exit = {.reason = step->reason, .qualification = step->qualification, .instruction_length = 2,
                            .guest_physical = step->gpa3, .guest_linear = step->gpa3,
                            .interruption_info = step->info};
        if (i > 40)
            fail_msg("L3 does not get on with exit %u (%s), the last for CP1 was %u", step->reason,
                     tower_chained(&t) ? "in the chain" : "by CP1", t.active->page->fields.exit_reason);
        sound();
        tower_settle(&t);
        sound();
        bool on_its_way = t.event0.info >> 31;
        if (!t.in_l3)
            return;
        bool over = timer_is_over(); /* that is after an event, and before the first instruction */
        bool in_delivery = on_its_way && step->reason == EXIT_EPT_VIOLATION && delivered && !over;
        if (on_its_way && !in_delivery)
            l3_takes(delivered);
        if (over)
            exit = (struct exit){.reason = EXIT_PREEMPTION_TIMER};
        if (!over && !exits(step)) {
            if (in_delivery)
                l3_takes(delivered);
            return;
        }
        if (in_delivery) {
            exit.idt_vectoring_info = t.event0.info, exit.idt_vectoring_error = t.event0.error;
            exit.instruction_length = t.event0.length;
        }
        step->hpa = 0;
        tower_exit(&t, &exit);
    }
    sound();
}

static inline void l3_executes(enum exit_reason reason)
{
    struct l3_step step = {.reason = reason};
    l3_does(&step, NULL);
}

/* 0: it has an exit instead */
static inline uint64_t l3_touches(uint64_t gpa3, unsigned access)
{
    struct l3_step step = {.reason = EXIT_EPT_VIOLATION, .qualification = access | 0x180, .gpa3 = gpa3};
    l3_does(&step, NULL);
    return step.hpa;
}

static enum nest_page_error error __attribute__((unused));

/* The owner brought all of V2's storage in. */
static inline int start_with_all(void **state)
{
    int failed = start(state);
    for (unsigned i = 0; i < TOWER_V2_PAGES; i++)
        tower_v2(&t, i * 0x1000);
    return failed;
}

/* V2 stands at its call, as CP0 finds it. */
static inline enum nest_result call_of_v2(uint64_t gpa2)
{
    t.m.gpr[RAX] = TOWER_CALL, t.m.gpr[RBX] = gpa2;
    return nest_chain_enter(&t.m.nest, gpa2, &error);
}

static inline enum nest_result exit_of_l3(enum exit_reason reason, uint64_t gpa3, unsigned access)
{
    const struct exit exit = {.reason = reason, .instruction_length = 2, .guest_physical = gpa3,
                              .guest_linear = gpa3, .qualification = access | 0x180};
    return nest_exit(&t.m.nest, &exit);
}

#define WITH_ALL(name) cmocka_unit_test_setup_teardown(name, start_with_all, stop)
