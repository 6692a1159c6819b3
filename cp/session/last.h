/* What follows when nothing will be typed at a terminal any more (the end of scripts/vmn's standard input). */
#pragma once
#include <stdbool.h>

struct terminal;

/* Once all that was typed has been obeyed: an unfinished line is finished; who is logged on is logged off when their
 * machine has stopped or waits for input alone, and CP is shut down where this is its only terminal and no machine of a
 * disconnected user does anything. True: not yet, ask again whenever something may have changed. May free the
 * session. */
bool last_follow(struct terminal *);
