/* Running only the sections whose fields changed says the same as running all: over random and boundary changes of a
 * vmcs12 that passed, the verdict, the rule and the field are those of the full check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/nest_check_base.h"

enum { ROUNDS = 400000 };

static uint64_t seed = 0x9E3779B97F4A7C15ull;
static uint64_t random64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* What fields come to hold: one bit more or less, an edge, another field's value, noise. */
static uint64_t random_value(uint64_t old)
{
    switch (random64() % 6) {
    case 0:
        return old ^ 1ull << random64() % 64;
    case 1:
        return old ^ 1ull << random64() % 32;
    case 2:
        return 1ull << random64() % 64;
    case 3:
        return (1ull << random64() % 64) - 1;
    case 4:
        return random64() % 64;
    default:
        return random64();
    }
}

struct subject {
    struct vmcs vmcs;
    struct vmx_capability capability;
    struct nest_check check;
};

static void prepare(struct subject *s, enum nest_check_base base)
{
    base_vmcs(&s->vmcs, base);
    base_capability(&s->capability);
    base_check(&s->check, &s->vmcs, &s->capability);
}

static void refetch(struct subject *s)
{
    base_check(&s->check, &s->vmcs, &s->capability);
}

static bool full(const struct nest_check *check, struct nest_failure *failure)
{
    return nest_check_controls(check, failure) && nest_check_host(check, failure) && nest_check_guest(check, failure);
}

/* Values that rules about several fields turn on; noise would hardly ever bring them together. */
static const struct {
    enum vmcs_index index;
    uint64_t value[4];
} together[] = {
    {VMCS_INDEX_GUEST_ACTIVITY_STATE, {0, 1, 2, 3}},
    {VMCS_INDEX_GUEST_INTERRUPTIBILITY, {0, 1, 2, 8}},
    {VMCS_INDEX_GUEST_RFLAGS, {2, 0x202, 0x102, 0x302}},
    {VMCS_INDEX_GUEST_RFLAGS, {2, 0x20002, 0x20202, 0x102}},
    {VMCS_INDEX_ENTRY_INTERRUPTION_INFO, {0x80000202, 0x80000020, 0x80000B0D, 0x8000030D}},
    {VMCS_INDEX_GUEST_DEBUGCTL, {0, 2, 0, 2}},
    {VMCS_INDEX_GUEST_PENDING_DEBUG_EXCEPTIONS, {0, 0x4000, 0, 0x4000}},
    {VMCS_INDEX_GUEST_SS_ACCESS_RIGHTS, {0xC093, 0xC0F3, 0x10000, 0x93}},
    {VMCS_INDEX_GUEST_CS_ACCESS_RIGHTS, {0xA09B, 0xA0FB, 0xA0BF, 0xC09B}},
    {VMCS_INDEX_GUEST_CR0, {0x80000031, 0x20, 0x31, 0x80000031}},
    {VMCS_INDEX_PIN_CONTROLS, {0x16, 0x1E, 0x3E, 0x16}},
    {VMCS_INDEX_ENTRY_CONTROLS, {0x11FB, 0x13FB, 0x11FB | ENTRY_LOAD_EFER, 0x13FB | ENTRY_LOAD_EFER}},
};

static void change_field(struct subject *s, struct nest_check_memory *memory, enum vmcs_index index, uint64_t value)
{
    vmcs_set(&s->vmcs, index, value);
    nest_check_touch(memory, index);
}

static void change(struct subject *s, struct nest_check_memory *memory)
{
    enum vmcs_index index = (enum vmcs_index)(random64() % VMCS_FIELDS);
    unsigned which = (unsigned)(random64() % (sizeof(together) / sizeof(*together)));
    if (random64() % 4)
        change_field(s, memory, together[which].index, together[which].value[random64() % 4]);
    else
        change_field(s, memory, index, random_value(vmcs_get(&s->vmcs, index)));
}

static void assert_same(const struct subject *s, struct nest_check_memory *memory)
{
    struct nest_failure some = {0}, all = {0};
    bool passes = full(&s->check, &all);
    if (nest_check_entry(memory, &s->check, &some) != passes || some.field != all.field || some.rule != all.rule)
        fail_msg("in full %s \"%s\", by section %s \"%s\"", vmcs_field_name(all.field), all.rule ? all.rule : "passes",
                 vmcs_field_name(some.field), some.rule ? some.rule : "passes");
}

static void changed_sections_say_what_all_say(void **state)
{
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct subject s;
        struct nest_check_memory memory = {0};
        nest_check_forget(&memory);
        prepare(&s, (enum nest_check_base)(random64() % BASES));
        assert_same(&s, &memory);
        for (unsigned entry = 0; entry < 6; entry++) {
            for (uint64_t n = random64() % 4; n > 0; n--)
                change(&s, &memory);
            refetch(&s);
            assert_same(&s, &memory);
        }
    }
}

/* One field at a time, so that a section missing from nest_check_field_sections cannot hide behind another field's. */
static void every_field_runs_the_sections_that_read_it(void **state)
{
    (void)state;
    for (enum vmcs_index index = 0; index < VMCS_FIELDS; index++)
        for (unsigned round = 0; round < 3000; round++) {
            struct subject s;
            struct nest_check_memory memory = {0};
            nest_check_forget(&memory);
            prepare(&s, (enum nest_check_base)(round % BASES));
            for (unsigned n = round % 4; n > 0; n--)
                change(&s, &memory);
            refetch(&s);
            struct nest_failure failure;
            if (!nest_check_entry(&memory, &s.check, &failure))
                continue;
            change_field(&s, &memory, index, random_value(vmcs_get(&s.vmcs, index)));
            refetch(&s);
            assert_same(&s, &memory);
        }
}

static void a_failed_section_runs_again(void **state)
{
    (void)state;
    struct subject s;
    struct nest_check_memory memory = {0};
    struct nest_failure failure;
    nest_check_forget(&memory);
    prepare(&s, BASE_LONG);
    s.vmcs.host_cr3 = ~0ull;
    assert_false(nest_check_entry(&memory, &s.check, &failure));
    assert_false(nest_check_entry(&memory, &s.check, &failure));
    s.vmcs.host_cr3 = 0;
    assert_true(nest_check_entry(&memory, &s.check, &failure));
}

static void a_usual_entry_runs_few_sections(void **state)
{
    (void)state;
    struct subject s;
    struct nest_check_memory memory = {0};
    struct nest_failure failure;
    nest_check_forget(&memory);
    prepare(&s, BASE_LONG);
    assert_true(nest_check_entry(&memory, &s.check, &failure));
    assert_int_equal(memory.unchecked, 0);
    nest_check_touch(&memory, VMCS_INDEX_GUEST_RIP);
    nest_check_touch(&memory, VMCS_INDEX_GUEST_RSP);
    nest_check_touch(&memory, VMCS_INDEX_GUEST_RFLAGS);
    nest_check_touch(&memory, VMCS_INDEX_TSC_OFFSET);
    nest_check_touch(&memory, VMCS_INDEX_CR0_SHADOW);
    nest_check_touch(&memory, VMCS_INDEX_EXCEPTION_BITMAP);
    assert_int_equal(memory.unchecked, 1u << NEST_CHECK_SECTION_RIP_RFLAGS);
}

static void a_set_of_fields_touches_each(void **state)
{
    (void)state;
    struct vmcs_set set = {{0}};
    struct nest_check_memory by_set = {0}, by_field = {0};
    for (unsigned i = 0; i < 10; i++) {
        enum vmcs_index index = (enum vmcs_index)(random64() % VMCS_FIELDS);
        vmcs_set_add(&set, index);
        nest_check_touch(&by_field, index);
    }
    nest_check_touch_set(&by_set, &set);
    assert_int_equal(by_set.unchecked, by_field.unchecked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_sections_say_what_all_say),
        cmocka_unit_test(every_field_runs_the_sections_that_read_it),
        cmocka_unit_test(a_failed_section_runs_again),
        cmocka_unit_test(a_usual_entry_runs_few_sections),
        cmocka_unit_test(a_set_of_fields_touches_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
