/* The program stack while a REXX program runs: Regina's own queue has it. What CMS had stacked comes in at the start,
 * and what is left goes back at the end. MAKEBUF, DROPBUF, DESBUF and SENTRIES act on it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

void stack_begin(void);
void stack_end(void);
void stack_push(const char *line, size_t length, bool first);
bool stack_pull(char **line, size_t *length); /* RexxFreeMemory() it */
unsigned long stack_lines(void);
/* True if the command is one of the stack's own; *rc is then its return code. */
bool stack_command(const char *line, size_t length, long *rc);
