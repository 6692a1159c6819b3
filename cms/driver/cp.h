/* CP by DIAGNOSE, for the other drivers; everyone else uses cms/kernel/cp.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cms/kernel/clock.h"

/* Bytes for the console behind what its UART has sent: how many CP took. -1: CP does not offer it. */
int32_t cp_console(const void *bytes, uint32_t count);
bool cp_has_console(void);
bool cp_offers(uint32_t assist); /* enum diagnose_assist */
bool cp_has_spool(void);
bool cp_has_directory(void);
/* Finds out whether CP is there: a machine of its making. */
void cp_find(void);
bool cp_is_there(void);
/* Asks it who we are. */
void cp_start(void);
/* 0: CP is not there or does not say. */
uint32_t cp_tsc_khz(void);
/* False: CP does not offer it. */
bool cp_times(struct clock_time *now);
