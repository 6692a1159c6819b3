/* The 16550 console; the terminal functions of cms/console/terminal.h are here too. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Interrupt controller and IDT must be ready.  Input and output are by interrupt from then on;
 * what was in either direction before is forgotten. */
void uart_start(uint16_t port, unsigned irq);

/* Since it was started, as only a machine of CP's tells. */
bool uart_was_reset(void);

uint16_t uart_port(void); /* where it is */

/* What was gathered goes now, as far as it goes: CP may write to the console next. */
void uart_flush(void);
