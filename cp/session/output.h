/* What a user is shown: one queue, in order, which the terminal's line takes as it has room. Without a terminal it is
 * kept until there is one.
 *
 *   CP's words -> output_write, output_say: cleaned, at the start of a line \
 *   what is typed -> output_echo: as it is, where the cursor is               > ring -> output_drain -> line_write
 *   the machine's bytes -> output_machine: untouched                         /
 *
 * CP's words break a line that is not finished: the machine's, or a prompt with what is typed. Then the queue owes it,
 * and session_refresh (state.h) shows it again. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/terminal/ring.h"

struct terminal;

enum {
    OUTPUT_FIRST = 8192,          /* bytes a queue begins with; it grows as it is needed, up to: */
    OUTPUT_QUEUE = 131072,        /* and of these a machine may fill: */
    OUTPUT_CONNECTED = 4096,      /* (it writes a byte or a few at a time: so many are gathered for the line at most) */
    OUTPUT_GATHERED = OUTPUT_CONNECTED / 2,
    OUTPUT_DISCONNECTED = 65536,  /* then it waits: nothing is lost */
    OUTPUT_SCREEN_LINES = 20,     /* and bytes: what a terminal that comes to a session is shown of what was there */
    OUTPUT_SCREEN = 4096,
    OUTPUT_PARTIAL = 160,         /* bytes of a machine's unfinished line, shown again after CP's words */
};

struct output {
    struct terminal *terminal; /* whose line takes it; NULL: disconnected, or started by XAUTOLOG */
    struct ring ring;
    bool in_line;       /* what was queued last did not end a line */
    unsigned below;     /* rows of the line being typed below the cursor's */
    bool machine_waits; /* the machine was refused room: tell it when there is some */
    bool partial_cut;   /* the machine's unfinished line is longer than partial[] */
    bool styled;        /* the machine wrote control sequences: the terminal may be in any mode */
    bool owes;          /* the unfinished line (prompt and what is typed, or the machine's) is to be shown again */
    uint32_t since;     /* ring.head when the session began: what is older was another's */
    uint32_t dropped;   /* bytes of CP's words that found no room, and nobody was told yet */
    uint16_t partial_length, partial_unsent; /* bytes, and the last of them that no terminal has had */
    char partial[OUTPUT_PARTIAL];
};

/* `bytes` for it, a power of two up to OUTPUT_QUEUE, on CP's account if it is less; nothing in them; no terminal. */
void output_begin(struct output *, uint8_t *queue, uint32_t bytes);
void output_shrink(struct output *); /* as long as at first, and nothing in it */
void output_renew(struct output *); /* as new, but for the terminal, and what is queued for it */
void output_forget(struct output *); /* what is queued: the terminal is somebody else's */
/* A session has begun: nothing of before is shown again. */
void output_is_new(struct output *);
/* The terminal is another: it is shown the last lines again, without what a terminal answers (again.h), and a line
 * begun on the one before is owed as a whole. */
void output_resume(struct output *);
/* What `from` has already sent to the terminal may have left it in any mode: `to`, which has the terminal next, resets
 * it. */
void output_plain(struct output *to, const struct output *from);

/* Queue to line, as much as goes. When there is room again, it is told how much was lost. */
void output_drain(struct output *);

/* CP's words, and others' in them: cleaned (cp/message/clean.h), always at the start of a line; \n becomes CR LF. */
void output_write(struct output *, const char *text, size_t length);
void output_say(struct output *, const char *format, ...) __attribute__((format(printf, 2, 3))); /* and a \n */

void output_break(struct output *); /* ends an unfinished line, which is then owed */
void output_echo(struct output *, const char *text, unsigned length); /* \n becomes CR LF; whole, or not at all */

void output_partial(struct output *); /* the machine's unfinished line, again */

uint32_t output_room(const struct output *); /* bytes it takes, if CP has the frames */
unsigned output_machine_room(struct output *); /* bytes a machine may write now */
/* Goes to the line when enough has gathered, or in the users' turn. @pre there is room */
void output_machine(struct output *, const uint8_t *bytes, unsigned count);
/* True, once: the machine waits for room, and there is enough of it for the machine to go on. */
bool output_machine_goes_on(struct output *);
