/* Time: from CP where it offers it, else from the RTC and the TSC. */
#pragma once
#include <stdint.h>

/* tsc_khz: what the device tree says, 0 if it does not. */
void clock_start(uint32_t tsc_khz);
