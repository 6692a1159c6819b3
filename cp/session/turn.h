/* When the users' turn of the event loop has work (user_poll, user.h). */
#pragma once
#include <stdbool.h>

/* Something came in or was left undone. Otherwise user_poll returns at once, since it is asked on every pass of the
 * event loop, between any two machines. */
extern bool turn_wanted;

void turn_soon(void); /* and there is more to do at once: the event loop comes round without waiting */
/* And there is something that may gather: it comes when the machine at hand gives up its turn, or in a millisecond. */
void turn_later(void);

bool turn_begins(void); /* False: there is nothing to do. It is no longer wanted either way. */
