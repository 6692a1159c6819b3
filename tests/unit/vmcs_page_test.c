/* A virtual VMCS as a page: notes and copies of fields, for every row of the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmcs-shadow/page.h"
#include "vmcs-shadow/sync.h"

enum { WORDS = sizeof(struct vmcs_set) / sizeof(uint64_t) };

static struct vmcs_page page;

static int start(void **state)
{
    (void)state;
    memset(&page, 0, sizeof(page));
    return 0;
}

static uint64_t widest(unsigned index)
{
    unsigned bytes = vmcs_field_rows[index].bytes;
    return bytes == 8 ? ~0ull : (1ull << bytes * 8) - 1;
}

/* Each field another value, none of them 0. */
static void number_all(struct vmcs *vmcs, uint64_t from)
{
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        vmcs_set(vmcs, i, from + i);
}

static unsigned size_of(const struct vmcs_set *set)
{
    unsigned size = 0;
    for (unsigned word = 0; word < WORDS; word++)
        size += (unsigned)__builtin_popcountll(set->word[word]);
    return size;
}

static bool same_sets(const struct vmcs_set *a, const struct vmcs_set *b)
{
    return !memcmp(a, b, sizeof(*a));
}

static void a_page_is_laid_out_as_the_header_says(void **state)
{
    (void)state;
    assert_int_equal(offsetof(struct vmcs_page, abort), 4); /* as in a VMCS region */
    assert_int_equal(offsetof(struct vmcs_page, form), 8);
    assert_int_equal(offsetof(struct vmcs_page, fields) % 8, 0);
    assert_int_equal(sizeof(page.reserved) + offsetof(struct vmcs_page, reserved), offsetof(struct vmcs_page, written));
}

static void a_write_notes_the_field_that_becomes_another_and_no_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        start(NULL);
        vmcs_page_write(&page, i, 0);
        assert_true(vmcs_set_empty(&page.written)); /* it was 0 */
        vmcs_page_write(&page, i, widest(i));
        assert_true(vmcs_get(&page.fields, i) == widest(i));
        assert_true(vmcs_set_has(&page.written, i));
        assert_int_equal(size_of(&page.written), 1);
        assert_true(vmcs_set_empty(&page.changed));
        for (unsigned other = 0; other < VMCS_FIELDS; other++)
            if (other != i)
                assert_int_equal(vmcs_get(&page.fields, other), 0);
        vmcs_set_clear(&page.written);
        vmcs_page_write(&page, i, widest(i));
        assert_true(vmcs_set_empty(&page.written));
    }
}

/* Compared as the field holds it, not as the caller gave it. */
static void bits_beyond_a_field_are_dropped_with_or_without_a_note(void **state)
{
    (void)state;
    vmcs_page_write(&page, VMCS_INDEX_VPID, 0x15432);
    assert_int_equal(page.fields.vpid, 0x5432);
    assert_true(vmcs_set_has(&page.written, VMCS_INDEX_VPID));
}

static void a_set_is_copied_and_noted_whole(void **state)
{
    struct vmcs from;
    (void)state;
    number_all(&from, 3);
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        struct vmcs_set set = {{0}}, both;
        start(NULL);
        vmcs_set_add(&set, i);
        vmcs_set_add(&set, VMCS_FIELDS - 1);
        vmcs_set_add(&page.written, VMCS_INDEX_GUEST_RIP);
        vmcs_page_write_set(&page, &from, &set);
        both = set;
        vmcs_set_add(&both, VMCS_INDEX_GUEST_RIP); /* what was noted stays */
        assert_true(same_sets(&page.written, &both));
        for (unsigned other = 0; other < VMCS_FIELDS; other++)
            assert_true(vmcs_get(&page.fields, other) == (vmcs_set_has(&set, other) ? vmcs_get(&from, other) : 0));
    }
}

/* What sync.h does to hardware, written here from the manual's words. */
static bool exit_loads(unsigned index, bool long_mode)
{
    const struct vmcs_field_row *row = &vmcs_field_rows[index];
    if (index == VMCS_INDEX_CR0_SHADOW || index == VMCS_INDEX_CR4_SHADOW)
        return true;
    if (VMCS_ENCODING_AREA(row->encoding) != VMCS_GUEST || row->merge == VMCS_MERGE_NONE ||
        row->capability >= VMCS_CAPABILITY_NOT_OFFERED)
        return false;
    if (index >= VMCS_INDEX_GUEST_PDPTE0 && index <= VMCS_INDEX_GUEST_PDPTE3)
        return !long_mode;
    return index != VMCS_INDEX_VMCS_LINK_POINTER && index != VMCS_INDEX_PREEMPTION_TIMER;
}

static void l1s_state_is_written_where_it_differs(void **state)
{
    (void)state;
    for (unsigned long_mode = 0; long_mode < 2; long_mode++) {
        struct vmcs l1;
        start(NULL);
        number_all(&l1, 5);
        l1.guest_efer = long_mode ? 0xD00 : 0x800;
        vmcs_page_write_l1(&page, &l1);
        for (unsigned i = 0; i < VMCS_FIELDS; i++) {
            assert_int_equal(vmcs_set_has(&page.written, i), exit_loads(i, long_mode));
            assert_true(vmcs_get(&page.fields, i) == (exit_loads(i, long_mode) ? vmcs_get(&l1, i) : 0));
        }
        vmcs_set_clear(&page.written);
        vmcs_page_write_l1(&page, &l1);
        assert_true(vmcs_set_empty(&page.written)); /* none became another */
        l1.guest_rsp++;
        vmcs_page_write_l1(&page, &l1);
        assert_true(vmcs_set_has(&page.written, VMCS_INDEX_GUEST_RSP));
        assert_int_equal(size_of(&page.written), 1);
    }
}

static bool exit_reports(unsigned index)
{
    uint32_t encoding = vmcs_field_rows[index].encoding;
    bool io = index >= VMCS_INDEX_IO_RCX && index <= VMCS_INDEX_IO_RIP; /* of SMM only */
    if (index == VMCS_INDEX_GUEST_RIP || index == VMCS_INDEX_GUEST_RSP)
        return true;
    return VMCS_ENCODING_AREA(encoding) == VMCS_EXIT_INFORMATION && index != VMCS_INDEX_INSTRUCTION_ERROR && !io;
}

static void what_an_exit_reports_is_copied_and_noted(void **state)
{
    struct vmcs from;
    (void)state;
    number_all(&from, 7);
    vmcs_page_copy_exit(&page.fields, &from, &page.changed);
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        assert_int_equal(vmcs_set_has(&page.changed, i), exit_reports(i));
        assert_true(vmcs_get(&page.fields, i) == (exit_reports(i) ? vmcs_get(&from, i) : 0));
    }
    assert_true(same_sets(&page.changed, &vmcs_set_exit));
    assert_true(vmcs_set_empty(&page.written));
}

static void taking_moves_the_notes_of_the_fields_asked_for(void **state)
{
    (void)state;
    number_all(&page.fields, 11);
    for (unsigned i = 0; i < VMCS_FIELDS; i++) {
        const bool place = i == VMCS_INDEX_GUEST_RIP || i == VMCS_INDEX_GUEST_RSP;
        struct vmcs copy = {0};
        struct vmcs_set taken = {{0}}, notes = {{0}}, which = {{0}}, rest = {{0}};
        vmcs_set_add(&which, i);
        vmcs_set_add(&which, (i + 1) % VMCS_FIELDS); /* asked for, not noted */
        vmcs_set_add(&notes, i);
        vmcs_set_add(&notes, (i + 2) % VMCS_FIELDS); /* noted, not asked for */
        vmcs_set_add(&rest, (i + 2) % VMCS_FIELDS);
        vmcs_set_add(&taken, (i + 3) % VMCS_FIELDS); /* from before */
        vmcs_page_take(&copy, &page.fields, &notes, &which, &taken);
        assert_true(same_sets(&notes, &rest));
        assert_int_equal(vmcs_set_has(&taken, i), !place);
        assert_true(vmcs_set_has(&taken, (i + 3) % VMCS_FIELDS));
        assert_int_equal(size_of(&taken), place ? 1 : 2);
        for (unsigned other = 0; other < VMCS_FIELDS; other++) {
            bool copied = other == i || other == VMCS_INDEX_GUEST_RIP || other == VMCS_INDEX_GUEST_RSP;
            assert_true(vmcs_get(&copy, other) == (copied ? vmcs_get(&page.fields, other) : 0));
        }
    }
}

/* A hypervisor's writes, taken over by one that wants them all, are the hypervisor's VMCS. */
static void what_is_written_and_taken_is_the_same(void **state)
{
    struct vmcs copy = {0}, own = {0};
    struct vmcs_set taken = {{0}}, all;
    uint64_t random = 88172645463325252ull;
    (void)state;
    memset(&all, 0xFF, sizeof(all));
    for (unsigned i = 0; i < 100000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        unsigned index = (unsigned)(random >> 20) % VMCS_FIELDS;
        vmcs_page_write(&page, index, random & 3);
        vmcs_set(&own, index, random & 3);
        if (random >> 60)
            continue;
        vmcs_page_take(&copy, &page.fields, &page.written, &all, &taken);
        assert_true(vmcs_set_empty(&page.written));
        assert_memory_equal(&copy, &own, sizeof(copy));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_page_is_laid_out_as_the_header_says, start),
        cmocka_unit_test_setup(a_write_notes_the_field_that_becomes_another_and_no_other, start),
        cmocka_unit_test_setup(bits_beyond_a_field_are_dropped_with_or_without_a_note, start),
        cmocka_unit_test_setup(a_set_is_copied_and_noted_whole, start),
        cmocka_unit_test_setup(l1s_state_is_written_where_it_differs, start),
        cmocka_unit_test_setup(what_an_exit_reports_is_copied_and_noted, start),
        cmocka_unit_test_setup(taking_moves_the_notes_of_the_fields_asked_for, start),
        cmocka_unit_test_setup(what_is_written_and_taken_is_the_same, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
