/* Terminals: the lines CP was given, each with the session of somebody there, or of whoever comes.
 *
 *   a line's bytes -> input, the ring -> terminal_poll() -> sitter_take()
 *   a line's carrier -> away, left
 *
 * What follows from somebody having come or left is the session's doing (cp/session/seat.h). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/terminal/line.h"
#include "cp/terminal/mark.h"
#include "cp/terminal/ring.h"

enum {
    TERMINALS = 96,
    TERMINAL_INPUT = 16384, /* bytes typed ahead at most, or the line holds them or they are lost; a power of two */
};

struct session;

struct terminal {
    struct line *line;
    unsigned number; /* shown as L0001 */
    struct session *session; /* never NULL */
    struct mark mark;
    struct ring input;
    unsigned columns, rows; /* as whoever carries the line told; 0: not known */
    bool resized;      /* they are others than when that was last looked at */
    bool ended;        /* nothing is typed any more but what is in the ring (mark.h) */
    bool away;         /* nobody is there */
    bool left;         /* somebody was there and left, and what follows from that is not done */
    bool parting;      /* a mark said so, and whoever carries the line waits for that */
    bool dialled;      /* whoever is there can be hung up on */
    char known[MARK_NAME + 1]; /* and need not prove that they are this user; "" nobody */
    uint64_t known_by; /* the session's: the directory that has their key, by directory_changes */
    bool arrives;      /* and that user is to be logged on */
    bool served;       /* somebody was logged on here since they came */
    bool typed;        /* something was typed since that was last looked at */
    bool unwelcomed;   /* whoever is there, or comes, has not been shown a prompt */
    unsigned refusals; /* wrong passwords typed here, in a row: hanging up does not make up for them */
    uint8_t bytes[TERMINAL_INPUT];
};

/* Whoever carries the lines and knows this token says marks on them (mark.h). Before terminal_add. */
void terminal_trust(const char *token, unsigned length);

/* Takes the line over, for the session. NULL: no room for one more. */
struct terminal *terminal_add(struct line *, struct session *);

struct terminal *terminal_next(struct terminal *at); /* after `at` (NULL: the first); NULL at the end */

/* Nobody is there any more, and whoever comes is welcomed. False: who is there cannot be hung up on. */
bool terminal_hang_up(struct terminal *);

/* Somebody left and the session is still theirs: it is not for whoever comes. */
bool terminal_is_left(const struct terminal *);

/* Hands on up to so many typed bytes. True: that was not all. */
bool terminal_poll(struct terminal *, unsigned most);

/* Takes bytes out of the middle of what is typed ahead: `length` of them behind `start` others, which stay. The first
 * `most` are copied. @pre there are so many */
void terminal_take_out(struct terminal *, uint32_t start, uint32_t length, uint8_t *to, uint32_t most);
/* Drops so many of the oldest bytes. @pre there are so many */
void terminal_drop(struct terminal *, uint32_t count);

/* In the middle of long work: a UART has room for sixteen bytes, which come in 70,000 instructions. */
void terminal_look(void);

/* Drops what was typed and not taken: it was meant for a session that is over. */
void terminal_forget(struct terminal *);
