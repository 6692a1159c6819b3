/* The pipelines of one command: made by plan.c, run by dispatch.c. */
#pragma once
#include "cms/pipe/pipe.h"

enum { PIPE_STAGES_MAX = 4096, PIPE_STREAMS_MAX = 255 };

/* From an output to an input, with room for one record. */
struct connection {
    struct connection *next; /* of the pipeline */
    struct stage *from, *to;
    const uint8_t *data;
    size_t length;
    struct buffer copy; /* of the record, if it is not in a record that `from` is given */
    bool full;          /* the record was put */
    bool offered;       /* and may be looked at */
    bool consumed;      /* and will be taken once `to` has put what it made of it */
    bool ended;         /* `from` puts no more */
    bool severed;       /* `to` takes no more */
};

struct block; /* text of stages */
struct wire;

/* What the connectors *: of a pipeline stand for, of which that of PIPE itself has none: the `input`, or else output,
 * of that number, for the first or the last stage of a row. NULL: there is no such one. */
struct outer {
    void *context;
    struct wire *(*find)(void *context, bool first, bool input, int stream);
};

struct pipeline {
    struct stage **stage;
    int count, room;
    struct connection *connections;
    struct block *blocks;
    struct stage *first, **last; /* that can go on */
    const struct stage *failed;
    unsigned turns;
    bool trace, list_rc;
    const struct outer *outer; /* while it is planned; NULL: none */
    char name[20];
};

/* Reads a specification and prepares its stages. 0, or the return code of a message, given with the stage. */
int cms_pipeline_plan(struct pipeline *pipeline, struct scan text);
/* Until all have ended. */
int cms_pipeline_run(struct pipeline *pipeline);
/* The same in parts: as far as it goes by now, over and over, until it is over. */
int cms_pipeline_begin(struct pipeline *pipeline);
int cms_pipeline_go_on(struct pipeline *pipeline);
bool cms_pipeline_is_over(const struct pipeline *pipeline);
int cms_pipeline_finish(struct pipeline *pipeline);
void cms_pipeline_close(struct pipeline *pipeline);

/* Which stage the message before is about. */
void cms_pipeline_where(const struct stage *stage);
