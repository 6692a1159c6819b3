/* Who sits at which terminal: sessions that begin there, and what follows from somebody having come or left. */
#pragma once
#include <stdbool.h>

struct line;
struct session;
struct terminal;

/* A terminal on the line, with a new session. NULL: no room for one more. */
struct session *seat_add(struct line *);

/* A user whose line dropped is disconnected, and whoever comes finds a logon prompt. */
void seat_follow(struct terminal *);

bool seat_input_waits(void);   /* some session has bytes typed ahead that are not for a machine: it will want them */
bool seat_words_are_out(void); /* what CP and machines wrote is with the lines */
