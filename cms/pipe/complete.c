/* Tab in a pipeline: stages, the fileids of those that have one, and the command of CMS. */
#include <string.h>

#include "cms/command/complete.h"
#include "cms/file/file.h"
#include "cms/pipe/pipe.h"

static void offer_stages(struct candidates *c)
{
    for (size_t i = 0; cms_pipe_stages[i]; i++)
        candidate_offer(c, cms_pipe_stages[i]->name);
}

/* The text of the stage that is being typed: what stands behind the last separator and PIPE's own options. */
static const char *last_stage(const struct arguments *typed)
{
    const char *bar = strrchr(typed->rest, '|'), *options = strchr(typed->rest, ')');
    return bar ? bar + 1 : typed->has_options && options ? options + 1 : typed->rest;
}

static void stage_or_operand(const struct arguments *typed, struct candidates *c)
{
    struct arguments stage;
    const char *text = last_stage(typed);
    if (!cms_parse(text, &stage))
        return offer_stages(c);
    const char *name = stage.name.text;
    if (!strcmp(name, "<") || !strcmp(name, ">") || !strcmp(name, ">>"))
        cms_file_complete(stage.operand, stage.count, c);
    else if (!strcmp(name, "CMS"))
        cms_command_complete(stage.rest, strlen(stage.rest), c);
}

const struct command_completion pipe_completions[] = {{"PIPE", stage_or_operand, stage_or_operand}, {0}};
