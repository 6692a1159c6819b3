/* MSR-load and MSR-store lists: what each entry does, which entry ends a list, and how far one goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nest/msr_list.h"
#include "tests/unit/fake/vmx_machine.h"

enum {
    LIST = 0x12000,
    EFER = 0xC0000080,
    PAT = 0x277,
    DEBUGCTL = 0x1D9,
    SYSENTER = 0x174,
    STAR = 0xC0000081,
    REFUSED = 0xDEAD
};

static struct fake_vmx m;
static struct vmcs guest;
static struct vmcs_set written;
static uint64_t apic_base;
static uint32_t wrote[1024];
static unsigned writes;

static bool rdmsr(void *context, uint32_t msr, uint64_t *value)
{
    (void)context;
    *value = msr == 0x1B ? apic_base : 0x7700000000ull + msr;
    return msr != REFUSED && apic_base;
}

static bool wrmsr(void *context, uint32_t msr, uint64_t value)
{
    (void)context;
    if (msr == REFUSED)
        return false;
    assert_int_equal(value, 0x1000 + writes);
    wrote[writes++] = msr;
    return true;
}

static int start(void **state)
{
    (void)state;
    fake_vmx_start(&m, NEST_TRAP);
    m.host.rdmsr = rdmsr;
    m.host.wrmsr = wrmsr;
    apic_base = 0xFEE00900;
    writes = 0;
    memset(&guest, 0, sizeof(guest));
    guest.guest_efer = 0x500;
    vmcs_set_clear(&written);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_vmx_stop(&m);
    return m.complaint != NULL;
}

struct entry {
    uint32_t index, reserved;
    uint64_t data;
};

static void put(uint64_t list, unsigned number, uint32_t index, uint64_t data)
{
    const struct entry entry = {index, 0, data};
    memcpy(m.storage + list + number * sizeof(entry), &entry, sizeof(entry));
}

static struct entry get(uint64_t list, unsigned number)
{
    struct entry entry;
    memcpy(&entry, m.storage + list + number * sizeof(entry), sizeof(entry));
    return entry;
}

static uint32_t load(uint64_t list, uint32_t count)
{
    return nest_msr_list_load(&m.nest, list, count, &guest, &written);
}

static bool loads(uint32_t index, uint64_t data)
{
    put(LIST, 0, index, data);
    return load(LIST, 1) == 0;
}

static void msrs_that_are_fields_go_to_the_guests_state(void **state)
{
    static const struct {
        uint32_t msr;
        enum vmcs_index index;
        uint64_t value;
    } rows[] = {
        {SYSENTER, VMCS_INDEX_GUEST_SYSENTER_CS, 0xFFFFFFFF},
        {SYSENTER + 1, VMCS_INDEX_GUEST_SYSENTER_ESP, 0x7FFFFFFFF000},
        {SYSENTER + 2, VMCS_INDEX_GUEST_SYSENTER_EIP, 0xFFFF800000000000},
        {DEBUGCTL, VMCS_INDEX_GUEST_DEBUGCTL, 2},
        {PAT, VMCS_INDEX_GUEST_PAT, 0x0007040600010506},
        {EFER, VMCS_INDEX_GUEST_EFER, 0xD01},
    };
    (void)state;
    guest.guest_efer = 0x500;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(loads(rows[i].msr, rows[i].value));
        assert_int_equal(vmcs_get(&guest, rows[i].index), rows[i].value);
        assert_true(vmcs_set_has(&written, rows[i].index));
    }
    assert_int_equal(writes, 0);
}

/* What WRMSR would refuse, a list's entry fails at, and leaves what was there. */
static void a_field_takes_what_wrmsr_would_let_be_written(void **state)
{
    static const struct {
        uint32_t msr;
        uint64_t value;
        bool may;
    } rows[] = {
        {SYSENTER, 1ull << 32, false},
        {SYSENTER + 1, 1ull << 47, false},
        {SYSENTER + 2, 1ull << 63, false},
        {DEBUGCTL, 0, true},
        {DEBUGCTL, 2, true},
        {DEBUGCTL, 4, false},
        {DEBUGCTL, 1 << 6, false},
        {DEBUGCTL, 1ull << 40, false},
        {EFER, 0x500, true},
        {EFER, 0x100, false},
        {EFER, 0x400, false},
        {EFER, 0, false},
        {EFER, 0x501, true},
        {EFER, 0xD00, true},
        {EFER, 0x1500, false},
        {EFER, 0x502, false},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        guest.guest_efer = 0x500;
        vmcs_set_clear(&written);
        if (loads(rows[i].msr, rows[i].value) != rows[i].may)
            fail_msg("%#x %#llx", rows[i].msr, (unsigned long long)rows[i].value);
        assert_int_equal(vmcs_set_empty(&written), !rows[i].may);
    }
    assert_true(loads(DEBUGCTL, 3));
    assert_int_equal(guest.guest_debugctl, 2); /* LBR reads as 0 */
    for (unsigned byte = 0; byte < 8; byte++)
        for (unsigned type = 0; type < 256; type++)
            assert_int_equal(loads(PAT, (uint64_t)type << 8 * byte), type < 8 && type != 2 && type != 3);
}

static void others_are_written_in_their_order_and_the_first_refused_is_told(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++)
        put(LIST, i, 0x600 + i, 0x1000 + i);
    assert_int_equal(load(LIST, 40), 0);
    assert_int_equal(writes, 40);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(wrote[i], 0x600 + i);
    for (unsigned bad = 0; bad < 40; bad += 13) {
        writes = 0;
        put(LIST, bad, REFUSED, 0);
        assert_int_equal(load(LIST, 40), bad + 1);
        assert_int_equal(writes, bad);
        put(LIST, bad, 0x600 + bad, 0x1000 + bad);
    }
    assert_int_equal(load(LIST, 0), 0);
}

/* As many as IA32_VMX_MISC recommends, and no list for ever. */
static void a_list_ends_after_512(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 520; i++)
        put(LIST, i, 0x600, 0x1000 + i);
    assert_int_equal(load(LIST, 512), 0);
    writes = 0;
    assert_int_equal(load(LIST, 513), 513);
    assert_int_equal(writes, 512);
    assert_int_equal(nest_msr_list_store(&m.nest, LIST, 512, &guest), 0);
    assert_int_equal(nest_msr_list_store(&m.nest, LIST, 0xFFFFFFFF, &guest), 513);
}

static void a_list_ends_where_storage_does(void **state)
{
    (void)state;
    for (unsigned there = 0; there < 36; there++) {
        const uint64_t list = FAKE_STORAGE - there * sizeof(struct entry);
        for (unsigned i = 0; i < there; i++)
            put(list, i, 0x600, 0x1000 + i);
        writes = 0;
        assert_int_equal(load(list, 40), there + 1);
        assert_int_equal(writes, there);
        assert_int_equal(nest_msr_list_store(&m.nest, list, 40, &guest), there + 1);
        for (unsigned i = 0; i < there; i++)
            assert_int_equal(get(list, i).data, 0x7700000600);
    }
}

static void stored_are_fields_from_the_guests_state_and_others_by_rdmsr(void **state)
{
    static const uint32_t msrs[] = {SYSENTER, SYSENTER + 1, SYSENTER + 2, DEBUGCTL, PAT,
                                    EFER,     0xC0000100,   0xC0000101,   STAR};
    (void)state;
    guest.guest_sysenter_cs = 1, guest.guest_sysenter_esp = 2, guest.guest_sysenter_eip = 3, guest.guest_debugctl = 4;
    guest.guest_pat = 5, guest.guest_efer = 6, guest.guest_fs_base = 7, guest.guest_gs_base = 8;
    for (unsigned i = 0; i < 40; i++)
        put(LIST, i, msrs[i % 9], 0);
    assert_int_equal(nest_msr_list_store(&m.nest, LIST, 40, &guest), 0);
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(get(LIST, i).data, i % 9 < 8 ? i % 9 + 1 : 0x7700000000 + STAR);
        assert_int_equal(get(LIST, i).index, msrs[i % 9]);
    }
}

static void what_came_before_one_that_cannot_be_stored_is_stored(void **state)
{
    (void)state;
    for (unsigned bad = 0; bad < 36; bad++) {
        for (unsigned i = 0; i < 36; i++)
            put(LIST, i, i == bad ? REFUSED : STAR, 0);
        assert_int_equal(nest_msr_list_store(&m.nest, LIST, 36, &guest), bad + 1);
        for (unsigned i = 0; i < 36; i++)
            assert_int_equal(get(LIST, i).data, i < bad ? 0x7700000000 + STAR : 0);
    }
}

static bool writes_nothing(void *context, uint64_t gpa, const void *from, size_t bytes)
{
    (void)context, (void)gpa, (void)from, (void)bytes;
    return false;
}

static void a_list_that_cannot_be_written_is_not_stored(void **state)
{
    (void)state;
    put(LIST, 0, STAR, 0);
    m.host.write = writes_nothing;
    assert_int_equal(nest_msr_list_store(&m.nest, LIST, 1, &guest), 1);
}

/* SDM "Loading MSRs": registers of the local APIC are not for lists while it is in x2APIC mode */
static void the_apics_registers_are_refused_in_x2apic_mode(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 2; mode++) {
        apic_base = 0xFEE00900 | (mode ? 1 << 10 : 0);
        writes = 0;
        assert_int_equal(loads(0x808, 0x1000), !mode);
        put(LIST, 0, 0x808, 0);
        assert_int_equal(nest_msr_list_store(&m.nest, LIST, 1, &guest), mode);
    }
    apic_base = 0; /* cannot be read: then it is in no such mode */
    writes = 0;
    assert_true(loads(0x808, 0x1000));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(msrs_that_are_fields_go_to_the_guests_state),
        TEST(a_field_takes_what_wrmsr_would_let_be_written),
        TEST(others_are_written_in_their_order_and_the_first_refused_is_told),
        TEST(a_list_ends_after_512),
        TEST(a_list_ends_where_storage_does),
        TEST(stored_are_fields_from_the_guests_state_and_others_by_rdmsr),
        TEST(what_came_before_one_that_cannot_be_stored_is_stored),
        TEST(a_list_that_cannot_be_written_is_not_stored),
        TEST(the_apics_registers_are_refused_in_x2apic_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
