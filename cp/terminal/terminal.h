/* Terminals: the lines CP was given, each with the session somebody there is in, or the one that waits for them.
 * In: bytes and carrier from lines. Out: sessions that begin and are left. */
#pragma once
#include "cp/session/session.h"

/* Takes the line over; its new session, or NULL: no room for one more. */
struct session *terminal_add(struct line *);

struct terminal *terminal_next(struct terminal *at); /* after `at` (NULL: the first); NULL at the end */

/* Does what follows from somebody having come or left: a user whose line drops is disconnected, and whoever comes finds
 * a logon prompt. */
void terminal_follow(struct terminal *);

/* Drops what was typed and not taken: it was meant for a session that is over. */
void terminal_forget(struct terminal *);

/* Some terminal's session has bytes typed ahead that are not for a machine: it will want them. */
bool terminal_input_waits(void);
bool terminal_words_are_out(void); /* what CP and machines wrote is with the lines */
