/* The variables of the REXX program that has a command obeyed: EXECIO, GLOBALV and PIPE read and set them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum cms_variable_status {
    VARIABLE_OK,
    VARIABLE_UNSET,      /* it has no value: REXX takes its name for that */
    VARIABLE_BAD_NAME,   /* no symbol */
    VARIABLE_NO_MEMORY,
    VARIABLE_NO_PROGRAM, /* no REXX program asked for this command */
};

struct cms_variables {
    /* *length: of the whole value, of which `size` bytes at most are copied. */
    enum cms_variable_status (*get)(void *context, const char *name, char *value, size_t size, size_t *length);
    enum cms_variable_status (*set)(void *context, const char *name, const char *value, size_t length);
    void *context;
};

bool cms_variables_there(void);
/* Those from now on, NULL: none. Returns the ones before. */
const struct cms_variables *cms_variables_lend(const struct cms_variables *);
/* Names are symbols in capitals (STEM.1). */
enum cms_variable_status cms_variable_get(const char *name, char *value, size_t size, size_t *length);
enum cms_variable_status cms_variable_set(const char *name, const char *value, size_t length);
