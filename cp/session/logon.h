/* LOGON from the user ID to the machine: the password, its slow hash, the penalties for wrong ones. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/credential/sha512_crypt.h"
#include "cp/directory/directory.h"

struct session;

enum {
    LOGON_NAMES = 1024, /* rows for the refusals of names */
    LOGON_TRIES = 4, /* wrong passwords in a row at a terminal, then it is quiet for */
    LOGON_QUIET_SECONDS = 60,
    LOGON_PENALTY_MAX = 16, /* seconds: 1, 2, 4, 8, 16 */
    LOGON_FORGET_SECONDS = 600, /* a name nobody failed at for so long is as new */
};

struct logon { /* an attempt */
    char id[DIRECTORY_NAME + 1];
    bool here, noipl; /* as LOGON said */
    bool own;         /* the verifier is the user's; else it is another's and no password is right */
    uint16_t name;    /* the row of the name in the count of refusals */
    char verifier[SHA512_CRYPT_TEXT]; /* the own one; "": by a key */
};

/* Asks for the password, unless whoever is at the terminal is known to be that user. @pre nobody is logged on, state
 * LOGON */
void logon_begin(struct session *, const char *id, bool here, bool noipl);
void logon_abandon(struct session *); /* instead of the password: back to the prompt */

/* What follows in the states of an attempt (state.h): */
void logon_password(struct session *);    /* a line was typed: wipes it */
void logon_verified(struct session *);    /* it is hashed */
void logon_held(struct session *);        /* the directory is not being replaced any more, or is */
void logon_end_penalty(struct session *); /* the refusal is told */
void logon_end_quiet(struct session *);
void logon_rejoin(struct session *);      /* the last words are out: may free the session */

/* Whoever is at the terminal is known to be a user already (terminal.h): logs them on, or gives them the session they
 * have. @pre nobody is logged on, state LOGON */
void logon_known(struct session *);

/* Whoever was logging on has left the terminal: nothing of it is left but the wait that a wrong password costs.
 * @pre nobody is logged on */
void logon_forsake(struct session *);

/* The user is who they say: gives them their machine and the terminal, and IPLs as the directory says. */
void logon_complete(struct session *, const struct user *);
