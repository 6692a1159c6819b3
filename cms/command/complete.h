/* What Tab offers in a command's line: a row a command, in its room's table. */
#pragma once
#include <stddef.h>

#include "cms/command/command.h"
#include "cms/console/complete.h"

/* What may stand where the user is: `typed` is the line up to the word that is being typed. */
typedef void command_completer(const struct arguments *typed, struct candidates *candidates);

struct command_completion {
    const char *command;
    command_completer *operand, *option; /* option: behind a parenthesis. NULL: nothing is offered */
};

/* The tables of the rooms that bring commands, ended by a row without a name. */
extern const struct command_completion file_completions[]; /* cms/file */
extern const struct command_completion pipe_completions[]; /* cms/pipe */
extern const struct command_completion spool_completions[]; /* cms/spool */
extern const struct command_completion directory_completions[]; /* cms/directory */
extern const struct command_completion exec_completions[]; /* cms/exec */
extern const struct command_completion eel_completions[]; /* cms/eel */
extern const struct command_completion xedit_completions[]; /* cms/xedit */

static inline void candidates_offer_all(struct candidates *c, const char *const words[]) /* ended by NULL */
{
    for (; *words; words++)
        candidate_offer(c, *words);
}

/* The row of a command by its whole name; NULL: nothing is offered behind it. */
const struct command_completion *cms_completion_find(const char *command);
/* For the line editor (line_completer), and for commands within a command's line. */
void cms_command_complete(const char *line, size_t length, struct candidates *candidates);
