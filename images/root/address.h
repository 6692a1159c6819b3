/* ADDRESS COMMAND in a REXX source. Regina keeps the environment COMMAND for programs of Linux and lets nobody else
 * have it; in CMS it is CMS' own. So the symbol COMMAND (or the literal) behind ADDRESS becomes 'COMMAND ', which
 * Regina does not know and hands on. Lines stay lines. */
#pragma once
#include <stddef.h>

/* `text` is malloc()ed, and may move. */
void address_rewrite(char **text, size_t *length);
