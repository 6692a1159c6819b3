/* CP by DIAGNOSE, for the other drivers; everyone else uses cms/kernel/cp.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cms/kernel/clock.h"

/* Finds out whether CP is there, and who we are. */
void cp_start(void);
/* 0: CP is not there or does not say. */
uint32_t cp_tsc_khz(void);
/* False: CP does not offer it. */
bool cp_times(struct clock_time *now);
