/* What must hold whatever vmcs12 says (docs/nesting.md), as properties over random and boundary contents.
 * The first four are properties of the merge, a million cases; the others of a whole machine that is driven at
 * random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nest/assert.h"
#include "nest/ept.h"
#include "nest/route.h"
#include "tests/unit/fake/vmx_machine.h"
#include "vmcs-shadow/page.h"

enum { CASES = 1000000, MACHINE_STEPS = 60000 };

static uint64_t seed = 88172645463325252ull;

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Half of all fields at a boundary, the others anything. */
static uint64_t content(void)
{
    static const uint64_t edges[] = {0, ~0ull, 1, 0x80000000, 0x7FFFFFFF, 1ull << 63, 0xFFF, 0x1000, ~0xFFFull, 0x16,
                                     0x0401E172, 0x36DFF, 0x11FF};
    uint64_t choice = next();
    return choice & 1 ? edges[(choice >> 8) % (sizeof(edges) / sizeof(edges[0]))] : next();
}

static void scramble(struct vmcs *v)
{
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        vmcs_set(v, i, content());
}

/* Few fields of a good one: deep states that a scrambled one never reaches. */
static void disturb(struct vmcs *v, unsigned fields)
{
    while (fields--)
        vmcs_set(v, next() % VMCS_FIELDS, content());
}

static struct fake_vmx m; /* for its capabilities and CP's controls */
static struct vmcs vmcs12, vmcs02;
static struct nest_merge_context context;

static const uint64_t none = 0, no_address = NEST_NO_ADDRESS;
static void *shadow_region; /* to link to */
static uint64_t apic_page;  /* of L1's storage, pinned */

static void draw(unsigned number)
{
    if (number & 1)
        scramble(&vmcs12);
    else
        disturb(&vmcs12, 8);
    context.apic_page = next() & 1 ? NEST_NO_ADDRESS : apic_page;
    context.link = next() & 1 ? NEST_NO_ADDRESS : m.vmx.region_address(shadow_region);
    context.vpid = next() & 1 ? 0 : 9;
    m.base.processor_controls ^= number % 7 == 0 ? CPU_INTERRUPT_WINDOW_EXITING : 0;
    m.base.exception_bitmap = 1 << 1 | 1 << 17 | (number % 5 == 0 ? 1 << 14 : 0);
    nest_merge(&vmcs02, &m.base, &vmcs12, &context);
}

/* 1: every control CP needs */
static void keeps_cp_controls(void)
{
    const uint32_t by_rule = CPU_UNCONDITIONAL_IO_EXITING | CPU_IO_BITMAPS | CPU_MSR_BITMAPS | CPU_TPR_SHADOW |
                             CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING;
    const uint32_t features = CPU2_RDTSCP | CPU2_INVPCID | CPU2_UNRESTRICTED_GUEST | CPU2_VPID | CPU2_VMCS_SHADOWING;
    assert_int_equal(m.base.pin_controls & ~vmcs02.pin_controls, 0);
    assert_int_equal(m.base.processor_controls & ~by_rule & ~vmcs02.processor_controls, 0);
    assert_int_equal(m.base.secondary_controls & ~features & ~vmcs02.secondary_controls, 0);
    assert_int_equal(m.base.exit_controls & ~vmcs02.exit_controls, 0);
    assert_int_equal(m.base.entry_controls & ~(uint32_t)ENTRY_LONG_MODE & ~vmcs02.entry_controls, 0);
    assert_int_equal(m.base.exception_bitmap & ~vmcs02.exception_bitmap, 0);
    assert_true(nest_io_mode(vmcs02.processor_controls) >= nest_io_mode(m.base.processor_controls));
    assert_true(nest_io_mode(vmcs02.processor_controls) >= nest_io_mode(vmcs12.processor_controls));
    if (vmcs02.processor_controls & CPU_MSR_BITMAPS)
        assert_int_equal(vmcs02.msr_bitmap, context.msr_bitmap);
    /* the TPR is never the outer guest's */
    if (!(vmcs02.processor_controls & CPU_TPR_SHADOW))
        assert_true(vmcs02.processor_controls & vmcs02.processor_controls << 1 & CPU_CR8_STORE_EXITING);
    assert_int_equal((m.base.cr0_mask & ~vmcs02.cr0_mask) | (m.base.cr4_mask & ~vmcs02.cr4_mask), 0);
}

/* 2: what is not offered does not get through, and hardware gets nothing it lacks */
static void drops_what_is_not_offered(void)
{
    const uint64_t *offer = m.offered.msr, *hard = m.hardware.msr;
    assert_int_equal(vmcs02.pin_controls & ~(m.base.pin_controls | (uint32_t)(offer[VMX_TRUE_PIN] >> 32)), 0);
    assert_int_equal(vmcs02.processor_controls & ~(m.base.processor_controls | (uint32_t)(offer[VMX_TRUE_CPU] >> 32)),
                     0);
    assert_int_equal(vmcs02.secondary_controls & ~(m.base.secondary_controls | (uint32_t)(offer[VMX_CPU2] >> 32)), 0);
    assert_int_equal(vmcs02.entry_controls & ~(m.base.entry_controls | (uint32_t)(offer[VMX_TRUE_ENTRY] >> 32)), 0);
    assert_true(capability_allows(hard[VMX_TRUE_PIN], vmcs02.pin_controls));
    assert_true(capability_allows(hard[VMX_TRUE_CPU], vmcs02.processor_controls));
    assert_true(capability_allows(hard[VMX_TRUE_EXIT], vmcs02.exit_controls));
    assert_true(capability_allows(hard[VMX_TRUE_ENTRY], vmcs02.entry_controls));
    assert_int_equal(vmcs02.secondary_controls & ~(uint32_t)(hard[VMX_CPU2] >> 32), 0);
    assert_int_equal(vmcs02.vm_function_controls, m.base.vm_function_controls);
}

/* 3: host state is CP's */
static void keeps_host_state(void)
{
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (VMCS_ENCODING_AREA(vmcs_field_rows[i].encoding) == VMCS_HOST)
            assert_int_equal(vmcs_get(&vmcs02, i), vmcs_get(&m.base, i));
}

/* 4: no address as it stands in vmcs12. Each address of the field table is CP's, or one of two that the merge was given
 * for it. */
static const struct {
    const uint64_t *translated, *other;
} translations[VMCS_FIELDS] = {
    [VMCS_INDEX_IO_BITMAP_A] = {&context.io_bitmap_a, &none},
    [VMCS_INDEX_IO_BITMAP_B] = {&context.io_bitmap_b, &none},
    [VMCS_INDEX_MSR_BITMAP] = {&context.msr_bitmap, &none},
    [VMCS_INDEX_VMREAD_BITMAP] = {&context.vmread_bitmap, &none},
    [VMCS_INDEX_VMWRITE_BITMAP] = {&context.vmwrite_bitmap, &none},
    [VMCS_INDEX_VIRTUAL_APIC_ADDRESS] = {&context.apic_page, &none},
    [VMCS_INDEX_VMCS_LINK_POINTER] = {&context.link, &no_address},
    [VMCS_INDEX_EPT_POINTER] = {&context.eptp, &m.base.ept_pointer},
};

static bool is_translated(enum vmcs_index index)
{
    uint64_t value = vmcs_get(&vmcs02, index);
    switch (vmcs_field_rows[index].merge) {
    case VMCS_MERGE_CP:
        return value == vmcs_get(&m.base, index);
    case VMCS_MERGE_NONE:
        return !value;
    default:
        return translations[index].translated &&
               (value == *translations[index].translated || value == *translations[index].other);
    }
}

static void translates_addresses(void)
{
    static const bool address[VMCS_FIELDS] = {
#define FIELD(NAME, member, encoding, type, shadow, merge, derived, capability) \
    [VMCS_INDEX_##NAME] = VMCS_TYPE_IS_ADDRESS(type),
#include "vmcs-shadow/fields.def"
#undef FIELD
    };
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if ((address[i] || vmcs_field_rows[i].merge == VMCS_MERGE_CP) && !is_translated(i))
            fail_msg("%s is neither CP's nor what was found for L1's", vmcs_field_name(vmcs_field_rows[i].encoding));
}

/* And the assertions of the machine, which are written by themselves, agree. */
static void passes_the_assertions(void)
{
    static struct nest_vmcs vmcs, link;
    static struct nest_ept ept;
    const struct vmcs_set nothing = {{0}};
    const uint64_t frames[NEST_FRAMES] = {[NEST_FRAME_MSR_BITMAP] = context.msr_bitmap,
                                          [NEST_FRAME_IO_A] = context.io_bitmap_a,
                                          [NEST_FRAME_IO_B] = context.io_bitmap_b,
                                          [NEST_FRAME_VMREAD] = context.vmread_bitmap,
                                          [NEST_FRAME_VMWRITE] = context.vmwrite_bitmap};
    for (unsigned i = 0; i < NEST_FRAMES; i++)
        vmcs.frames[i] = (void *)(uintptr_t)frames[i];
    ept.root = (uint64_t *)(uintptr_t)(context.eptp & ~0xFFFull);
    vmcs.ept = nest_secondary(&vmcs12) & CPU2_EPT ? &ept : NULL;
    vmcs.pinned_apic = vmcs.vmcs12.virtual_apic_address = 0x13000;
    link.gpa = vmcs.vmcs12.vmcs_link_pointer = 0x4000;
    link.shadow_region = shadow_region;
    vmcs.link = &link;
    m.nest.vmcs01 = m.base;
    m.nest.policy.vpid_first = 9;
    m.nest.ept[0] = &ept;
    m.nest.active[0] = &link;
    struct vmcs image = vmcs02;
    image.guest_efer &= 0xD01; /* that the entry checks see to */
    image.cr3_target_count &= 3;
    image.guest_activity_state &= 1; /* and nest_load() to this */
    const struct nest_assertion *broken = nest_assert(&m.nest, &vmcs, &image, &nothing);
    m.nest.ept[0] = NULL;
    m.nest.active[0] = NULL;
    if (broken)
        fail_msg("not %s", broken->rule);
}

static void a_million_contents_merge_within_what_cp_allows(void **state)
{
    (void)state;
    fake_vmx_start(&m, NEST_SHADOW);
    struct vmcs base = m.base;
    shadow_region = m.vmx.region_alloc(fake_vmx_cpu(&m), true);
    apic_page = m.host.pin(&m, 0x13000);
    context = (struct nest_merge_context){.policy = &m.nest.policy, .hardware = &m.hardware, .msr_bitmap = 0x1111000,
        .io_bitmap_a = 0x1112000, .io_bitmap_b = 0x1113000, .vmread_bitmap = 0x1114000, .vmwrite_bitmap = 0x1115000,
        .eptp = 0x111801E};
    for (unsigned i = 0; i < CASES; i++) {
        draw(i);
        keeps_cp_controls();
        drops_what_is_not_offered();
        keeps_host_state();
        translates_addresses();
        if (i % 16 < 2)
            passes_the_assertions();
    }
    m.vmx.region_free(fake_vmx_cpu(&m), shadow_region);
    m.host.unpin(&m, 0x13000);
    m.base = base;
    fake_vmx_stop(&m);
    assert_null(m.complaint);
}

/* 5: of every exit either L1 or CP wants, exactly one gets it, and an exit nobody above asked for is CP's */
static void an_exit_has_one_owner(void **state)
{
    (void)state;
    fake_vmx_start(&m, NEST_TRAP);
    struct nest_route_state route = {.host = &m.host};
    for (unsigned i = 0; i < 200000; i++) {
        struct exit exit = {.reason = next() % (EXIT_REASONS + 3), .qualification = content(),
                            .interruption_info = 0x80000000 | (next() & 0xFFF), .interruption_error = next() & 31,
                            .instruction_info = next()};
        const struct vmcs *list[] = {&vmcs12};
        if (i % 4 == 0)
            scramble(&vmcs12);
        m.gpr[next() & 15] = content();
        bool cp = nest_cp_wants(&route, &m.base, &vmcs12, &exit), l1 = nest_inner_wants(&route, &vmcs12, &exit);
        assert_int_equal(nest_route(&route, &m.base, list, 1, &exit), !cp && l1 ? 0 : -1);
        if (exit.reason == EXIT_EXTERNAL_INTERRUPT)
            assert_true(cp);
    }
    fake_vmx_stop(&m);
    assert_null(m.complaint);
}

/* ---- a machine driven at random: 6 no harm beyond the guest, 7 events, 8 state survives ---- */

enum { PAGE = 0x6000, PAGE_B = 0x7000, LINK = 0x8000 };

static uint64_t some_region(void)
{
    static const uint64_t places[] = {FAKE_VMXON, FAKE_VMCS, FAKE_VMCS_B, PAGE, LINK, 0x2001, FAKE_STORAGE,
                                      FAKE_STORAGE - 0x1000, ~0ull, 1ull << 40, 0};
    return places[next() % (sizeof(places) / sizeof(places[0]))];
}

static void instruction(void)
{
    static const uint8_t reasons[] = {EXIT_VMXON, EXIT_VMXOFF, EXIT_VMCLEAR, EXIT_VMPTRLD, EXIT_VMPTRLD, EXIT_VMPTRST,
        EXIT_VMREAD, EXIT_VMWRITE, EXIT_VMLAUNCH, EXIT_VMRESUME, EXIT_VMRESUME, EXIT_INVEPT, EXIT_INVVPID, EXIT_VMCALL,
        EXIT_VMFUNC};
    struct exit exit = {.reason = reasons[next() % sizeof(reasons)], .qualification = 0x800,
                        .instruction_info = next() & 7 ? 2u << 7 | 3u << 15 | 1u << 22 | 1u << 27 | 2u << 28
                                                       : (uint32_t)next()};
    uint64_t operand = some_region();
    memcpy(m.storage + 0x800, &operand, sizeof(operand));
    m.gpr[2] = next() & 1 ? vmcs_field_rows[next() % VMCS_FIELDS].encoding : next() & 3;
    m.gpr[next() & 15] = next() & 1 ? content() : 0;
    if (exit.reason == EXIT_VMXOFF && next() % 16)
        return;
    enum nest_result result = nest_instruction(&m.nest, &exit);
    if (result == NEST_ENTERED)
        fake_vmx_load(&m);
    else if (result == NEST_ABORT || result == NEST_NO_FRAMES)
        nest_reset(&m.nest, true);
}

static void write_some_field(void)
{
    unsigned index = next() % VMCS_FIELDS;
    if (m.nest.current && m.nest.vmxon)
        fake_vmx_write(&m, vmcs_field_rows[index].encoding,
                       next() & 3 ? vmcs_get(&m.nest.current->vmcs12, index) ^ 1ull << (next() & 63) : content());
}

static struct vmcs_page *page_at(uint64_t gpa)
{
    return (struct vmcs_page *)(void *)(m.storage + gpa);
}

/* Three pages with good contents, one of them a link's target; FAKE_VMCS is where the contents come from. */
static void make_pages(void)
{
    for (uint64_t gpa = PAGE; gpa <= LINK; gpa += 0x1000) {
        struct vmcs_page *page = page_at(gpa);
        if (next() & 1)
            fake_vmx_pointer(&m, EXIT_VMCLEAR, gpa);
        memset(page, 0, sizeof(*page));
        page->revision = (uint32_t)m.offered.msr[VMX_BASIC] | (gpa == LINK ? VMCS_SHADOW_INDICATOR : 0);
        page->form = VMCS_PAGE_FORM;
        page->fields = ((const struct nest_region *)(const void *)(m.storage + FAKE_VMCS))->fields;
        page->fields.entry_interruption_info = 0;
        if (gpa == LINK || next() & 1)
            continue;
        page->fields.secondary_controls |= CPU2_VMCS_SHADOWING;
        page->fields.vmcs_link_pointer = LINK;
        page->fields.vmread_bitmap = next() & 0xFF000, page->fields.vmwrite_bitmap = next() & 0xFF000;
    }
}

/* What is not noted L1 is not shown again; the event alone always is noted, for assert_l1_is_shown(). */
static void write_some_page(void)
{
    const unsigned event = VMCS_INDEX_ENTRY_INTERRUPTION_INFO;
    struct vmcs_page *page = page_at(PAGE + (next() % 3) * 0x1000);
    unsigned index = next() % VMCS_FIELDS;
    vmcs_set(&page->fields, index, next() & 3 ? vmcs_get(&page->fields, index) ^ 1ull << (next() & 63) : content());
    bool noted = vmcs_set_has(&page->written, event);
    if (next() & 7 || index == event)
        vmcs_set_add(&page->written, index);
    if (next() % 32 == 0)
        page->written.word[next() % 3] = content();
    if (noted || index == event)
        vmcs_set_add(&page->written, event);
    if (next() % 256 == 0)
        page->form = page->revision = (uint32_t)content();
}

static void call(void)
{
    enum nest_page_error error;
    uint64_t at = next() & 7 ? PAGE + (next() % 3) * 0x1000 : some_region();
    enum nest_result result = nest_enter_page(&m.nest, at, &error);
    if (result == NEST_ENTERED)
        fake_vmx_load(&m);
    else if (result == NEST_ABORT || result == NEST_NO_FRAMES)
        nest_reset(&m.nest, true);
}

static unsigned exits_by_page;
static void assert_l1_is_shown(const struct nest_vmcs *vmcs)
{
    const struct vmcs *shown = &vmcs->page->fields;
    exits_by_page++;
    assert_int_equal(shown->exit_reason, vmcs->vmcs12.exit_reason);
    assert_int_equal(shown->exit_qualification, vmcs->vmcs12.exit_qualification);
    if (vmcs->vmcs12.exit_reason & EXIT_ENTRY_FAILED)
        return;
    assert_int_equal(shown->guest_rip, vmcs->vmcs12.guest_rip);
    assert_int_equal(shown->entry_interruption_info & 0x80000000, 0);
}

static void exit_of_l2(void)
{
    struct exit exit = {.reason = next() % EXIT_REASONS, .instruction_length = next() & 15,
                        .qualification = next() & 1 ? content() : next() & 0x1BF, .instruction_info = next(),
                        .interruption_info = next() & 1 ? 0x80000000 | (next() & 0xFFF) : 0,
                        .idt_vectoring_info = next() & 1 ? 0x80000000 | (next() & 0xFFF) : 0,
                        .guest_physical = next() & 1 ? content() : next() & 0xFFFFF};
    if (next() % 32 == 0)
        exit.reason |= EXIT_ENTRY_FAILED;
    m.tsc += next() & 0xFFFF;
    enum nest_result result = fake_vmx_exit(&m, &exit);
    if (result == NEST_REFLECTED) {
        struct vmcs *v = &m.nest.current->vmcs12;
        if (!(exit.reason & EXIT_ENTRY_FAILED))
            assert_int_equal(v->entry_interruption_info & 0x80000000, 0);
        if ((exit.idt_vectoring_info & 0x80000000) && !(exit.reason & EXIT_ENTRY_FAILED))
            assert_int_equal(v->idt_vectoring_info, exit.idt_vectoring_info);
        if (m.nest.current->page)
            assert_l1_is_shown(m.nest.current);
    }
    if (result == NEST_ABORT || result == NEST_NO_FRAMES)
        nest_reset(&m.nest, true);
    else if (nest_in_guest(&m.nest))
        fake_vmx_load(&m);
    uint64_t hpa;
    if (nest_in_guest(&m.nest) && m.nest.current->ept && fake_vmx_touch(&m, exit.guest_physical, 1, &hpa))
        assert_true(hpa >= 0x100000000ull && hpa < 0x100000000ull + FAKE_STORAGE);
}

static void *(*region_alloc)(struct vcpu *, bool);
static void *no_shadow_regions(struct vcpu *cpu, bool shadow)
{
    return shadow ? NULL : region_alloc(cpu, shadow);
}

static void step_of_l1(bool pages)
{
    if (pages && next() & 1)
        next() & 1 ? write_some_page() : call();
    else if (next() & 1)
        instruction();
    else
        write_some_field();
}

static void start_over(bool other, bool pages)
{
    if (!m.nest.vmxon)
        fake_vmx_enter_operation(&m);
    fake_vmx_make_vmcs(&m, other ? FAKE_VMCS_B : FAKE_VMCS);
    if (pages) {
        fake_vmx_pointer(&m, EXIT_VMCLEAR, FAKE_VMCS);
        make_pages();
        call();
    } else if (fake_vmx_plain(&m, EXIT_VMLAUNCH) == NEST_ENTERED) {
        fake_vmx_load(&m);
    }
}

static void nothing_a_guest_does_goes_beyond_it(void **state)
{
    static const enum nest_mode modes[] = {NEST_TRAP, NEST_SHADOW, NEST_TRAP, NEST_SHADOW, NEST_MEMORY, NEST_MEMORY,
                                           NEST_MEMORY};
    (void)state;
    exits_by_page = 0;
    for (unsigned run = 0; run < sizeof(modes) / sizeof(modes[0]); run++) {
        const bool pages = modes[run] == NEST_MEMORY;
        fake_vmx_start(&m, modes[run]);
        region_alloc = m.vmx.region_alloc;
        if (run == 5) /* as on SVM */
            m.vmx.region_alloc = no_shadow_regions;
        m.frames_limit = run & 2 ? 60 : FAKE_FRAMES;
        fake_vmx_enter_operation(&m);
        for (unsigned i = 0; i < MACHINE_STEPS; i++) {
            if (nest_in_guest(&m.nest)) {
                exit_of_l2();
            } else {
                m.loaded = &m.first;
                if (i % 30 == 0)
                    start_over(i % 60 == 0, pages && i % 90);
                else
                    step_of_l1(pages);
            }
            if (i % 5000 == 4999)
                nest_reset(&m.nest, next() & 1), m.loaded = &m.first;
            assert_null(m.complaint);
        }
        uint64_t reflected = 0;
        for (unsigned i = 0; i < EXIT_REASONS; i++)
            reflected += m.nest.counts.reflected[i];
        assert_true(reflected > 2000 && m.nest.counts.reflected[EXIT_CPUID] > 10);
        m.frames_limit = FAKE_FRAMES;
        fake_vmx_stop(&m);
        assert_null(m.complaint);
    }
    assert_true(exits_by_page > 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_contents_merge_within_what_cp_allows),
        cmocka_unit_test(an_exit_has_one_owner),
        cmocka_unit_test(nothing_a_guest_does_goes_beyond_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
