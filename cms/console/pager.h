/* Output a screen at a time: when the terminal is full, MORE... stands in its last row, and a key goes on.
 *
 * Enter, the space bar, Page Down and an arrow down go on; q, ^C and HX end the command. Where the terminal's size is
 * not known, or somebody has captured the output, lines go as they come. Programs have the terminal
 * themselves: what they type in lines is not counted, but stays as other lines do. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "cms/console/output.h"

struct pager {
    struct output_sink before;
    size_t rows, columns, used; /* of the terminal; rows 0: not paged */
    bool clears;                /* the screen is cleared before the first line */
    bool typed;                 /* there was a line */
};

/* From now on until its end; both in the same function. */
void cms_pager_begin(struct pager *, bool clears);
/* A program types a line, or a part of one. */
void cms_pager_program_types(void);
/* `holds`: what was typed stays until a key is pressed, as something else is to be drawn over it. */
void cms_pager_end(struct pager *, bool holds);
