/* STACK, FIFO and LIFO of commands that tell something: their lines go onto the program stack, not to the terminal. */
#pragma once
#include <stdbool.h>

#include "cms/console/output.h"

struct stacked {
    bool lifo;
    bool full; /* there was no storage for a line */
    struct output_sink before;
};

/* From now on until its end; both in the same function. */
void cms_stacked_begin(struct stacked *, bool lifo);
/* `rc`, or the return code of the message that a line had no room. */
int cms_stacked_end(struct stacked *, const char *module, int rc);

struct arguments;
/* The options STACK [FIFO|LIFO], FIFO and LIFO, from the `at`-th on, which are all that is left: 0, or the return code
 * of a message. *stacks: there was one. */
int cms_stacked_options(const char *module, const struct arguments *, int at, bool *stacks, bool *lifo);
