/* What the CP below tells of the machine that this one runs in. */
#pragma once
#include <stdint.h>

/* Columns of the terminal at the UART at that port. 0: not known, nobody is there, or no CP is below. */
unsigned cpu_below_columns(uint16_t port);
