/* Stages that part and join streams: FANOUT, FANIN, FANINANY, FANINTWO, GATE; and APPEND, PREFACE, whose second stream
 * comes from stages of their own. */
#include "cms/command/messages.h"
#include "cms/pipe/stages.h"

/* ---- FANOUT ------------------------------------------------------------------------------------------------------ */

struct fanout {
    bool stop_any;
};

static int fanout_prepare(struct stage *stage, struct scan *operands)
{
    struct fanout *f = stage->state;
    if (cms_scan_keyword(operands, "STOP", 4)) {
        f->stop_any = cms_scan_keyword(operands, "ANYEOF", 6);
        if (!f->stop_any && !cms_scan_keyword(operands, "ALLEOF", 6))
            return cms_message("PIP", MESSAGE_PIPE_VALUE, "STOP");
    }
    return cms_scan_end(operands);
}

static int fanout_record(struct stage *stage, const uint8_t *data, size_t length)
{
    const struct fanout *f = stage->state;
    int rc = 0;
    for (int i = 0; f->stop_any && i < stage->streams; i++)
        if (stage->stream[i].out && !cms_pipe_wanted(stage, i))
            return PIPE_ENOUGH;
    for (int i = 0; !rc && i < stage->streams; i++)
        rc = cms_pipe_put(stage, i, data, length);
    return rc;
}

const struct stage_kind cms_stage_fanout = {
    .name = "FANOUT", .abbreviation = 6, .place = PLACE_LATER, .streams = 255, .size = sizeof(struct fanout),
    .format = "FANOUT [STOP ALLEOF|STOP ANYEOF]",
    .help = HELP_TEXT("Each record to all output streams, one after the other; until nobody wants\n"
                      "them any more, or anybody does not.\n"),
    .prepare = fanout_prepare, .record = fanout_record};

/* ---- FANIN ------------------------------------------------------------------------------------------------------- */

struct fanin {
    int count, at; /* count 0: all streams in their order */
    uint8_t order[64];
};

static int read_stream(struct scan *operands, uint8_t *number)
{
    uint32_t n;
    int rc = cms_scan_number(operands, &n);
    if (!rc && n >= 255)
        rc = cms_message("PIP", MESSAGE_PIPE_NO_STREAM, (unsigned)n);
    *number = (uint8_t)n;
    return rc;
}

static int fanin_prepare(struct stage *stage, struct scan *operands)
{
    struct fanin *f = stage->state;
    int rc = 0;
    while (!rc && cms_scan_more(operands) && f->count < (int)sizeof f->order)
        rc = read_stream(operands, &f->order[f->count++]);
    return rc ? rc : cms_scan_end(operands);
}

static int fanin_start(struct stage *stage)
{
    const struct fanin *f = stage->state;
    for (int i = 0; i < f->count; i++)
        if (f->order[i] >= stage->streams)
            return cms_message("PIP", MESSAGE_PIPE_NO_STREAM, (unsigned)f->order[i]);
    return 0;
}

/* Passes on what comes on a stream. */
static int pass_from(struct stage *stage, int stream)
{
    const uint8_t *data;
    size_t length;
    if (cms_pipe_peek(stage, stream, &data, &length) != INPUT_RECORD)
        return PIPE_WAIT;
    cms_pipe_consume(stage, stream);
    return cms_pipe_put(stage, 0, data, length);
}

static bool is_over(const struct stage *stage, int stream)
{
    const uint8_t *data;
    size_t length;
    return cms_pipe_peek(stage, stream, &data, &length) == INPUT_END;
}

static int fanin_step(struct stage *stage)
{
    struct fanin *f = stage->state;
    int count = f->count ? f->count : stage->streams;
    while (f->at < count && is_over(stage, f->count ? f->order[f->at] : f->at))
        f->at++;
    return f->at == count ? PIPE_ENOUGH : pass_from(stage, f->count ? f->order[f->at] : f->at);
}

const struct stage_kind cms_stage_fanin = {
    .name = "FANIN", .abbreviation = 5, .streams = 255, .size = sizeof(struct fanin),
    .format = "FANIN [stream]...",
    .help = HELP_TEXT("All records of the first stream, then all of the second, and so on: of those\n"
                      "named, or of all.\n"),
    .prepare = fanin_prepare, .start = fanin_start, .step = fanin_step};

/* ---- FANINANY, FANINTWO ------------------------------------------------------------------------------------------ */

struct faninany {
    int next; /* the stream looked at first: none has to wait for ever */
};

static int faninany_step(struct stage *stage)
{
    struct faninany *f = stage->state;
    int over = 0;
    for (int i = 0; i < stage->streams; i++) {
        int stream = (f->next + i) % stage->streams;
        int rc = pass_from(stage, stream);
        over += rc == PIPE_WAIT && is_over(stage, stream);
        f->next = rc == PIPE_WAIT ? f->next : stream + 1;
        if (rc != PIPE_WAIT)
            return rc;
    }
    return over == stage->streams ? PIPE_ENOUGH : PIPE_WAIT;
}

const struct stage_kind cms_stage_faninany = {
    .name = "FANINANY", .abbreviation = 8, .streams = 255, .size = sizeof(struct faninany),
    .format = "FANINANY",
    .help = HELP_TEXT("The records of all streams as they come.\n"),
    .step = faninany_step};

/* What is fed back goes first. It ends with the primary input, when nothing is under way any more. */
static int fanintwo_step(struct stage *stage)
{
    int rc = pass_from(stage, 1 % stage->streams);
    if (rc == PIPE_WAIT)
        rc = pass_from(stage, 0);
    return rc == PIPE_WAIT && is_over(stage, 0) ? PIPE_ENOUGH : rc;
}

const struct stage_kind cms_stage_fanintwo = {
    .name = "FANINTWO", .abbreviation = 8, .streams = 2,
    .format = "FANINTWO",
    .help = HELP_TEXT("The records of both streams, those of stream 1 first: for records that are fed\n"
                      "back.  It ends with the primary input.\n"),
    .step = fanintwo_step};

/* ---- GATE -------------------------------------------------------------------------------------------------------- */

struct gate {
    bool strict;
};

static int gate_prepare(struct stage *stage, struct scan *operands)
{
    ((struct gate *)stage->state)->strict = cms_scan_keyword(operands, "STRICT", 6);
    return cms_scan_end(operands);
}

static int gate_step(struct stage *stage)
{
    const struct gate *g = stage->state;
    const uint8_t *data;
    size_t length;
    int over = 0;
    if (g->strict && cms_pipe_peek(stage, 0, &data, &length) == INPUT_RECORD)
        return PIPE_ENOUGH;
    for (int i = 1; i < stage->streams; i++) {
        enum pipe_input input = cms_pipe_peek(stage, i, &data, &length);
        over += input == INPUT_END;
        if (input != INPUT_RECORD)
            continue;
        cms_pipe_consume(stage, i);
        return cms_pipe_put(stage, i, data, length);
    }
    if (cms_pipe_peek(stage, 0, &data, &length) == INPUT_RECORD || over == stage->streams - 1)
        return PIPE_ENOUGH;
    return PIPE_WAIT;
}

const struct stage_kind cms_stage_gate = {
    .name = "GATE", .abbreviation = 4, .streams = 255, .size = sizeof(struct gate),
    .format = "GATE [STRICT]",
    .help = HELP_TEXT("Passes the records of each stream but the primary to the output of the same\n"
                      "number, until one comes on the primary: that closes all.  STRICT looks for it\n"
                      "before any other.\n"),
    .prepare = gate_prepare, .step = gate_step};

/* ---- APPEND, PREFACE --------------------------------------------------------------------------------------------- */

struct append {
    bool second;
};

static int append_step(struct stage *stage)
{
    struct append *a = stage->state;
    if (!a->second && is_over(stage, 0)) {
        a->second = true;
        cms_pipe_wake(stage);
    }
    return a->second && is_over(stage, 1) ? PIPE_ENOUGH : pass_from(stage, a->second ? 1 : 0);
}

static int preface_step(struct stage *stage)
{
    struct append *a = stage->state;
    if (!a->second) {
        a->second = true;
        cms_pipe_wake(stage);
    }
    if (is_over(stage, 1))
        return is_over(stage, 0) ? PIPE_ENOUGH : pass_from(stage, 0);
    return pass_from(stage, 1);
}

const struct stage_kind cms_stage_append = {
    .name = "APPEND", .abbreviation = 6, .takes_stage = true, .streams = 2, .size = sizeof(struct append),
    .format = "APPEND stage",
    .help = HELP_TEXT("The input, then what the stage makes, which begins then; stages stand with ||\n"
                      "between them.\n"),
    .step = append_step};
const struct stage_kind cms_stage_preface = {
    .name = "PREFACE", .abbreviation = 7, .takes_stage = true, .streams = 2, .size = sizeof(struct append),
    .format = "PREFACE stage",
    .help = HELP_TEXT("What the stage makes, then the input.\n"),
    .step = preface_step};
const struct stage_kind cms_stage_prefix = {
    .name = "PREFIX", .abbreviation = 6, .takes_stage = true, .streams = 2, .size = sizeof(struct append),
    .format = "PREFIX stage",
    .help = HELP_TEXT("As PREFACE: the input waits until the stage has ended.\n"),
    .step = preface_step};
