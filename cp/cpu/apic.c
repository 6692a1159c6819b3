/* Owns the real interrupt controllers: local APIC (x2APIC where offered, since an MSR is one cheap exit when CP is a
 * guest, else memory-mapped), IOAPIC, and the 8259s, which are masked. SDM "Advanced Programmable Interrupt Controller
 * (APIC)". */
#include "cp/cpu/cpu.h"
#include "cp/cpu/ops.h"
#include "cp/cpu/port.h"

enum { APIC_EOI = 0x0B, APIC_SPURIOUS = 0x0F, APIC_LVT_TIMER = 0x32, APIC_TIMER_INITIAL = 0x38,
       APIC_TIMER_DIVIDE = 0x3E, APIC_LVT_LINT0 = 0x35, APIC_LVT_LINT1 = 0x36, APIC_TPR = 0x08 };
enum { APIC_COMMAND = 0x30, COMMAND_TO_SELF = 1 << 18 };
enum { LVT_MASKED = 1 << 16, TIMER_DEADLINE = 2 << 17, SPURIOUS_ENABLE = 1 << 8, DIVIDE_BY_1 = 0xB };
enum { MSR_APIC_BASE = 0x1B, MSR_X2APIC = 0x800, MSR_TSC_DEADLINE = 0x6E0, BASE_ENABLE = 1 << 11,
       BASE_X2APIC = 1 << 10 };
enum { CPUID_1_ECX_X2APIC = 1 << 21, CPUID_1_ECX_DEADLINE = 1 << 24 };
enum { IOAPIC_SELECT = 0, IOAPIC_WINDOW = 4, IOAPIC_REDIRECTION = 0x10, REDIRECTION_LEVEL = 1 << 15,
       REDIRECTION_LOW = 1 << 13, REDIRECTION_MASKED = 1 << 16 };
enum { PIC1_DATA = 0x21, PIC2_DATA = 0xA1 };

static volatile uint32_t *lapic, *ioapic; /* NULL lapic: x2APIC */
static bool has_deadline;
static uint64_t armed = UINT64_MAX;
static uint32_t timer_ticks_per_ms;
static uint64_t tsc_per_ms;

static void apic_write(unsigned reg, uint32_t value)
{
    if (lapic)
        lapic[reg * 4] = value;
    else
        op_wrmsr(MSR_X2APIC + reg, value);
}

static uint32_t apic_read(unsigned reg)
{
    return lapic ? lapic[reg * 4] : (uint32_t)op_rdmsr(MSR_X2APIC + reg);
}

void apic_eoi(void)
{
    apic_write(APIC_EOI, 0);
}

/* Without TSC-deadline: how fast does the timer count? Ten milliseconds of TSC tell. */
static void timer_calibrate(void)
{
    apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_LVT_TIMER, LVT_MASKED);
    uint64_t until = op_rdtsc() + 10 * tsc_per_ms;
    apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
    while (op_rdtsc() < until)
        ;
    timer_ticks_per_ms = (UINT32_MAX - apic_read(0x39)) / 10 + 1;
    apic_write(APIC_TIMER_INITIAL, 0);
}

void apic_start(uint64_t lapic_base, uint64_t ioapic_base, uint64_t tsc_hz)
{
    struct cpuid_result features = op_cpuid(1, 0);
    uint64_t base = op_rdmsr(MSR_APIC_BASE);

    port_out8(PIC1_DATA, 0xFF);
    port_out8(PIC2_DATA, 0xFF);
    ioapic = (volatile uint32_t *)(uintptr_t)ioapic_base;
    if (features.ecx & CPUID_1_ECX_X2APIC)
        op_wrmsr(MSR_APIC_BASE, base | BASE_ENABLE | BASE_X2APIC);
    else
        op_wrmsr(MSR_APIC_BASE, base | BASE_ENABLE), lapic = (volatile uint32_t *)(uintptr_t)lapic_base;
    tsc_per_ms = tsc_hz / 1000;
    has_deadline = features.ecx & CPUID_1_ECX_DEADLINE;
    apic_write(APIC_TPR, 0);
    apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    apic_write(APIC_LVT_LINT0, LVT_MASKED);
    if (!has_deadline)
        timer_calibrate();
    apic_write(APIC_LVT_TIMER, VECTOR_TIMER | (has_deadline ? TIMER_DEADLINE : 0));
}

static void ioapic_write(unsigned reg, uint32_t value)
{
    ioapic[IOAPIC_SELECT] = reg;
    ioapic[IOAPIC_WINDOW] = value;
}

void apic_route(unsigned gsi, unsigned vector, bool level)
{
    uint32_t id = lapic ? apic_read(2) >> 24 : apic_read(2);

    if (level)
        cpu_this.level[vector / 64] |= 1ull << (vector % 64);
    ioapic_write(IOAPIC_REDIRECTION + 2 * gsi + 1, id << 24);
    ioapic_write(IOAPIC_REDIRECTION + 2 * gsi, vector | (level ? REDIRECTION_LEVEL | REDIRECTION_LOW : 0));
}

void apic_timer_set(uint64_t deadline)
{
    if (deadline == armed)
        return;
    armed = deadline;
    if (has_deadline) {
        op_wrmsr(MSR_TSC_DEADLINE, deadline == UINT64_MAX ? 0 : deadline);
        return;
    }
    uint64_t now = op_rdtsc(), left = deadline > now ? deadline - now : 1;
    uint64_t ms = left / tsc_per_ms;
    /* of more it makes several, never one that comes too late */
    uint32_t most_ms = UINT32_MAX / timer_ticks_per_ms / 2;
    uint64_t ticks =
        (ms < most_ms ? left * timer_ticks_per_ms / tsc_per_ms : (uint64_t)most_ms * timer_ticks_per_ms) + 1;
    apic_write(APIC_TIMER_INITIAL, deadline == UINT64_MAX ? 0 : (uint32_t)ticks);
}

/* SDM "Interrupt Command Register (ICR)": to itself, where it waits at once. A timer that has run out already comes
 * some time later in an emulator. */
void apic_timer_expire(void)
{
    apic_write(APIC_COMMAND, COMMAND_TO_SELF | VECTOR_TIMER);
}

void apic_timer_fired(void)
{
    armed = UINT64_MAX;
}

void cpu_idle(uint64_t deadline)
{
    if (deadline <= op_rdtsc())
        return;
    apic_timer_set(deadline);
    op_halt();
}
