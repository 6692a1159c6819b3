/* Interrupts of the local APIC: acceptance, priority, end; what it sends; its states by IA32_APIC_BASE. */
#include "cp/device/lapic.h"

#include <string.h>

#include "cp/device/lapic_internal.h"

enum { ID = 0, BROADCAST_8 = 0xff, DFR_FLAT = 0xf };
#define BROADCAST_32 UINT32_C(0xffffffff)
enum { ICR_LOGICAL = 1 << 11, ICR_ASSERT = 1 << 14, ICR_LEVEL = 1 << 15 };
enum shorthand { TO_DESTINATION, TO_SELF, TO_ALL, TO_OTHERS };

/* SDM "Interrupt, Task, and Processor Priority": vectors below 16 are never accepted */
enum { FIRST_VECTOR = 16 };

/* Asked for several times with every interrupt. */
static inline int highest(const uint32_t bits[8])
{
#pragma GCC unroll 4
    for (int i = 6; i >= 0; i -= 2) {
        uint64_t two;
        __builtin_memcpy(&two, bits + i, sizeof two);
        if (two)
            return i * 32 + 63 - __builtin_clzll(two);
    }
    return -1;
}

static inline void set_bit(uint32_t bits[8], unsigned vector, bool value)
{
    bits[vector / 32] = (bits[vector / 32] & ~(1u << vector % 32)) | (uint32_t)value << vector % 32;
}

unsigned lapic_ppr(const struct lapic *l)
{
    int serving = highest(l->isr);

    return serving >= 0 && serving >> 4 > (int)l->tpr >> 4 ? serving & 0xf0 : (int)l->tpr;
}

/* An APIC that software disabled keeps what it accepted before, and the CPU takes it. */
void lapic_update(struct lapic *l)
{
    int vector = lapic_enabled(l) ? highest(l->irr) : -1;

    if (vector >= 0 && (unsigned)vector >> 4 <= lapic_ppr(l) >> 4)
        vector = -1;
    if (vector == l->pending)
        return;
    l->pending = vector;
    l->host.changed(l->host.context);
}

int lapic_acknowledge(struct lapic *l)
{
    int vector = l->pending;

    if (vector < 0)
        return -1;
    set_bit(l->irr, vector, false);
    set_bit(l->isr, vector, true);
    if (vector == (int)(l->lvt[LAPIC_LVT_TIMER] & 0xff))
        lapic_timer_taken(l);
    lapic_update(l);
    return vector;
}

void lapic_end_of_interrupt(struct lapic *l)
{
    int vector = highest(l->isr);

    if (vector < 0)
        return;
    set_bit(l->isr, vector, false);
    if ((l->tmr[vector / 32] & 1u << vector % 32) && !(l->svr & LAPIC_SVR_SUPPRESS_EOI))
        l->host.eoi(l->host.context, vector);
    lapic_update(l);
}

void lapic_write_cr8(struct lapic *l, unsigned value)
{
    l->tpr = (value & 0xf) << 4;
    lapic_update(l);
}

/* What is held back with a tick waits no longer when something else is to be taken. */
static void accept(struct lapic *l, uint8_t vector, bool level)
{
    set_bit(l->irr, vector, true);
    set_bit(l->tmr, vector, level);
    set_bit(l->ticks, vector, l->host.pace->ticking);
    lapic_update(l);
    pace_look_again(l->host.pace);
}

bool lapic_others_wait(const struct lapic *l)
{
    uint32_t others[8];
    int vector;

    for (unsigned i = 0; i < 8; i++)
        others[i] = l->irr[i] & ~l->ticks[i];
    vector = lapic_enabled(l) ? highest(others) : -1;
    return vector >= 0 && (unsigned)vector >> 4 > lapic_ppr(l) >> 4;
}

bool lapic_is_tick(const struct lapic *l, uint8_t vector) { return l->ticks[vector / 32] >> vector % 32 & 1; }

/* The error interrupt of an illegal error vector is not an error again. */
void lapic_error(struct lapic *l, enum lapic_error error)
{
    bool known = l->errors & error;

    l->errors |= error;
    if (!known)
        lapic_lvt_fire(l, LAPIC_LVT_ERROR);
}

void lapic_lvt_fire(struct lapic *l, enum lapic_lvt which)
{
    uint32_t lvt = l->lvt[which];
    /* the timer and error entries have no delivery mode: always fixed */
    unsigned delivery = which == LAPIC_LVT_TIMER || which == LAPIC_LVT_ERROR ? LAPIC_FIXED : lvt >> 8 & 7;

    if (!lapic_enabled(l) || (lvt & LAPIC_LVT_MASKED))
        return;
    if (delivery == LAPIC_NMI)
        l->host.nmi(l->host.context);
    else if (delivery == LAPIC_FIXED && (lvt & 0xff) >= FIRST_VECTOR)
        accept(l, lvt & 0xff, false);
    else if (delivery == LAPIC_FIXED)
        lapic_error(l, LAPIC_RECEIVE_ILLEGAL_VECTOR);
}

void lapic_raise_lint0(struct lapic *l)
{
    lapic_lvt_fire(l, LAPIC_LVT_LINT0);
}

bool lapic_lint0_delivers(const struct lapic *l, enum lapic_delivery delivery)
{
    uint32_t lint0 = l->lvt[LAPIC_LVT_LINT0];

    return lapic_enabled(l) && !(lint0 & LAPIC_LVT_MASKED) && (lint0 >> 8 & 7) == delivery;
}

bool lapic_accepts_extint(const struct lapic *l)
{
    return !lapic_enabled(l) || lapic_lint0_delivers(l, LAPIC_EXTINT);
}

/* SDM "Logical Destination Mode in x2APIC Mode" and "Logical Destination Mode" (flat and cluster) */
static bool matches_logical(const struct lapic *l, uint32_t destination)
{
    uint32_t mine = l->ldr >> 24;

    if (lapic_is_x2apic(l))
        return destination >> 16 == l->ldr >> 16 && (destination & l->ldr & 0xffff);
    if (l->dfr >> 28 == DFR_FLAT)
        return destination & mine;
    return destination >> 4 == mine >> 4 && (destination & mine & 0xf);
}

static bool matches(const struct lapic *l, uint32_t destination, bool logical, uint32_t broadcast)
{
    if (destination == broadcast)
        return true;
    return logical ? matches_logical(l, destination) : destination == ID;
}

static void registers_reset(struct lapic *l)
{
    memset(l->irr, 0, sizeof l->irr);
    memset(l->isr, 0, sizeof l->isr);
    memset(l->tmr, 0, sizeof l->tmr);
    l->tpr = l->esr = l->errors = 0;
    l->ldr = lapic_is_x2apic(l) ? 1u << ID : 0;
    l->dfr = UINT32_MAX;
    l->svr = 0xff;
    l->icr = 0;
    for (unsigned i = 0; i < LAPIC_LVTS; i++)
        l->lvt[i] = LAPIC_LVT_MASKED;
    lapic_timer_reset(l);
}

/* Returns whether something came of it. */
static bool take(struct lapic *l, enum lapic_delivery delivery, uint8_t vector, bool level)
{
    switch (delivery) {
    case LAPIC_FIXED:
    case LAPIC_LOWEST:
        if (!(l->svr & LAPIC_SVR_ENABLED))
            return false;
        if (vector >= FIRST_VECTOR)
            accept(l, vector, level);
        else
            lapic_error(l, LAPIC_RECEIVE_ILLEGAL_VECTOR);
        return vector >= FIRST_VECTOR;
    case LAPIC_NMI:
        l->host.nmi(l->host.context);
        return true;
    case LAPIC_INIT:
        registers_reset(l);
        lapic_update(l);
        l->host.init(l->host.context);
        return true;
    default: /* there is no SMM, nobody waits for a start-up, and ExtINT comes through LINT0 only */
        return false;
    }
}

bool lapic_deliver(struct lapic *l, const struct lapic_message *m)
{
    return lapic_enabled(l) && matches(l, m->destination, m->logical, BROADCAST_8) &&
           take(l, m->delivery, m->vector, m->level);
}

bool lapic_deliver_msi(struct lapic *l, uint64_t address, uint32_t data)
{
    const struct lapic_message message = {
        .vector = data, .delivery = data >> 8 & 7, .logical = address & 4, .level = data & 1 << 15,
        .destination = address >> 12 & 0xff,
    };

    return address >> 20 == 0xFEE && lapic_deliver(l, &message);
}

void lapic_self_ipi(struct lapic *l, uint8_t vector)
{
    if (vector < FIRST_VECTOR)
        lapic_error(l, LAPIC_SEND_ILLEGAL_VECTOR);
    else
        take(l, LAPIC_FIXED, vector, false);
}

static bool ipi_is_for_us(const struct lapic *l)
{
    bool x2apic = lapic_is_x2apic(l);
    uint32_t destination = x2apic ? l->icr >> 32 : l->icr >> 56;

    switch ((enum shorthand)(l->icr >> 18 & 3)) {
    case TO_SELF:
    case TO_ALL: return true;
    case TO_OTHERS: return false;
    default: return matches(l, destination, l->icr & ICR_LOGICAL, x2apic ? BROADCAST_32 : BROADCAST_8);
    }
}

/* SDM "Interrupt Command Register (ICR)". INIT has no shorthand that includes oneself; its level de-assert does
 * nothing. */
void lapic_send_ipi(struct lapic *l)
{
    enum lapic_delivery delivery = l->icr >> 8 & 7;
    bool shorthand = l->icr >> 18 & 3, deassert = (l->icr & ICR_LEVEL) && !(l->icr & ICR_ASSERT);
    uint8_t vector = l->icr;

    if (delivery <= LAPIC_LOWEST && vector < FIRST_VECTOR)
        lapic_error(l, LAPIC_SEND_ILLEGAL_VECTOR);
    else if (delivery == LAPIC_INIT && (shorthand || deassert))
        return;
    else if (ipi_is_for_us(l))
        take(l, delivery, vector, false);
}

static void claim_page(struct lapic *l)
{
    uint64_t at = lapic_enabled(l) && !lapic_is_x2apic(l) ? l->base & ~UINT64_C(0xfff) : 0;
    const struct bus_mmio page = {.first = at, .last = at + 0xfff, .device = l, .read = lapic_mmio_read,
                                  .write = lapic_mmio_write};

    if (at == l->mmio)
        return;
    if (l->mmio)
        bus_release_mmio(l->bus, l, l->mmio);
    /* moved onto another device, its page is nowhere */
    l->mmio = at && bus_claim_mmio(l->bus, &page) == 0 ? at : 0;
}

/* SDM "x2APIC State Transitions": straight from disabled to x2APIC, from x2APIC back to xAPIC, and EXTD without EN
 * fault. */
static bool base_allowed(const struct lapic *l, uint64_t value)
{
    uint64_t reserved = ~((UINT64_C(1) << l->physical_bits) - 1) | 0x2ff;
    bool enable = value & LAPIC_BASE_ENABLED, x2apic = value & LAPIC_BASE_X2APIC;

    if ((value & reserved) || (x2apic && !enable) || (x2apic && !lapic_enabled(l)))
        return false;
    return !(lapic_is_x2apic(l) && enable && !x2apic);
}

/* Disabled, the APIC forgets everything: enabled again it is as after power on. */
static int write_base(struct lapic *l, uint64_t value)
{
    bool was_x2apic = lapic_is_x2apic(l);

    if (!base_allowed(l, value))
        return -1;
    l->base = value;
    if (!lapic_enabled(l))
        registers_reset(l);
    else if (lapic_is_x2apic(l) && !was_x2apic)
        l->ldr = 1u << ID;
    claim_page(l);
    lapic_update(l);
    l->host.changed(l->host.context); /* LINT0 is bypassed, or no more */
    return 0;
}

int lapic_read_msr(struct lapic *l, uint32_t msr, uint64_t *value)
{
    if (msr == MSR_APIC_BASE)
        *value = l->base;
    else if (msr == MSR_TSC_DEADLINE)
        *value = lapic_timer_read_deadline(l);
    else
        return lapic_x2apic_read(l, msr, value);
    return 0;
}

int lapic_write_msr(struct lapic *l, uint32_t msr, uint64_t value)
{
    if (msr == MSR_APIC_BASE)
        return write_base(l, value);
    if (msr != MSR_TSC_DEADLINE)
        return lapic_x2apic_write(l, msr, value);
    lapic_timer_write_deadline(l, value);
    return 0;
}

/* What a PC's firmware sets up before it starts an operating system: virtual wire mode. */
void lapic_reset(struct lapic *l)
{
    l->base = LAPIC_DEFAULT_BASE | LAPIC_BASE_ENABLED | LAPIC_BASE_BSP;
    registers_reset(l);
    l->lvt[LAPIC_LVT_LINT0] = LAPIC_EXTINT << 8;
    l->lvt[LAPIC_LVT_LINT1] = LAPIC_NMI << 8;
    claim_page(l);
    lapic_update(l);
    l->host.changed(l->host.context);
}

void lapic_init(struct lapic *l, const struct lapic_host *host, struct bus *bus, unsigned physical_bits)
{
    memset(l, 0, sizeof *l);
    l->host = *host;
    lapic_registers_init();
    l->bus = bus;
    l->physical_bits = physical_bits;
    l->pending = -1;
    lapic_timer_init(l);
    lapic_reset(l);
}

void lapic_free(struct lapic *l)
{
    timer_cancel(&l->timer);
}
