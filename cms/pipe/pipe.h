/* What a stage of a pipeline is, and what it may ask of the dispatcher.
 *
 * A stage never waits: the dispatcher calls it when it can go on. Each call may put one record to each of the stage's
 * output streams. The stage is called again only when all of them were taken, the primary first, and only then is the
 * record it works on gone for the stage before: so a record is through the stages that do not hold it back before the
 * next one enters, on whatever way, and nothing is stored that a stage does not need to hold. docs/cms.md, "Pipelines".
 *
 * A stage is a row, struct stage_kind, and so many bytes of state. Its life: prepare, for all stages; start, for all;
 * then either step until that says PIPE_ENOUGH, or begin, record for each record of the primary input, end; when all
 * stages have ended well finish, for all; close, whatever happened.
 *
 * Results are 0; PIPE_AGAIN, PIPE_WAIT or PIPE_ENOUGH where they are said to be meant; anything else is the return code
 * of a message given, or COMMAND_HALTED, and ends all pipelines of the command: files being written are left as they
 * were. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/pipe/record.h"
#include "cms/pipe/scan.h"

enum {
    PIPE_ENOUGH = -100001, /* the stage has ended: nobody wants its records, or it wants no more */
    PIPE_AGAIN = -100002,  /* from begin, record and end: call that once more, with the same record */
    PIPE_WAIT = -100003,   /* from step: until there is more on an input */
};

enum pipe_place { PLACE_ANY, PLACE_FIRST, PLACE_LATER }; /* of the primary stream */

struct connection;
struct pipeline;

struct stage {
    const struct stage_kind *kind;
    void *state; /* kind->size bytes, cleared */
    struct stream {
        struct connection *in, *out; /* NULL: not connected */
        char name[5];
    } *stream;
    int streams; /* there are; at least the primary, 0 */
    int number, line; /* of the stage in its pipeline and of that in the command, from 1 */
    struct scan text; /* as typed, the name first */
    char name[9];     /* in upper case */
    char label[9];    /* as typed; empty: none */

    /* the dispatcher's */
    struct pipeline *pipeline;
    struct stage *owner;  /* which wakes it (cms_pipe_wake); NULL: it is awake from the start */
    struct stage *behind; /* in the queue of those that can go on */
    enum { STAGE_BEGINS, STAGE_RECORDS, STAGE_ENDS, STAGE_ENDED } phase;
    bool asleep, queued, ending, inverted;
    bool puts, consumes; /* records that were not all taken; that go once those are */
    bool left;           /* an output has ended, by the stage or by whom it went to */
};

struct stage_kind {
    const char *name;
    uint8_t abbreviation;
    enum pipe_place place;
    bool keeps_on;    /* goes on for its own sake when nobody wants its records any more */
    bool reads_ahead; /* step is called also while records wait to be taken: cms_pipe_free says whether it may put */
    bool takes_stage; /* its operand is a row of stages that writes to its stream 1: cms_pipe_wake */
    uint8_t streams;  /* it may have; 0: only the primary */
    size_t size;
    const char *format; /* in one or more lines, of which the last has no newline; Tab knows the keywords from it */
    const char *help;   /* HELP_TEXT: what it does, in lines, each ended by a newline */
    int (*prepare)(struct stage *stage, struct scan *operands); /* NULL: no operands allowed */
    int (*start)(struct stage *stage);                          /* what follows: NULL, nothing to do */
    int (*begin)(struct stage *stage);
    int (*record)(struct stage *stage, const uint8_t *data, size_t length);
    int (*end)(struct stage *stage);
    int (*step)(struct stage *stage);
    int (*finish)(struct stage *stage);
    void (*close)(struct stage *stage);
};

extern const struct stage_kind *const cms_pipe_stages[]; /* ended by NULL */
int cms_pipe(const struct arguments *arguments);

/* Puts a record to an output stream: copied, if it is no part of a record the stage is given. One to each stream in a
 * call. PIPE_ENOUGH: nobody wants what the stage puts on any stream, and it does not keep on; else a record for which
 * there is nobody is gone. */
int cms_pipe_put(struct stage *stage, int stream, const void *data, size_t length);
bool cms_pipe_wanted(const struct stage *stage, int stream); /* somebody would take it */
bool cms_pipe_free(const struct stage *stage, int stream);   /* nothing waits there */

/* Nothing more comes on it. What has been put there is still taken. */
void cms_pipe_close_output(struct stage *stage, int stream);

/* Takes no more from it. */
void cms_pipe_sever_input(struct stage *stage, int stream);

/* For step. */
enum pipe_input {
    INPUT_RECORD,
    INPUT_NOTHING, /* yet */
    INPUT_END,     /* of that stream, or it is not connected */
};
enum pipe_input cms_pipe_peek(const struct stage *stage, int stream, const uint8_t **data, size_t *length);
/* The record peeked at is done with, once what this call puts was taken. */
void cms_pipe_consume(struct stage *stage, int stream);
/* The stages of a takes_stage begin. */
void cms_pipe_wake(struct stage *stage);

/* What begin, record, end make of a step. */
int cms_pipe_step(struct stage *stage);
/* Puts the first of the records held to the primary output and frees it. PIPE_AGAIN; 0: none was left. */
int cms_pipe_put_held(struct stage *stage, struct hold *hold);
