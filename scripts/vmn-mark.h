/* What this side of a line says to CP among what is typed (cp/terminal/mark.h), if CP heeds it there: line->token. */
#pragma once
#include "scripts/vmn-line.h"

enum { MARK_BEGINS = 0xfe };

void mark(struct line *, const char *what);  /* a letter and what belongs to it, and ; */
void mark_size(struct line *);               /* of the user's terminal, if it is another than CP was told last */
void mark_end(struct line *);                /* of all that is typed, once */
