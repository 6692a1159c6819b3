/* Stages that hold records back: BUFFER, ELASTIC, COPY. */
#include "cms/kernel/heap.h"
#include "cms/pipe/stages.h"

void cms_pipe_free_held(struct held *held)
{
    cms_heap_free(held);
}

struct buffered {
    struct hold hold;
};

static void buffered_close(struct stage *stage)
{
    cms_hold_free(&((struct buffered *)stage->state)->hold);
}

/* ---- BUFFER ------------------------------------------------------------------------------------------------------ */

static int buffer_record(struct stage *stage, const uint8_t *data, size_t length)
{
    return cms_hold_add(&((struct buffered *)stage->state)->hold, data, length);
}

static int buffer_end(struct stage *stage)
{
    return cms_pipe_put_held(stage, &((struct buffered *)stage->state)->hold);
}

const struct stage_kind cms_stage_buffer = {
    .name = "BUFFER", .abbreviation = 6, .place = PLACE_LATER, .size = sizeof(struct buffered),
    .format = "BUFFER",
    .help = HELP_TEXT("Holds all records until the input has ended.\n"),
    .record = buffer_record, .end = buffer_end, .close = buffered_close};

/* ---- ELASTIC, COPY ----------------------------------------------------------------------------------------------- */

/* Takes what comes, as long as it holds less than `most`, and puts what it holds when it may. */
static int elastic(struct stage *stage, size_t most)
{
    struct hold *hold = &((struct buffered *)stage->state)->hold;
    const uint8_t *data;
    size_t length;
    enum pipe_input input = cms_pipe_peek(stage, 0, &data, &length);
    bool takes = input == INPUT_RECORD && hold->count < most;
    int rc = 0, put = 0;
    if (takes) {
        rc = cms_hold_add(hold, data, length);
        cms_pipe_consume(stage, 0);
    }
    if (!rc && hold->first && cms_pipe_free(stage, 0))
        rc = put = cms_pipe_put_held(stage, hold);
    if (rc && rc != PIPE_AGAIN)
        return rc;
    if (input == INPUT_END && !hold->first && !put)
        return PIPE_ENOUGH;
    return put || takes ? 0 : PIPE_WAIT;
}

static int elastic_step(struct stage *stage)
{
    return elastic(stage, SIZE_MAX);
}

static int copy_step(struct stage *stage)
{
    return elastic(stage, 1);
}

const struct stage_kind cms_stage_elastic = {
    .name = "ELASTIC", .abbreviation = 7, .place = PLACE_LATER, .reads_ahead = true, .size = sizeof(struct buffered),
    .format = "ELASTIC",
    .help = HELP_TEXT("Holds as many records as it takes for those before it not to wait.\n"),
    .step = elastic_step, .close = buffered_close};
const struct stage_kind cms_stage_copy = {
    .name = "COPY", .abbreviation = 4, .place = PLACE_LATER, .reads_ahead = true, .size = sizeof(struct buffered),
    .format = "COPY",
    .help = HELP_TEXT("Holds one record, so that the stage before it need not wait.\n"),
    .step = copy_step, .close = buffered_close};
