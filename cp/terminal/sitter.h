/* What a terminal asks of whoever sits there, a session; cp/session/seat.c answers. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct session;

/* Something was typed, somebody came or left: the users' turn is to look at the terminals (terminal_poll and what
 * follows). From the driver's interrupt function. */
void sitter_wanted(void);
/* The line takes output again. From the driver's interrupt function. */
void sitter_room(struct session *);
/* One typed byte. False: not now, it stays in the terminal. The session may be gone afterwards. */
bool sitter_take(struct session *, uint8_t byte);
/* Who leaves the terminal leaves the session, too. */
bool sitter_leaves(const struct session *);
