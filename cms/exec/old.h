/* EXECs in CMS' first language, that of LISTFILE's CMS EXEC, as far as such files need it: lines are commands, with &0
 * to &30 (what stands behind the EXEC's name, a word each), &INDEX and &RETCODE in them; &TYPE, &EXIT, &CONTROL,
 * &ERROR and &CONTINUE; lines that begin with * are comments. All else is refused, with its line. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/file/file.h"

enum { EXEC_OLD_ARGUMENTS = 30 };

struct exec_old_word {
    const char *text; /* not NUL-terminated */
    size_t length;
};

struct exec_old_values {
    struct exec_old_word argument[EXEC_OLD_ARGUMENTS + 1]; /* 0: the EXEC's name; those behind `count` are nothing */
    int count, return_code;
};

/* Cuts up what stands behind the EXEC's name; a word % is nothing. False: there are too many. */
bool exec_old_arguments(struct exec_old_values *, const char *name, const char *typed);
/* The words of a line of `length` bytes, with their values and a blank between them, NUL-terminated. False: `size` does
 * not take them. A word that is an & and something else than a number, INDEX or RETCODE stays as it is. */
bool exec_old_substitute(const struct exec_old_values *, const char *line, size_t length, char *out, size_t size);

/* Is the file such an EXEC? No program in REXX begins with & or *. */
enum edf_status cms_exec_is_old(const struct file_found *, bool *old);
/* Obeys it. Its return code, or that of a message. */
int cms_exec_old(const struct file_found *, const char *argument);
