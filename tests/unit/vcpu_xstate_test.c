/* Whose x87 and vector state a guest finds: cp/cpu/xstate_move.h over a model of a processor that has any set of
 * components, keeps each until something is done to it, and may let XSETBV of a guest pass unseen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdint.h>

enum { COMPONENTS = 63, GUESTS = 4, STEPS = 200000, AREA = 2048, VALUES = 1024, POINTER = 8 };

/* ---- the processor ---------------------------------------------------------------------------- */

static struct {
    uint64_t present, xcr0, value[COMPONENTS]; /* 0: initial */
    uint64_t pointer;                          /* x87's last instruction, which is not saved: AMD's way */
    uint32_t mxcsr;
    unsigned xsetbv, xsave, fxsave;
} cpu;

#define EACH(n, set) (unsigned n = 0; n < COMPONENTS; n++) if ((uint64_t)(set) >> n & 1)

static uint64_t *header(void *area) { return (uint64_t *)(void *)((char *)area + 512); }
static uint64_t *place(void *area, unsigned n) { return (uint64_t *)(void *)((char *)area + VALUES + 8 * n); }
static uint32_t *mxcsr(void *area) { return (uint32_t *)(void *)((char *)area + 24); }

static void to_area(void *area, uint64_t components)
{
    for EACH(n, components)
        *place(area, n) = cpu.value[n];
    *mxcsr(area) = cpu.mxcsr;
}

static void fxsave(void *area)
{
    cpu.fxsave++;
    to_area(area, 3);
}

static void fxrstor(void *area)
{
    for EACH(n, 3)
        cpu.value[n] = *place(area, n);
    cpu.mxcsr = *mxcsr(area);
}

/* SDM "Operation of XSAVE", "Standard Form of XRSTOR": of what XCR0 enables. */
static void xsave(void *area, uint64_t components)
{
    assert_false((uintptr_t)area & 63);
    assert_int_equal(components & ~cpu.xcr0, 0);
    cpu.xsave++;
    to_area(area, components);
    *header(area) = (*header(area) & ~components) | components;
}

static void xrstor(const void *area, uint64_t components)
{
    uint64_t has = *header((void *)(uintptr_t)area);
    assert_int_equal(components & ~cpu.xcr0, 0);
    for EACH(n, components)
        cpu.value[n] = has >> n & 1 ? *place((void *)(uintptr_t)area, n) : 0;
    if (components & 6)
        cpu.mxcsr = *mxcsr((void *)(uintptr_t)area);
}

static bool xcr0_valid(uint64_t v)
{
    bool avx512 = v >> 5 & 7, mpx = v >> 3 & 3, amx = v >> 17 & 3;
    return (v & 1) && !(v & ~cpu.present) && (!(v & 4) || v & 2) && (!avx512 || (v & 0xE4) == 0xE4) &&
           (!mpx || (v & 0x18) == 0x18) && (!amx || (v & 0x60000) == 0x60000);
}

static void xsetbv(uint64_t v)
{
    assert_true(xcr0_valid(v));
    cpu.xsetbv++;
    cpu.xcr0 = v;
}

#define XSTATE_FXSAVE(area) fxsave(area)
#define XSTATE_FXRSTOR(area) fxrstor(area)
#define XSTATE_XSAVE(area, components) xsave(area, components)
#define XSTATE_XRSTOR(area, components) xrstor(area, components)
#define XSTATE_FNINIT() ((void)(cpu.pointer = 0, cpu.value[0] = 0))
#define XSTATE_XSETBV(v) xsetbv(v)
#define XSTATE_XGETBV() (assert_true(cpu.present != 0), cpu.xcr0)
#include "cp/cpu/xstate_move.h"

/* ---- the guests -------------------------------------------------------------------------------- */

static struct xstate x;
static struct guest {
    struct xstate_guest own;
    uint64_t believes[COMPONENTS]; /* what it wrote last */
    uint32_t mxcsr;
} guests[GUESTS], *holder;
static uint8_t areas[GUESTS][AREA] __attribute__((aligned(64)));
static uint64_t seed;

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void reset(struct guest *g)
{
    if (holder == g) { /* as context_forget() */
        xstate_look(&x, &g->own);
        holder = NULL;
    }
    memset(g->believes, 0, sizeof g->believes);
    g->mxcsr = XSTATE_MXCSR_INITIAL;
    memset(g->own.area, 0, AREA);
    xstate_power_up(&g->own);
}

/* Firmware left something of its own in everything. */
static void begin(uint64_t present, bool unseen)
{
    memset(&cpu, 0, sizeof cpu);
    cpu.present = present;
    for (unsigned n = 0; n < COMPONENTS; n++)
        cpu.value[n] = 0xF1F1;
    xstate_begin(&x, present, unseen);
    holder = NULL;
    seed = 88172645463325252ull;
    for (unsigned i = 0; i < GUESTS; i++) {
        guests[i].own.area = areas[i];
        reset(&guests[i]);
    }
    cpu.xsetbv = cpu.xsave = cpu.fxsave = 0;
}

static void run(struct guest *g)
{
    if (holder == g)
        return;
    if (holder)
        xstate_save(&x, &holder->own);
    xstate_load(&x, &g->own);
    holder = g;
    assert_int_equal(cpu.pointer, 0);
    assert_int_equal(cpu.mxcsr, g->mxcsr);
    if (cpu.present)
        assert_int_equal(cpu.xcr0, g->own.xcr0);
}

static uint64_t reachable(void) { return cpu.present ? cpu.xcr0 | 2 : 3; }

static void finds_its_own(const struct guest *g)
{
    for EACH(n, reachable())
        assert_int_equal(cpu.value[n], g->believes[n]);
}

static void writes(struct guest *g)
{
    for EACH(n, reachable())
        if (next() & 1)
            cpu.value[n] = g->believes[n] = next() | 1;
    cpu.pointer = next();
    cpu.mxcsr = g->mxcsr = XSTATE_MXCSR_INITIAL | (next() & 0x3F);
}

/* Any value its XSETBV takes: where it exits, only of what is offered. */
static void enables(struct guest *g, bool passes)
{
    uint64_t v = (next() & cpu.present & (passes ? ~0ull : xstate_offered(&x))) | 1;

    if (v & 0xE0)
        v |= 0xE6;
    if (v & 4)
        v |= 2;
    if (v & 0x18)
        v |= 0x18;
    if (v & 0x60000)
        v |= 0x60000;
    if (!xcr0_valid(v) || (!passes && (v & ~xstate_offered(&x))))
        return;
    if (passes)
        cpu.xcr0 = v;
    else
        xstate_enable(&x, &g->own, v);
}

static void step(bool passes)
{
    struct guest *g = &guests[next() % GUESTS];

    if (next() % 64 == 0)
        reset(g);
    run(g);
    finds_its_own(g);
    for (unsigned n = next() % 4; n--;) {
        if (cpu.present && (next() & 1))
            enables(g, passes);
        finds_its_own(g);
        writes(g);
    }
    if (passes && (next() & 1))
        cpu.xcr0 = 1; /* and hides what it did */
}

/* Nothing; SSE; AVX; AVX-512 with PKRU; MPX and PKRU, as QEMU has them; all there is, AMX too, and
 * one that no manual tells of yet */
static const uint64_t processors[] = {0, 3, 7, 0x2E7, 0x21F, 0x602FF, 1ull << 40 | 0x602FF, 1ull << 62 | 7};
enum { PROCESSORS = sizeof processors / sizeof *processors };

static void each_guest_finds_what_it_wrote_and_nothing_of_anothers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * PROCESSORS; i++) {
        bool passes = i & 1;
        begin(processors[i / 2], passes);
        for (unsigned n = 0; n < STEPS; n++)
            step(passes);
        assert_int_equal(x.unseen, passes);
    }
}

static void firmwares_values_reach_no_guest(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * PROCESSORS; i++) {
        begin(processors[i / 2], i & 1);
        run(&guests[0]);
        for EACH(n, processors[i / 2] | 3)
            assert_int_equal(cpu.value[n], 0);
    }
}

static void one_unseen_xsetbv_makes_cp_trust_none(void **state)
{
    (void)state;
    begin(0x21F, false);
    run(&guests[0]);
    cpu.xcr0 = 0x1F;
    writes(&guests[0]);
    run(&guests[1]);
    assert_true(x.unseen);
    for EACH(n, 0x21Full)
        assert_int_equal(cpu.value[n], 0);
    for (unsigned n = 0; n < STEPS; n++)
        step(true);
}

static void who_uses_sse_only_costs_neither_xsetbv_nor_xsave(void **state)
{
    (void)state;
    begin(0x2E7, false);
    run(&guests[0]); /* what firmware left is cleared once */
    cpu.xsetbv = 0;
    for (unsigned n = 0; n < 100; n++) {
        run(&guests[n % GUESTS]);
        writes(holder);
        if (n == 10)
            xstate_enable(&x, &holder->own, 3);
        if (n == 11)
            xstate_enable(&x, &holder->own, 1);
    }
    assert_int_equal(cpu.xsave, 0);
    assert_true(cpu.fxsave > 90);
    assert_true(cpu.xsetbv <= 100); /* XCR0 itself differs between those two and the others */
}

static void a_component_once_used_stays_saved_when_it_is_off(void **state)
{
    (void)state;
    begin(7, false);
    run(&guests[0]);
    xstate_enable(&x, &guests[0].own, 7);
    cpu.value[2] = guests[0].believes[2] = 0xABC;
    xstate_enable(&x, &guests[0].own, 1);
    run(&guests[1]);
    assert_int_equal(cpu.value[2], 0); /* cleared before it could be enabled */
    run(&guests[0]);
    xstate_enable(&x, &guests[0].own, 7);
    assert_int_equal(cpu.value[2], 0xABC);
}

/* It holds the processor, has hidden all, and is reset or gone: what it left is cleared with XCR0 as it had it last. */
static void what_a_guest_that_is_gone_had_hidden_is_cleared_in_whatever_parts(void **state)
{
    static const uint64_t values[] = {1, 3, 7, 0xE7, 0x201, 0x207, 0x2E7};
    enum { VALUES_OF_XCR0 = sizeof values / sizeof *values };

    (void)state;
    for (unsigned i = 0; i < VALUES_OF_XCR0 * VALUES_OF_XCR0 * VALUES_OF_XCR0; i++) {
        begin(0x2E7, false);
        run(&guests[1]);
        xstate_enable(&x, &guests[1].own, values[i % VALUES_OF_XCR0]);
        writes(&guests[1]);
        run(&guests[0]);
        xstate_enable(&x, &guests[0].own, values[i / VALUES_OF_XCR0 % VALUES_OF_XCR0]);
        writes(&guests[0]);
        xstate_enable(&x, &guests[0].own, values[i / VALUES_OF_XCR0 / VALUES_OF_XCR0]);
        reset(&guests[0]);
        run(&guests[1]);
        finds_its_own(&guests[1]);
        xstate_enable(&x, &guests[1].own, 0x2E7);
        finds_its_own(&guests[1]);
    }
}

static void what_is_offered_is_what_cp_knows_or_could_not_keep_from_a_guest(void **state)
{
    static const struct {
        uint64_t present;
        bool unseen;
        uint64_t offered;
    } cases[] = {{0, true, 0}, {7, false, 7}, {0x21F, false, 0x207}, {0x21F, true, 0x21F}, {0x602FF, false, 0x2E7},
                 {0x602FF, true, 0x2FF}};

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(xstate_offered(&(struct xstate){.present = cases[i].present, .unseen = cases[i].unseen}),
                         cases[i].offered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_guest_finds_what_it_wrote_and_nothing_of_anothers),
        cmocka_unit_test(firmwares_values_reach_no_guest),
        cmocka_unit_test(one_unseen_xsetbv_makes_cp_trust_none),
        cmocka_unit_test(who_uses_sse_only_costs_neither_xsetbv_nor_xsave),
        cmocka_unit_test(a_component_once_used_stays_saved_when_it_is_off),
        cmocka_unit_test(what_a_guest_that_is_gone_had_hidden_is_cleared_in_whatever_parts),
        cmocka_unit_test(what_is_offered_is_what_cp_knows_or_could_not_keep_from_a_guest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
