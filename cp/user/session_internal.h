/* Between the files session*.c and logon.c. */
#pragma once
#include "cp/user/session.h"

void session_reset(struct session *); /* all as new, but row, terminal and output queue */
