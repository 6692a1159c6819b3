/* Who calls the files, and what brings what is waited for: in place of the process room. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

void fake_caller_reset(void);
extern int fake_caller_process, fake_caller_group, fake_caller_session, fake_caller_session_of_group;
extern bool fake_caller_leads, fake_caller_ignores, fake_caller_orphaned, fake_caller_halted;
extern int fake_caller_signals[65];                               /* to the caller itself */
extern int fake_caller_group_signal, fake_caller_signalled_group; /* the last */
extern uint64_t fake_wait_now;
/* Called by a wait; what it does may make the waiter go on. NULL: -EINTR comes at once. Its result is the wait's. */
extern int (*fake_wait)(void), (*fake_work)(void);
extern unsigned fake_waits, fake_wakes;
