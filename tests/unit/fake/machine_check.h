/* The machine-check banks of a processor, as the edge hands them out. */
#pragma once
#include "cp/vcpu/machine_check.h"

extern struct machine_check fake_banks;   /* what the next look finds */
extern bool fake_under_way;               /* MCIP */
extern unsigned fake_bank_count;
extern void (*fake_machine_check_end)(const struct machine_check *); /* what the end of CP is; must not return */
