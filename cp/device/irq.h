/* One interrupt wire: a device raises and lowers it, the machine's PIC and IOAPIC see it.
 * gsi is the global system interrupt: 0-15 are the ISA IRQs, 16-23 the PCI pins of the IOAPIC. */
#pragma once
#include <stdbool.h>

struct irq {
    void (*set)(void *context, unsigned gsi, bool level);
    void *context;
    unsigned gsi;
    bool level; /* as last set; irq_set ignores no change */
};

static inline void irq_set(struct irq *irq, bool level)
{
    if (irq->level == level || !irq->set)
        return;
    irq->level = level;
    irq->set(irq->context, irq->gsi, level);
}
