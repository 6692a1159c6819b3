/* Shared pages of any contents and notes, through calls, exits of L2 and VMX instructions on them: CP keeps its own of
 * what L2 runs with, gives back all it took, and never does what a processor would not forgive. */
#include <stdlib.h>
#include <string.h>

#include "nest/page.h"
#include "tests/unit/fake/vmx_machine.h"
#include "vmcs-shadow/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIRST = 0x40000, PAGES = 4, SHADOW = 2, MOST_STEPS = 400 };

static struct fake_vmx m;
static const uint8_t *input;
static size_t left;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static uint64_t take(unsigned bytes)
{
    uint64_t value = 0;
    bytes = bytes < left ? bytes : (unsigned)left;
    memcpy(&value, input, bytes);
    input += bytes, left -= bytes;
    return value;
}

static uint64_t some_address(void)
{
    return FIRST + take(1) % PAGES * 0x1000;
}

static struct vmcs_page *some_page(void)
{
    return (struct vmcs_page *)(void *)(m.storage + some_address());
}

/* Good ones, one that links to a shadow page, and that. */
static void make_pages(void)
{
    fake_vmx_make_vmcs(&m, FAKE_VMCS);
    fake_vmx_pointer(&m, EXIT_VMCLEAR, FAKE_VMCS);
    for (unsigned i = 0; i < PAGES; i++) {
        struct vmcs_page *page = (struct vmcs_page *)(void *)(m.storage + FIRST + i * 0x1000);
        page->revision = (uint32_t)m.offered.msr[VMX_BASIC] | (i >= SHADOW ? VMCS_SHADOW_INDICATOR : 0);
        page->form = VMCS_PAGE_FORM;
        page->fields = ((const struct nest_region *)(const void *)(m.storage + FAKE_VMCS))->fields;
        if (i != 1)
            continue;
        page->fields.secondary_controls |= CPU2_VMCS_SHADOWING;
        page->fields.vmcs_link_pointer = FIRST + SHADOW * 0x1000;
        page->fields.vmread_bitmap = page->fields.vmwrite_bitmap = 0x50000;
    }
}

/* What L2 runs with keeps CP's host state and what CP must see. */
static void load(void)
{
    if (!fake_vmx_load(&m))
        return;
    const struct vmcs *v = &m.loaded->held;
    require((m.base.pin_controls & ~v->pin_controls) == 0);
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (VMCS_ENCODING_AREA(vmcs_field_rows[i].encoding) == VMCS_HOST)
            require(vmcs_get(v, i) == vmcs_get(&m.base, i));
}

static void conclude(enum nest_result result)
{
    if (result == NEST_ABORT || result == NEST_NO_FRAMES) {
        m.loaded = &m.first;
        nest_reset(&m.nest, true);
        fake_vmx_enter_operation(&m);
    } else if (nest_in_guest(&m.nest)) {
        load();
    } else {
        require(m.loaded == &m.first);
    }
}

static void call(void)
{
    enum nest_page_error error;
    uint64_t gpa = some_address();
    struct vmcs_page before = *(const struct vmcs_page *)(const void *)(m.storage + gpa);
    enum nest_result result = nest_enter_page(&m.nest, gpa, &error);
    if (result == NEST_SKIP && error != NEST_PAGE_FAILED)
        require(!memcmp(&before, m.storage + gpa, sizeof(before)));
    conclude(result);
}

static void exit_of_l2(void)
{
    struct exit exit = {.reason = (uint32_t)take(1) % EXIT_REASONS, .instruction_length = (uint32_t)take(1) & 15,
                        .qualification = take(4), .instruction_info = (uint32_t)take(4), .guest_physical = take(3)};
    exit.idt_vectoring_info = exit.instruction_info & 1 ? 0 : exit.instruction_info | 0x80000000;
    exit.interruption_info = (uint32_t)exit.qualification | 0x80000000;
    m.gpr[exit.instruction_length] = vmcs_field_rows[take(1) % VMCS_FIELDS].encoding;
    conclude(fake_vmx_exit(&m, &exit));
}

static void instruction(void)
{
    static const uint8_t reasons[] = {EXIT_VMCLEAR, EXIT_VMPTRLD, EXIT_VMRESUME, EXIT_VMLAUNCH, EXIT_VMXOFF};
    unsigned reason = reasons[take(1) % sizeof(reasons)];
    conclude(reason == EXIT_VMCLEAR || reason == EXIT_VMPTRLD ? fake_vmx_pointer(&m, reason, some_address())
                                                            : fake_vmx_plain(&m, reason));
    if (!m.nest.vmxon)
        fake_vmx_enter_operation(&m);
}

static void step_of_l1(void)
{
    unsigned kind = take(1) % 8, index;
    struct vmcs_page *page;
    switch (kind) {
    case 0:
    case 1: /* with and without a note */
        page = some_page(), index = take(1) % VMCS_FIELDS;
        vmcs_set(&page->fields, index, take(vmcs_field_rows[index].bytes));
        if (kind)
            vmcs_set_add(&page->written, index);
        break;
    case 2:
        page = some_page(), index = (unsigned)take(2) % (sizeof(*page) / 8);
        ((uint64_t *)(void *)page)[index] = take(8);
        break;
    case 3:
        index = take(1) % VMCS_FIELDS;
        fake_vmx_write(&m, vmcs_field_rows[index].encoding, take(8));
        fake_vmx_read(&m, vmcs_field_rows[index].encoding);
        break;
    case 4:
        instruction();
        break;
    default:
        call();
    }
}

static void *(*region_alloc)(struct vcpu *, bool);
static void *no_shadow_regions(struct vcpu *cpu, bool shadow)
{
    return shadow ? NULL : region_alloc(cpu, shadow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = data, left = size;
    fake_vmx_start(&m, NEST_MEMORY);
    region_alloc = m.vmx.region_alloc;
    unsigned how = (unsigned)take(1);
    if (how & 1)
        m.vmx.region_alloc = no_shadow_regions;
    fake_vmx_enter_operation(&m);
    make_pages();
    if (how & 2)
        m.frames_limit = m.frames_held + (how >> 2);
    for (unsigned n = 0; left && n < MOST_STEPS; n++)
        if (nest_in_guest(&m.nest))
            exit_of_l2();
        else
            step_of_l1();
    fake_vmx_stop(&m);
    require(!m.complaint);
    return 0;
}
