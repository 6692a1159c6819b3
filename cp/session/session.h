/* A session: a terminal somebody sits at, or a user who is logged on (with a machine), or both.
 *
 *   terminal input -> session_take() -> CP's line editor, or the machine's UART 0 (machine_input)
 *   machine output, CP's words -> the session's output queue -> the terminal's line, or queued while disconnected
 *
 * What would change the machine under a command's feet (it may run inside the machine's own VMCALL) is only noted by
 * the command and done by session_settle() from the event loop. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/credential/sha512_crypt.h"
#include "cp/diagnose.h"
#include "cp/directory/directory.h"
#include "cp/dispatch/vm.h"
#include "cp/terminal/attention.h"
#include "cp/terminal/editor.h"
#include "cp/terminal/ring.h"
#include "cp/terminal/terminal.h"

enum {
    SESSIONS = TERMINALS + DIRECTORY_USERS, /* everybody disconnected, and every terminal at its prompt */
    SESSION_OUTPUT = 131072, /* the queue; of this a machine may fill: */
    SESSION_OUTPUT_CONNECTED = 4096,
    SESSION_OUTPUT_DISCONNECTED = 65536, /* then it waits: nothing is lost */
    SESSION_PARTIAL = 160,               /* of a machine's unfinished line, shown again after CP's words */
};

enum session_state {
    SESSION_FREE,
    SESSION_LOADING,  /* CP has not read its directory yet */
    SESSION_LOGON,    /* nobody is logged on: reads LOGON and the like */
    SESSION_PASSWORD, /* reads a password, unseen */
    SESSION_VERIFY,   /* works on the hash */
    SESSION_PENALTY,  /* makes a wrong password wait for its answer */
    SESSION_REJOIN,   /* its last words go out, then its terminal goes to the user's disconnected session */
    SESSION_QUIET,    /* takes nothing for a while: too many wrong passwords */
    SESSION_READ,     /* CP READ: CP reads commands; the machine is stopped, unless SET RUN ON */
    SESSION_RUN,      /* what is typed goes to the machine */
    SESSION_COMMAND,  /* "#CP " was typed: CP reads the rest of this line, the machine runs on */
    SESSION_SLEEP,    /* terminal and machine rest until the time is up or Enter is pressed; then as before */
    SESSION_CHECK,    /* they rest while the password of a minidisk is hashed (check.h); then as before */
    SESSION_TASK,     /* they rest while CP works on what a command of theirs asked for; then as before */
};

/* Noted by a command, done by session_settle(). */
enum session_deed {
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
    DEED_AUTOLOG /* of a session that has no user yet: session_logon_note() */
};

enum { SET_MSG = 1, SET_WNG = 2, SET_IMSG = 4, SET_RUN = 8, SET_EMSG_CODE = 16, SET_EMSG_TEXT = 32,
       SET_TRACE_VMX = 64 };

struct response;
struct command;

struct output {
    struct ring ring;
    bool in_line;       /* what was queued last did not end a line */
    bool machine_waits; /* the machine was refused room: tell it when there is some */
    bool partial_cut;   /* the machine's unfinished line is longer than partial[] */
    bool styled;        /* the machine wrote control sequences: the terminal may be in any mode */
    bool owes;          /* the unfinished line (prompt and what is typed, or the machine's) is to be shown again */
    uint32_t dropped;   /* bytes of CP's words that found no room */
    uint16_t partial_length;
    char partial[SESSION_PARTIAL];
};

struct session_wish { /* LINK's */
    const struct directory_disk *disk;
    unsigned vdev;
    enum link_mode mode;
};

/* A step of a command that takes long. True: it was the last, *code is what the command returns. */
typedef bool task_step(struct session *, struct response *, unsigned *code);

struct session_task { /* while state is TASK */
    task_step *step;
    const struct command *row; /* HELP's: the last of those shown */
    uint64_t at, bytes;  /* DISPLAY's: what is left of the storage it shows; INDICATE's: the next row */
    bool characters;     /* DISPLAY's: how it shows it */
    char rest[DIAGNOSE_COMMAND_MAX + 1]; /* DISPLAY's operands after that; INDICATE NEST's: whom it is about */
};

struct session_asked { /* commands of the machine's DIAGNOSE that are not done while it rests */
    bool waits;
    uint64_t to, size; /* what is left of its buffer; size 0: the console answers */
    uint64_t used;     /* of it, by now */
    bool truncated;
    char rest[DIAGNOSE_COMMAND_MAX + 1]; /* the lines after the one that waits */
};

struct session {
    enum session_state state, before_rest;
    struct terminal *terminal; /* NULL: disconnected, or started by XAUTOLOG */
    const struct user *user;   /* NULL: nobody is logged on */
    struct vm *vm;
    struct output output;
    struct editor editor;
    char history[EDITOR_HISTORY][EDITOR_LINE + 1]; /* from LOGON on: a prompt is everybody's */
    struct attention attention;
    bool input_waits;      /* attention holds bytes the machine had no room for */
    unsigned rest;         /* where in editor.text the next of several commands begins, 0: none */
    uint8_t settings;      /* SET_... */
    uint64_t logon_us;     /* wall clock, of LOGON */
    enum vm_nested nested; /* SET NESTED: what the machine is offered from its next reset or IPL */
    char system[9];        /* IPLed last, "" none */
    struct timer timer;    /* SLEEP, penalties */
    bool timer_ended;
    bool machine_rests;  /* session_rest() stopped it */
    uint64_t message_due; /* host TSC: when as many messages would have been sent at a gentle pace (talk.c) */
    bool machine_asked;  /* for the rest, not somebody at the terminal */

    enum session_deed deed;
    char deed_system[9], deed_parm[EDITOR_LINE + 1];
    uint64_t deed_storage;
    const char *deed_by; /* FORCE: who, else NULL; XAUTOLOG: who */
    const struct user *deed_user; /* XAUTOLOG: whom */

    char logon_id[DIRECTORY_NAME + 1]; /* while logging on */
    bool logon_here, logon_noipl;
    bool logon_good;
    uint16_t logon_name; /* the row of the name in the count of refusals */
    struct sha512_crypt crypt;
    struct session_wish wish;        /* LINK's, while state is CHECK */
    struct session_task task;
    struct session_asked asked;
    struct {
        uint64_t until; /* host TSC: the end of the second in which so many messages ... */
        unsigned shown, lost; /* ... were shown, and so many not */
    } trace;
    void (*ended)(struct session *); /* set: the machine's end ends this session, and it says so here (--ipl) */
};

/* Something came in or was left undone: user_poll has work. Otherwise it returns at once, since it is asked on every
 * turn of the event loop, between any two machines. */
extern bool session_wanted;
extern bool session_closed;        /* CP is shutting down: no prompts any more */

/* ---- the table --------------------------------------------------------------------------------------------------- */

struct session *session_next(struct session *at); /* in use, after `at` (NULL: the first); NULL at the end */
struct session *session_find(const char *userid); /* logged on; NULL: not */
unsigned session_users(void);                     /* logged on, disconnected ones too */
struct session *session_create(void);             /* NULL: no row or no storage left */
void session_free(struct session *);              /* @pre no machine */
const char *session_name(const struct session *, char name[9]); /* "L0001", "DSC" */

/* ---- life -------------------------------------------------------------------------------------------------------- */

/* Gives the session a machine as the user's entry says, with all its disks; tells of disks that could not be had.
 * False: no storage for it. */
bool session_logon(struct session *, const struct user *);
/* Ends the user's stay: accounting lines, machine and links gone. `by`: FORCEd by, or NULL. The terminal, if any, is
 * left with a new session at its logon prompt. */
void session_logoff(struct session *, const char *by);
/* The terminal goes to a new session; this one stays. False: no row for that. */
bool session_disconnect(struct session *);
/* Gives a disconnected session the terminal of `from`, which is freed. */
void session_reconnect(struct session *, struct session *from);
/* Will IPL and begin, as if noted by the IPL command; says what is wrong otherwise. */
void session_ipl(struct session *, const char *system, const char *parm);

void session_welcome(struct session *);  /* the banner and the logon prompt */
void session_enter_cp(struct session *); /* CP READ, with its prompt; stops the machine unless SET RUN ON */
void session_begin(struct session *);    /* back to the machine */
void session_prompt(struct session *);   /* a new line to read, as the state says */
void session_note(struct session *, enum session_deed); /* for session_settle(); the machine stops till then */
/* XAUTOLOG: a session without a terminal, in which session_settle() will log `user` on and tell `by` of it. False: no row for it. */
bool session_logon_note(const struct user *user, const char *by);
bool session_logon_noted(const struct user *); /* and that is not done yet */
void session_settle(struct session *);                  /* does what a command noted; may free the session */
void session_wait(struct session *, uint64_t seconds);  /* timer_ended becomes true after so long */
void session_soon(void);              /* the event loop comes round soon */
void session_vm_stopped(struct vm *); /* vm_stopped */

/* TRACE VMX: vm_traced. A few a second are shown, the others counted; session_trace_flush tells how many. */
void session_vm_traced(struct vm *, const char *rule, uint32_t field);
void session_trace_flush(struct session *);

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

/* One typed byte. False: not now (it stays in the terminal's queue). The session may be gone afterwards. */
bool session_take(struct session *, uint8_t byte);
bool session_offer_held(struct session *); /* held bytes to the machine; true: all gone */
/* The next of several commands on a line, when the state allows. True: there are more, and no time for them now. */
bool session_run_rest(struct session *);
/* SLEEP or TASK: terminal and machine, until session_wake(). */
void session_rest(struct session *, enum session_state how, bool machine_asks);
void session_wake(struct session *);
static inline bool session_rests(const struct session *s)
{
    return s->state == SESSION_SLEEP || s->state == SESSION_CHECK || s->state == SESSION_TASK;
}
/* CP's words, and others' in them: cleaned (clean.h), always at the start of a line; \n becomes CR LF. What a machine
 * writes to its own user is not touched, and what is typed is echoed as it is. */
void session_write(struct session *, const char *text, size_t length);
void session_say(struct session *, const char *format, ...) __attribute__((format(printf, 2, 3))); /* and a \n */
void session_vm_input_room(struct vm *, unsigned uart);                                            /* vm_input_room */
unsigned session_vm_output(struct vm *, unsigned uart, const uint8_t *bytes, unsigned count);      /* vm_output */
void session_echo(struct session *, const char *text, unsigned length); /* where the cursor is; \n becomes CR LF */
void session_refresh(struct session *); /* shows the unfinished line again when it was broken */
void session_pump(struct session *);    /* queue to line as much as goes, and room to the machine */
