/* EXECs and what they work with: EXEC itself, EXECIO, GLOBALV. Pure: who interprets them is the program room's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "cms/command/command.h"
#include "cms/file/file.h"

int cms_exec(const struct arguments *);
int cms_execio(const struct arguments *);
int cms_globalv(const struct arguments *);
/* Forgets all variables; those on a disk are read again when the next one is asked for. */
void cms_globalv_forget(void);

/* The EXEC of that name (upper case) in search order. */
bool cms_exec_find(const char *name, struct file_found *);

/* Runs an EXEC, in whichever language it is, with what stands behind its name. Its return code, or a message's. */
int cms_exec_run(const struct file_found *, const char *argument);

/* The seam: has one in REXX interpreted. The same. */
int cms_exec_interpret(const struct file_found *, const char *argument);
