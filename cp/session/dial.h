/* DIAL: a terminal at which nobody is logged on is connected to a line of another user's machine, its UART n > 0, as if
 * it had called that line's modem. What is typed goes there and what comes from there is shown, until either hangs up.
 *
 *   the machine raises DTR -> the line takes calls -> DIAL -> DSR and DCD -> bytes both ways
 *   UNDIAL, or the terminal is left -> DSR and DCD fall
 *   DTR falls (a program, a reset), the machine stops by itself or is gone -> the terminal is back at its prompt
 *
 * Who dialed is nobody to this CP: what they may do is the other machine's business. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/device/machine_config.h"

struct machine;
struct session;
struct vm;

struct dial {                             /* of a session */
    struct session *to;                   /* whose machine its terminal is connected to; NULL: none */
    char user[9];                         /* whose it was */
    uint8_t uart;                         /* at that UART */
    struct session *caller[MACHINE_UARTS]; /* who called at the UARTs of its own machine; NULL: nobody */
};

enum dial_found {
    DIAL_FREE,
    DIAL_BUSY, /* the line that was asked for */
    DIAL_NONE, /* no such user is logged on, or no line of theirs takes calls now: which it is, is nobody's business */
};

/* A line to call: the UART at that port, or with port 0 the first that is free. */
enum dial_found dial_find(const char *userid, unsigned port, struct session **to, unsigned *uart);
/* @pre FREE was found; the state is LOGON */
void dial_begin(struct session *caller, struct session *to, unsigned uart);

void dial_forsake(struct session *caller);                /* the terminal is left; nothing if it is not dialed */
void dial_let_go(struct session *whose, unsigned uart);   /* whoever called there; nothing if nobody did */
void dial_let_all_go(struct session *whose);
void dial_hung_up(struct vm *, unsigned uart);            /* vm_hung_up */
/* The connection's end: tells of it, and shows the prompt of a new session. @pre it is noted (DEED_DROP) */
void dial_drop(struct session *caller);

unsigned dial_count(void); /* terminals that are dialed */

/* The machine that reads what is typed here, the session's own or the one that is dialed, and its UART. NULL: none. */
struct machine *dial_reader(const struct session *, unsigned *uart);
/* Tells it that the terminal is another, or of another size; it asks then (by DIAGNOSE). */
void dial_tell_size(const struct session *);
/* Whose terminal is at that UART of the machine. NULL: nobody's, or there is none. */
const struct session *dial_there(const struct vm *, uint64_t port);
/* To whom bytes of that UART are to be shown. NULL: nobody, they are lost. */
struct session *dial_shown_to(const struct vm *, unsigned uart);
