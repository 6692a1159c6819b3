/* What a user types: lines for CP, by its editor, or bytes for the machine's console, none of them lost.
 *
 *   sitter_take -> typing_take -> the editor -> a line -> what the state says (state.h): commands, a password
 *                              -> attention -> the machine's UART 0, or the line that is dialed
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/terminal/attention.h"
#include "cp/terminal/editor.h"
#include "cp/time/timer.h"

struct session;

struct typing {
    struct editor editor;                          /* of the line that CP reads */
    char history[EDITOR_HISTORY][EDITOR_LINE + 1]; /* from LOGON on: a prompt is everybody's */
    bool tabbed;           /* the last key was a Tab that could not decide: another one lists the words */
    unsigned next_command; /* of several on the line: 1 + where in editor.text it begins; 0: none is left */
    struct attention attention; /* to what is typed for the machine */
    bool machine_full;          /* attention holds bytes the machine had no room for */
    bool stuck;                 /* and has read none for a while */
    struct timer patience;      /* until then */
};

void typing_begin(struct session *); /* nothing typed, no history. @pre all bytes of its typing are 0 */
/* Held bytes to the machine; true: all are gone. @pre the state reads MACHINE */
bool typing_offer_held(struct session *);

/* The machine reads no more: of what was held back, as it may become #CP, the line for CP begins. */
void typing_take_over(struct session *);
void typing_forget_held(struct session *); /* what the machine had no room for, and what may become #CP */
void typing_begin_line(struct session *);  /* what was typed of one, and by who left, counts for nothing */
/* #CP reaches CP whatever the machine does: if it reads nothing, the first such line that is typed ahead is obeyed
 * before what stands in front of it, which is dropped if the machine does not go on. */
void typing_heed_attention(struct session *);

/* One typed byte. False: not now (it stays with the terminal). The session may be gone afterwards. */
bool typing_take(struct session *, uint8_t byte);

/* A line of commands, separated by #: obeys them in turn, as long as nothing is noted and nothing rests. */
void typing_commands(struct session *);
void typing_complete(void *session); /* a Tab (complete.c) */
void typing_one_command(struct session *); /* the line after "#CP ": the same, and blank enters CP */
/* Those of them that are left. True: there are more, and no time for them now. */
bool typing_go_on(struct session *);
