/* Every rule of a VM entry: a vmcs12 that breaks just it is refused in its name, and its boundary passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/nest_check_base.h"

/* What is not in the VMCS is set by these instead of a field. */
enum { SET_LONG_MODE = 0x10000, SET_LINK_READABLE, SET_LINK_REVISION, SET_PDPTE0, SET_PDPTES_READABLE, SET_VTPR,
       SET_MISC, SET_EPT_CAP };

struct set {
    uint32_t what;
    uint64_t value;
};
struct broken {
    enum nest_check_base base;
    uint32_t field;
    const char *rule; /* part of its text */
    struct set set[4];
};
struct passing {
    enum nest_check_base base;
    struct set set[4];
};

#define F(name) VMCS_##name
#define CPU_ON(bits) {F(PROCESSOR_CONTROLS), 0x84006172u | (bits)}
#define CPU2_ON(bits) {F(SECONDARY_CONTROLS), CPU2_EPT | CPU2_UNRESTRICTED_GUEST | (bits)}
#define PIN_ON(bits) {F(PIN_CONTROLS), 0x16u | (bits)}
#define EXIT_ON(bits) {F(EXIT_CONTROLS), 0x00036DFBu | EXIT_HOST_LONG_MODE | (bits)}
#define INJECT(type, vector, more) {F(ENTRY_INTERRUPTION_INFO), 0x80000000u | (type) << 8 | (vector) | (more)}
#define FAR (1ull << BASE_PHYSICAL_BITS)
#define NOT_CANONICAL 0x0000800000000000ull

#define BROKEN_ADDRESS(name, ...)                                       \
    {BASE_LONG, F(name), "bits 11:0", {{F(name), 0x800}, __VA_ARGS__}}, \
    {BASE_LONG, F(name), "beyond the physical-address width", {{F(name), FAR}, __VA_ARGS__}}
#define BROKEN_LIST(address, count)                                                                           \
    {BASE_LONG, F(address), "bits 3:0", {{F(address), 8}, {F(count), 1}}},                                    \
    {BASE_LONG, F(address), "list: the address must not set", {{F(address), FAR}, {F(count), 1}}},            \
    {BASE_LONG, F(address), "last byte", {{F(address), FAR - 16}, {F(count), 2}}},                            \
    {BASE_LONG, F(address), "last byte", {{F(address), FAR - 0x800000000}, {F(count), 0xFFFFFFFF}}}
#define EACH(X) X(CS) X(SS) X(DS) X(ES) X(FS) X(GS)
#define EACH_USABLE(X) X(SS) X(DS) X(ES) X(FS) X(GS)
#define EACH_DATA(X) X(DS) X(ES) X(FS) X(GS)
#define RIGHTS(R) F(GUEST_##R##_ACCESS_RIGHTS)

static const struct broken broken[] = {
#include "tests/unit/nest_check_broken.def"
};

/* These need "acknowledge interrupt on exit" as well. */
static const struct broken posted[] = {
    {BASE_LONG, F(POSTED_INTERRUPT_VECTOR), "notification vector",
     {POSTING, POSTED, {F(POSTED_INTERRUPT_VECTOR), 256}}},
    {BASE_LONG, F(POSTED_INTERRUPT_DESCRIPTOR), "5:0", {POSTING, POSTED, {F(POSTED_INTERRUPT_DESCRIPTOR), 0x20}}},
    {BASE_LONG, F(POSTED_INTERRUPT_DESCRIPTOR), "beyond", {POSTING, POSTED, {F(POSTED_INTERRUPT_DESCRIPTOR), FAR}}},
};

/* The other side of the boundary. */
static const struct passing passing[] = {
    {BASE_LONG, {{F(CR3_TARGET_COUNT), 4}}},
    {BASE_LONG,
     {CPU_ON(CPU_IO_BITMAPS | CPU_MSR_BITMAPS), {F(IO_BITMAP_A), FAR - 0x1000}, {F(MSR_BITMAP), FAR - 0x1000}}},
    {BASE_LONG, {{F(IO_BITMAP_A), 1}, {F(MSR_BITMAP), FAR}, {F(VMREAD_BITMAP), 1}, {F(VIRTUAL_APIC_ADDRESS), 1}}},
    {BASE_LONG, {CPU_ON(CPU_TPR_SHADOW), {F(TPR_THRESHOLD), 4}}},
    {BASE_LONG, {CPU_ON(CPU_NMI_WINDOW_EXITING), PIN_ON(PIN_NMI_EXITING | PIN_VIRTUAL_NMIS)}},
    {BASE_LONG, {CPU2_ON(CPU2_VPID), {F(VPID), 0xFFFF}}},
    {BASE_LONG, {{F(EPT_POINTER), 3 << 3}}},
    {BASE_LONG, {{F(EPT_POINTER), 1 << 6 | 3 << 3 | 6}, {SET_EPT_CAP, EPT_CAP_WRITE_BACK | EPT_CAP_ACCESSED_DIRTY}}},
    {BASE_PAE, {{F(SECONDARY_CONTROLS), 0xFFFFFFFF}}},
    {BASE_PAE, {{F(EPT_POINTER), 0xFFFF}}},
    {BASE_LONG, {EXIT_ON(EXIT_SAVE_PREEMPTION_TIMER), PIN_ON(PIN_PREEMPTION_TIMER)}},
    {BASE_LONG, {{F(ENTRY_MSR_LOAD_ADDRESS), FAR - 32}, {F(ENTRY_MSR_LOAD_COUNT), 2}}},
    {BASE_LONG, {{F(ENTRY_MSR_LOAD_ADDRESS), FAR + 1}}},
    {BASE_LONG, {INJECT(3u, 14, 0x800), {F(ENTRY_EXCEPTION_ERROR_CODE), 0xFFFF}}},
    {BASE_LONG, {INJECT(3u, 31, 0)}},
    {BASE_LONG, {INJECT(7u, 0, 0)}},
    {BASE_REAL, {INJECT(3u, 13, 0)}},
    {BASE_LONG, {INJECT(4u, 0x80, 0), {F(ENTRY_INSTRUCTION_LENGTH), 15}}},
    {BASE_LONG, {INJECT(4u, 0x80, 0), {SET_MISC, VMX_MISC_ZERO_LENGTH_INJECTION}}},
    {BASE_LONG, {{F(ENTRY_INTERRUPTION_INFO), 0x7FFFFFFF}}},
    {BASE_LONG, {{F(HOST_CR0), 0xE0000031}}},
    {BASE_LONG, {{F(HOST_CR3), FAR - 1}}},
    {BASE_LONG, {{F(HOST_PAT), 0x0706050401000706}}},
    {BASE_LONG, {EXIT_ON(0), {F(HOST_PAT), ~0ull}, {F(HOST_EFER), ~0ull}}},
    {BASE_LONG, {{F(HOST_SS_SELECTOR), 0}}},
    {BASE_LONG, {{F(HOST_FS_BASE), 0x00007FFFFFFFFFFF}, {F(HOST_GS_BASE), 0xFFFF800000000000}}},
    {BASE_PAE, {HOST_32, {SET_LONG_MODE, 0}, {F(HOST_RIP), 0xFFFFFFFF}, {F(HOST_CR4), 0x2000}}},
    {BASE_REAL, {{F(GUEST_CR0), 0x60000020}}},
    {BASE_REAL, {{F(GUEST_EFER), 0x100}}},
    {BASE_LONG, {{F(GUEST_CR4), 0x22020}, {F(GUEST_CR3), 0xFFF}}},
    {BASE_LONG, {{F(GUEST_SS_SELECTOR), 3}, {RIGHTS(SS), 0x10000}}},
    {BASE_LONG, {{RIGHTS(DS), 0x1FFFF}, {F(GUEST_DS_BASE), ~0ull}, {F(GUEST_DS_LIMIT), 1}}},
    {BASE_LONG, {{RIGHTS(CS), 0xA0BF}, {RIGHTS(SS), 0xC0F3}}},
    {BASE_RESTRICTED, {{RIGHTS(DS), 0xC09F}, {F(GUEST_DS_SELECTOR), 3}}},
    {BASE_LONG, {{RIGHTS(CS), 0x209B}, {F(GUEST_CS_LIMIT), 0xFFFFF}}},
    {BASE_PAE, {{RIGHTS(TR), 0x83}}},
    {BASE_LONG, {{RIGHTS(LDTR), 0x82}, {F(GUEST_LDTR_LIMIT), 0xFFFFF}}},
    {BASE_LONG, {{F(GUEST_RIP), 0x0000FFFFFFFFFFFF}}},
    {BASE_LONG, {{F(GUEST_RIP), NOT_CANONICAL}}},
    {BASE_LONG, {{F(GUEST_RFLAGS), 0x3D7FD7}}},
    {BASE_LONG, {{F(GUEST_ACTIVITY_STATE), 1}, INJECT(3u, 18, 0)}},
    {BASE_LONG, {{F(GUEST_ACTIVITY_STATE), 1}, INJECT(3u, 1, 0)}},
    {BASE_LONG, {{F(GUEST_ACTIVITY_STATE), 2}, INJECT(2u, 2, 0)}},
    {BASE_LONG, {{F(GUEST_ACTIVITY_STATE), 3}}},
    {BASE_LONG, {{F(GUEST_INTERRUPTIBILITY), 8}, INJECT(2u, 2, 0)}},
    {BASE_LONG, {{F(GUEST_PENDING_DEBUG_EXCEPTIONS), 0x500F}}},
    {BASE_LONG,
     {{F(GUEST_INTERRUPTIBILITY), 2}, {F(GUEST_PENDING_DEBUG_EXCEPTIONS), 0x4000}, {F(GUEST_RFLAGS), 0x102}}},
    {BASE_LONG, {{F(VMCS_LINK_POINTER), 0x8000}}},
    {BASE_LONG,
     {{F(VMCS_LINK_POINTER), 0x8000}, CPU2_ON(CPU2_VMCS_SHADOWING), {SET_LINK_REVISION, 0x80000000u | BASE_REVISION}}},
    {BASE_PAE_EPT, {{F(GUEST_PDPTE1), 0x1E6}, {F(GUEST_PDPTE2), 0xFF001 | 0xE18}}},
    {BASE_LONG, {{F(GUEST_PDPTE0), ~0ull}}},
};

struct subject {
    struct vmcs vmcs;
    struct vmx_capability capability;
    struct nest_check check;
};

static void set_beside(struct subject *s, const struct set *set)
{
    switch (set->what) {
    case SET_LONG_MODE:
        s->check.long_mode = set->value;
        break;
    case SET_LINK_READABLE:
        s->check.link_readable = set->value;
        break;
    case SET_LINK_REVISION:
        s->check.link_revision = (uint32_t)set->value;
        break;
    case SET_PDPTE0:
        s->check.pdptes[0] = set->value;
        break;
    case SET_PDPTES_READABLE:
        s->check.pdptes_readable = set->value;
        break;
    case SET_VTPR:
        s->check.vtpr = (uint8_t)set->value;
        break;
    case SET_MISC:
        s->capability.msr[VMX_MISC] = set->value | VMX_MISC_CR3_TARGETS(4);
        break;
    case SET_EPT_CAP:
        s->capability.msr[VMX_EPT_VPID_CAP] = set->value;
        break;
    }
}

/* VPID has encoding 0, so a set counts if it has a value or is no VPID. */
static bool is_field(const struct set *set)
{
    return set->what < SET_LONG_MODE && (set->what || set->value);
}

static void prepare(struct subject *s, enum nest_check_base base, const struct set set[4])
{
    base_vmcs(&s->vmcs, base);
    base_capability(&s->capability);
    for (unsigned i = 0; i < 4; i++)
        if (is_field(&set[i]))
            vmcs_set(&s->vmcs, vmcs_field_find(set[i].what), set[i].value);
    base_check(&s->check, &s->vmcs, &s->capability);
    for (unsigned i = 0; i < 4; i++)
        set_beside(s, &set[i]);
}

static bool enter(const struct subject *s, struct nest_failure *failure)
{
    struct nest_check_memory memory = {0};
    nest_check_forget(&memory);
    return nest_check_entry(&memory, &s->check, failure);
}

static void assert_named(const struct broken *b, bool passes, const struct nest_failure *failure)
{
    if (passes)
        fail_msg("%s \"%s\": nothing refused it", vmcs_field_name(b->field), b->rule);
    if (failure->field != b->field || !strstr(failure->rule, b->rule))
        fail_msg("%s \"%s\": refused as %s \"%s\"", vmcs_field_name(b->field), b->rule, vmcs_field_name(failure->field),
                 failure->rule);
}

static void prepare_posted(struct subject *s, const struct broken *b)
{
    prepare(s, b->base, b->set);
    s->vmcs.exit_controls |= EXIT_ACKNOWLEDGE_INTERRUPT;
}

static void prepare_broken(struct subject *s, const struct broken *b)
{
    prepare(s, b->base, b->set);
}

static void the_bases_pass(void **state)
{
    (void)state;
    for (enum nest_check_base base = 0; base < BASES; base++) {
        struct subject s;
        struct nest_failure failure;
        prepare(&s, base, (const struct set[4]){{0}});
        if (!enter(&s, &failure))
            fail_msg("base %d: %s \"%s\"", base, vmcs_field_name(failure.field), failure.rule);
    }
}

static void each_broken_rule_is_named(void **state)
{
    (void)state;
    struct subject s;
    struct nest_failure failure;
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        prepare_broken(&s, &broken[i]);
        assert_named(&broken[i], enter(&s, &failure), &failure);
    }
    for (size_t i = 0; i < sizeof(posted) / sizeof(*posted); i++) {
        prepare_posted(&s, &posted[i]);
        assert_named(&posted[i], enter(&s, &failure), &failure);
    }
}

/* All but one of its fields pass, and then that one is written.  false: they do not, or it is no field. */
static bool spoil(const struct broken *b, unsigned last)
{
    struct subject s;
    struct nest_check_memory memory = {0};
    struct nest_failure failure;
    struct broken others = *b;
    if (!is_field(&b->set[last]))
        return false;
    others.set[last] = (struct set){0};
    nest_check_forget(&memory);
    prepare_broken(&s, &others);
    if (!nest_check_entry(&memory, &s.check, &failure))
        return false;
    prepare_broken(&s, b);
    nest_check_touch(&memory, vmcs_field_find(b->set[last].what));
    assert_named(b, nest_check_entry(&memory, &s.check, &failure), &failure);
    return true;
}

static void a_rule_is_broken_by_each_of_its_fields_alone_between_two_entries(void **state)
{
    size_t spoiled = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++)
        for (unsigned last = 0; last < 4; last++)
            spoiled += spoil(&broken[i], last);
    assert_true(spoiled > sizeof(broken) / sizeof(*broken));
}

/* VPID is 0 in all those cases, before and after. */
static void so_it_is_by_vpid(void **state)
{
    const struct set tagged[4] = {CPU2_ON(CPU2_VPID), {F(VPID), 5}};
    struct subject s;
    struct nest_check_memory memory = {0};
    struct nest_failure failure;
    (void)state;
    prepare(&s, BASE_LONG, tagged);
    nest_check_forget(&memory);
    assert_true(nest_check_entry(&memory, &s.check, &failure));
    s.vmcs.vpid = 0;
    nest_check_touch(&memory, VMCS_INDEX_VPID);
    assert_false(nest_check_entry(&memory, &s.check, &failure));
    assert_int_equal(failure.field, VMCS_VPID);
}

static void the_other_side_of_a_boundary_passes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++) {
        struct subject s;
        struct nest_failure failure;
        prepare(&s, passing[i].base, passing[i].set);
        if (!enter(&s, &failure))
            fail_msg("case %zu: %s \"%s\"", i, vmcs_field_name(failure.field), failure.rule);
    }
}

static bool breaks(const struct nest_check_rule *rule, const struct broken *b,
                   void (*make)(struct subject *, const struct broken *))
{
    struct subject s;
    struct nest_failure failure;
    if (b->field != rule->field || !strstr(rule->text, b->rule))
        return false;
    make(&s, b);
    return !enter(&s, &failure) && failure.field == rule->field && failure.rule == rule->text;
}

static bool has_case(const struct nest_check_rule *rule)
{
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++)
        if (breaks(rule, &broken[i], prepare_broken))
            return true;
    for (size_t i = 0; i < sizeof(posted) / sizeof(*posted); i++)
        if (breaks(rule, &posted[i], prepare_posted))
            return true;
    return false;
}

static void every_rule_has_a_case_that_breaks_it(void **state)
{
    (void)state;
    for (enum nest_check_section section = 0; section < NEST_CHECK_SECTIONS; section++) {
        size_t count;
        const struct nest_check_rule *rules = nest_check_rules(section, &count);
        for (size_t i = 0; i < count; i++)
            if (!has_case(&rules[i]))
                fail_msg("no case breaks %s \"%s\"", vmcs_field_name(rules[i].field), rules[i].text);
    }
}

static void failures_carry_the_manuals_number(void **state)
{
    (void)state;
    static const struct {
        struct set set[4];
        enum nest_failure_kind kind;
        uint64_t qualification;
    } cases[] = {
        {{PIN_ON(0x100)}, NEST_FAILURE_CONTROL, 0},
        {{{F(HOST_CR3), FAR}}, NEST_FAILURE_HOST, 0},
        {{{F(HOST_CR4), 0x2000}}, NEST_FAILURE_HOST, 0},
        {{{F(GUEST_RFLAGS), 0}}, NEST_FAILURE_GUEST, 0},
        {{{F(GUEST_INTERRUPTIBILITY), 1}, {F(GUEST_RFLAGS), 0x202}, INJECT(2u, 2, 0)}, NEST_FAILURE_GUEST, 3},
        {{{F(VMCS_LINK_POINTER), 1}}, NEST_FAILURE_GUEST, 4},
        /* controls are judged before the host's state, and that before the guest's */
        {{{F(GUEST_RFLAGS), 0}, {F(HOST_CR3), FAR}, PIN_ON(0x100)}, NEST_FAILURE_CONTROL, 0},
        {{{F(GUEST_RFLAGS), 0}, {F(HOST_CR3), FAR}}, NEST_FAILURE_HOST, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct subject s;
        struct nest_failure failure;
        prepare(&s, BASE_LONG, cases[i].set);
        assert_false(enter(&s, &failure));
        assert_int_equal(failure.kind, cases[i].kind);
        assert_int_equal(failure.qualification, cases[i].qualification);
    }
    struct subject s;
    struct nest_failure failure;
    prepare(&s, BASE_PAE_EPT, (const struct set[4]){{F(GUEST_PDPTE0), 3}});
    assert_false(enter(&s, &failure));
    assert_int_equal(failure.qualification, 2);
}

static void lists_refuse_what_the_manual_refuses(void **state)
{
    (void)state;
    assert_true(nest_check_msr_load(0x174, 0, false));
    assert_false(nest_check_msr_load(0x174, 1, false));
    assert_false(nest_check_msr_load(0xC0000100, 0, false));
    assert_false(nest_check_msr_load(0xC0000101, 0, false));
    assert_true(nest_check_msr_load(0xC0000102, 0, false));
    assert_false(nest_check_msr_load(0x9B, 0, false));
    assert_false(nest_check_msr_load(0x79, 0, false));
    assert_false(nest_check_msr_load(0x8B, 0, false));
    assert_true(nest_check_msr_load(0x800, 0, false));
    assert_false(nest_check_msr_load(0x800, 0, true));
    assert_false(nest_check_msr_load(0x8FF, 0, true));
    assert_true(nest_check_msr_load(0x900, 0, true));
    assert_true(nest_check_msr_store(0xC0000100, 0, false));
    assert_false(nest_check_msr_store(0x10, 0x80000000, false));
    assert_false(nest_check_msr_store(0x808, 0, true));
    assert_false(nest_check_msr_store(0x9E, 0, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bases_pass),
        cmocka_unit_test(each_broken_rule_is_named),
        cmocka_unit_test(a_rule_is_broken_by_each_of_its_fields_alone_between_two_entries),
        cmocka_unit_test(so_it_is_by_vpid),
        cmocka_unit_test(the_other_side_of_a_boundary_passes),
        cmocka_unit_test(every_rule_has_a_case_that_breaks_it),
        cmocka_unit_test(failures_carry_the_manuals_number),
        cmocka_unit_test(lists_refuse_what_the_manual_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
