/* The command level from IPL on.  The kernel calls start once, then step for ever; after an abend recover. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Banner, S-disk 190 and A-disk 191, PROFILE EXEC, the first Ready.  `disks` false: no disk is accessed (IPL PARM
 * NODISK); `profile` false: PROFILE EXEC is not run (NOPROF). */
void cms_session_start(bool disks, bool profile);
/* Reads one command, obeys it, says Ready. */
void cms_session_step(void);
/* The command that ran has abended: frees what it had, accesses the disks afresh, says Ready. */
void cms_session_recover(const char *exception, uint64_t address);
/* CMS was saved and goes on in another machine: ends what was going on, accesses the disks of this one, says Ready. */
void cms_session_elsewhere(void);
