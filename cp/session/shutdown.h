/* The end of CP: everybody off, disks flushed, all words with their lines. */
#pragma once
#include <stdbool.h>

void shutdown_begin(void); /* from then on session_closed is set, and each of the users' turns goes on with it: */
void shutdown_go_on(void);
extern bool shutdown_done; /* the event loop drains the lines and switches off */
