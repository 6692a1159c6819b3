/* Hashes passwords, for LOGON and LINK (states that await a hash). In each pass of the event loop one piece of work is
 * done for one of those who wait, by turns; together they get no more of the processor than one more running machine
 * would. */
#pragma once
#include <stddef.h>

struct session;

enum {
    VERIFY_BLOCKS = 12,  /* of SHA-512 in one piece: about 50,000 instructions */
    VERIFY_OTHERS = 4,   /* running machines are waited for, but not for more than so many */
};

/* Begins hashing `text` for the session. @pre its state awaits a hash; the setting is a valid one */
void verify_begin(struct session *, const char *setting, const char *text, size_t length);
/* One piece, when it is time; when a hash is done, what follows in the state. */
void verify_poll(void);
