/* What the parts of the local APIC share: lapic.c (interrupts and IA32_APIC_BASE), lapic_register.c (its registers, by
 * MMIO and MSR), lapic_timer.c. */
#pragma once
#include "cp/device/lapic.h"

enum { LAPIC_SVR_ENABLED = 1 << 8, LAPIC_SVR_SUPPRESS_EOI = 1 << 12, LAPIC_LVT_MASKED = 1 << 16 };
enum { LAPIC_BASE_BSP = 1 << 8, LAPIC_BASE_X2APIC = 1 << 10, LAPIC_BASE_ENABLED = 1 << 11 };
enum { LAPIC_TIMER_ONE_SHOT, LAPIC_TIMER_PERIODIC, LAPIC_TIMER_DEADLINE, LAPIC_TIMER_RESERVED };

/* ESR bits */
enum lapic_error {
    LAPIC_SEND_ILLEGAL_VECTOR = 1 << 5,
    LAPIC_RECEIVE_ILLEGAL_VECTOR = 1 << 6,
    LAPIC_ILLEGAL_REGISTER = 1 << 7
};

static inline bool lapic_is_x2apic(const struct lapic *l)
{
    return (l->base & (LAPIC_BASE_ENABLED | LAPIC_BASE_X2APIC)) == (LAPIC_BASE_ENABLED | LAPIC_BASE_X2APIC);
}

/* lapic.c */
void lapic_update(struct lapic *);      /* recomputes `pending`; tells the host of a change */
unsigned lapic_ppr(const struct lapic *);
void lapic_error(struct lapic *, enum lapic_error);
void lapic_lvt_fire(struct lapic *, enum lapic_lvt);
void lapic_end_of_interrupt(struct lapic *);
void lapic_send_ipi(struct lapic *);    /* as ICR says */
static inline bool lapic_requested(const struct lapic *l, uint8_t vector)
{
    return l->irr[vector / 32] >> vector % 32 & 1;
}
void lapic_self_ipi(struct lapic *, uint8_t vector);

/* lapic_register.c: its table of registers; the bus's handlers of the page */
void lapic_registers_init(void); /* first of all */
uint64_t lapic_mmio_read(void *lapic, uint64_t offset, unsigned size);
void lapic_mmio_write(void *lapic, uint64_t offset, unsigned size, uint64_t value);
/* 0, or -1: #GP(0) */
int lapic_x2apic_read(struct lapic *, uint32_t msr, uint64_t *value);
int lapic_x2apic_write(struct lapic *, uint32_t msr, uint64_t value);

/* lapic_timer.c */
void lapic_timer_init(struct lapic *);
void lapic_timer_reset(struct lapic *);
void lapic_timer_taken(struct lapic *); /* the CPU took its interrupt */
void lapic_timer_write_lvt(struct lapic *, uint32_t lvt);
void lapic_timer_write_count(struct lapic *, uint32_t count);
void lapic_timer_write_divide(struct lapic *, uint32_t divide);
uint32_t lapic_timer_count(struct lapic *);
uint64_t lapic_timer_read_deadline(struct lapic *);
void lapic_timer_write_deadline(struct lapic *, uint64_t guest_tsc);
