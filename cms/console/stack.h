/* The program stack (console input stack): lines that are read before the terminal is. It outlives commands.
 *
 * While a REXX program has a command obeyed, the lines are that program's: it lends its own stack (partner), and gets
 * what is stacked meanwhile. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { STACK_LINE_MAX = 65535 };

struct stack_partner {
    bool (*push)(void *context, const char *line, size_t length, bool first);
    /* Bytes of the next line, of which `size` at most are copied; -1: there is none. */
    int (*pull)(void *context, char *line, size_t size);
    size_t (*lines)(void *context);
    void *context;
};

/* Last, or with `first` before all others. False: no storage, or the line is too long. */
bool cms_stack_push(const char *line, size_t length, bool first);
int cms_stack_pull(char *line, size_t size); /* as the partner's */
size_t cms_stack_lines(void);
void cms_stack_clear(void);
/* The partner from now on, NULL: none. Returns the one before. */
const struct stack_partner *cms_stack_lend(const struct stack_partner *);
