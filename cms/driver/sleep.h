/* The tick that bounds a sleep: cms/kernel/sleep.h has what others use. */
#pragma once

/* The interrupt controller must be ready. Channel 0 of the PIT, which firmware may have left running,
 * stands still until a bounded sleep. */
void sleep_start(void);
/* `then`, if any, runs at each tick, with interrupts off; sleep_tick() has one come within SLEEP_MOST_MS. */
void sleep_on_tick(void (*then)(void));
void sleep_tick(void);
/* `look`, if any, is called before each sleep, with interrupts off. */
void sleep_before(void (*look)(void));
