/* The local APIC's registers, one row each: by memory (SDM "The Local APIC Block Diagram", its register address map)
 * and as MSRs (SDM "x2APIC Register Address Space"). Register n is at offset n * 16 of the page and is MSR 800H + n. */
#include "cp/device/lapic_internal.h"

#include <stddef.h>

enum register_number {
    REG_ID = 0x02, REG_VERSION = 0x03, REG_TPR = 0x08, REG_APR = 0x09, REG_PPR = 0x0a, REG_EOI = 0x0b, REG_RRD = 0x0c,
    REG_LDR = 0x0d, REG_DFR = 0x0e, REG_SVR = 0x0f, REG_ISR = 0x10, REG_TMR = 0x18, REG_IRR = 0x20, REG_ESR = 0x28,
    REG_ICR = 0x30, REG_ICR_HIGH = 0x31, REG_LVT = 0x32, REG_INITIAL_COUNT = 0x38, REG_CURRENT_COUNT = 0x39,
    REG_DIVIDE = 0x3e, REG_SELF_IPI = 0x3f, REGISTERS = 0x40
};

enum { BY_MEMORY = 1, BY_MSR = 2, BOTH = BY_MEMORY | BY_MSR };

struct row {
    uint8_t first, count;
    uint8_t read, write; /* by which way it can be */
    uint64_t settable;   /* bits that a write changes */
    uint64_t read_only;  /* bits that a WRMSR may hold without effect; all others must be 0 */
    uint64_t (*get)(struct lapic *, unsigned n);
    void (*set)(struct lapic *, unsigned n, uint64_t value);
};

enum { LVT_STATUS = 1 << 12, LVT_REMOTE_IRR = 1 << 14 };
enum { LVT_TIMER_BITS = 0x700ff, LVT_SENSOR_BITS = 0x107ff, LVT_LINT_BITS = 0x1a7ff, LVT_ERROR_BITS = 0x100ff };
enum { ICR_STATUS = 1 << 12, ICR_LOW_BITS = 0xccfff };

static uint64_t get_version(struct lapic *l, unsigned n)
{
    (void)l, (void)n;
    return LAPIC_VERSION;
}

static uint64_t get_zero(struct lapic *l, unsigned n)
{
    (void)l, (void)n;
    return 0;
}

static uint64_t get_tpr(struct lapic *l, unsigned n) { (void)n; return l->tpr; }
static uint64_t get_ppr(struct lapic *l, unsigned n) { (void)n; return lapic_ppr(l); }
static uint64_t get_ldr(struct lapic *l, unsigned n) { (void)n; return l->ldr; }
static uint64_t get_dfr(struct lapic *l, unsigned n) { (void)n; return l->dfr; }
static uint64_t get_svr(struct lapic *l, unsigned n) { (void)n; return l->svr; }
static uint64_t get_isr(struct lapic *l, unsigned n) { return l->isr[n]; }
static uint64_t get_tmr(struct lapic *l, unsigned n) { return l->tmr[n]; }
static uint64_t get_irr(struct lapic *l, unsigned n) { return l->irr[n]; }
static uint64_t get_esr(struct lapic *l, unsigned n) { (void)n; return l->esr; }
static uint64_t get_icr(struct lapic *l, unsigned n) { (void)n; return l->icr; }
static uint64_t get_icr_high(struct lapic *l, unsigned n) { (void)n; return l->icr >> 32; }
static uint64_t get_lvt(struct lapic *l, unsigned n) { return l->lvt[n]; }
static uint64_t get_initial_count(struct lapic *l, unsigned n) { (void)n; return l->initial_count; }
static uint64_t get_current_count(struct lapic *l, unsigned n) { (void)n; return lapic_timer_count(l); }
static uint64_t get_divide(struct lapic *l, unsigned n) { (void)n; return l->divide; }

static void set_tpr(struct lapic *l, unsigned n, uint64_t value)
{
    (void)n;
    l->tpr = value;
    lapic_update(l);
}

static void set_eoi(struct lapic *l, unsigned n, uint64_t value)
{
    (void)n, (void)value;
    lapic_end_of_interrupt(l);
}

static void set_ldr(struct lapic *l, unsigned n, uint64_t value)
{
    (void)n;
    l->ldr = value;
}

static void set_dfr(struct lapic *l, unsigned n, uint64_t value)
{
    (void)n;
    l->dfr = value | 0x0fffffff;
}

/* The host hears of LINT0's masking: what the 8259 asks for may be cut off, or through. */
static void set_lvt(struct lapic *l, unsigned n, uint64_t value)
{
    if (!(l->svr & LAPIC_SVR_ENABLED))
        value |= LAPIC_LVT_MASKED;
    if (n == LAPIC_LVT_TIMER)
        lapic_timer_write_lvt(l, value);
    else
        l->lvt[n] = value;
    if (n == LAPIC_LVT_LINT0)
        l->host.changed(l->host.context);
}

static void set_svr(struct lapic *l, unsigned n, uint64_t value)
{
    (void)n;
    l->svr = value;
    if (value & LAPIC_SVR_ENABLED)
        return;
    for (unsigned i = 0; i < LAPIC_LVTS; i++)
        set_lvt(l, i, l->lvt[i] | LAPIC_LVT_MASKED);
}

/* SDM "Error Handling": a write makes what was gathered since the last one readable. */
static void set_esr(struct lapic *l, unsigned n, uint64_t value)
{
    (void)n, (void)value;
    l->esr = l->errors;
    l->errors = 0;
}

static void set_icr(struct lapic *l, unsigned n, uint64_t value)
{
    (void)n;
    l->icr = lapic_is_x2apic(l) ? value : (l->icr & ~(uint64_t)UINT32_MAX) | value;
    lapic_send_ipi(l);
}

static void set_icr_high(struct lapic *l, unsigned n, uint64_t value)
{
    (void)n;
    l->icr = (l->icr & UINT32_MAX) | value << 32;
}

static void set_initial_count(struct lapic *l, unsigned n, uint64_t value)
{
    (void)n;
    lapic_timer_write_count(l, value);
}

static void set_divide(struct lapic *l, unsigned n, uint64_t value)
{
    (void)n;
    lapic_timer_write_divide(l, value);
}

static void set_self_ipi(struct lapic *l, unsigned n, uint64_t value)
{
    (void)n;
    lapic_self_ipi(l, value);
}

static const struct row rows[] = {
    {REG_ID, 1, BOTH, 0, 0, 0, get_zero, NULL},
    {REG_VERSION, 1, BOTH, 0, 0, 0, get_version, NULL},
    {REG_TPR, 1, BOTH, BOTH, 0xff, 0, get_tpr, set_tpr},
    {REG_APR, 1, BY_MEMORY, 0, 0, 0, get_zero, NULL},
    {REG_PPR, 1, BOTH, 0, 0, 0, get_ppr, NULL},
    {REG_EOI, 1, 0, BOTH, 0, 0, NULL, set_eoi},
    {REG_RRD, 1, BY_MEMORY, 0, 0, 0, get_zero, NULL},
    {REG_LDR, 1, BOTH, BY_MEMORY, 0xff000000, 0, get_ldr, set_ldr},
    {REG_DFR, 1, BY_MEMORY, BY_MEMORY, 0xf0000000, 0, get_dfr, set_dfr},
    {REG_SVR, 1, BOTH, BOTH, 0x11ff, 0, get_svr, set_svr},
    {REG_ISR, 8, BOTH, 0, 0, 0, get_isr, NULL},
    {REG_TMR, 8, BOTH, 0, 0, 0, get_tmr, NULL},
    {REG_IRR, 8, BOTH, 0, 0, 0, get_irr, NULL},
    {REG_ESR, 1, BOTH, BOTH, 0, 0, get_esr, set_esr},
    {REG_ICR, 1, BY_MEMORY, BY_MEMORY, ICR_LOW_BITS, 0, get_icr, set_icr},
    {REG_ICR, 1, BY_MSR, BY_MSR, 0xffffffff00000000 | ICR_LOW_BITS, ICR_STATUS, get_icr, set_icr},
    {REG_ICR_HIGH, 1, BY_MEMORY, BY_MEMORY, 0xff000000, 0, get_icr_high, set_icr_high},
    {REG_LVT + LAPIC_LVT_TIMER, 1, BOTH, BOTH, LVT_TIMER_BITS, LVT_STATUS, get_lvt, set_lvt},
    {REG_LVT + LAPIC_LVT_THERMAL, 1, BOTH, BOTH, LVT_SENSOR_BITS, LVT_STATUS, get_lvt, set_lvt},
    {REG_LVT + LAPIC_LVT_PERFORMANCE, 1, BOTH, BOTH, LVT_SENSOR_BITS, LVT_STATUS, get_lvt, set_lvt},
    {REG_LVT + LAPIC_LVT_LINT0, 1, BOTH, BOTH, LVT_LINT_BITS, LVT_STATUS | LVT_REMOTE_IRR, get_lvt, set_lvt},
    {REG_LVT + LAPIC_LVT_LINT1, 1, BOTH, BOTH, LVT_LINT_BITS, LVT_STATUS | LVT_REMOTE_IRR, get_lvt, set_lvt},
    {REG_LVT + LAPIC_LVT_ERROR, 1, BOTH, BOTH, LVT_ERROR_BITS, LVT_STATUS, get_lvt, set_lvt},
    {REG_INITIAL_COUNT, 1, BOTH, BOTH, 0xffffffff, 0, get_initial_count, set_initial_count},
    {REG_CURRENT_COUNT, 1, BOTH, 0, 0, 0, get_current_count, NULL},
    {REG_DIVIDE, 1, BOTH, BOTH, 0xb, 0, get_divide, set_divide},
    {REG_SELF_IPI, 1, 0, BY_MSR, 0xff, 0, NULL, set_self_ipi},
};

/* 1 + the row of each register by a way, 0: none */
static uint8_t found[BOTH][REGISTERS];

static void index_row(uint8_t row, unsigned way)
{
    for (unsigned n = 0; ((rows[row].read | rows[row].write) & way) && n < rows[row].count; n++)
        found[way][rows[row].first + n] = row + 1;
}

void lapic_registers_init(void)
{
    for (uint8_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        index_row(i, BY_MEMORY);
        index_row(i, BY_MSR);
    }
}

static const struct row *find(unsigned number, unsigned way)
{
    unsigned row = number < REGISTERS ? found[way][number] : 0;

    return row ? &rows[row - 1] : NULL;
}

/* get_lvt and its like want the index within their registers */
static unsigned index_of(const struct row *row, unsigned number)
{
    return row->get == get_lvt ? number - REG_LVT : number - row->first;
}

/* Software is to use aligned 32-bit accesses; a part of one reads that part, what lies between the registers reads
 * zero. */
uint64_t lapic_mmio_read(void *lapic, uint64_t offset, unsigned size)
{
    struct lapic *l = lapic;
    unsigned number = offset >> 4;
    const struct row *row = find(number, BY_MEMORY);

    (void)size;
    if (!row)
        lapic_error(l, LAPIC_ILLEGAL_REGISTER);
    if (!row || !(row->read & BY_MEMORY) || (offset & 0xc))
        return 0;
    return (uint32_t)row->get(l, index_of(row, number)) >> 8 * (offset & 3);
}

void lapic_mmio_write(void *lapic, uint64_t offset, unsigned size, uint64_t value)
{
    struct lapic *l = lapic;
    unsigned number = offset >> 4;
    const struct row *row = find(number, BY_MEMORY);

    if (!row)
        lapic_error(l, LAPIC_ILLEGAL_REGISTER);
    if (row && (row->write & BY_MEMORY) && !(offset & 0xf) && size >= 4)
        row->set(l, index_of(row, number), value & row->settable);
}

int lapic_x2apic_read(struct lapic *l, uint32_t msr, uint64_t *value)
{
    unsigned number = msr - MSR_X2APIC_FIRST;
    const struct row *row = lapic_is_x2apic(l) ? find(number, BY_MSR) : NULL;

    if (!row || !(row->read & BY_MSR))
        return -1;
    *value = row->get(l, index_of(row, number));
    return 0;
}

int lapic_x2apic_write(struct lapic *l, uint32_t msr, uint64_t value)
{
    unsigned number = msr - MSR_X2APIC_FIRST;
    const struct row *row = lapic_is_x2apic(l) ? find(number, BY_MSR) : NULL;

    if (!row || !(row->write & BY_MSR) || (value & ~(row->settable | row->read_only)))
        return -1;
    row->set(l, index_of(row, number), value & row->settable);
    return 0;
}
