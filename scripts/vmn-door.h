/* The door: by it those come who sit at none of this machine's terminals (sshd's children), each to a free line.
 *
 * A visitor sends one message over RUN-DIRECTORY/door, a sequenced-packet socket, with its standard input and output
 * beside it; the answer tells the line, or why there is none. The connection then lasts as long as the visit: whoever
 * ends it ends that. Each further message says that the terminal has another size. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { DOOR_NAME = 8 };

struct visitor {
    char name[DOOR_NAME + 1]; /* as what they came; "" unknown. Upper case, and no character that CP has not in IDs */
    bool known;               /* and have proved it */
    int connection, in, out;
};

/* Listens in the directory open as `place`; the socket, or -1 with errno. */
int door_open(int place);
/* Takes what knocked. False: nobody worth a line. */
bool door_accept(int door, struct visitor *);
/* Answers: the line they have, or with 0 that none is free, and lets them go. */
void door_answer(struct visitor *, unsigned line);

/* The visitor's side, for the machine with this run directory: the process that sshd forces on whoever comes. Takes
 * name and proof from the environment that sshd made (LOGNAME, SSH_USER_AUTH). Returns the exit status. */
int door_enter(const char *directory);
