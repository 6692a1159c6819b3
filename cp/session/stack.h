/* The machines of a user: the one of LOGON, and upon it those that programs asked for (DIAGNOSE X'100'), each of which
 * runs a kernel while the one beneath stands still and waits for its end. Console, commands and time are the top one's,
 * which is session->vm; minidisks, and lines that are dialed, stay the first one's. All of them together have the
 * storage, the frames and the share of the processor of one. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct session;
struct vm;

enum { STACK_WAITING = 3, STACK_LINE = 255, STACK_STORAGE_LEAST = 1 << 20 };

struct stack {
    unsigned waiting; /* machines beneath the top one */
    struct stack_row {
        struct vm *vm;
        char system[9]; /* IPLed last in it */
    } row[STACK_WAITING];
    bool begins; /* the top one is made, and what it is to run not loaded yet */
    struct stack_kernel {
        uint64_t at, bytes; /* in the storage of the machine that asks */
        char line[STACK_LINE + 1];
    } kernel;
    uint64_t code; /* with which the top one ends: the waiting program's RBX */
};

/* Bytes of storage that one more machine would have: what the user's maximum leaves beside theirs. 0: there may be
 * none. */
uint64_t stack_room(const struct session *);
/* Notes that one is to be made, for a kernel in the storage of the machine at hand, which stops. False: not now,
 * something else is to be done. @pre room, and a plain line of STACK_LINE bytes at most */
bool stack_note_begin(struct session *, uint64_t at, uint64_t bytes, const char *line);
/* Notes that the top one is to end. @pre one waits beneath */
void stack_note_end(struct session *, uint64_t code);

/* ---- what is done then (deed.c) ---- */

/* Makes it, and begins to load the kernel. NULL, or why not: stack_refuse() is next.
 * @pre system_ipl_is_busy() does not hold */
const char *stack_begin(struct session *);
void stack_refuse(struct session *, uint64_t code); /* the program goes on, and is told that nothing ran */
void stack_begun(struct session *); /* it is loaded: it runs */
void stack_end(struct session *);   /* the one beneath goes on, if it has not lost its storage meanwhile */

/* The user's first machine. @pre logged on */
struct vm *stack_first(const struct session *);
bool stack_in_flight(const struct session *); /* disk requests of any of them */
void stack_reset_devices(struct session *);   /* of all whose disks are at work */
void stack_drop(struct session *);            /* all of them go */
