/* What a command does that takes long: a little at a time, so that nobody else waits for it, while the terminal and the
 * machine that asked rest. LOGOFF, FORCE and whatever else is noted for the session end it. */
#pragma once
#include "cp/session/session.h"

/* The command goes on with `step`, with what it keeps in s->task, when it is its turn again. */
void task_begin(struct session *, task_step *, bool machine_asks);
/* The first step now, the others as above. What the command returns, unless it is not done. */
unsigned task_run(struct session *, struct response *, task_step *step);
/* Goes on, if there is one, until it or the slice is at its end. True: there is more to do at once. */
bool task_poll(struct session *);
