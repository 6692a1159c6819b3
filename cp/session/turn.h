/* When the users' turn of the event loop has work (user_poll, user.h). */
#pragma once
#include <stdbool.h>

/* Something came in or was left undone. Otherwise user_poll returns at once, since it is asked on every pass of the
 * event loop, between any two machines. */
extern bool turn_wanted;

void turn_soon(void); /* and there is more to do at once: the event loop comes round without waiting */
