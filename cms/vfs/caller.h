/* What the files need to know and do of who calls them; the process room provides it, unit tests bring a fake. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

int caller_process(void);
int caller_group(void);
int caller_session(void);
bool caller_leads_session(void);
bool caller_ignores_or_blocks(int signal);
void caller_signal(int signal);                  /* to the caller itself: SIGPIPE */
void caller_signal_group(int group, int signal); /* to all of a process group: ^C, SIGWINCH, SIGTTOU */
int caller_session_of_group(int group); /* 0: there is no such group */
bool caller_group_is_orphaned(int group);
void caller_halt(void);       /* HX: every process of the command is killed */
uint64_t caller_random(void); /* of /dev/urandom, and what else must not be guessed */
int64_t caller_time(void);    /* nanoseconds since 1970, UTC as far as is known */
