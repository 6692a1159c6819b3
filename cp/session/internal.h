/* Between the files session*.c and logon.c. */
#pragma once
#include "cp/session/session.h"

/* All as new, but for the row, the terminal, and what is queued for it. Nothing of a user or of an attempt to log on
 * lasts longer. */
void session_reset(struct session *);
void output_begin(struct output *, uint8_t *queue); /* SESSION_OUTPUT bytes, and nothing in them */
/* What is on the way to the terminal of `from` may have left it in any mode: `to`, whose it is next, puts it back. */
void output_plain(struct session *to, const struct session *from);
