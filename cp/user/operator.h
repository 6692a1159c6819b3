/* What the operator is told of others' coming and going. */
#pragma once
struct session;

/* " 14:05:31 L0001 LOGON      AS ALICE    USERS = 2" on OPERATOR's console, unless it is the operator's own doing. */
void operator_tell(const struct session *about, const char *deed, const char *by);
void operator_tell_logoff(const struct session *about, const char *by);
