/* A session: a terminal somebody sits at, or a user who is logged on (with a machine), or both. Its parts are structs
 * of their own, with their functions: what is shown and typed, and what was asked to be done. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/credential/sha512_crypt.h"
#include "cp/directory/directory.h"
#include "cp/dispatch/vm.h"
#include "cp/session/deed.h"
#include "cp/session/dial.h"
#include "cp/session/idle.h"
#include "cp/session/logon.h"
#include "cp/session/obey.h"
#include "cp/session/output.h"
#include "cp/session/rest.h"
#include "cp/session/sent.h"
#include "cp/session/special.h"
#include "cp/session/stack.h"
#include "cp/session/state.h"
#include "cp/session/task.h"
#include "cp/session/trace.h"
#include "cp/session/typing.h"
#include "cp/spool/unit.h"
#include "cp/terminal/terminal.h"
#include "cp/time/timer.h"

enum { SESSIONS = TERMINALS + USERS_AT_ONCE }; /* all of them disconnected, and every terminal at its prompt */

enum { SET_MSG = 1, SET_WNG = 2, SET_IMSG = 4, SET_RUN = 8, SET_EMSG_CODE = 16, SET_EMSG_TEXT = 32,
       SET_TRACE_VMX = 64, SET_SMSG = 128 };

struct session {
    enum session_state state;
    uint16_t row;        /* in the table of all */
    struct timer timer; /* of a state that awaits time */
    bool timer_ended;

    const struct user *user; /* who is logged on: `own`; NULL: nobody */
    struct user own;         /* as the directory had it at LOGON (directory_take) */
    struct spool_user spool;
    struct vm *vm;           /* the one whose console this is; NULL: nobody is logged on */
    struct stack stack;      /* those that wait for its end */
    uint64_t logon_us;       /* wall clock, of LOGON */
    uint8_t settings;        /* SET_... */
    enum nest_mode nested;   /* SET NESTED: what the machine is offered from its next reset or IPL */
    char system[9];          /* IPLed last, "" none */
    void (*ended)(struct session *); /* set: the machine's end ends this session, and it says so here (--ipl) */

    unsigned line_size;   /* TERMINAL LINESIZE; 0: as wide as the terminal is */
    unsigned page_length; /* TERMINAL PAGELENGTH; 0: as high as it is */
    struct output output; /* with the terminal */
    struct typing typing;
    struct sent sent;
    struct special special;
    struct trace trace;
    struct dial dial;

    struct idle idle; /* at the terminal, if there is one */
    struct deed deed;
    struct rest rest;
    struct task task;
    struct asked asked;
    struct logon logon;
    struct sha512_crypt crypt; /* the password of a state that awaits a hash */
};

extern bool session_closed; /* CP is shutting down: no prompts any more */

struct session *session_next(struct session *at); /* in use, after `at` (NULL: the first); NULL at the end */
/* Nobody is at its terminal, its machine runs, and nothing is to be done for it, until it is stirred: by another state,
 * a terminal, or a deed. Others may need their turn. */
void session_settle(const struct session *);
void session_stir(const struct session *);
struct session *session_next_stirred(struct session *at); /* as session_next() */
struct session *session_find(const char *userid); /* logged on; NULL: not */
unsigned session_users(void);                     /* logged on, disconnected ones too */
struct session *session_create(void);             /* NULL: no row or no storage left */
void session_free(struct session *);              /* @pre no machine */
/* All as new, but for the row, the terminal, and what is queued for it. Nothing of a user or of an attempt to log on
 * lasts longer. */
void session_reset(struct session *);
const char *session_name(const struct session *, char name[9]); /* "L0001", "DSC" */
void session_wait(struct session *, uint64_t seconds);          /* timer_ended becomes true after so long */
