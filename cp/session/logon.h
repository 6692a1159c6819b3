/* LOGON from the user ID to the machine: the password, its slow hash, the penalties for wrong ones. */
#pragma once
#include "cp/session/session.h"

enum {
    LOGON_NAMES = 1024, /* rows for the refusals of names */
    LOGON_TRIES = 4, /* wrong passwords in a row at a terminal, then it is quiet for */
    LOGON_QUIET_SECONDS = 60,
    LOGON_PENALTY_MAX = 16, /* seconds: 1, 2, 4, 8, 16 */
    LOGON_FORGET_SECONDS = 600, /* a name nobody failed at for so long is as new */
};

/* Asks for the password. @pre state LOGON */
void logon_begin(struct session *, const char *id, bool here, bool noipl);
void logon_password(struct session *, char *text, unsigned length); /* wipes the text */
void logon_verified(struct session *);                              /* the password is hashed */
/* What the states PENALTY, QUIET and REJOIN wait for. True: there is more to do at once. May free the session. */
bool logon_poll(struct session *);
/* Whoever was logging on has left the terminal: nothing of it is left but the wait that a wrong password costs.
 * @pre nobody is logged on */
void logon_forsake(struct session *);

/* The user is who they say: gives them their machine and the terminal, and IPLs as the directory says. */
void logon_complete(struct session *, const struct user *);
