/* CP by DIAGNOSE, for the other drivers; everyone else uses cms/kernel/cp.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cms/kernel/clock.h"

/* Bytes for the console behind what its UART has sent: how many CP took. -1: CP does not offer it. */
int32_t cp_console(const void *bytes, uint32_t count);
bool cp_offers(uint32_t assist); /* enum diagnose_assist */
struct cpu_diagnose;
/* A call, again for as long as CP is busy: *d is what it answers then. */
void cp_call(struct cpu_diagnose *d);
/* Of 8 characters padded with blanks. */
void cp_name(char to[9], const char padded[8]);
/* Finds out whether CP is there: a machine of its making. */
void cp_find(void);
bool cp_is_there(void);
/* Asks it who we are. */
void cp_start(void);
/* 0: CP is not there or does not say. */
uint32_t cp_tsc_khz(void);
/* False: CP does not offer it. */
bool cp_times(struct clock_time *now);
