/* Executes sequences; see run.h. In: a sequence. Out: a hash of registers, flags, memory and of each event on the way,
 * with what its frame said. */
#include "tests/guest/oracle/run.h"

#include <string.h>

#include "tests/guest/oracle/trace.h"
#include "tests/guest/runtime/runtime.h"

enum {
    VECTOR_DB = 1,
    VECTOR_NMI = 2,
    VECTOR_BP = 3,
    VECTOR_OF = 4,
    VECTOR_PF = 14,
    VECTOR_SPURIOUS = 0xFF,
    APIC = 0xFEE00000,
    APIC_TPR = 0x80,
    APIC_EOI = 0xB0,
    APIC_LDR = 0xD0,
    APIC_DFR = 0xE0,
    APIC_SPURIOUS = 0xF0,
    APIC_ICR = 0x300,
    APIC_ICR_HIGH = 0x310,
    NMI_TO_SELF = 0x4400,
    APIC_ON = 0x1FF,
    SCRATCH_PORT = 0x3FF,
    DR7_NONE = 0x400,
    PRESENT = 1,
    WRITABLE = 2,
    UNCACHED = 0x10,
    CR0_MP = 2,
    CR0_TS = 8,
    CR0_NE = 0x20,
    CR0_WP = 0x10000,
    CR4_DE = 8,
    CR4_SIMD = 0x600,
    FLAG_D = 0x400,
    FLAG_AC = 0x40000,
    MOST_EVENTS = 400,
    NOTHING = 0xD0000000, /* a hole of the machine's */
    IOAPIC = 0xFEC00000,
    IOAPIC_DATA = 0x10,
    IOAPIC_PIT = 0x10 + 2 * 2,
    IOAPIC_NMI = 0x400,
    PIT = 0x40,
    PIT_MODE = 0x43,
    PIT_MODE_0 = 0x30,
    OPCODE_HLT = 0xF4,
    TOP_FRAME = 66, /* of ORACLE_FRAMES: below the end of linear addresses */
    MSR_SYSENTER_CS = 0x174,
    MSR_KERNEL_GS = 0xC0000102,
};
#define DR6_NONE 0xFFFF0FF0ull

/* The order is enter.S's. */
struct oracle_state {
    uint64_t registers[16], flags, vector[16][2];
};

struct event {
    uint64_t vector, error, offset, flags, rsp, cr2, dr6, registers[15];
};

struct oracle_state oracle_state;
uint64_t oracle_instructions;
void oracle_enter(struct oracle_state *, uint64_t rip);
void oracle_return(uint64_t *frame);
extern char oracle_left[], oracle_iret[], oracle_target[];

static struct oracle_host host;
static struct sequence sequence;
static struct event event[MOST_EVENTS];
static unsigned events;
static bool running, lazy_there, tracing, is_guest, links;
static unsigned pit_count;
static uint64_t top_tables[3][512] __attribute__((aligned(ORACLE_PAGE)));
static uint64_t hash, cr0, cr3, cr4, fresh_first, fresh_frames, fresh_used;

static uint64_t *page_entry(enum oracle_page page) { return (uint64_t *)(uintptr_t)ORACLE_FRAMES + 512 * 64 + page; }
static uint64_t base(void) { return ORACLE_AT(PAGE_CODE, sequence.offset); }

static void mix(uint64_t value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ull;
    hash ^= hash >> 29;
}

/* Of what follows, when a sequence is printed. */
static void print_part(const char *name)
{
    if (tracing)
        guest_print(" %s %llx\n", name, (unsigned long long)hash);
}

/* ---- the window ------------------------------------------------------------------------ */

static void map_page(enum oracle_page page, uint64_t entry)
{
    *page_entry(page) = entry;
    __asm__ volatile("invlpg %0" : : "m"(*(char *)(uintptr_t)ORACLE_AT(page, 0)) : "memory");
}

/* A frame that was not used before, as long as there are some; else one with zeros. */
static uint64_t fresh(void)
{
    uint64_t frame = fresh_first + fresh_used % fresh_frames * ORACLE_PAGE;

    if (fresh_used++ >= fresh_frames)
        memset((void *)(uintptr_t)frame, 0, ORACLE_PAGE);
    return frame;
}

static void map_window(void)
{
    for (enum oracle_page page = 0; page < ORACLE_PAGES; page++)
        map_page(page, (ORACLE_FRAMES + page * ORACLE_PAGE) | PRESENT | WRITABLE);
    map_page(PAGE_ABSENT, 0);
    map_page(PAGE_ABSENT2, 0);
    map_page(PAGE_LAZY, 0);
    map_page(PAGE_READ, (ORACLE_FRAMES + PAGE_READ * ORACLE_PAGE) | PRESENT);
    map_page(PAGE_FRESH, fresh() | PRESENT | WRITABLE);
    map_page(PAGE_FRESH2, fresh() | PRESENT | WRITABLE);
    map_page(PAGE_HOLE, NOTHING | PRESENT | WRITABLE | UNCACHED);
    if (sequence.nmis > 1)
        map_page(PAGE_RETURN2, fresh() | PRESENT | WRITABLE);
    map_page(PAGE_DEVICE, APIC | PRESENT | WRITABLE | UNCACHED);
    lazy_there = false;
}

/* Zeros about them: a string that goes down comes there too. */
static void fill(enum oracle_page page, uint64_t seed)
{
    static const uint16_t places[] = {TOUCHED_LOW, TOUCHED_MIDDLE, TOUCHED_HIGH};
    uint64_t *frame = (uint64_t *)(uintptr_t)(ORACLE_FRAMES + page * ORACLE_PAGE);

    memset(frame, 0, ORACLE_PAGE);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned n = 0; n < TOUCHED_BYTES / 8; n++)
            frame[places[i] / 8 + n] = oracle_random(&seed);
}

static void print_word(uint64_t at, uint64_t value)
{
    if (tracing && value)
        guest_print(" %llx: %llx\n", (unsigned long long)at - ORACLE_WINDOW, (unsigned long long)value);
}

static void mix_page(enum oracle_page page)
{
    static const uint16_t places[] = {TOUCHED_LOW, TOUCHED_MIDDLE, TOUCHED_HIGH};

    for (unsigned i = 0; i < 3; i++)
        for (unsigned n = 0; n < TOUCHED_BYTES; n += 8) {
            uint64_t at = ORACLE_AT(page, places[i] + n), value = *(volatile uint64_t *)(uintptr_t)at;
            mix(value);
            print_word(at, value);
        }
}

/* ---- events ---------------------------------------------------------------------------------- */

static const struct unit *unit_at(uint64_t offset)
{
    const struct unit *unit = sequence.unit;

    while (unit + 1 < sequence.unit + sequence.units && unit[1].start <= offset)
        unit++;
    return unit;
}

static void note(const struct guest_frame *f, uint64_t cr2, uint64_t dr6)
{
    uint64_t offset = f->rip - base(), undefined = 0;
    bool hidden = false;
    struct event *e = &event[events++];

    if (offset < sequence.bytes) {
        undefined = unit_at(offset)->undefined;
        hidden = unit_at(offset)->row->form & HIDDEN;
    }
    *e = (struct event){
        f->vector,
        f->error,
        offset,
        f->rflags & ((FLAGS_ARITHMETIC & ~undefined) | FLAG_T | FLAG_I | FLAG_D | FLAG_AC |
                     (host.no_resume_flag ? 0u : FLAG_R)),
        f->rsp - ORACLE_WINDOW,
        cr2,
        dr6,
        {0},
    };
    const uint64_t *registers = &f->rax;
    for (unsigned n = hidden ? 4 : 0; n < 15; n++)
        e->registers[n] = registers[n];
    for (unsigned n = 0; n < sizeof *e / 8; n++)
        mix(((const uint64_t *)(const void *)e)[n]);
}

/* The next unit, as at its start. */
static void skip_unit(struct guest_frame *f)
{
    const struct unit *unit = unit_at(f->rip - base());
    unsigned next = unit + 1 < sequence.unit + sequence.units ? unit[1].start : sequence.bytes;

    if (unit->row->form & HIDDEN)
        f->rax = f->rbx = f->rcx = f->rdx = 0;
    f->rip = base() + next;
    f->rsp = sequence.registers[4];
    f->rflags &= ~(uint64_t)(FLAG_D | FLAG_R | unit->undefined);
}

static void handle_debug(struct guest_frame *f)
{
    uint64_t dr6 = read_dr6(), told = 0xE000;

    for (unsigned n = 0; n < 4; n++)
        if (sequence.dr7 >> 2 * n & 2) {
            told |= 1ull << n;
            if (dr6 >> n & 1 && !(sequence.dr7 >> (16 + 4 * n) & 3))
                f->rflags |= FLAG_R;
        }
    write_dr6(DR6_NONE);
    struct guest_frame seen = *f;
    seen.rflags &= ~(uint64_t)FLAG_R;
    note(&seen, 0, dr6 & told);
}

static void self_nmi(void)
{
    mmio_write(APIC + APIC_ICR_HIGH, 0);
    mmio_write(APIC + APIC_ICR, NMI_TO_SELF);
}

/* As devices.c starts it. */
static void start_pit(void)
{
    outb(PIT_MODE, PIT_MODE_0);
    outb(PIT, (uint8_t)pit_count);
    outb(PIT, (uint8_t)(pit_count >> 8));
    if (pit_count < 0x8000)
        pit_count *= 2;
}

/* One that comes at a HLT, or in the hypervisor, came before the HLT it was to end. */
static bool came_too_soon(const struct guest_frame *f, bool inside)
{
    const uint8_t *at = (const uint8_t *)(uintptr_t)f->rip;
    return sequence.halts && (inside ? at[0] == OPCODE_HLT : !(at[-2] == 0xCD && at[-1] == VECTOR_NMI));
}

/* In place of an NMI's IRET, with another NMI waiting, which may come behind it only: RSP and SS are zeros of a page
 * that nobody has touched. */
static void return_early(void) { oracle_return((uint64_t *)(uintptr_t)ORACLE_AT(PAGE_RETURN2, -24)); }

/* An emulator may take what is sent one jump later than a processor. */
static void skip_jump(struct guest_frame *f)
{
    const uint8_t *at = (const uint8_t *)(uintptr_t)f->rip;

    if (f->rip - base() < sequence.bytes && at[0] == 0xEB && at[1] == 0)
        f->rip += 2;
}

static void handle_page_fault(struct guest_frame *f)
{
    uint64_t cr2 = read_cr2();

    if (host.reads_first)
        f->error &= ~2ull;
    note(f, cr2, 0);
    if (!lazy_there && (cr2 & ~0xFFFull) == ORACLE_AT(PAGE_LAZY, 0)) {
        lazy_there = true;
        map_page(PAGE_LAZY, fresh() | PRESENT | WRITABLE);
        return;
    }
    skip_unit(f);
}

/* Of an interrupt that TPR came before. */
static void ignore(struct guest_frame *f) { (void)f; }

static void handle(struct guest_frame *f)
{
    bool inside = f->rip - base() <= sequence.bytes;
    uint64_t returns = f->rip - (uintptr_t)oracle_iret;

    if (running && f->vector == VECTOR_NMI && returns <= (uintptr_t)(oracle_target - oracle_iret)) {
        mix(returns);
        return;
    }
    if (running && f->vector == VECTOR_NMI && came_too_soon(f, inside)) {
        start_pit();
        return;
    }

    if (!running || !inside || events == MOST_EVENTS - 1) {
        f->rflags &= ~(uint64_t)FLAG_T;
        if (f->vector == VECTOR_DB)
            write_dr7(DR7_NONE);
        if (f->vector >= ORACLE_IRQ)
            mmio_write(APIC + APIC_EOI, 0), mix(f->vector);
        else if (f->vector != VECTOR_DB && f->vector != VECTOR_NMI) {
            guest_print("vector %u outside, at %llx\n", (unsigned)f->vector, (unsigned long long)f->rip);
            guest_exit(3);
        }
        return;
    }
    if (f->vector == VECTOR_NMI || f->vector >= ORACLE_IRQ)
        skip_jump(f);
    if (f->vector == VECTOR_DB) {
        handle_debug(f);
    } else if (f->vector == VECTOR_PF) {
        handle_page_fault(f);
    } else {
        note(f, 0, 0);
        if (f->vector == VECTOR_NMI && sequence.nmis) {
            self_nmi();
            if (--sequence.nmis)
                return_early();
        } else if (f->vector >= ORACLE_IRQ) {
            mmio_write(APIC + APIC_EOI, 0);
        } else if (f->vector != VECTOR_NMI && f->vector != VECTOR_BP && f->vector != VECTOR_OF) {
            skip_unit(f);
        }
    }
}

/* ---- one sequence ------------------------------------------------------------------------------- */

static void put_code(void)
{
    uint8_t *at = (uint8_t *)(uintptr_t)base();
    uint32_t distance = (uint32_t)((uintptr_t)oracle_left - (base() + sequence.bytes + 5));

    memcpy(at, sequence.code, sequence.bytes);
    at[sequence.bytes] = 0xE9;
    memcpy(at + sequence.bytes + 1, &distance, 4);
}

static void set_machine(void)
{
    outb(SCRATCH_PORT, 0x5A);
    pit_count = 0x800;
    mmio_write(APIC + APIC_TPR, 0);
    mmio_write(APIC + APIC_LDR, 0);
    mmio_write(APIC + APIC_DFR, ~0u);
    for (uint32_t msr = MSR_SYSENTER_CS; msr < MSR_SYSENTER_CS + 3; msr++)
        wrmsr(msr, 0);
    wrmsr(MSR_KERNEL_GS, 0);
    write_dr0(sequence.dr[0]);
    write_dr1(sequence.dr[1]);
    write_dr2(sequence.dr[2]);
    write_dr3(sequence.dr[3]);
    write_dr6(DR6_NONE);
    memcpy(oracle_state.registers, sequence.registers, sizeof oracle_state.registers);
    memcpy(oracle_state.vector, sequence.vector, sizeof oracle_state.vector);
    oracle_state.flags = sequence.flags;
}

static void restore_machine(void)
{
    write_dr7(DR7_NONE);
    write_cr0(cr0);
    write_cr3(cr3);
    write_cr4(cr4);
    mix(mmio_read(APIC + APIC_TPR));
    mix(mmio_read(APIC + APIC_LDR));
    mix(mmio_read(APIC + APIC_DFR));
    mix(inb(SCRATCH_PORT));
    mmio_write(APIC + APIC_TPR, 0);
    interrupts_on();
    __asm__ volatile("nop; nop");
    interrupts_off();
}

static void mix_result(void)
{
    oracle_state.flags &= FLAGS_ARITHMETIC | FLAG_I | FLAG_D | FLAG_AC;
    for (unsigned n = 0; n < sizeof oracle_state / 8; n++)
        mix(((const uint64_t *)(const void *)&oracle_state)[n]);
    mix(read_cr0() & (CR0_MP | CR0_TS | CR0_WP));
    print_part("registers");
    mix_page(PAGE_DATA);
    print_part("data");
    mix_page(PAGE_DATA2);
    mix_page(PAGE_READ);
    mix_page(PAGE_FRESH);
    mix_page(PAGE_FRESH2);
    if (lazy_there)
        mix_page(PAGE_LAZY);
    print_part("pages");
}

static void print_result(void)
{
    for (unsigned n = 0; n < events; n++) {
        const struct event *e = &event[n];
        guest_print(" vector %llu error %llx at %llx flags %llx RSP %llx CR2 %llx DR6 %llx\n  ",
                    (unsigned long long)e->vector, (unsigned long long)e->error, (unsigned long long)e->offset,
                    (unsigned long long)e->flags, (unsigned long long)e->rsp, (unsigned long long)e->cr2,
                    (unsigned long long)e->dr6);
        oracle_print_registers(e->registers, 15);
    }
    guest_print(" end, flags %llx", (unsigned long long)oracle_state.flags);
    oracle_print_registers(oracle_state.registers, 16);
    oracle_print_registers(oracle_state.vector[0], 32);
}

uint64_t oracle_run(uint64_t seed, uint64_t number, bool trace)
{
    tracing = trace;
    sequence_make(&sequence, seed, number, host, (struct oracle_place){is_guest, links});
    oracle_instructions += sequence.instructions;
    map_window();
    for (enum oracle_page page = PAGE_DATA; page <= PAGE_READ; page++)
        fill(page, number + page + 1);
    put_code();
    if (trace)
        oracle_print_sequence(&sequence, number);
    hash = events = 0;
    set_machine();
    write_dr7(sequence.dr7);
    running = true;
    oracle_enter(&oracle_state, base());
    running = false;
    write_dr7(DR7_NONE);
    if (trace)
        print_result();
    mix_result();
    restore_machine();
    print_part("devices");
    return hash;
}

void oracle_set_links(bool may) { links = may; }
void oracle_ask(struct oracle_host of) { host = of; }

/* RSP 0 is one behind the last page. */
static void map_top(uint64_t *table)
{
    for (unsigned level = 0; level < 3; level++) {
        table[511] = (uintptr_t)top_tables[level] | PRESENT | WRITABLE;
        table = top_tables[level];
    }
    table[511] = (ORACLE_FRAMES + TOP_FRAME * ORACLE_PAGE) | PRESENT | WRITABLE;
}

/* The PIT does not count until it is started. */
static void prepare_pit(void)
{
    outb(PIT_MODE, PIT_MODE_0);
    mmio_write(IOAPIC, IOAPIC_PIT + 1);
    mmio_write(IOAPIC + IOAPIC_DATA, 0);
    mmio_write(IOAPIC, IOAPIC_PIT);
    mmio_write(IOAPIC + IOAPIC_DATA, IOAPIC_NMI);
}

void oracle_begin(bool guest, uint64_t first, uint64_t frames)
{
    uint64_t *table = (uint64_t *)(read_cr3() & ~0xFFFull);

    is_guest = guest;
    map_top(table);
    fresh_first = first;
    fresh_frames = frames;
    fresh_used = 0;
    cr3 = read_cr3();
    cr0 = read_cr0() | CR0_WP | CR0_NE | CR0_MP;
    cr4 = read_cr4() | CR4_DE | CR4_SIMD;
    write_cr0(cr0);
    write_cr4(cr4);
    memset((void *)(uintptr_t)page_entry(0), 0, ORACLE_PAGE);
    table = (uint64_t *)(table[0] & ~0xFFFull);
    table = (uint64_t *)(table[0] & ~0xFFFull);
    table[ORACLE_WINDOW >> 21] = (uintptr_t)page_entry(0) | PRESENT | WRITABLE;
    write_cr3(cr3);
    for (unsigned vector = 0; vector < 20; vector++)
        if (vector != 8 && vector != 9 && vector != 15 && vector != 18)
            guest_handle((uint8_t)vector, handle);
    for (unsigned n = 0; n < 16; n++)
        guest_handle((uint8_t)(ORACLE_IRQ + n), handle);
    guest_handle(VECTOR_SPURIOUS, ignore);
    outb(0x21, 0xFF);
    outb(0xA1, 0xFF);
    prepare_pit();
    mmio_write(APIC + APIC_SPURIOUS, APIC_ON);
}
