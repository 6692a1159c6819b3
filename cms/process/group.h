/* Process groups and sessions: setpgid(2), setsid(2). 0 or the negative errno. */
#pragma once
#include "cms/process/process.h"

int group_set(int process, int group); /* 0: the caller's; its own */
int group_new_session(void);           /* its number */
