/* To whom something is sent. */
#pragma once
#include "cms/command/command.h"

enum { RECEIVERS_MOST = 64 };

struct receivers {
    unsigned count;
    char userid[RECEIVERS_MOST][9];
};

/* Words are nicknames, of one or of a list, or user IDs, each perhaps with AT node. Everybody is there once. 0, or the
 * return code of a message. */
int receivers_read(const char *module, const struct word *words, int count, struct receivers *);
/* Would CP take something for each? 0, or the return code of the last who does not; CP has said so of each. */
int receivers_check(const struct receivers *);
