/* The real machine's clocks, read once at boot: the 8254 measures the TSC, the MC146818 tells the time of day. */
#pragma once
#include <stdint.h>

/* TSC ticks a second, measured over 10 ms of the 8254's channel 2 (1 Hz at the least, so that nothing divides by 0). */
uint64_t clock_measure_tsc(void);
/* Sets clock_hz and the wall clock's start. */
void clock_start(uint64_t tsc_hz);
