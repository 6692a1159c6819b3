/* The host's side of the spool: what the machine CP runs on puts into users' readers, and takes out of their readers,
 * punches and printers, while CP runs. It has a line of its own (frame.h), where no terminal is and no command of CP's
 * is obeyed. Whoever the launcher lets at that line owns the machine, so may do so with every user's files. */
#pragma once
#include "cp/terminal/line.h"

/* Takes the line over: its callbacks. Requests wait until the spool has been read. */
void host_start(struct line *);
