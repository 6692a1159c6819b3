/* Pipelines: stages in a row, records pushed from one to the next.
 *
 * A stage is a row of the table in table.c. The last stage is started first, so that whoever produces records at the
 * start finds everyone behind it ready; then the stages are ended from the first to the last, so that what one holds
 * back (sort, count) still passes through the others. Nothing is stored that a stage does not need to hold back.
 *
 * Results: 0; PIPE_ENOUGH, nobody behind wants more records; anything else is the return code of a message given, or
 * COMMAND_HALTED, and ends the pipeline: files being written are then left as they were. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/pipe/scan.h"

enum { PIPE_ENOUGH = -4096, PIPE_STAGES_MAX = 32, PIPE_RECORD_MAX = 1 << 20 };
enum pipe_place { PLACE_ANY, PLACE_FIRST, PLACE_LATER };

struct stage {
    const struct stage_kind *kind;
    struct stage *next; /* NULL: the last */
    int number;         /* from 1 */
    bool done;          /* wants no more records */
    const struct stage **failed; /* of its pipeline: the first whose record failed; NULL: none */
    void *state;        /* kind->size bytes, cleared */
};

struct stage_kind {
    const char *name;
    uint8_t abbreviation;
    enum pipe_place place;
    bool keeps_on; /* goes on for its own sake when nobody behind wants more */
    size_t size;
    int (*prepare)(struct stage *stage, struct scan *operands); /* NULL: no operands allowed */
    int (*start)(struct stage *stage);                          /* NULL: nothing to do */
    int (*record)(struct stage *stage, const uint8_t *data, size_t length);
    int (*end)(struct stage *stage);    /* NULL: nothing to do */
    void (*close)(struct stage *stage); /* always called; NULL: nothing to do */
};

extern const struct stage_kind *const cms_pipe_stages[]; /* ended by NULL */

/* Hand a record to the next stage. */
int cms_pipe_put(struct stage *stage, const void *data, size_t length);

/* A growing buffer on the command's heap. */
struct buffer {
    uint8_t *data;
    size_t length, room;
};
/* False, and message 109S given in *rc, when storage is short or the buffer would exceed PIPE_RECORD_MAX. */
bool cms_buffer_add(struct buffer *buffer, const void *data, size_t length, int *rc);
void cms_buffer_free(struct buffer *buffer);

/* Records held back, in the order they came. */
struct held {
    struct held *next;
    size_t length;
    uint8_t data[];
};
struct hold {
    struct held *first, **last;
    size_t count;
};
int cms_hold_add(struct hold *hold, const uint8_t *data, size_t length);
/* Takes the first one off; the caller frees it. NULL: none left. */
struct held *cms_hold_take(struct hold *hold);
void cms_hold_free(struct hold *hold);

int cms_pipe(const struct arguments *arguments);
