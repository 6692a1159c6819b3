/* Special messages (SMSG): words for the program in a machine, not for its console. They wait here, cleaned, until it
 * takes them by DIAGNOSE. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/diagnose.h"

enum { SPECIAL_QUEUE = 2048 /* bytes: eight of the longest, many short ones */ };

struct special { /* all bytes 0: none waits */
    uint16_t used;
    uint8_t bytes[SPECIAL_QUEUE]; /* of each its length, in a byte, and so much of a struct diagnose_special */
};

/* What is longer than DIAGNOSE_SPECIAL_TEXT is cut. False: no room. */
bool special_put(struct special *, const char *from, const char *text);
/* The oldest, and its bytes; 0: none waits. */
unsigned special_first(const struct special *, struct diagnose_special *);
void special_drop(struct special *); /* that one. @pre there is one */
