/* What the event loop asks of the processor: the interrupts that came, and to sleep. cp/cpu
 * implements it; host tests fake it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

extern struct cpu_events {
    volatile bool pending; /* an interrupt came, or something else the event loop must see before a guest runs on */
    bool exact; /* external interrupts leave a guest that was entered with IF=0 (see docs/machine.md) */
} cpu_events;

void cpu_interrupt_window(void);            /* lets pending interrupts in */
/* all vectors that came since the last call, a bit each; nothing is pending */
void cpu_interrupts_take(uint64_t came[4]);
/* Every device whose interrupt was noted has been served: level-triggered lines may interrupt again. */
void cpu_interrupts_served(void);
void cpu_idle(uint64_t deadline); /* halts until an interrupt or the deadline */
