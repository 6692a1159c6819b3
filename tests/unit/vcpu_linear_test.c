/* The walk of a guest's page tables against a model that is written from the manual's tables: slow, and one rule a
 * line. */
#include "tests/unit/dispatch_scene.h"

#include "cp/vcpu/linear.h"

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, PHYSICAL_BITS = 39, ROUNDS = 60000 };
enum mode { PAGING_OFF, BITS32, BITS32_PSE, PAE, LONG, MODES };
#define NX      (1ull << 63)
#define AC      (1ull << 18)
#define ADDRESS 0x000FFFFFFFFFF000ull

struct answer {
    int result;
    uint64_t at;
    uint32_t error;
};

struct setting {
    enum mode mode;
    bool nxe, smep, smap, wp, ac;
};

static struct setting now;

static void apply(struct setting s, uint64_t cr3)
{
    now = s;
    set(VMCS_GUEST_CR0, CR0_PE | CR0_NE | (s.mode == PAGING_OFF ? 0 : CR0_PG) | (s.wp ? CR0_WP : 0));
    set(VMCS_GUEST_CR4, CR4_VMXE | (s.mode == BITS32_PSE ? CR4_PSE : 0) | (s.mode >= PAE ? CR4_PAE : 0) |
                            (s.smep ? CR4_SMEP : 0) | (s.smap ? CR4_SMAP : 0));
    set(VMCS_GUEST_EFER, (s.mode == LONG ? EFER_LME | EFER_LMA : 0) | (s.nxe ? EFER_NXE : 0));
    set(VMCS_GUEST_CS_ACCESS_RIGHTS, s.mode == LONG ? 0xA09B : 0xC09B);
    set(VMCS_GUEST_RFLAGS, 2 | (s.ac ? AC : 0));
    set(VMCS_GUEST_CR3, cr3);
}

/* ---- the model ------------------------------------------------------------------------------------------- */

static unsigned levels(void) { return now.mode == LONG ? 4 : now.mode == PAE ? 3 : 2; }
static unsigned width(void) { return now.mode >= PAE ? 8 : 4; }

static uint64_t bits(uint64_t value, unsigned high, unsigned low)
{
    return value >> low & ((2ull << (high - low)) - 1);
}

static unsigned offset_bits(unsigned level) { return now.mode >= PAE ? 12 + 9 * (level - 1) : 12 + 10 * (level - 1); }

static unsigned index_of(uint64_t linear, unsigned level)
{
    if (now.mode == PAE && level == 3)
        return (unsigned)bits(linear, 31, 30);
    return (unsigned)bits(linear, offset_bits(level) + (now.mode >= PAE ? 8 : 9), offset_bits(level));
}

static bool maps_page(uint64_t entry, unsigned level)
{
    if (level == 1)
        return true;
    if (!(entry & PS))
        return false;
    return now.mode == LONG ? level <= 3 : level == 2 && now.mode != BITS32;
}

/* SDM "Paging": the figures of the entry formats */
static bool has_reserved(uint64_t entry, unsigned level)
{
    if (now.mode == BITS32)
        return false;
    if (now.mode == BITS32_PSE)
        return level == 2 && (entry & PS) && (bits(entry, 21, 21) || bits(entry, 20, 13 + PHYSICAL_BITS - 32));
    if (now.mode == PAE && level == 3)
        return false;
    if (bits(entry, 51, PHYSICAL_BITS) || (!now.nxe && (entry & NX)) || (now.mode == PAE && bits(entry, 62, 52)))
        return true;
    if (level == 4)
        return entry & PS;
    return maps_page(entry, level) && level > 1 && bits(entry, offset_bits(level) - 1, 13);
}

static uint32_t code(unsigned access, bool present, bool reserved)
{
    bool fetch_told = now.smep || (now.nxe && now.mode >= PAE);
    return present | (access & (W | U)) | (reserved ? 8 : 0) | (fetch_told ? access & 16 : 0);
}

static bool allowed(unsigned access, bool writable, bool user, bool nx)
{
    if ((access & 16) && nx)
        return false;
    if (access & U)
        return user && (writable || !(access & W));
    if (access & 16)
        return !(user && now.smep);
    if (user && now.smap && !now.ac)
        return false;
    return !(access & W) || writable || !now.wp;
}

static struct answer model(uint64_t linear, unsigned access)
{
    bool writable = true, user = true, nx = false;
    uint64_t table = get(VMCS_GUEST_CR3) & (now.mode == LONG ? ADDRESS : now.mode == PAE ? 0xFFFFFFE0 : 0xFFFFF000);

    if (now.mode != LONG)
        linear &= 0xFFFFFFFF;
    if (now.mode == PAGING_OFF)
        return (struct answer){0, linear, 0};
    for (unsigned level = levels();; level--) {
        uint64_t at = table + index_of(linear, level) * width();
        if (!guest_is_ram(&vm->storage, gpa(at)))
            return (struct answer){-2, 0, 0};
        uint64_t entry = peek(at, width());
        bool rights = !(now.mode == PAE && level == 3);
        if (!(entry & P))
            return (struct answer){-1, 0, code(access, false, false)};
        if (has_reserved(entry, level))
            return (struct answer){-1, 0, code(access, true, true)};
        if (rights)
            writable &= !!(entry & W), user &= !!(entry & U), nx |= width() == 8 && (entry & NX);
        if (!maps_page(entry, level)) {
            table = entry & (width() == 8 ? ADDRESS : 0xFFFFF000);
            continue;
        }
        if (!allowed(access, writable, user, nx))
            return (struct answer){-1, 0, code(access, true, false)};
        uint64_t within = bits(linear, offset_bits(level) - 1, 0);
        uint64_t base = entry & (width() == 8 ? ADDRESS : 0xFFFFF000) & ~((1ull << offset_bits(level)) - 1);
        if (width() == 4 && level == 2)
            base |= bits(entry, 20, 13) << 32;
        return (struct answer){0, base | within, 0};
    }
}

static struct answer walk(uint64_t linear, unsigned access)
{
    gpa_t to = gpa(0);
    uint32_t error = 0;
    int result = linear_translate(&vm->vcpu, linear, access, &to, &error);
    return (struct answer){result, result ? 0 : to.a, result == -1 ? error : 0};
}

static void agrees(uint64_t linear, unsigned access)
{
    struct answer expected = model(linear, access), found = walk(linear, access);
    assert_int_equal(found.result, expected.result);
    assert_int_equal(found.at, expected.at);
    assert_int_equal(found.error, expected.error);
}

/* ---- tests ----------------------------------------------------------------------------------------------- */

static uint64_t seed;

static uint64_t chance(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed * 0x2545F4914F6CDD1Dull;
}

/* Mostly a good entry that points into the few tables there are; now and then a wrong bit. */
static uint64_t some_entry(void)
{
    uint64_t r = chance(), entry = (r >> 8 & 7) << 12 | 0x10000 | (r & 0x67);
    if ((r >> 16 & 7) != 0)
        entry |= P | W | U;
    if ((r >> 20 & 3) == 0)
        entry = (entry & ~0x1FF000ull) | PS | (r >> 24 & 1) << 21 | (r >> 25 & 1) << 12;
    if ((r >> 28 & 15) == 0)
        entry |= 1ull << (r >> 32 & 63);
    if ((r >> 40 & 7) == 0)
        entry |= NX;
    if ((r >> 44 & 31) == 0)
        entry |= ADDRESS & r << 8;
    return entry;
}

enum { TABLES = 0x10000, TABLE_PAGES = 8 };

static void every_mode_walks_as_the_manual_says(void **state)
{
    static const unsigned accesses[] = {0, W, 16, U, U | W, U | 16};
    unsigned good = 0, faults = 0, reserved = 0, nowhere = 0;

    (void)state;
    seed = 0x9E3779B97F4A7C15;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t r = chance();
        if (round % 20 == 0)
            for (unsigned i = 0; i < TABLE_PAGES * 16; i++) /* the low and the high end of each table */
                poke(TABLES + (i / 16 << 12) + (i & 8 ? 0xFC0 + (i & 7) * 8 : (i & 7) * 8), some_entry(), 8);
        apply((struct setting){r % MODES, r >> 8 & 1, r >> 9 & 1, r >> 10 & 1, r >> 11 & 1, r >> 12 & 1},
              TABLES | (r >> 16 & 7) << 12 | (r >> 20 & 0x18));
        uint64_t linear = 0;
        for (unsigned i = 0; i < 4; i++)
            linear |= ((r >> (24 + 4 * i) & 7) | (r >> (27 + 4 * i) & 1 ? 0x1F8 : 0)) << (12 + 9 * i);
        linear |= r >> 52;
        unsigned access = accesses[(r >> 40) % 6];
        struct answer a = model(linear, access);
        good += !a.result, nowhere += a.result == -2, faults += a.result == -1, reserved += !!(a.error & 8);
        agrees(linear, access);
    }
    assert_true(good > ROUNDS / 20 && faults > ROUNDS / 20 && reserved > ROUNDS / 100 && nowhere > ROUNDS / 1000);
}

/* Maps linear 0 for a mode through entries of its own; returns where each level's entry is, level 1 first. */
static unsigned map_zero(enum mode mode, uint64_t at[4])
{
    unsigned count = mode == LONG ? 4 : mode == PAE ? 3 : 2, bytes = mode >= PAE ? 8 : 4;
    for (unsigned i = 0; i < count; i++) {
        uint64_t flags = mode == PAE && i + 1 == count ? P : P | W | U;
        at[i] = 0x20000 + 0x1000 * i;
        poke(at[i], (i ? at[i - 1] : 0x30000) | flags, bytes);
    }
    return count;
}

static void rights_are_those_of_all_levels_together(void **state)
{
    static const unsigned accesses[] = {0, W, 16, U, U | W, U | 16};
    uint64_t at[4];

    (void)state;
    for (enum mode mode = BITS32; mode < MODES; mode++)
        for (unsigned setting = 0; setting < 32; setting++)
            for (unsigned level = 0; level < 4; level++)
                for (unsigned lost = 0; lost < 16; lost++) {
                    unsigned count = map_zero(mode, at), bytes = mode >= PAE ? 8 : 4;
                    bool pdpte = mode == PAE && level == 2;
                    if (level >= count || (pdpte && lost) || (bytes == 4 && lost & 8))
                        continue;
                    apply((struct setting){mode, setting & 1, setting & 2, setting & 4, setting & 8, setting & 16},
                          at[count - 1]);
                    poke(at[level], (peek(at[level], bytes) & ~(uint64_t)(lost & 7)) | (lost & 8 ? NX : 0), bytes);
                    for (unsigned i = 0; i < 6; i++)
                        agrees(0x123, accesses[i]);
                }
}

static void accessed_and_dirty_are_set_where_hardware_sets_them(void **state)
{
    uint64_t at[4];

    (void)state;
    for (enum mode mode = BITS32; mode < MODES; mode++) {
        unsigned count = map_zero(mode, at), bytes = mode >= PAE ? 8 : 4;
        apply((struct setting){.mode = mode, .wp = true}, at[count - 1]);
        assert_int_equal(walk(0, 0).result, 0);
        for (unsigned i = 0; i < count; i++)
            assert_int_equal(peek(at[i], bytes) & (A | D), mode == PAE && i == 2 ? 0 : A);
        assert_int_equal(walk(0, W).result, 0);
        for (unsigned i = 0; i < count; i++)
            assert_int_equal(peek(at[i], bytes) & (A | D), mode == PAE && i == 2 ? 0 : i ? A : A | D);
        map_zero(mode, at);
        poke(at[0], peek(at[0], bytes) & ~(uint64_t)W, bytes);
        assert_int_equal(walk(0, W).result, -1); /* a write that faults leaves the page neither accessed nor dirty */
        assert_int_equal(peek(at[0], bytes) & (A | D), 0);
    }
}

static void large_pages_are_dirty_in_their_own_entry(void **state)
{
    (void)state;
    for (unsigned level = 2; level <= 3; level++) {
        poke(0x20000, 0x21000 | P | W, 8);
        poke(0x21000, level == 3 ? (uint64_t)(PS | P | W) : (0x22000 | P | W), 8);
        poke(0x22000, 0x200000 | PS | P | W, 8);
        apply((struct setting){.mode = LONG, .wp = true}, 0x20000);
        assert_int_equal(walk(0x12345, W).at, level == 3 ? 0x12345 : 0x212345);
        assert_int_equal(peek(level == 3 ? 0x21000 : 0x22000, 8) & (A | D), A | D);
        assert_int_equal(peek(0x20000, 8) & (A | D), A);
    }
}

static struct cpuid_answer of_40_bits(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_answer a = everything(leaf, subleaf);
    if (leaf == 0x80000008u)
        a.eax = 0x3028;
    return a;
}

static void pse_36_has_as_many_bits_as_the_processor(void **state)
{
    (void)state;
    poke(0x20000 + 4 * 3, 0x00C00000 | 0x9Aull << 13 | PS | P | W, 4);
    apply((struct setting){.mode = BITS32_PSE}, 0x20000);
    assert_int_equal(walk(0x00C12345, 0).error, P | 8);
    cpuid_policy_init(of_40_bits, CPU2_ALL, SCENE_XCR0, SCENE_HZ);
    assert_int_equal(walk(0x00C12345, 0).at, 0x9A00C12345);
}

static void pse_36_reaches_beyond_4_gib_and_needs_cr4_pse(void **state)
{
    (void)state;
    poke(0x20000 + 4 * 3, 0x00C00000 | 0x5Aull << 13 | PS | P | W, 4);
    apply((struct setting){.mode = BITS32_PSE}, 0x20000);
    assert_int_equal(walk(0x00C12345, 0).at, 0x5A00C12345);
    apply((struct setting){.mode = BITS32}, 0x20000); /* the same entry is a table's now */
    assert_int_equal(walk(0x00C12345, 0).result, -2);
}

static void tables_outside_storage_are_told_from_faults(void **state)
{
    (void)state;
    apply((struct setting){.mode = LONG}, 0xFEE00000);
    assert_int_equal(walk(0, 0).result, -2);
    poke(0x20000, 0xFEC00000 | P, 8);
    apply((struct setting){.mode = LONG}, 0x20000);
    assert_int_equal(walk(0, 0).result, -2);
}

static void copies_cross_pages_and_stop_at_the_first_fault(void **state)
{
    uint64_t fault = 0;
    uint32_t error = 0;
    char text[16] = "across two pages", back[16];

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        poke(0x20000 + 0x1000 * i, (i ? 0x20000 + 0x1000 * (i - 1) : 0x40000) | P | W, 8);
    poke(0x20008, 0x50000 | P | W, 8);
    apply((struct setting){.mode = LONG, .wp = true}, 0x23000);
    assert_int_equal(linear_write(&vm->vcpu, 0xFF8, text, 16, &fault, &error), 0);
    assert_int_equal(linear_read(&vm->vcpu, 0xFF8, back, 16, LINEAR_READ, &fault, &error), 0);
    assert_memory_equal(back, text, 16);
    assert_int_equal(peek(0x50000, 1), text[8]);
    poke(0x20008, 0, 8);
    memset(text, 'x', sizeof text);
    assert_int_equal(linear_write(&vm->vcpu, 0xFF8, text, 16, &fault, &error), -1);
    assert_int_equal(fault, 0x1000);
    assert_int_equal(error, W);
    assert_int_equal(peek(0x40FF8, 1), back[0]); /* nor is any of it written where it could be */
    poke(0x20000, 0, 8);
    assert_int_equal(linear_write(&vm->vcpu, 0xFF8, text, 16, &fault, &error), -1);
    assert_int_equal(fault, 0xFF8);
    poke(0x20000, 0x40000 | P | W, 8);
    set(VMCS_GUEST_SS_ACCESS_RIGHTS, 0xC0F3); /* privilege level 3 */
    assert_int_equal(linear_read(&vm->vcpu, 0xFF8, back, 8, LINEAR_READ, &fault, &error), -1);
    assert_int_equal(error, P | U);
}

static void what_is_no_storage_is_noted_as_a_violation_would_report_it(void **state)
{
    enum { READ = 1, VALID = 1 << 7 };

    (void)state;
    apply((struct setting){.mode = LONG}, 0xFEE00000);
    assert_int_equal(walk(0x1234, 0).result, -2);
    assert_int_equal(vm->vcpu.refused.guest_physical, 0xFEE00000);
    assert_int_equal(vm->vcpu.refused.linear, 0x1234);
    assert_int_equal(vm->vcpu.refused.qualification, READ | VALID);
}

static void without_paging_addresses_wrap_at_4_gib(void **state)
{
    (void)state;
    apply((struct setting){.mode = PAGING_OFF}, 0);
    assert_int_equal(walk(0x100001234, W).at, 0x1234);
}

/* Of the entries and of the page, in every mode; whatever the rights, and without a mark in the tables. */
static void the_part_of_an_address_in_the_translation_is_known(void **state)
{
    uint64_t at[4];

    (void)state;
    for (enum mode mode = BITS32; mode < MODES; mode++) {
        unsigned count = map_zero(mode, at), bytes = mode >= PAE ? 8 : 4;
        apply((struct setting){.mode = mode, .wp = true, .smap = true}, at[count - 1]);
        for (unsigned i = 0; i < count; i++)
            assert_int_equal(linear_part(&vm->vcpu, 0x123, at[i]), LINEAR_TABLE);
        assert_int_equal(linear_part(&vm->vcpu, 0x123, at[0] + bytes), LINEAR_NO_PART);
        assert_int_equal(linear_part(&vm->vcpu, 0x123, 0x30FFF), LINEAR_PAGE);
        assert_int_equal(linear_part(&vm->vcpu, 0x123, 0x31000), LINEAR_NO_PART);
        assert_int_equal(linear_end(&vm->vcpu, 0x123), 0x30123);
        for (unsigned i = 0; i < count; i++)
            assert_int_equal(peek(at[i], bytes) & (A | D), 0);
        poke(at[0], 0, bytes); /* not present: it is read, and leads nowhere */
        assert_int_equal(linear_part(&vm->vcpu, 0x123, at[0]), LINEAR_TABLE);
        assert_int_equal(linear_part(&vm->vcpu, 0x123, 0x30123), LINEAR_NO_PART);
        assert_int_equal(linear_end(&vm->vcpu, 0x123), 0);
    }
    poke(0x20000, 0x21000 | P | W, 8);
    poke(0x21000, 0x22000 | P | W, 8);
    poke(0x22000, 0x200000 | PS | P | W, 8);
    apply((struct setting){.mode = LONG}, 0x20000);
    assert_int_equal(linear_part(&vm->vcpu, 0x12345, 0x212FFF), LINEAR_PAGE); /* 4 KiB of the large page */
    assert_int_equal(linear_part(&vm->vcpu, 0x12345, 0x213000), LINEAR_NO_PART);
    assert_int_equal(linear_end(&vm->vcpu, 0x12345), 0x212345);
    apply((struct setting){.mode = PAGING_OFF}, 0);
    assert_int_equal(linear_part(&vm->vcpu, 0x100001234, 0x1FFF), LINEAR_PAGE);
    assert_int_equal(linear_end(&vm->vcpu, 0x100001234), 0x1234);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene_test(every_mode_walks_as_the_manual_says),
        scene_test(rights_are_those_of_all_levels_together),
        scene_test(accessed_and_dirty_are_set_where_hardware_sets_them),
        scene_test(large_pages_are_dirty_in_their_own_entry),
        scene_test(pse_36_has_as_many_bits_as_the_processor),
        scene_test(pse_36_reaches_beyond_4_gib_and_needs_cr4_pse),
        scene_test(tables_outside_storage_are_told_from_faults),
        scene_test(copies_cross_pages_and_stop_at_the_first_fault),
        scene_test(what_is_no_storage_is_noted_as_a_violation_would_report_it),
        scene_test(without_paging_addresses_wrap_at_4_gib),
        scene_test(the_part_of_an_address_in_the_translation_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
