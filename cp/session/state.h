/* What a session is doing, as a table: what it reads, what its machine does, the prompt, what it waits for, and what
 * follows then. */
#pragma once
#include <stdbool.h>

struct session;

enum session_state {
    SESSION_FREE,
    SESSION_LOADING,  /* CP has not read its directory yet */
    SESSION_LOGON,    /* nobody is logged on: LOGON and the like */
    SESSION_PASSWORD,
    SESSION_VERIFY,   /* the password is hashed */
    SESSION_HELD,     /* the directory is being replaced */
    SESSION_PENALTY,  /* a wrong password waits for its answer */
    SESSION_REJOIN,   /* its last words go out, then its terminal goes to the user's disconnected session */
    SESSION_QUIET,    /* too many wrong passwords */
    SESSION_READ,     /* CP READ */
    SESSION_RUN,
    SESSION_COMMAND,  /* "#CP " was typed */
    SESSION_DIALED,   /* to a line of another's machine: dial.h */
    SESSION_DIALED_COMMAND, /* "#CP " was typed there */
    SESSION_SLEEP,
    SESSION_CHECK,    /* the password of a minidisk is hashed */
    SESSION_TASK,     /* CP works on what a command asked for */
    SESSION_STATES,
};

enum session_reads {
    READS_NOTHING, /* what is typed stays with the terminal */
    READS_AWAY,    /* what is typed is gone */
    READS_LINES,   /* CP's editor: commands, line after line */
    READS_COMMAND, /* one line of them */
    READS_SECRET,  /* a line, unseen */
    READS_ENTER,   /* the end of the time; anything else as READS_NOTHING */
    READS_MACHINE, /* its UART 0, or the line that is dialed, but for #CP */
};

enum session_machine {
    MACHINE_NONE,
    MACHINE_STOPS, /* unless SET RUN ON; or it has stopped by itself */
    MACHINE_RUNS,
    MACHINE_RESTS, /* stopped, and goes on where it ran before: rest.h */
};

enum session_awaits {
    AWAITS_LINE,   /* if the state reads any; else it ends by what others do */
    AWAITS_TIME,   /* session_wait */
    AWAITS_HASH,   /* verify.h, while nothing is noted */
    AWAITS_OUTPUT, /* all of it is with the line */
    AWAITS_TURN,   /* the next, or that with news of the spool (task_wait), while nothing is noted */
};

extern const struct session_row {
    enum session_reads reads;
    enum session_machine machine;
    const char *prompt; /* of a line that is read and seen, else NULL */
    enum session_awaits awaits;
    void (*follows)(struct session *); /* what was awaited is there; may free the session. NULL: nothing does */
} session_states[SESSION_STATES];

/* The state, and the machine as its row says. @pre there is a machine if the row has it run */
void session_enter(struct session *, enum session_state);
bool session_rests(const struct session *); /* terminal and machine: rest.h */
/* What follows from the state, if what it awaits is there. True: there is more to do at once. May free the session. */
bool session_follow(struct session *);

unsigned session_columns(const struct session *);   /* TERMINAL LINESIZE's, or the terminal's; 0: not known */
unsigned session_rows(const struct session *);      /* TERMINAL PAGELENGTH's, or the terminal's; 0: not known */
unsigned session_line_size(const struct session *); /* columns: TERMINAL LINESIZE's, the terminal's, or the usual */
void session_begin_line(struct session *); /* an empty one; what the state's row calls the prompt is shown by others */
void session_prompt(struct session *);  /* a new line to read, as the state says */
void session_prompt_again(struct session *); /* the prompt anew, and what is typed of the line */
void session_refresh(struct session *); /* shows the unfinished line again when it was broken */
