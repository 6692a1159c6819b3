/* What a command asked for that would change the session, or any machine, under its feet: it may be running inside its
 * own machine's VMCALL. It is only noted, and carried out in the users' turn of the event loop. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/terminal/editor.h"

struct session;

enum deed_kind {
    DEED_NONE,
    DEED_LOGOFF,
    DEED_DISCONNECT,
    DEED_IPL,
    DEED_LOAD, /* the second part of an IPL: the storage is being filled */
    DEED_SYSTEM_RESET,
    DEED_SYSTEM_CLEAR,
    DEED_SYSTEM_RESTART,
    DEED_DEFINE_STORAGE,
    DEED_READ,
    DEED_MACHINE_BEGIN, /* stack.h: another machine, upon the one at hand */
    DEED_MACHINE_END,   /* the one at hand goes, and the one beneath goes on */
    DEED_DROP, /* of a session that has no user: its terminal is dialed no more (dial.h) */
    DEED_AUTOLOG, /* of a session that has no user yet: deed_note_autolog() */
    DEEDS,
};

struct deed {
    enum deed_kind noted;
    char system[9], parm[EDITOR_LINE + 1]; /* IPL's */
    uint64_t storage;                      /* DEFINE STORAGE's, in bytes */
    char by[9];                            /* LOGOFF's: FORCEd by, else ""; AUTOLOG's: who asked */
    bool hold;                             /* LOGOFF's and DISCONNECT's: whoever sits there is not hung up on */
    char user[9];                          /* AUTOLOG's: whom */
};

/* The machine stops till then, but for DISCONNECT. After LOGOFF nothing else is noted. */
void deed_note(struct session *, enum deed_kind);
void deed_note_ipl(struct session *, const char *system, const char *parm);
void deed_note_logoff(struct session *, const char *by, bool hold); /* NULL: by itself */
void deed_note_disconnect(struct session *, bool hold);
/* A session without a terminal, in which `user` will be logged on and `by` told of it. False: no row for it. */
bool deed_note_autolog(const char *user, const char *by);
bool deed_autolog_noted(const char *user); /* and not done yet */

/* Does what is noted, if disks let it, else nothing yet; may free the session. @pre something is */
void deed_carry_out(struct session *);
