/* Nested EPT entry by entry: which pointers and entries of L1's are good, and what EPT02 holds for each. */
#include "tests/unit/nest_ept_scene.h"

enum { EPTP = PML4 | 3 << 3 | 6 };

/* ---- L1's pointer and entries ------------------------------------------------------- */

static void a_pointer_is_one_that_the_capabilities_allow(void **state)
{
    const uint64_t all = EPT_CAP_UNCACHEABLE | EPT_CAP_WRITE_BACK | EPT_CAP_ACCESSED_DIRTY, form = PML4 | 3 << 3;
    const struct {
        uint64_t lacks, eptp;
        bool valid;
    } rows[] = {
        {0, form | 6, true},
        {0, form, true},
        {EPT_CAP_UNCACHEABLE, form, false},
        {EPT_CAP_UNCACHEABLE, form | 6, true},
        {EPT_CAP_WRITE_BACK, form | 6, false},
        {EPT_CAP_WRITE_BACK, form, true},
        {0, form | 1, false},
        {0, form | 4, false},
        {0, form | 5, false},
        {0, form | 7, false},
        {0, PML4 | 2 << 3 | 6, false},
        {0, PML4 | 4 << 3 | 6, false},
        {0, PML4 | 6, false},
        {0, form | 6 | 1 << 6, true},
        {EPT_CAP_ACCESSED_DIRTY, form | 6 | 1 << 6, false},
        {EPT_CAP_ACCESSED_DIRTY, form | 6, true},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        m.offered.msr[VMX_EPT_VPID_CAP] = (m.offered.msr[VMX_EPT_VPID_CAP] | all) & ~rows[i].lacks;
        if (nest_ept_pointer_valid(&m.nest, rows[i].eptp) != rows[i].valid)
            fail_msg("%u", i);
    }
    m.offered.msr[VMX_EPT_VPID_CAP] |= all;
    for (unsigned bit = 7; bit < 64; bit++) /* reserved, an address, and beyond the width of one */
        assert_int_equal(nest_ept_pointer_valid(&m.nest, EPTP | 1ull << bit), bit >= 12 && bit < 40);
}

static void execute_only_is_as_it_is_offered(void **state)
{
    (void)state;
    for (unsigned offered = 0; offered < 2; offered++) {
        m.offered.msr[VMX_EPT_VPID_CAP] &= ~(uint64_t)EPT_CAP_EXECUTE_ONLY;
        m.offered.msr[VMX_EPT_VPID_CAP] |= offered ? EPT_CAP_EXECUTE_ONLY : 0;
        assert_int_equal(nest_ept_memory(&m.nest).execute_only, offered);
    }
}

/* SDM "EPT Misconfigurations": which bits an entry must have clear, level by level */
static void reserved_bits_are_those_of_each_level(void **state)
{
    const struct ept_memory memory = nest_ept_memory(&m.nest); /* 40 bits wide */
    const struct {
        unsigned level;
        uint64_t entry;
        unsigned low_from, low_to, address_to; /* reserved: bits low_from..low_to, and 12..address_to - 1 */
    } rows[] = {
        {1, RWX | WRITE_BACK, 1, 0, 12},
        {2, RWX | WRITE_BACK | EPT_LARGE, 1, 0, 21},
        {3, RWX | WRITE_BACK | EPT_LARGE, 1, 0, 30},
        {2, RWX, 3, 6, 12},
        {3, RWX, 3, 6, 12},
        {4, RWX, 3, 7, 12},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(ept_entry_valid(&memory, rows[i].entry, rows[i].level));
        for (unsigned bit = 3; bit < 64; bit++) {
            bool reserved = (bit >= rows[i].low_from && bit <= rows[i].low_to) ||
                            (bit >= 12 && bit < rows[i].address_to) || (bit >= 40 && bit < 52);
            bool turns = bit == 7 || (rows[i].entry >> bit & 1); /* into an entry of another kind, or memory type */
            if (!turns && !(rows[i].entry & WRITE_BACK && bit < 6) &&
                ept_entry_valid(&memory, rows[i].entry | 1ull << bit, rows[i].level) == reserved)
                fail_msg("level %u, entry %#llx: bit %u", rows[i].level, (unsigned long long)rows[i].entry, bit);
        }
    }
    assert_false(ept_entry_valid(&memory, RWX | EPT_LARGE, 4));
    assert_true(ept_entry_valid(&memory, RWX | WRITE_BACK | EPT_LARGE, 1)); /* there it means nothing */
}

static void every_combination_of_rights_but_two_kinds_is_good(void **state)
{
    struct ept_memory memory = nest_ept_memory(&m.nest);
    (void)state;
    for (unsigned n = 0; n < 16; n++) {
        unsigned rights = n & 7;
        memory.execute_only = n & 8;
        bool writes_only = rights & EPT_WRITE && !(rights & EPT_READ), executes_only = rights == EPT_EXECUTE;
        assert_int_equal(ept_entry_valid(&memory, 0x1000 | rights | WRITE_BACK, 1),
                         !writes_only && (!executes_only || n & 8));
        assert_int_equal(ept_entry_valid(&memory, 0x1000 | rights, 3), !writes_only && (!executes_only || n & 8));
    }
}

static bool writes_nothing(void *context, uint64_t gpa, const void *from, size_t bytes)
{
    (void)context, (void)gpa, (void)from, (void)bytes;
    return false;
}

static void map(uint64_t rights)
{
    entry_put(PML4, PDPT | RWX);
    entry_put(PDPT, PD | RWX);
    entry_put(PD, PT | RWX);
    entry_put(PT + 5 * 8, 0x9000 | rights | WRITE_BACK);
}

static void tables_that_cannot_be_flagged_are_no_tables(void **state)
{
    struct ept_memory memory = nest_ept_memory(&m.nest);
    struct ept_mapping mapping;
    (void)state;
    memory.write = writes_nothing;
    map(RWX);
    assert_int_equal(ept_walk(&memory, EPTP | EPTP_ACCESSED_DIRTY, 0x5000, EPT_READ, &mapping), EPT_UNREADABLE);
    assert_int_equal(ept_walk(&memory, EPTP, 0x5000, EPT_WRITE, &mapping), EPT_MAPPED);
    memory = nest_ept_memory(&m.nest);
    assert_int_equal(ept_walk(&memory, EPTP | EPTP_ACCESSED_DIRTY, 0x5000, EPT_WRITE, &mapping), EPT_MAPPED);
    memory.write = writes_nothing; /* all flags are there: nothing to write */
    assert_int_equal(ept_walk(&memory, EPTP | EPTP_ACCESSED_DIRTY, 0x5000, EPT_WRITE, &mapping), EPT_MAPPED);
    assert_true(mapping.dirty);
    assert_int_equal(ept_walk(&memory, EPTP | EPTP_ACCESSED_DIRTY, 0x5000, EPT_READ, &mapping), EPT_MAPPED);
    assert_true(mapping.dirty);
}

static void a_mapping_says_where_its_leaf_is(void **state)
{
    const struct ept_memory memory = nest_ept_memory(&m.nest);
    struct ept_mapping mapping;
    (void)state;
    map(RWX);
    assert_int_equal(ept_walk(&memory, EPTP, 0x5777, EPT_READ, &mapping), EPT_MAPPED);
    assert_int_equal(mapping.leaf_gpa, PT + 5 * 8);
    assert_int_equal(mapping.gpa, 0x9777);
    entry_put(PD + 511 * 8, 0x200000 | EPT_LARGE | RWX | WRITE_BACK);
    assert_int_equal(ept_walk(&memory, EPTP, 511ull << 21 | 0x1ABCDE, EPT_READ, &mapping), EPT_MAPPED);
    assert_int_equal(mapping.leaf_gpa, PD + 511 * 8);
    assert_int_equal(mapping.gpa, 0x3ABCDE);
    assert_int_equal(ept_walk(&memory, EPTP, (1ull << 48) - 1, EPT_READ, &mapping), EPT_VIOLATION);
    entry_put(PML4 + 511 * 8, PDPT | RWX);
    entry_put(PDPT + 511 * 8, PD | RWX);
    assert_int_equal(ept_walk(&memory, EPTP, (1ull << 48) - 1, EPT_READ, &mapping), EPT_MAPPED);
    assert_int_equal(mapping.gpa, 0x3FFFFF);
}

/* ---- what EPT02 holds ------------------------------------------------------------------ */

/* The entry of EPT02 for gpa2 at this level; NULL: a table above has none. */
static const uint64_t *held(uint64_t gpa2, unsigned level)
{
    const uint64_t *table = (const uint64_t *)(uintptr_t)(m.loaded->held.ept_pointer & EPT_TABLE_MASK);
    for (unsigned at = 4;; at--) {
        const uint64_t *entry = &table[gpa2 >> (12 + 9 * (at - 1)) & 511];
        if (at == level)
            return entry;
        if (!*entry || (*entry & EPT_LARGE))
            return NULL;
        table = (const uint64_t *)(uintptr_t)(*entry & EPT_TABLE_MASK);
    }
}

static void l2_touches(uint64_t gpa2, unsigned access)
{
    struct exit exit = {.reason = EXIT_EPT_VIOLATION, .qualification = access | 0x180, .guest_physical = gpa2};
    assert_int_equal(fake_vmx_exit(&m, &exit), NEST_RESUME);
    assert_true(fake_vmx_load(&m));
}

static uint64_t leaf_of(uint64_t rights, uint64_t flags, unsigned access)
{
    fake_vmx_start(&m, NEST_SHADOW);
    map(rights);
    launch(EPTP | flags);
    l2_touches(0x5000, access);
    uint64_t leaf = *held(0x5000, 1);
    assert_int_equal(m.loaded->held.ept_pointer & 0xFFF, 3 << 3 | 6 | flags);
    fake_vmx_stop(&m);
    assert_null(m.complaint);
    return leaf;
}

static void a_leaf_has_what_both_sides_allow(void **state)
{
    const uint64_t page = 0x100009000 | WRITE_BACK, ad = EPTP_ACCESSED_DIRTY;
    (void)state;
    assert_int_equal(leaf_of(RWX, 0, EPT_READ), page | RWX);
    assert_int_equal(leaf_of(EPT_READ, 0, EPT_READ), page | EPT_READ);
    assert_int_equal(leaf_of(EPT_READ | EPT_WRITE, 0, EPT_READ), page | EPT_READ | EPT_WRITE);
    assert_int_equal(leaf_of(EPT_EXECUTE, 0, EPT_EXECUTE), page | EPT_EXECUTE);
    assert_int_equal(leaf_of(RWX, ad, EPT_READ), page | EPT_READ | EPT_EXECUTE | EPT_ACCESSED); /* until L2 writes */
    assert_int_equal(leaf_of(RWX, ad, EPT_WRITE), page | RWX | EPT_ACCESSED);
    assert_int_equal(leaf_of(RWX | EPT_DIRTY, ad, EPT_READ), page | RWX | EPT_ACCESSED);
}

/* AMD's form: present, writable, user, no-execute. */
static uint64_t paging_leaf_of(uint64_t rights, unsigned access)
{
    fake_vmx_start(&m, NEST_TRAP);
    m.nest.policy.nested_page_tables = true;
    map(rights);
    launch(EPTP);
    l2_touches(0x5000, access);
    uint64_t leaf = *held(0x5000, 1);
    for (unsigned level = 2; level <= 4; level++)
        assert_int_equal(*held(0x5000, level) & 0xFFF, 7); /* all rights, whichever form it is read in */
    fake_vmx_stop(&m);
    return leaf;
}

static void nested_page_tables_have_the_same_rights_in_their_own_form(void **state)
{
    const uint64_t page = 0x100009000 | 1 | 4, no_execute = 1ull << 63;
    (void)state;
    assert_int_equal(paging_leaf_of(RWX, EPT_READ), page | 2);
    assert_int_equal(paging_leaf_of(EPT_READ | EPT_EXECUTE, EPT_READ), page);
    assert_int_equal(paging_leaf_of(EPT_READ | EPT_WRITE, EPT_READ), page | 2 | no_execute);
    assert_int_equal(paging_leaf_of(EPT_READ, EPT_READ), page | no_execute);
}

static uint64_t host_bytes, host_rights;

static bool translate(void *context, uint64_t gpa, enum nest_access access, struct nest_translation *translation)
{
    (void)context, (void)access;
    *translation = (struct nest_translation){
        .hpa = 0x100000000 + (gpa & ~(host_bytes - 1)), .bytes = host_bytes, .rights = (uint8_t)host_rights};
    return true;
}

/* L1 page at gpa1, of either size, L2's at gpa2: is it one of 2 MiB in EPT02? */
static bool is_large(uint64_t gpa2, uint64_t gpa1, bool large, uint64_t bytes)
{
    fake_vmx_start(&m, NEST_SHADOW);
    host_bytes = bytes, host_rights = RWX;
    m.host.translate = translate;
    map(RWX);
    if (large)
        entry_put(PD + (gpa2 >> 21) * 8, gpa1 | EPT_LARGE | RWX | WRITE_BACK);
    else
        entry_put(PT + (gpa2 >> 12 & 511) * 8, gpa1 | RWX | WRITE_BACK);
    launch(EPTP);
    l2_touches(gpa2, EPT_READ);
    uint64_t entry = *held(gpa2, 2), offset = large ? gpa2 & (LARGE_BYTES - 1) : 0;
    bool is = entry & EPT_LARGE;
    if (is)
        assert_int_equal(entry, (0x100000000 + gpa1) | EPT_LARGE | RWX | WRITE_BACK);
    else
        assert_int_equal(*held(gpa2, 1), (0x100000000 + gpa1 + offset) | RWX | WRITE_BACK);
    fake_vmx_stop(&m);
    assert_null(m.complaint);
    return is;
}

static void a_page_is_large_where_both_sides_are(void **state)
{
    (void)state;
    assert_true(is_large(0x3000, 0x200000, true, LARGE_BYTES));
    assert_false(is_large(0x3000, 0x200000, true, 4096));
    assert_false(is_large(0x3000, 0x203000, false, LARGE_BYTES)); /* though it lies as if it were */
    assert_false(is_large(0x3000, 0x207000, false, LARGE_BYTES));
}

static void what_cps_side_forbids_l2_may_not(void **state)
{
    (void)state;
    host_bytes = 4096, host_rights = EPT_READ;
    m.host.translate = translate;
    map(RWX);
    launch(EPTP);
    l2_touches(0x5000, EPT_READ);
    assert_int_equal(*held(0x5000, 1), 0x100009000 | EPT_READ | WRITE_BACK);
    const struct exit write = {.reason = EXIT_EPT_VIOLATION, .qualification = EPT_WRITE, .guest_physical = 0x5000};
    assert_int_equal(fake_vmx_exit(&m, &write), NEST_CP); /* as to a device: CP looks at it */
    host_rights = EPT_WRITE | EPT_EXECUTE; /* hardware would call a page that can be written only a misconfiguration */
    nest_ept_flush_all(&m.nest);
    l2_touches(0x5000, EPT_EXECUTE);
    assert_int_equal(*held(0x5000, 1), 0x100009000 | EPT_EXECUTE | WRITE_BACK);
}

static enum nest_access asked;

static bool translate_asked(void *context, uint64_t gpa, enum nest_access access, struct nest_translation *translation)
{
    asked = access;
    return translate(context, gpa, access, translation);
}

static void cps_side_is_asked_for_a_page_to_write_only_when_l2_writes(void **state)
{
    (void)state;
    host_bytes = 4096, host_rights = RWX;
    m.host.translate = translate_asked;
    map(RWX);
    launch(EPTP);
    for (unsigned access = 1; access < 8; access++) {
        nest_ept_flush_all(&m.nest);
        l2_touches(0x5000, access);
        assert_int_equal(asked, access & EPT_WRITE ? NEST_WRITE : NEST_READ);
    }
}

/* Bits 5:3 of what L1 is told are its own tables', whatever EPT02 had; on SVM an access
 * that is a read and a write is one. */
static void a_violation_is_told_with_l1s_rights_and_one_access(void **state)
{
    const struct {
        bool nested_page_tables;
        uint64_t access, rights, told;
    } rows[] = {
        {false, EPT_WRITE, EPT_READ, EPT_WRITE},
        {false, EPT_READ | EPT_WRITE, EPT_READ, EPT_READ | EPT_WRITE},
        {true, EPT_WRITE, EPT_READ, EPT_WRITE},
        {true, EPT_EXECUTE, EPT_READ, EPT_EXECUTE},
        {true, EPT_READ | EPT_WRITE, EPT_READ, EPT_WRITE},
        {true, EPT_READ | EPT_WRITE, EPT_READ | EPT_EXECUTE, EPT_WRITE},
        {true, EPT_READ | EPT_WRITE, 0, EPT_READ},
        {true, EPT_READ | EPT_WRITE | EPT_EXECUTE, 0, EPT_READ | EPT_WRITE | EPT_EXECUTE},
    };
    (void)state;
    launch(EPTP);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct exit exit = {
            .reason = EXIT_EPT_VIOLATION, .qualification = rows[i].access | 0x180 | RWX << 3, .guest_physical = 0x5000};
        uint64_t qualification = 0, gpa = 0;
        map(rows[i].rights);
        m.nest.policy.nested_page_tables = rows[i].nested_page_tables;
        assert_int_equal(nest_ept_violation(&m.nest, &exit, &qualification, &gpa), NEST_EPT_VIOLATES);
        assert_int_equal(qualification, rows[i].told | rows[i].rights << 3 | 0x180);
    }
    m.nest.policy.nested_page_tables = false;
}

static void an_address_of_l2_is_what_its_tables_make_of_it(void **state)
{
    uint64_t gpa = 0;
    (void)state;
    map(EPT_READ);
    launch(EPTP);
    assert_true(nest_translate(&m.nest, 0x5678, NEST_READ, &gpa));
    assert_int_equal(gpa, 0x9678);
    assert_false(nest_translate(&m.nest, 0x5678, NEST_WRITE, &gpa));
    assert_false(nest_translate(&m.nest, 0x6678, NEST_READ, &gpa));
    m.nest.current->vmcs12.secondary_controls = 0;
    assert_true(nest_translate(&m.nest, 0x5678, NEST_WRITE, &gpa));
    assert_int_equal(gpa, 0x5678);
    m.nest.current->vmcs12.secondary_controls = CPU2_EPT;
    m.nest.current->vmcs12.processor_controls &= ~(uint32_t)CPU_SECONDARY_CONTROLS; /* then it has no EPT */
    assert_true(nest_translate(&m.nest, 0x6678, NEST_WRITE, &gpa));
    assert_int_equal(gpa, 0x6678);
}

/* ---- the few that are kept ---------------------------------------------------------------- */

static bool is_kept(uint64_t eptp)
{
    for (unsigned i = 0; i < NEST_EPT_CACHE; i++)
        if (m.nest.ept[i] && m.nest.ept[i]->eptp12 == (eptp & (EPT_ADDRESS | EPTP_ACCESSED_DIRTY)))
            return true;
    return false;
}

static void the_one_not_used_for_longest_makes_room(void **state)
{
    static const uint64_t uses[] = {0, 1, 2, 3, 0, 1, 3, 4, 5};
    (void)state;
    for (unsigned i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
        assert_non_null(nest_ept_get(&m.nest, 0x100000 + uses[i] * 0x1000));
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(is_kept(0x100000 + i * 0x1000), i == 1 || i >= 3);
    assert_ptr_equal(nest_ept_get(&m.nest, 0x103000 | 3 << 3 | 6),
                     nest_ept_get(&m.nest, 0x103000)); /* the form is no part of it */
    assert_ptr_not_equal(nest_ept_get(&m.nest, 0x103000), nest_ept_get(&m.nest, 0x103000 | EPTP_ACCESSED_DIRTY));
}

static void invept_of_one_leaves_the_others(void **state)
{
    const uint64_t same = 0x101000;
    (void)state;
    nest_ept_get(&m.nest, 0x100000)->root[3] = 0;
    struct nest_ept *plain = nest_ept_get(&m.nest, same), *flagged = nest_ept_get(&m.nest, same | EPTP_ACCESSED_DIRTY);
    unsigned flushes = m.flushes_ept;
    nest_ept_flush(&m.nest, same | 3 << 3 | 6);
    assert_int_equal(m.flushes_ept, flushes + 2); /* hardware tells them apart by address only */
    nest_ept_flush(&m.nest, 0x105000);
    assert_int_equal(m.flushes_ept, flushes + 2);
    assert_ptr_equal(nest_ept_get(&m.nest, same), plain);
    assert_ptr_equal(nest_ept_get(&m.nest, same | EPTP_ACCESSED_DIRTY), flagged);
    nest_ept_flush_all(&m.nest);
    assert_int_equal(m.flushes_ept, flushes + 5);
}

static void without_two_frames_there_is_no_ept02_and_none_is_kept(void **state)
{
    unsigned before = m.frames_held;
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        m.frames_limit = before + more;
        assert_null(nest_ept_get(&m.nest, 0x100000));
        assert_int_equal(m.frames_held, before);
        assert_false(is_kept(0x100000));
    }
    m.frames_limit = before + 2;
    unsigned flushes = m.flushes_ept;
    assert_non_null(nest_ept_get(&m.nest, 0x100000));
    assert_int_equal(m.flushes_ept, flushes + 1); /* the frame may have been a root before */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pointer_is_one_that_the_capabilities_allow),
        TEST(execute_only_is_as_it_is_offered),
        TEST(reserved_bits_are_those_of_each_level),
        TEST(every_combination_of_rights_but_two_kinds_is_good),
        TEST(tables_that_cannot_be_flagged_are_no_tables),
        TEST(a_mapping_says_where_its_leaf_is),
        cmocka_unit_test(a_leaf_has_what_both_sides_allow),
        cmocka_unit_test(nested_page_tables_have_the_same_rights_in_their_own_form),
        cmocka_unit_test(a_page_is_large_where_both_sides_are),
        TEST(what_cps_side_forbids_l2_may_not),
        TEST(cps_side_is_asked_for_a_page_to_write_only_when_l2_writes),
        TEST(a_violation_is_told_with_l1s_rights_and_one_access),
        TEST(an_address_of_l2_is_what_its_tables_make_of_it),
        TEST(the_one_not_used_for_longest_makes_room),
        TEST(invept_of_one_leaves_the_others),
        TEST(without_two_frames_there_is_no_ept02_and_none_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
