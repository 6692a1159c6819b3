/* The door: by it those come who sit at none of this machine's terminals (sshd's children), each to a free line.
 *
 * A visitor sends one message over RUN-DIRECTORY/door, a sequenced-packet socket, with its standard input and output
 * beside it; the answer tells the line, or why there is none. The connection then lasts as long as the visit: whoever
 * ends it ends that. Each further message of the visitor's says that the terminal has another size; the machine's side
 * sends one before it ends the visit: a byte, the visitor's exit status. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "lib/userid.h"

/* Answers that are no line: line 1 is no visitor's. */
enum { DOOR_NO_LINE, DOOR_LINE_SOON };
enum { SOURCE_BYTES = 8 };

struct visitor {
    char name[USERID_MOST + 1]; /* as what they came, "" unknown */
    bool known;               /* and have proved it */
    unsigned char source[SOURCE_BYTES]; /* the host they came from: of IPv6 what one subscriber has; 0: not said */
    int connection, in, out;
};

/* Listens in the directory open as `place`; the socket, or -1 with errno. */
int door_open(int place);
/* Takes what knocked. False: nobody worth a line. */
bool door_accept(int door, struct visitor *);
/* Answers: the line they have; or that none is free, or none yet (then they knock again), and lets them go. */
void door_answer(struct visitor *, unsigned line);

/* The visitor's side, for the machine with this run directory: the process that sshd forces on whoever comes. Takes
 * name, proof and host from the environment that sshd made (LOGNAME, SSH_USER_AUTH, SSH_CONNECTION). The exit status:
 * 0, or 1 when nobody was logged on or the machine ended, 2 when this is no way to come, 128 + n after signal n. */
int door_enter(const char *directory);
