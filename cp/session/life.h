/* A session's life: LOGON to LOGOFF, and in and out of CP. */
#pragma once
#include <stdbool.h>

struct session;
struct user;

/* Gives the session a machine as the user's entry says, with all its disks; tells of disks that could not be had.
 * False: no storage for it. */
bool session_logon(struct session *, const struct user *);
/* Ends the user's stay: accounting lines, machine and links gone. `by`: FORCEd by, or NULL. The terminal, if any, is
 * left with a new session at its logon prompt. */
void session_logoff(struct session *, const char *by);
/* The terminal goes to a new session; this one stays. False: no row for that. */
bool session_disconnect(struct session *, bool hold);
/* Gives a disconnected session the terminal of `from`, which is freed. */
void session_reconnect(struct session *, struct session *from);

/* To the prompt; but whoever dialled is let go, unless they said HOLD. @pre nobody is logged on, a terminal */
void session_leave(struct session *, bool hold);
void session_welcome(struct session *);  /* the banner and the logon prompt */
void session_enter_cp(struct session *); /* CP READ, with its prompt; stops the machine unless SET RUN ON */
void session_begin(struct session *);    /* back to the machine */
