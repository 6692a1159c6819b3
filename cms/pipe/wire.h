/* Where records of a program that is a stage come from or go to: a stream of its stage, or the end of a pipeline that
 * it has added. One record is on a wire at a time, and stays there until whoever is at the other end is done with
 * it. */
#pragma once
#include "cms/pipe/pipe.h"

struct slot {
    struct buffer record;
    bool full, ended, severed; /* who writes puts no more; who reads takes no more */
};

struct wire {
    struct stage *stage; /* its stream; NULL: */
    int stream;
    struct slot *slot; /* NULL, too: nothing is there */
    bool lent;         /* a pipeline has it from a program, which goes on with it */
    unsigned *moves;   /* counts what happens on it */
};

enum pipe_input cms_wire_peek(const struct wire *, const uint8_t **data, size_t *length);
void cms_wire_consume(const struct wire *);
bool cms_wire_wanted(const struct wire *); /* somebody would take a record */
bool cms_wire_free(const struct wire *);   /* what was put has been taken */
int cms_wire_put(const struct wire *, const void *data, size_t length);
void cms_wire_end(struct wire *);   /* who writes leaves */
void cms_wire_sever(struct wire *); /* who reads leaves */

/* The connectors of a pipeline, *: and its like: stages that read one and write one. cms_pipe_connector has *wire. */
extern const struct stage_kind cms_connector_from, cms_connector_to;
struct connector {
    struct wire *wire;
    bool carries; /* the record at hand is at the other end, and not yet taken there */
};
