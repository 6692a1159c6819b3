#include "tests/unit/dispatch_scene.h"

#include "cp/vcpu/linear.h"
#include "cp/vcpu/linear_memo.h"

enum {
    P = 1,
    W = 2,
    A = 0x20,
    D = 0x40,
    PS = 0x80,
    PML4 = 0x20000,
    PDPT = 0x21000,
    PD = 0x22000,
    PT = 0x23000,
    PAGES = 0x30000,
    OTHER_PML4 = 0x28000
};

static struct nest nest;

/* Linear 0 up to 12 pages, each at its own; in long mode, L1 at privilege level 0. */
static int begin(void **state)
{
    scene_begin(state);
    memset(&nest, 0, sizeof nest);
    vm->vcpu.nest = &nest;
    poke(PML4, PDPT | P | W, 8);
    poke(PDPT, PD | P | W, 8);
    poke(PD, PT | P | W, 8);
    poke(PD + 8, 0x200000 | PS | P | W, 8);
    for (unsigned i = 0; i < 12; i++)
        poke(PT + 8 * i, (PAGES + 0x1000 * i) | P | W, 8);
    poke(OTHER_PML4, PDPT | P | W, 8);
    set(VMCS_GUEST_CR3, PML4);
    scene_long_mode();
    return 0;
}

static int end(void **state)
{
    vm->vcpu.nest = NULL;
    return scene_end(state);
}

/* As nested instructions do: what is kept, else a walk that is then kept. ~0: a fault. */
static uint64_t translate(uint64_t linear, enum nest_access access, bool *kept)
{
    uint64_t to;
    uint32_t error;
    gpa_t at;

    *kept = linear_memo_find(vm, linear, access, &to);
    if (*kept)
        return to;
    if (linear_translate(&vm->vcpu, linear, access == NEST_WRITE ? LINEAR_WRITE : LINEAR_READ, &at, &error))
        return ~0ull;
    linear_memo_keep(vm, linear, access, at.a);
    return at.a;
}

static bool is_kept(uint64_t linear, enum nest_access access)
{
    uint64_t to;
    return linear_memo_find(vm, linear, access, &to);
}

static void a_translation_is_kept_for_the_whole_page_and_its_kind_of_access(void **state)
{
    bool kept;

    (void)state;
    assert_int_equal(translate(0x1234, NEST_READ, &kept), PAGES + 0x1234);
    assert_false(kept);
    assert_int_equal(translate(0x1FF8, NEST_READ, &kept), PAGES + 0x1FF8);
    assert_true(kept);
    assert_false(is_kept(0x1234, NEST_WRITE)); /* would have to set the dirty bit */
    assert_false(is_kept(0x2234, NEST_READ));
    assert_false(is_kept(0x1234 + (1ull << 39), NEST_READ));
    assert_false(is_kept(0, NEST_READ));
}

static void a_write_that_is_kept_has_set_the_dirty_bit(void **state)
{
    bool kept;

    (void)state;
    translate(0x1000, NEST_WRITE, &kept);
    translate(0x1000, NEST_WRITE, &kept);
    assert_true(kept);
    assert_int_equal(peek(PT + 8, 8) & (A | D), A | D);
    poke(PT + 8, (PAGES + 0x1000) | P | W | A, 8); /* cleaned by the guest: the next write marks it again */
    translate(0x1000, NEST_WRITE, &kept);
    assert_false(kept);
    assert_int_equal(peek(PT + 8, 8) & D, D);
}

static void any_entry_that_changes_ends_it(void **state)
{
    static const uint64_t entries[] = {PML4, PDPT, PD, PT + 8};
    bool kept;

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        for (unsigned bit = 0; bit < 64; bit++) {
            translate(0x1000, NEST_READ, &kept);
            translate(0x1000, NEST_READ, &kept);
            assert_true(kept);
            uint64_t entry = peek(entries[i], 8);
            poke(entries[i], entry ^ 1ull << bit, 8);
            assert_false(is_kept(0x1000, NEST_READ));
            poke(entries[i], entry, 8);
        }
}

static void control_registers_that_change_end_it(void **state)
{
    static const struct {
        enum vmcs_field field;
        uint64_t flip;
    } changes[] = {{VMCS_GUEST_CR3, PML4 ^ OTHER_PML4},
                   {VMCS_GUEST_CR3, 1},
                   {VMCS_GUEST_CR0, CR0_WP},
                   {VMCS_GUEST_CR0, CR0_PG},
                   {VMCS_GUEST_CR4, CR4_SMAP},
                   {VMCS_GUEST_CR4, CR4_SMEP},
                   {VMCS_GUEST_CR4, CR4_PAE}};
    bool kept;

    (void)state;
    for (unsigned i = 0; i < sizeof changes / sizeof *changes; i++) {
        translate(0x1000, NEST_READ, &kept);
        assert_true(is_kept(0x1000, NEST_READ));
        set(changes[i].field, get(changes[i].field) ^ changes[i].flip);
        assert_false(is_kept(0x1000, NEST_READ));
        set(changes[i].field, get(changes[i].field) ^ changes[i].flip);
    }
}

static void large_pages_are_kept_too(void **state)
{
    bool kept;

    (void)state;
    translate(0x201234, NEST_READ, &kept);
    assert_int_equal(translate(0x201FF0, NEST_READ, &kept), 0x201FF0);
    assert_true(kept);
    assert_false(is_kept(0x205000, NEST_READ)); /* by pages of 4 KiB, and this one shares its place */
    poke(PD + 8, 0x400000 | PS | P | W, 8);
    assert_int_equal(translate(0x201234, NEST_READ, &kept), 0x401234);
    assert_false(kept);
    poke(PDPT, PS | P | W, 8); /* and of 1 GiB */
    translate(0x1234, NEST_READ, &kept);
    assert_int_equal(translate(0x1238, NEST_READ, &kept), 0x1238);
    assert_true(kept);
}

static void nothing_is_kept_with_smap_nor_outside_long_mode(void **state)
{
    bool kept;

    (void)state;
    set(VMCS_GUEST_CR4, get(VMCS_GUEST_CR4) | CR4_SMAP);
    translate(0x1000, NEST_READ, &kept);
    assert_false(is_kept(0x1000, NEST_READ));
    set(VMCS_GUEST_CR4, get(VMCS_GUEST_CR4) & ~CR4_SMAP);
    translate(0x1000, NEST_READ, &kept);
    assert_true(is_kept(0x1000, NEST_READ));
    set(VMCS_GUEST_EFER, EFER_NXE);
    linear_memo_keep(vm, 0x1000, NEST_READ, 0x1000); /* and what was there is gone */
    assert_false(is_kept(0x1000, NEST_READ));
}

static void pages_that_share_a_place_push_each_other_out(void **state)
{
    bool kept;

    (void)state;
    for (unsigned i = 0; i < NEST_MEMOS; i++)
        translate(0x1000 * i, NEST_READ, &kept);
    for (unsigned i = 0; i < NEST_MEMOS; i++)
        assert_true(is_kept(0x1000 * i, NEST_READ));
    translate(0x1000 * NEST_MEMOS, NEST_READ, &kept);
    assert_false(is_kept(0, NEST_READ));
    assert_true(is_kept(0x1000, NEST_READ));
}

/* Whatever the guest does between its instructions, what is found is what a walk gives. */
static void a_stale_translation_is_never_used(void **state)
{
    uint64_t r = 88172645463325252ull;
    unsigned hits = 0;

    (void)state;
    for (unsigned round = 0; round < 100000; round++) {
        r ^= r << 13, r ^= r >> 7, r ^= r << 17;
        uint64_t linear = (r >> 8 & 7) << 12 | (r >> 16 & 0xFF8);
        switch (r >> 32 & 15) {
        case 0:
            poke(PT + (r >> 40 & 7) * 8, (PAGES + (r >> 44 & 7) * 0x1000) | (r >> 50 & 3) | (r >> 53 & 1 ? P | W : 0),
                 8);
            break;
        case 1: set(VMCS_GUEST_CR3, r >> 40 & 1 ? OTHER_PML4 : PML4); break;
        case 2: poke(PD, r >> 40 & 1 ? PT | P | (r >> 41 & 2) : PS | P | W, 8); break;
        case 3: set(VMCS_GUEST_CR0, get(VMCS_GUEST_CR0) ^ CR0_WP); break;
        case 4: poke(OTHER_PML4, PDPT | (r >> 40 & 3), 8); break;
        default: {
            enum nest_access access = r >> 60 & 1 ? NEST_WRITE : NEST_READ;
            bool kept;
            uint64_t found = translate(linear, access, &kept);
            gpa_t at = gpa(~0ull);
            uint32_t error;
            if (linear_translate(&vm->vcpu, linear, access == NEST_WRITE ? LINEAR_WRITE : LINEAR_READ, &at, &error))
                at = gpa(~0ull);
            assert_int_equal(found, at.a);
            hits += kept;
        }
        }
    }
    assert_true(hits > 1000);
}

#define memo_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        memo_test(a_translation_is_kept_for_the_whole_page_and_its_kind_of_access),
        memo_test(a_write_that_is_kept_has_set_the_dirty_bit),
        memo_test(any_entry_that_changes_ends_it),
        memo_test(control_registers_that_change_end_it),
        memo_test(large_pages_are_kept_too),
        memo_test(nothing_is_kept_with_smap_nor_outside_long_mode),
        memo_test(pages_that_share_a_place_push_each_other_out),
        memo_test(a_stale_translation_is_never_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
