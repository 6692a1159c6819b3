/* What the stages STEM, VAR and REXX need of whoever runs programs that have variables. Nobody is there until one of
 * them offers itself: for as long as its program runs, and gives back what was offered before. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct stage_kind;

enum pipe_variable_status {
    VARIABLE_OK,
    VARIABLE_UNSET,    /* it has no value: fetched as its name, as REXX has it */
    VARIABLE_BAD_NAME,
    VARIABLE_NO_MEMORY,
};

struct pipe_variables {
    void *context;
    /* The value of a variable, a symbol in upper case (STEM.1), to a buffer of `size`; *length is its full length. */
    enum pipe_variable_status (*fetch)(void *context, const char *name, char *value, size_t size, size_t *length);
    enum pipe_variable_status (*store)(void *context, const char *name, const void *value, size_t length);
    /* A program of that name (upper case) that can be a stage, NULL: none. Its kind, of which stage->text has the
     * operands, must live as long as the command. */
    const struct stage_kind *(*program)(void *context, const char *name);
};

/* NULL: nobody. Returns what was offered before. */
const struct pipe_variables *cms_pipe_offer(const struct pipe_variables *variables);
const struct pipe_variables *cms_pipe_variables(void);
