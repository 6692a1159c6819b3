/* The dispatcher: who can go on, goes on. In: stages and their connections. Out: records, from one to the next.
 *
 * A queue has the stages that can go on. A stage's turn: the lowest stream on which a record waits to be taken is
 * offered, and the turn is over; else what it has consumed goes, and it is called. Whoever is offered a record or loses
 * a stream is put into the queue. An empty queue before all have ended is a stall. No stage calls another, so the depth
 * of C calls does not depend on the pipeline. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/pipeline.h"

enum { TURNS_BETWEEN_LOOKS = 64, STALL_RETURN_CODE = -4095 };

static void queue(struct stage *s)
{
    struct pipeline *p = s->pipeline;
    if (s->queued || s->asleep || s->phase == STAGE_ENDED)
        return;
    s->queued = true;
    s->behind = NULL;
    *p->last = s;
    p->last = &s->behind;
}

static struct stage *next_in_queue(struct pipeline *p)
{
    struct stage *s = p->first;
    if (!s)
        return NULL;
    p->first = s->behind;
    if (!p->first)
        p->last = &p->first;
    s->queued = false;
    return s;
}

/* ---- what stages ask --------------------------------------------------------------------------------------------- */

static struct connection *output(const struct stage *s, int stream)
{
    if (s->inverted && stream < 2)
        stream = 1 - stream;
    return stream < s->streams ? s->stream[stream].out : NULL;
}

bool cms_pipe_wanted(const struct stage *s, int stream)
{
    const struct connection *c = output(s, stream);
    return c && !c->severed && !c->ended;
}

bool cms_pipe_free(const struct stage *s, int stream)
{
    const struct connection *c = output(s, stream);
    return !c || !c->full;
}

static bool any_wanted(const struct stage *s)
{
    for (int i = 0; i < s->streams; i++)
        if (s->stream[i].out && !s->stream[i].out->severed && !s->stream[i].out->ended)
            return true;
    return false;
}

/* It stays where it is until the stage's outputs are taken. */
static bool is_given(const struct stage *s, const uint8_t *data, size_t length)
{
    for (int i = 0; i < s->streams; i++) {
        const struct connection *c = s->stream[i].in;
        if (c && c->offered && data >= c->data && data + length <= c->data + c->length)
            return true;
    }
    return false;
}

static void trace(const struct stage *s, const uint8_t *data, size_t length)
{
    char shown[60];
    cms_message("PIP", MESSAGE_PIPE_OUTPUT, length);
    cms_message("PIP", MESSAGE_PIPE_DATA, cms_scan_shown(data, length, shown, sizeof shown));
    cms_pipeline_where(s);
}

int cms_pipe_put(struct stage *s, int stream, const void *data, size_t length)
{
    struct connection *c = output(s, stream);
    int rc = 0;
    if (s->pipeline->trace)
        trace(s, data, length);
    if (!c || c->severed || c->ended)
        return s->kind->keeps_on || any_wanted(s) ? 0 : PIPE_ENOUGH;
    c->data = data;
    c->length = length;
    if (!length || !is_given(s, data, length)) {
        c->copy.length = 0;
        if (!cms_buffer_add(&c->copy, data, length, &rc))
            return rc;
        c->data = c->copy.data;
    }
    c->full = s->puts = true;
    return 0;
}

enum pipe_input cms_pipe_peek(const struct stage *s, int stream, const uint8_t **data, size_t *length)
{
    const struct connection *c = stream < s->streams ? s->stream[stream].in : NULL;
    *data = NULL;
    *length = 0;
    if (c && c->offered && !c->consumed) {
        *data = c->data;
        *length = c->length;
        return INPUT_RECORD;
    }
    return !c || (c->ended && !c->full) ? INPUT_END : INPUT_NOTHING;
}

void cms_pipe_close_output(struct stage *s, int stream)
{
    struct connection *c = output(s, stream);
    if (!c || c->ended)
        return;
    c->ended = s->left = true;
    queue(c->to);
}

void cms_pipe_consume(struct stage *s, int stream)
{
    s->stream[stream].in->consumed = s->consumes = true;
}

void cms_pipe_wake(struct stage *owner)
{
    struct pipeline *p = owner->pipeline;
    for (int i = 0; i < p->count; i++) {
        struct stage *s = p->stage[i];
        if (s->owner != owner || !s->asleep)
            continue;
        s->asleep = false;
        queue(s);
    }
}

int cms_pipe_step(struct stage *s)
{
    const struct stage_kind *kind = s->kind;
    const uint8_t *data;
    size_t length;
    int rc = 0;
    if (s->phase == STAGE_BEGINS) {
        rc = kind->begin ? kind->begin(s) : 0;
        s->phase = rc ? s->phase : STAGE_RECORDS;
        if (kind->begin)
            return rc == PIPE_AGAIN ? 0 : rc;
    }
    if (s->phase == STAGE_ENDS) {
        rc = kind->end ? kind->end(s) : 0;
        return rc == PIPE_AGAIN ? 0 : rc ? rc : PIPE_ENOUGH;
    }
    switch (cms_pipe_peek(s, 0, &data, &length)) {
    case INPUT_NOTHING: return PIPE_WAIT;
    case INPUT_END: s->phase = STAGE_ENDS; return 0;
    default: break;
    }
    rc = kind->record ? kind->record(s, data, length) : 0;
    if (!rc)
        cms_pipe_consume(s, 0);
    return rc == PIPE_AGAIN ? 0 : rc;
}

int cms_pipe_put_held(struct stage *stage, struct hold *hold)
{
    struct held *held = cms_hold_take(hold);
    if (!held)
        return 0;
    int rc = cms_pipe_put(stage, 0, held->data, held->length);
    cms_heap_free(held);
    return rc ? rc : PIPE_AGAIN;
}

/* ---- turns ------------------------------------------------------------------------------------------------------- */

static void empty(struct connection *c)
{
    c->full = c->offered = c->consumed = false;
}

/* False: all that the stage put was taken. */
static bool offer(struct stage *s)
{
    for (int i = 0; s->puts && i < s->streams; i++) {
        struct connection *c = s->stream[i].out;
        if (!c || !c->full)
            continue;
        if (!c->offered) {
            c->offered = true;
            queue(c->to);
        }
        return true;
    }
    return s->puts = false;
}

/* False: there was nothing. */
static bool release(struct stage *s)
{
    bool consumed = s->consumes;
    for (int i = 0; consumed && i < s->streams; i++) {
        struct connection *c = s->stream[i].in;
        if (!c || !c->consumed)
            continue;
        empty(c);
        queue(c->from);
    }
    s->consumes = false;
    return consumed;
}

void cms_pipe_sever_input(struct stage *s, int stream)
{
    struct connection *in = stream < s->streams ? s->stream[stream].in : NULL;
    if (!in)
        return;
    in->severed = in->from->left = true;
    empty(in);
    queue(in->from);
}

static void end_stage(struct stage *s)
{
    s->phase = STAGE_ENDED;
    for (int i = 0; i < s->streams; i++) {
        struct connection *out = s->stream[i].out;
        cms_pipe_sever_input(s, i);
        if (out) {
            out->ended = true;
            queue(out->to);
        }
    }
}

static bool is_deserted(const struct stage *s)
{
    return s->left && !s->kind->keeps_on && !any_wanted(s);
}

static int turn(struct stage *s)
{
    if (offer(s) && (!s->kind->reads_ahead || s->ending))
        return 0;
    bool released = release(s);
    if (released && s->streams > 1 && s->kind->step && !s->ending) { /* who was waiting may now put something better */
        queue(s);
        return 0;
    }
    if (s->ending || is_deserted(s)) {
        end_stage(s);
        return 0;
    }
    int rc = s->kind->step ? s->kind->step(s) : cms_pipe_step(s);
    if (rc == PIPE_ENOUGH)
        s->ending = true;
    else if (rc && rc != PIPE_WAIT)
        return rc;
    bool waits = offer(s) && !s->kind->reads_ahead;
    if (!waits && (rc != PIPE_WAIT || s->consumes))
        queue(s);
    return 0;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static const char *state_of(const struct stage *s)
{
    for (int i = 0; i < s->streams; i++)
        if (s->stream[i].out && s->stream[i].out->full)
            return "wait.out";
    return "wait.in";
}

static int stall(const struct pipeline *p)
{
    bool stalled = false;
    for (int i = 0; i < p->count; i++) {
        const struct stage *s = p->stage[i];
        if (s->phase == STAGE_ENDED || s->asleep)
            continue;
        if (!stalled)
            cms_message("PIP", MESSAGE_PIPE_STALLED);
        stalled = true;
        cms_message("PIP", MESSAGE_PIPE_STATE, state_of(s));
        cms_pipeline_where(s);
    }
    return stalled ? STALL_RETURN_CODE : 0;
}

static int each(struct pipeline *p, size_t which)
{
    int rc = 0;
    for (int i = 0; !rc && i < p->count; i++) {
        struct stage *s = p->stage[i];
        int (*call)(struct stage *);
        memcpy(&call, (const char *)s->kind + which, sizeof call);
        rc = call ? call(s) : 0;
        if (rc)
            p->failed = s;
    }
    return rc;
}

static void queue_all(struct pipeline *p)
{
    for (int i = 0; i < p->count; i++)
        queue(p->stage[i]);
}

/* Until nobody can go on. */
static int flow(struct pipeline *p)
{
    int rc = 0;
    for (struct stage *s; !rc && (s = next_in_queue(p));) {
        if (p->turns++ % TURNS_BETWEEN_LOOKS == 0 && cms_halted())
            return COMMAND_HALTED;
        rc = turn(s);
        if (rc)
            p->failed = s;
    }
    return rc;
}

int cms_pipeline_begin(struct pipeline *p)
{
    p->last = &p->first;
    return each(p, offsetof(struct stage_kind, start));
}

int cms_pipeline_go_on(struct pipeline *p)
{
    queue_all(p);
    return flow(p);
}

bool cms_pipeline_is_over(const struct pipeline *p)
{
    for (int i = 0; i < p->count; i++)
        if (p->stage[i]->phase != STAGE_ENDED && !p->stage[i]->asleep)
            return false;
    return true;
}

int cms_pipeline_finish(struct pipeline *p) { return each(p, offsetof(struct stage_kind, finish)); }

int cms_pipeline_run(struct pipeline *p)
{
    int rc = cms_pipeline_begin(p);
    if (!rc)
        rc = cms_pipeline_go_on(p);
    if (!rc)
        rc = stall(p);
    if (!rc)
        rc = cms_pipeline_finish(p);
    if (rc && rc != COMMAND_HALTED && p->failed)
        cms_pipeline_where(p->failed);
    if (rc && rc != COMMAND_HALTED && p->list_rc)
        cms_message("PIP", MESSAGE_PIPE_RETURNED, rc);
    return rc;
}
