/* The terminal as the console code sees it: bytes out, bytes in, waiting.  The driver room provides it; unit tests
 * bring a fake. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Takes all of it; waits only if the transmit buffer is full. */
void cms_terminal_write(const char *data, size_t length);
/* The next byte typed, or -1 if there is none now. */
int cms_terminal_read(void);
/* Sleeps until there may be something to read (or the output has moved on). */
void cms_terminal_wait(void);
/* Waits until everything written has left the machine: before a stop. */
void cms_terminal_drain(void);
/* Columns of the terminal, as far as is known; 0: not. */
size_t cms_terminal_width(void);
/* Rows likewise. */
size_t cms_terminal_height(void);
/* Whether an interrupt comes when they may have changed, as CP tells. */
void cms_terminal_watch(bool on);
bool cms_terminal_rang(void); /* one has, since this was last asked */
