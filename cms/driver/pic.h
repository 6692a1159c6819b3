/* The two 8259 interrupt controllers: IRQ 0..15 arrive at vectors TRAP_IRQ_BASE + IRQ. */
#pragma once
#include <stdbool.h>

/* Everything masked but the cascade. */
void pic_start(void);
void pic_enable(unsigned irq);
void pic_disable(unsigned irq);
/* PCI lines are level-triggered: also tells the edge/level register so. */
void pic_enable_level(unsigned irq);
/* For the trap code. */
bool pic_is_spurious(unsigned irq);
void pic_end(unsigned irq);
