/* What the operator is told of others' coming and going. */
#pragma once
#include "cp/audit/log.h"

struct session;

/* " 14:05:31 L0001 LOGON      AS ALICE    USERS = 2" on OPERATOR's console, unless it is the operator's own doing. */
void operator_tell(const struct session *about, const char *deed, const char *by);
struct machine_check;
/* A hardware error, and what came of it: to OPERATOR, or to the first terminal if OPERATOR is not there. */
void operator_tell_machine_check(const struct machine_check *, const char *outcome);
void operator_tell_spool(unsigned damaged); /* entries of its table, likewise */
void operator_tell_nss(const char *name, const char *why); /* a saved system on the volume is lost, likewise */
struct disk;
/* From here on what fails at the disk is told likewise: once for reading, writing and flushing each, until that has
 * worked again, and not more than once a minute. */
void operator_watch_disk(struct disk *);
/* " 14:05:31 L0001 DIALED     TO CP2      DIALED = 1" */
void operator_tell_undial(const struct session *about, const char *userid);
void operator_tell_dial(const struct session *about, const char *userid, unsigned port);
void operator_tell_logoff(const struct session *about, const char *by);
void operator_tell_audit(enum audit_trouble);
