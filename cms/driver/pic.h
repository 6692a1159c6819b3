/* The two 8259 interrupt controllers: IRQ 0..15 arrive at vectors TRAP_IRQ_BASE + IRQ.
 * They end interrupts by themselves (automatic EOI), which saves a hypervisor's exits: handlers run with interrupts off
 * to their end, so no order of priorities is lost.  A spurious IRQ 7 or 15 therefore looks like a real one; handlers
 * look at their device and find nothing to do. */
#pragma once

/* Everything masked but the cascade. */
void pic_start(void);
void pic_enable(unsigned irq);
/* PCI lines are level-triggered: also tells the edge/level register so. */
void pic_enable_level(unsigned irq);
