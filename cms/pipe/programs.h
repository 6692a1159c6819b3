/* What a REXX stage needs of whoever runs REXX programs, the program room. The variables that
 * STEM and VAR are for: cms/kernel/variables.h. */
#pragma once
#include "cms/kernel/variables.h"
#include "cms/pipe/scan.h"

struct pipe_programs {
    bool (*find)(const char *name); /* a program of that name, in upper case, can be a stage */
    /* Begins it; 0, or the return code of a message. */
    int (*begin)(const char *name, const char *argument, size_t length, void **program);
    /* Lets it run until it gives a command, which *asked is till the answer. False: it has ended. */
    bool (*go_on)(void *program, struct scan *asked);
    void (*answer)(void *program, int return_code);
    enum cms_variable_status (*set)(void *program, const char *name, const void *value, size_t length);
    /* Forgets it, and ends it if it has not ended. Its return code, or COMMAND_HALTED. */
    int (*end)(void *program);
};

extern const struct pipe_programs cms_pipe_programs;
