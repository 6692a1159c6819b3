/* The real machine's clocks, read once at boot: the 8254 measures the TSC, the MC146818 tells the time of day. */
#pragma once
#include <stdint.h>

/* TSC ticks a second, measured over 10 ms of the 8254's channel 2 (1 Hz at the least, so that nothing divides by 0).
 * CP may be held up at either end, as an emulator's processor is whenever its host has others to run: all that is
 * known then is how much it is at least and at most. It is measured again, over 10, 5 and 2.5 ms, which are hit in
 * different places, until the two are within 1/512, or 32 times. */
uint64_t clock_measure_tsc(void);
/* Sets clock_hz and the wall clock's start. */
void clock_start(uint64_t tsc_hz);
