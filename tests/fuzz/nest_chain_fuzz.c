/* The chain with a CP in the middle and a hypervisor above it that lie: pages of any contents, delegated twice or to
 * themselves, that are one another's storage, VMXON regions and bitmaps; EPTs that lead in circles, and anything that
 * changes at any moment. CP0 keeps its own of whatever runs, gives back all it took, reaches nothing but its guest's
 * storage, and never does what a processor would not forgive. Each image is asked for all of nest/assert.h. */
#include <stdlib.h>
#include <string.h>

#include "nest/chain.h"
#include "nest/enter.h"
#include "tests/unit/fake/chain_tower.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RAX = 0, RCX = 1, RDX = 2, RBX = 3, MOST_STEPS = 300, PAGES = 12, FIRST = 0x30000, TABLES = 0x10000, RWX = 7 };
#define HOST_BASE 0x100000000ull

static struct tower t;
static struct vmcs_page *p1;
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

/* Anything in V2's storage, CP1's, or nowhere; mostly a page of those that are entered. */
static uint64_t some_address(void)
{
    unsigned kind = (unsigned)take(1);
    if (kind < 200)
        return FIRST + kind % PAGES * 0x1000;
    if (kind < 230)
        return take(1) % TOWER_V2_PAGES * 0x1000;
    return kind < 250 ? TOWER_V2 + take(1) * 0x1000 : take(8);
}

static struct vmcs_page *some_page(void)
{
    return (struct vmcs_page *)(uintptr_t)(TOWER_V2 + FIRST + take(1) % PAGES * 0x1000);
}

/* ---- what is there at first: each page can be entered from each, in V2's storage at every depth ------------- */

static void make_storage(void)
{
    for (unsigned level = 0; level < 3; level++)
        *(uint64_t *)tower_v2(&t, TABLES + level * 0x1000) = (TABLES + (level + 1) * 0x1000) | RWX;
    for (unsigned i = 0; i < TOWER_V2_PAGES; i++) {
        tower_v2(&t, i * 0x1000);
        ((uint64_t *)tower_v2(&t, TABLES + 0x3000))[i] = i * 0x1000 | RWX | 6 << 3;
    }
    for (unsigned i = 0; i < PAGES; i++) {
        struct vmcs_page *page = tower_make_page(&t, FIRST + i * 0x1000, TABLES);
        page->delegation.state =
            i % 4 == 3 ? 0 : TOWER_V2_VMXON | VMCS_DELEGATED | VMCS_DELEGATED_VMXON | VMCS_DELEGATED_MAY_VMXON;
        page->delegation.current = NEST_NO_ADDRESS;
        page->fields.msr_bitmap = 0x6000, page->fields.io_bitmap_a = 0x7000, page->fields.io_bitmap_b = 0x8000;
    }
}

/* ---- steps ---------------------------------------------------------------------------------------------------- */

static void in_storage(const uint64_t *table, unsigned level)
{
    for (unsigned i = 0; i < 512; i++) {
        if (!(table[i] & 7))
            continue;
        uint64_t address = table[i] & EPT_TABLE_MASK;
        if (level > 1 && !(table[i] & 0x80))
            in_storage((const uint64_t *)(uintptr_t)address, level - 1);
        else
            require((address >= HOST_BASE && address < HOST_BASE + FAKE_STORAGE) ||
                    (address >= HOST_BASE + TOWER_BANK && address < HOST_BASE + TOWER_BANK + TOWER_BYTES));
    }
}

static void load(void)
{
    if (!fake_vmx_load(&t.m))
        return;
    const struct vmcs *v = &t.m.loaded->held;
    require((t.m.base.pin_controls & ~v->pin_controls) == 0);
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (VMCS_ENCODING_AREA(vmcs_field_rows[i].encoding) == VMCS_HOST)
            require(vmcs_get(v, i) == vmcs_get(&t.m.base, i));
    if (v->ept_pointer != t.m.base.ept_pointer)
        in_storage((const uint64_t *)(uintptr_t)(v->ept_pointer & EPT_TABLE_MASK), 4);
}

static void begin_again(void)
{
    t.m.loaded = &t.m.first;
    nest_reset(&t.m.nest, true);
    require(!t.m.regions_held);
    fake_vmx_enter_operation(&t.m);
}

static void conclude(enum nest_result result)
{
    static const struct nest_event event = {0x80000306, 0, 0}, none = {0};
    if (result == NEST_OUTER && t.m.nest.innermost != &t.m.nest)
        result = nest_chain_return(&t.m.nest, take(1) & 1 ? &event : &none);
    require(result != NEST_OUTER);
    if (result == NEST_ABORT || result == NEST_NO_FRAMES)
        begin_again();
    else if (nest_in_guest(&t.m.nest))
        load();
    else
        require(t.m.loaded == &t.m.first);
}

static bool delegated(const struct exit *exit)
{
    enum nest_page_error error;
    unsigned reason = exit->reason & 0xFFFF;
    if (!nest_chain_delegates(&t.m.nest)) {
        nest_chain_yield(t.m.nest.innermost, reason);
        return false;
    }
    enum nest_result result = reason == EXIT_VMCALL ? nest_chain_enter(&t.m.nest, t.m.gpr[RBX], &error)
                                                    : nest_chain_instruction(&t.m.nest, exit);
    if (result == NEST_OUTER)
        return false;
    conclude(result);
    return true;
}

static void instruction_of_guest(void)
{
    static const uint8_t reasons[] = {EXIT_VMCALL, EXIT_VMCALL, EXIT_VMCALL, EXIT_VMCALL, EXIT_VMCLEAR, EXIT_VMPTRLD,
                                      EXIT_VMLAUNCH, EXIT_VMRESUME, EXIT_VMREAD, EXIT_VMWRITE, EXIT_INVEPT,
                                      EXIT_INVVPID, EXIT_VMXOFF, EXIT_VMXON, EXIT_VMPTRST};
    struct exit exit = {.reason = reasons[take(1) % sizeof(reasons)], .instruction_length = 3};
    const uint64_t operand[2] = {some_address(), 0};
    if (exit.reason == EXIT_VMREAD || exit.reason == EXIT_VMWRITE) {
        exit.instruction_info = 1 << 10 | RDX << 28 | RBX << 3;
        t.m.gpr[RDX] = vmcs_field_rows[take(1) % VMCS_FIELDS].encoding;
    } else {
        exit.instruction_info = 2 << 7 | 3 << 15 | 1 << 22 | 1 << 27 | RDX << 28;
        exit.qualification = TOWER_V2_OPERAND;
        memcpy((void *)(uintptr_t)(TOWER_V2 + TOWER_V2_OPERAND), operand, sizeof(operand));
        t.m.gpr[RDX] = take(1) & 3;
    }
    t.m.gpr[RBX] = operand[0];
    if (!delegated(&exit))
        conclude(nest_exit(&t.m.nest, &exit));
}

static void exit_of_guest(void)
{
    uint64_t hpa;
    struct exit exit = {.reason = (uint32_t)take(1) % EXIT_REASONS, .instruction_length = (uint32_t)take(1) & 15,
                        .qualification = take(4), .instruction_info = (uint32_t)take(4)};
    if (exit.reason == EXIT_EPT_VIOLATION || take(1) < 80) {
        exit.reason = EXIT_EPT_VIOLATION;
        exit.guest_physical = take(1) % (TOWER_V2_PAGES + 4) * 0x1000;
        exit.qualification = 0x180 | 1 << take(1) % 3;
        if (fake_vmx_touch(&t.m, exit.guest_physical, exit.qualification & 7, &hpa))
            return;
    }
    exit.interruption_info = (uint32_t)exit.qualification | 0x80000000;
    exit.idt_vectoring_info = exit.instruction_info & 1 ? 0 : exit.instruction_info | 0x80000000;
    t.m.gpr[RCX] = take(2);
    conclude(nest_exit(&t.m.nest, &exit));
}

/* Somebody writes to storage that others look at. */
static void lie(void)
{
    struct vmcs_page *page = take(1) & 3 ? some_page() : p1;
    unsigned index = take(1) % VMCS_FIELDS;
    switch (take(1) % 6) {
    case 0:
        vmcs_set(&page->fields, index, take(1) & 1 ? some_address() : take(vmcs_field_rows[index].bytes));
        vmcs_set_add(&page->written, index);
        break;
    case 1:
        ((uint64_t *)(void *)page)[take(2) % (sizeof(*page) / 8)] = take(8);
        break;
    case 2:
        page->delegation.state = take(1) | (take(1) & 1 ? some_address() & ~0xFFFull : TOWER_V2_VMXON);
        page->delegation.current = take(1) & 1 ? some_address() : NEST_NO_ADDRESS;
        break;
    case 3: /* tables of L3's, in circles perhaps */
        ((uint64_t *)(uintptr_t)(TOWER_V2 + TABLES + take(1) % 4 * 0x1000))[take(1) % TOWER_V2_PAGES] =
            some_address() | (take(1) & 0x87);
        break;
    case 4: /* CP1's own */
        t.ept01[take(1) % TOWER_V2_PAGES] = (take(1) & 7 ? TOWER_V2 + take(1) % TOWER_V2_PAGES * 0x1000 : take(5)) |
                                            (take(1) & 7) | 6 << 3;
        break;
    default:
        page->resumes = take(8);
    }
}

static void step_of_cp1(void)
{
    enum nest_page_error error;
    const uint64_t descriptor[2] = {tower_eptp(&t), 0};
    switch (take(1) % 8) {
    case 0:
        conclude(fake_vmx_pointer(&t.m, EXIT_VMCLEAR, (uint64_t)(uintptr_t)p1));
        break;
    case 1:
        memcpy(t.m.storage + 0x800, descriptor, sizeof(descriptor));
        t.m.gpr[RDX] = 1 + (take(1) & 1);
        conclude(fake_vmx_memory(&t.m, EXIT_INVEPT, 0x800, RDX));
        break;
    case 2:
        conclude(nest_enter_page(&t.m.nest, TOWER_V2 + some_address() % TOWER_V2_BYTES, &error));
        break;
    case 3:
        nest_ept01_changed(&t.m.nest, 0, 0x1000);
        break;
    default:
        conclude(nest_enter_page(&t.m.nest, (uint64_t)(uintptr_t)p1, &error));
    }
}

static void step_of_cp0(void)
{
    struct exit exit = {.reason = EXIT_EXTERNAL_INTERRUPT};
    switch (take(1) % 4) {
    case 0:
        nest_chain_stop(&t.m.nest);
        conclude(nest_reflect(&t.m.nest, &exit));
        break;
    case 1:
        nest_ept01_changed(&t.m.nest, 0, 0x1000);
        load();
        break;
    case 2:
        t.m.tsc += take(2);
        exit.reason = EXIT_PREEMPTION_TIMER;
        conclude(nest_exit(&t.m.nest, &exit));
        break;
    default:
        conclude(nest_entry_refused(&t.m.nest));
    }
}

static void step(void)
{
    unsigned kind = (unsigned)take(1) % 16;
    if (kind < 4)
        lie();
    else if (!nest_in_guest(&t.m.nest))
        step_of_cp1();
    else if (kind < 10)
        instruction_of_guest();
    else if (kind < 15)
        exit_of_guest();
    else
        step_of_cp0();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = data, left = size;
    tower_start(&t);
    p1 = t.first.page;
    make_storage();
    unsigned how = (unsigned)take(1);
    if (how & 1)
        t.m.frames_limit = t.m.frames_held + (how >> 1);
    for (unsigned n = 0; left && n < MOST_STEPS; n++)
        step();
    t.m.loaded = &t.m.first;
    t.m.frames_limit = FAKE_FRAMES;
    begin_again();
    fake_vmx_stop(&t.m);
    require(!t.m.complaint);
    return 0;
}
