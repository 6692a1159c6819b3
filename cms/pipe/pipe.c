/* PIPE: plans the pipelines, runs them, clears them away. */
#include "cms/pipe/pipe.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/pipeline.h"

void cms_pipeline_where(const struct stage *s)
{
    struct scan text = s->text;
    char shown[300];
    const char *name = s->pipeline->name;
    cms_scan_more(&text);
    if (*name)
        cms_message("PIP", MESSAGE_PIPE_STAGE_NAMED, s->number, s->line, name);
    else
        cms_message("PIP", MESSAGE_PIPE_STAGE, s->number, s->line);
    cms_message("PIP", MESSAGE_PIPE_RUNNING,
                cms_scan_shown(text.at, (size_t)(text.end - text.at), shown, sizeof shown));
}

int cms_pipe(const struct arguments *a)
{
    struct scan text = {a->rest, a->rest + strlen(a->rest)};
    struct pipeline *p = cms_heap_allocate(sizeof *p);
    if (!p)
        return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
    *p = (struct pipeline){.last = &p->first};
    int rc = cms_pipeline_plan(p, text);
    if (!rc)
        rc = cms_pipeline_run(p);
    cms_pipeline_close(p);
    cms_heap_free(p);
    return rc;
}
