/* The memory way does what VMX instructions do: two machines side by side, one whose L1 has regions and one whose L1
 * has pages, driven at random with the same contents, writes, exits and links. Whatever either side can see is the
 * same. */
#include "tests/unit/nest_page_scene.h"

enum { TRIALS = 300, ROUNDS = 40, APIC = 0x60000, BITMAPS = 0x61000, LIST = 0x64000 };

static struct fake_vmx v; /* by VMX instructions; m is by pages */
static struct vmcs good;
static uint64_t seed = 1442695040888963407ull;
static unsigned entered, failed, late, aborted, linked_exits, closed_rounds;

static uint64_t next(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

static uint64_t content(unsigned index)
{
    static const uint64_t edges[] = {0, ~0ull, 1, 0x80000000, 0x7FFFFFFF, 1ull << 63, 0xFFF, 0x1000, 0x16, 0x2000,
                                     BITMAPS, LIST, APIC, 0x100000};
    switch (next() & 3) {
    case 0:
        return edges[(next() >> 8) % (sizeof(edges) / sizeof(edges[0]))];
    case 1:
        return next();
    case 2:
        return vmcs_get(&good, index) ^ 1ull << (next() & 63);
    default:
        return vmcs_get(&good, index);
    }
}

/* ---- two machines ---------------------------------------------------------------------- */

static struct nest_region *region_at(uint64_t gpa)
{
    return (struct nest_region *)(void *)(v.storage + gpa);
}

static void stamp_region(uint64_t gpa, uint32_t indicator)
{
    memset(region_at(gpa), 0, 4096);
    region_at(gpa)->revision = stamp_page(gpa, indicator)->revision;
}

static void start_two(bool links)
{
    begin(NEST_MEMORY);
    fake_vmx_start(&v, NEST_MEMORY);
    fake_vmx_enter_operation(&v);
    good = page_at(PAGE)->fields;
    if (links) {
        good.secondary_controls |= CPU2_VMCS_SHADOWING;
        good.vmread_bitmap = READS, good.vmwrite_bitmap = WRITES, good.vmcs_link_pointer = LINK;
    }
    stamp_region(PAGE, 0);
    stamp_region(LINK, VMCS_SHADOW_INDICATOR);
    region_at(PAGE)->fields = page_at(PAGE)->fields = good;
    memset(m.storage + SCRATCH, 0, 4096);
    for (unsigned i = 0; i < 4096; i++) /* bitmaps, and lists of MSRs that do exist */
        m.storage[BITMAPS + i] = (uint8_t)(next() & next() & next());
    const uint64_t list[] = {0xC0000081, 1, 0xC0000082, 2, 0xC0000090, 3};
    memcpy(m.storage + LIST, list, sizeof(list));
    memset(m.storage + READS, 0, 4096);
    memset(m.storage + WRITES, next() & 1 ? 0xFF : 0, 4096);
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (next() & 1)
            let_through(WRITES, vmcs_field_rows[i].encoding);
    memcpy(v.storage + APIC, m.storage + APIC, 0x10000);
    memcpy(v.storage + READS, m.storage + READS, 0x2000);
    fake_vmx_pointer(&v, EXIT_VMPTRLD, PAGE);
}

static void stop_two(void)
{
    fake_vmx_stop(&v);
    assert_null(v.complaint);
    assert_int_equal(stop(NULL), 0);
}

/* ---- the same to be seen -------------------------------------------------------------------- */

#define SAME(index, here, there, what) \
    do { \
        if ((here) != (there)) \
            fail_msg("%s: %s is %#llx by page, %#llx by instructions", what, \
                     vmcs_field_name(vmcs_field_rows[index].encoding), (unsigned long long)(here), \
                     (unsigned long long)(there)); \
    } while (0)

static void same_vmcs(const struct vmcs *here, const struct vmcs *there, const char *what)
{
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        SAME(i, vmcs_get(here, i), vmcs_get(there, i), what);
}

/* Frames and regions of the two are at different places: what counts is what is there. */
static bool same_frame(unsigned frame, uint64_t here, uint64_t there)
{
    void *own = m.nest.current->frames[frame], *other = v.nest.current->frames[frame];
    if (here != (uint64_t)(uintptr_t)own || there != (uint64_t)(uintptr_t)other)
        return here != (uint64_t)(uintptr_t)own && there != (uint64_t)(uintptr_t)other;
    return here == 0 || !memcmp(own, other, 4096);
}

static void same_vmcs02(void)
{
    struct vmcs here = m.loaded->held, there = v.loaded->held;
    assert_true(same_frame(NEST_FRAME_MSR_BITMAP, here.msr_bitmap, there.msr_bitmap));
    assert_true(same_frame(NEST_FRAME_IO_A, here.io_bitmap_a, there.io_bitmap_a));
    assert_true(same_frame(NEST_FRAME_IO_B, here.io_bitmap_b, there.io_bitmap_b));
    assert_true(same_frame(NEST_FRAME_VMREAD, here.vmread_bitmap, there.vmread_bitmap));
    assert_true(same_frame(NEST_FRAME_VMWRITE, here.vmwrite_bitmap, there.vmwrite_bitmap));
    assert_int_equal(here.vmcs_link_pointer == ~0ull, there.vmcs_link_pointer == ~0ull);
    assert_int_equal(here.ept_pointer & 0xFFF, there.ept_pointer & 0xFFF);
    there.msr_bitmap = here.msr_bitmap, there.io_bitmap_a = here.io_bitmap_a, there.io_bitmap_b = here.io_bitmap_b;
    there.vmread_bitmap = here.vmread_bitmap, there.vmwrite_bitmap = here.vmwrite_bitmap;
    there.vmcs_link_pointer = here.vmcs_link_pointer, there.ept_pointer = here.ept_pointer;
    same_vmcs(&here, &there, "vmcs02");
}

static void same_vmcs01(void)
{
    struct vmcs there = v.first.held;
    there.msr_bitmap = m.first.held.msr_bitmap;
    there.vmread_bitmap = m.first.held.vmread_bitmap, there.vmwrite_bitmap = m.first.held.vmwrite_bitmap;
    same_vmcs(&m.first.held, &there, "vmcs01");
}

/* What L1 reads. Its VMREADs open a closed region, so it does not always look. */
static void same_to_l1(uint64_t gpa, const struct vmcs_set *which, const char *what)
{
    uint64_t flags = v.first.held.guest_rflags;
    fake_vmx_pointer(&v, EXIT_VMPTRLD, gpa);
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (capability_has_field(&v.offered, i) && vmcs_set_has(which, i))
            SAME(i, vmcs_get(&page_at(gpa)->fields, i), fake_vmx_read(&v, vmcs_field_rows[i].encoding), what);
    fake_vmx_pointer(&v, EXIT_VMPTRLD, PAGE);
    v.first.held.guest_rflags = flags;
}

/* ---- one round --------------------------------------------------------------------------------- */

/* What an exit leaves in exit information that it does not report is undefined. */
static bool l1_may_write(uint64_t gpa, unsigned index)
{
    bool reported = VMCS_ENCODING_AREA(vmcs_field_rows[index].encoding) == VMCS_EXIT_INFORMATION;
    return capability_has_field(&v.offered, index) && (gpa == PAGE ? !reported : index != VMCS_INDEX_VMCS_LINK_POINTER);
}

static void l1_writes(uint64_t gpa)
{
    fake_vmx_pointer(&v, EXIT_VMPTRLD, gpa);
    for (unsigned n = next() % 4; n; n--) {
        unsigned index = next() % VMCS_FIELDS;
        uint64_t value = content(index);
        if (index == VMCS_INDEX_GUEST_RIP) /* a bad one is left to hardware if all else is as it was */
            value &= 0x7FFFFFFF;
        if (!l1_may_write(gpa, index))
            continue;
        fake_vmx_write(&v, vmcs_field_rows[index].encoding, value);
        vmcs_set(&page_at(gpa)->fields, index, value);
        vmcs_set_add(&page_at(gpa)->written, index);
    }
    fake_vmx_pointer(&v, EXIT_VMPTRLD, PAGE);
}

/* So that most entries are good ones. */
static void l1_mends(void)
{
    for (unsigned i = 0; i < VMCS_FIELDS; i++)
        if (l1_may_write(PAGE, i) && vmcs_get(&page_at(PAGE)->fields, i) != vmcs_get(&good, i)) {
            fake_vmx_write(&v, vmcs_field_rows[i].encoding, vmcs_get(&good, i));
            page_write(PAGE, i, vmcs_get(&good, i));
        }
}

static enum nest_result enter_two(void)
{
    for (unsigned i = 0; i < 16; i++)
        v.gpr[i] = m.gpr[i] = next();
    page_at(PAGE)->rax = v.gpr[RAX], page_at(PAGE)->rbx = v.gpr[RBX];
    m.tsc = v.tsc = v.tsc + 1000;
    m.first.held.guest_rflags = v.first.held.guest_rflags = 2;
    memcpy(m.storage + 0x800, v.storage + 0x800, 8); /* an operand was there */
    enum nest_result there = fake_vmx_plain(&v, v.nest.current->launched ? EXIT_VMRESUME : EXIT_VMLAUNCH);
    enum nest_result here = call(PAGE);
    if (here != there || (m.traced && strcmp(m.traced, v.traced)))
        fail_msg("%s by page, %s by instructions", m.traced ? m.traced : "entered", v.traced ? v.traced : "entered");
    v.traced = NULL;
    if (here == NEST_SKIP) {
        assert_int_equal(error, NEST_PAGE_FAILED);
        SAME(VMCS_INDEX_INSTRUCTION_ERROR, page_at(PAGE)->fields.instruction_error,
             v.nest.current->vmcs12.instruction_error, "VMfail");
    } else if (here != NEST_ABORT) {
        assert_memory_equal(m.gpr, v.gpr, sizeof(m.gpr));
    }
    aborted += here == NEST_ABORT;
    return here;
}

/* To what a processor may leave in them. */
static void l2_changes(void)
{
    static const struct {
        uint8_t index;
        uint64_t ones, free;
    } fields[] = {
        {VMCS_INDEX_GUEST_RIP, 0, 0x7FFFFFFF}, {VMCS_INDEX_GUEST_RSP, 0, ~0ull}, {VMCS_INDEX_GUEST_RFLAGS, 2, 0xED5},
        {VMCS_INDEX_GUEST_CR3, 0, 0xFFFFFFF000}, {VMCS_INDEX_GUEST_ES_BASE, 0, ~0u},
        {VMCS_INDEX_GUEST_GDTR_LIMIT, 0, 0xFFFF}, {VMCS_INDEX_GUEST_FS_BASE, 0, 0x7FFFFFFFFFFF},
        {VMCS_INDEX_GUEST_SYSENTER_EIP, 0, 0x7FFFFFFFFFFF}, {VMCS_INDEX_GUEST_DR7, 0x400, 0xFF},
        {VMCS_INDEX_GUEST_PAT, 0x0006040600060406, 0x100000001},
    };
    for (unsigned n = next() % 4; n; n--) {
        unsigned row = next() % (sizeof(fields) / sizeof(fields[0])), index = fields[row].index;
        uint64_t value = fields[row].ones | (next() & fields[row].free);
        vmcs_set(&m.loaded->held, index, value);
        vmcs_set(&v.loaded->held, index, value);
    }
}

static struct vmcs *linked_by(struct fake_vmx *machine)
{
    uint64_t link = machine->loaded->held.vmcs_link_pointer;
    return link == ~0ull ? NULL : &((struct fake_region *)(uintptr_t)link)->held;
}

/* By hardware, what the bitmaps let through. */
static void l2_writes_its_vmcs(void)
{
    const uint8_t *bitmap = (const uint8_t *)(uintptr_t)m.loaded->held.vmwrite_bitmap;
    if (!linked_by(&m))
        return;
    linked_exits++;
    for (unsigned n = next() % 4; n; n--) {
        unsigned index = next() % VMCS_FIELDS;
        uint64_t value = next();
        if (vmcs_bitmap_exits(bitmap, vmcs_field_rows[index].encoding))
            continue;
        vmcs_set(linked_by(&m), index, value);
        vmcs_set(linked_by(&v), index, value);
    }
}

/* true: L1 runs again. */
static bool exit_two(bool last)
{
    static const uint8_t reasons[] = {EXIT_CPUID, EXIT_VMPTRLD, EXIT_VMREAD, EXIT_HLT, EXIT_TRIPLE_FAULT, EXIT_IO,
        EXIT_RDMSR, EXIT_WRMSR, EXIT_CR_ACCESS, EXIT_EPT_VIOLATION, EXIT_EXCEPTION_NMI, EXIT_VMCALL, EXIT_VMCLEAR};
    const struct exit exit = {.reason = last ? EXIT_CPUID : reasons[next() % sizeof(reasons)],
        .qualification = next() & 0x3F, .instruction_length = 1 + (next() & 7), .instruction_info = 1u << 10 | 1u << 28,
        .interruption_info = 0x80000300 | (next() & 31),
        .idt_vectoring_info = next() & 3 ? 0 : 0x80000000 | (next() & 0xFF),
        .guest_physical = next() & 0xFFFFF, .guest_linear = next()};
    l2_changes();
    l2_writes_its_vmcs();
    enum nest_result here = fake_vmx_exit(&m, &exit), there = fake_vmx_exit(&v, &exit);
    assert_int_equal(here, there);
    if (nest_in_guest(&m.nest)) {
        assert_true(fake_vmx_load(&m) && fake_vmx_load(&v));
        same_vmcs02();
    } else if (linked_by(&m) == NULL && nest_is_instruction(exit.reason) && m.nest.current->link && !(next() & 3)) {
        same_to_l1(LINK, &vmcs_set_written, "link");
    }
    aborted += here == NEST_ABORT;
    return !nest_in_guest(&m.nest);
}

/* `calm`: L1 leaves what is cold alone, so that its region closes. */
static void round_of(bool links, bool calm)
{
    static const struct vmcs_set all = {{~0ull, ~0ull, ~0ull}};
    if (next() & 1 && !calm)
        l1_writes(PAGE);
    if (links && !calm && !(next() & 3))
        l1_writes(LINK);
    enum nest_result result = enter_two();
    entered += result == NEST_ENTERED, failed += result == NEST_SKIP, late += result == NEST_REFLECTED;
    if (result == NEST_ENTERED) {
        assert_true(fake_vmx_load(&m) && fake_vmx_load(&v));
        closed_rounds += v.nest.current->closed;
        same_vmcs02();
        for (unsigned n = 0; !exit_two(n == 3); n++)
            ;
    }
    same_vmcs01();
    if (!(next() & (calm ? 63 : 7)))
        same_to_l1(PAGE, &all, "vmcs12");
    if (result != NEST_ENTERED)
        l1_mends();
}

static void pages_and_regions_come_to_the_same(void **state)
{
    (void)state;
    for (unsigned trial = 0; trial < TRIALS; trial++) {
        start_two(trial & 1);
        unsigned aborts = aborted;
        for (unsigned n = 0; n < ROUNDS && aborts == aborted; n++)
            round_of(trial & 1, trial & 2);
        if (aborts == aborted) {
            fake_vmx_pointer(&m, EXIT_VMCLEAR, PAGE), fake_vmx_pointer(&v, EXIT_VMCLEAR, PAGE);
            fake_vmx_pointer(&m, EXIT_VMCLEAR, LINK), fake_vmx_pointer(&v, EXIT_VMCLEAR, LINK);
            for (unsigned i = 0; i < VMCS_FIELDS; i++)
                if (capability_has_field(&m.offered, i)) {
                    SAME(i, vmcs_get(&page_at(PAGE)->fields, i), vmcs_get(&region_at(PAGE)->fields, i), "cleared");
                    SAME(i, vmcs_get(&page_at(LINK)->fields, i), vmcs_get(&region_at(LINK)->fields, i), "cleared link");
                }
        }
        stop_two();
    }
    /* it was worth it */
    assert_true(entered > 5000 && failed > 200 && late > 200 && linked_exits > 3000 && closed_rounds > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_and_regions_come_to_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
