/* Wires, and the stages of a pipeline at their ends. */
#include "cms/pipe/wire.h"

enum pipe_input cms_wire_peek(const struct wire *w, const uint8_t **data, size_t *length)
{
    const struct slot *s = w->slot;
    *data = NULL, *length = 0;
    if (w->stage)
        return cms_pipe_peek(w->stage, w->stream, data, length);
    if (!s || !s->full)
        return !s || s->ended ? INPUT_END : INPUT_NOTHING;
    *data = s->record.data, *length = s->record.length;
    return INPUT_RECORD;
}

void cms_wire_consume(const struct wire *w)
{
    ++*w->moves;
    if (w->stage)
        cms_pipe_consume(w->stage, w->stream);
    else
        w->slot->full = false;
}

bool cms_wire_wanted(const struct wire *w)
{
    return w->stage ? cms_pipe_wanted(w->stage, w->stream) : w->slot && !w->slot->severed;
}

bool cms_wire_free(const struct wire *w)
{
    return w->stage ? cms_pipe_free(w->stage, w->stream) : !w->slot || !w->slot->full;
}

int cms_wire_put(const struct wire *w, const void *data, size_t length)
{
    struct slot *s = w->slot;
    int rc = 0;
    ++*w->moves;
    if (w->stage)
        return cms_pipe_put(w->stage, w->stream, data, length);
    s->record.length = 0;
    s->full = cms_buffer_add(&s->record, data, length, &rc);
    return rc;
}

static void forget(struct wire *w)
{
    ++*w->moves;
    w->stage = NULL, w->slot = NULL;
}

void cms_wire_end(struct wire *w)
{
    if (w->stage)
        cms_pipe_close_output(w->stage, w->stream);
    else if (w->slot)
        w->slot->ended = true;
    forget(w);
}

void cms_wire_sever(struct wire *w)
{
    if (w->stage)
        cms_pipe_sever_input(w->stage, w->stream);
    else if (w->slot)
        w->slot->severed = true, w->slot->full = false;
    forget(w);
}

/* ---- connectors -------------------------------------------------------------------------------------------------- */

/* A record is taken off the wire when it is through the stages that do not hold it back. */
static int from_step(struct stage *stage)
{
    struct connector *c = stage->state;
    const uint8_t *data;
    size_t length;
    if (c->carries)
        cms_wire_consume(c->wire);
    c->carries = false;
    enum pipe_input input = cms_pipe_wanted(stage, 0) ? cms_wire_peek(c->wire, &data, &length) : INPUT_END;
    if (input == INPUT_NOTHING)
        return PIPE_WAIT;
    if (input == INPUT_RECORD) {
        c->carries = true;
        return cms_pipe_put(stage, 0, data, length);
    }
    if (!c->wire->lent)
        cms_wire_sever(c->wire);
    return PIPE_ENOUGH;
}

static int to_step(struct stage *stage)
{
    struct connector *c = stage->state;
    const uint8_t *data;
    size_t length;
    if (!cms_wire_free(c->wire))
        return PIPE_WAIT;
    if (c->carries) {
        c->carries = false;
        cms_pipe_consume(stage, 0);
        return 0;
    }
    enum pipe_input input = cms_wire_wanted(c->wire) ? cms_pipe_peek(stage, 0, &data, &length) : INPUT_END;
    if (input == INPUT_RECORD) {
        int rc = cms_wire_put(c->wire, data, length);
        c->carries = !rc;
        return rc ? rc : PIPE_WAIT;
    }
    if (input == INPUT_NOTHING)
        return PIPE_WAIT;
    if (!c->wire->lent)
        cms_wire_end(c->wire);
    return PIPE_ENOUGH;
}

const struct stage_kind cms_connector_from = {.name = "*", .keeps_on = true, .size = sizeof(struct connector),
                                              .step = from_step};
const struct stage_kind cms_connector_to = {.name = "*", .keeps_on = true, .size = sizeof(struct connector),
                                            .step = to_step};
