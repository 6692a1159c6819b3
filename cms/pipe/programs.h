/* What a REXX stage needs of whoever runs REXX programs; nobody is there until one offers itself. The variables that
 * STEM and VAR are for: cms/kernel/variables.h. */
#pragma once

struct stage_kind;

struct pipe_programs {
    void *context;
    /* A program of that name (upper case) that can be a stage, NULL: none. Its kind, of which stage->text has the
     * operands, must live as long as the command. */
    const struct stage_kind *(*find)(void *context, const char *name);
};

/* NULL: nobody. Returns what was offered before. */
const struct pipe_programs *cms_pipe_offer(const struct pipe_programs *);
