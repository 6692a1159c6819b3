/* Owns the wires of the ISA interrupts. In: a device's level. Out: the inputs of both interrupt controllers. */
#include "cp/device/machine.h"

/* An ISA device's wire, shared by wired OR. */
static void isa_set(void *context, unsigned gsi, bool level)
{
    struct machine *m = context;
    bool high;

    if (level)
        m->isa_asserted[gsi]++;
    else if (m->isa_asserted[gsi])
        m->isa_asserted[gsi]--;
    high = m->isa_asserted[gsi];
    pic_set(&m->pic, gsi, high);
    ioapic_set(&m->ioapic, gsi == MACHINE_TIMER_IRQ ? MACHINE_TIMER_PIN : gsi, high);
    pace_look_again(&m->pace);
}

struct irq machine_isa_irq(struct machine *m, unsigned gsi)
{
    return (struct irq){.set = isa_set, .context = m, .gsi = gsi};
}
