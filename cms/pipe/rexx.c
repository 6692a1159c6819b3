/* REXX: a program that is a stage. It and the dispatcher take turns: it runs until it gives a command of a pipeline's,
 * which is carried out as far as its streams allow; when that is done it runs on. Pipelines that it adds (ADDPIPE), or
 * calls and waits for (CALLPIPE), are at the other end of wires and go on whenever the stage does.
 * In: commands. Out: records, return codes. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/output.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/pipeline.h"
#include "cms/pipe/programs.h"
#include "cms/pipe/stages.h"
#include "cms/pipe/wire.h"
#include "lib/format.h"

enum { REXX_STREAMS = 10, RC_END = 12, RC_NO_STREAM = 4, RC_STREAM_GONE = 8,
       RC_UNKNOWN = -7, BLOCKED = -100010, RECORD_MAX = 65000,
       NAME_MAX = 250, CALLS_DEEP = 8 };

enum report { REPORT_CURRENT, REPORT_ALL, REPORT_ANY }; /* EOFREPORT */

struct rexx;

/* A pipeline that it has added or called. */
struct sub {
    struct sub *next;
    struct rexx *rexx;
    struct pipeline pipeline;
    bool call;
    struct wire in[REXX_STREAMS], out[REXX_STREAMS]; /* the program's, as they were */
    struct wire wire[2 * REXX_STREAMS];
    struct slot slot[2 * REXX_STREAMS];
    int wires, slots;
};

struct rexx {
    struct stage *stage;
    struct scan argument;
    void *program; /* NULL: not begun, or over */
    bool begun, asks, was_put;
    struct scan asked;
    struct wire in[REXX_STREAMS], out[REXX_STREAMS];
    int input, output; /* selected */
    enum report report;
    int connected; /* REPORT_ANY: of its streams, when that was told last */
    struct sub *subs, *called, *spent; /* spent: over, but their slots may be at the ends of others' wires */
    unsigned moves;
};

static unsigned deep;

/* ---- pipelines of its own ---------------------------------------------------------------------------------------- */

static bool is_same(const struct wire *a, const struct wire *b) { return a->stage == b->stage && a->slot == b->slot; }

static struct wire *add_wire(struct sub *s, struct wire w)
{
    struct wire *made = &s->wire[s->wires++];
    *made = w;
    made->lent = s->call;
    return made;
}

/* The other end is the program's. */
static struct wire *add_slot(struct sub *s, struct wire *programs)
{
    *programs = (struct wire){.slot = &s->slot[s->slots++], .moves = &s->rexx->moves};
    return add_wire(s, *programs);
}

/* What a connector stands for. First in a row *.input is what the program would read, and *.output what it writes; last
 * in a row the former is what it will read, and the latter where it wrote to. */
static struct wire *find_wire(void *context, bool first, bool input, int stream)
{
    struct sub *s = context;
    struct rexx *r = s->rexx;
    struct wire *now = input ? &r->in[stream] : &r->out[stream], *was = input ? &s->in[stream] : &s->out[stream];
    if (stream >= r->stage->streams || s->wires == 2 * REXX_STREAMS || (s->call && first != input))
        return NULL;
    if (first != input)
        return add_slot(s, now);
    if (!s->call && is_same(now, was))
        *now = (struct wire){.moves = &r->moves};
    return add_wire(s, *was);
}

static void free_sub(struct sub *s)
{
    for (int i = 0; i < s->slots; i++)
        cms_buffer_free(&s->slot[i].record);
    cms_heap_free(s);
}

static struct outer outer_of(struct sub *s) { return (struct outer){s, find_wire}; }

static int plan(struct sub *s, struct scan text)
{
    const struct outer outer = outer_of(s);
    s->pipeline = (struct pipeline){.last = &s->pipeline.first, .outer = &outer};
    int rc = cms_pipeline_plan(&s->pipeline, text);
    s->pipeline.outer = NULL;
    return rc ? rc : cms_pipeline_begin(&s->pipeline);
}

/* 0, or the return code of a message, and all is as before. */
static int add_sub(struct rexx *r, struct scan text, bool call)
{
    if (deep == CALLS_DEEP)
        return cms_message("PIP", MESSAGE_TOO_DEEP);
    struct sub *s = cms_heap_allocate(sizeof *s);
    if (!s)
        return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
    memset(s, 0, sizeof *s);
    s->rexx = r, s->call = call;
    memcpy(s->in, r->in, sizeof s->in);
    memcpy(s->out, r->out, sizeof s->out);
    int rc = plan(s, text);
    if (rc) {
        cms_pipeline_close(&s->pipeline);
        memcpy(r->in, s->in, sizeof s->in);
        memcpy(r->out, s->out, sizeof s->out);
        free_sub(s);
        return rc;
    }
    s->next = r->subs;
    r->subs = s;
    r->moves++;
    if (call)
        r->called = s;
    return 0;
}

static void close_sub(struct rexx *r, struct sub **at)
{
    struct sub *s = *at;
    *at = s->next;
    cms_pipeline_close(&s->pipeline);
    s->next = r->spent;
    r->spent = s;
    r->moves++;
}

/* All of them, as far as they go. */
static int subs_go_on(struct rexx *r, int *called)
{
    for (struct sub **at = &r->subs; *at;) {
        struct sub *s = *at;
        deep++;
        int rc = cms_pipeline_go_on(&s->pipeline);
        deep--;
        bool over = rc || cms_pipeline_is_over(&s->pipeline);
        if (over && !rc)
            rc = cms_pipeline_finish(&s->pipeline);
        if (rc && rc != COMMAND_HALTED && s->pipeline.failed)
            cms_pipeline_where(s->pipeline.failed);
        if (s == r->called && over)
            *called = rc, r->called = NULL, rc = rc == COMMAND_HALTED ? rc : 0;
        if (over)
            close_sub(r, at);
        else
            at = &s->next;
        if (rc)
            return rc;
    }
    return 0;
}

/* ---- its commands: each returns what RC is to be, or BLOCKED: ask again ------------------------------------------ */

static int count_outputs(const struct rexx *r)
{
    int n = 0;
    for (int i = 0; i < r->stage->streams; i++)
        n += cms_wire_wanted(&r->out[i]);
    return n;
}

static int count_streams(const struct rexx *r)
{
    const uint8_t *data;
    size_t length;
    int n = count_outputs(r);
    for (int i = 0; i < r->stage->streams; i++)
        n += cms_wire_peek(&r->in[i], &data, &length) != INPUT_END;
    return n;
}

/* It waits for a record, unless it has asked to be told of streams that have gone meanwhile. */
static int wait_for_record(struct rexx *r)
{
    int connected = r->report == REPORT_ANY ? count_streams(r) : 0;
    bool gone = r->report == REPORT_ALL ? !count_outputs(r) : connected < r->connected;
    r->connected = connected;
    return r->report != REPORT_CURRENT && gone ? RC_STREAM_GONE : BLOCKED;
}

static int take(struct rexx *r, struct scan *operands, bool consume)
{
    char name[NAME_MAX + 1];
    const uint8_t *data;
    size_t length;
    struct wire *w = &r->in[r->input];
    enum pipe_input input = cms_wire_peek(w, &data, &length);
    if (input != INPUT_RECORD)
        return input == INPUT_END ? RC_END : wait_for_record(r);
    if (length > RECORD_MAX)
        return cms_message("PIP", MESSAGE_PIPE_LONG, length);
    if (cms_scan_upper(operands, name, sizeof name) &&
        cms_pipe_programs.set(r->program, name, data, length) != VARIABLE_OK)
        return cms_message("PIP", MESSAGE_PIPE_VARIABLE, name);
    if (consume)
        cms_wire_consume(w);
    return 0;
}

static int readto(struct rexx *r, struct scan *operands) { return take(r, operands, true); }
static int peekto(struct rexx *r, struct scan *operands) { return take(r, operands, false); }

static int output(struct rexx *r, struct scan *operands)
{
    struct wire *w = &r->out[r->output];
    struct scan text;
    if (r->was_put && !cms_wire_free(w))
        return BLOCKED;
    if (r->was_put) {
        r->was_put = false;
        return 0;
    }
    if (!cms_wire_wanted(w))
        return RC_END;
    if (!cms_wire_free(w))
        return BLOCKED;
    cms_pipe_take_text(operands, &text);
    int rc = cms_wire_put(w, text.at, (size_t)(text.end - text.at));
    r->was_put = !rc;
    return rc ? rc : BLOCKED;
}

/* Its streams of the number selected are joined, and are its own no more. */
static int join(struct rexx *r, struct scan *operands)
{
    char text[48];
    size_t n = format_text(text, sizeof text, "*.input.%d: | *.output.%d:", r->input, r->output);
    (void)operands;
    return add_sub(r, (struct scan){text, text + n}, false);
}

enum { SIDE_INPUT = 1, SIDE_OUTPUT = 2 };

static unsigned side(struct scan *operands, unsigned unless)
{
    return cms_scan_keyword(operands, "INPUT", 2)    ? SIDE_INPUT
           : cms_scan_keyword(operands, "OUTPUT", 3) ? SIDE_OUTPUT
           : cms_scan_keyword(operands, "BOTH", 4)   ? SIDE_INPUT | SIDE_OUTPUT
                                                     : unless;
}

/* A number, or a name of a stream. -1: there is none. */
static int stream_of(const struct rexx *r, struct scan *operands)
{
    char name[20];
    int number = 0;
    if (!cms_scan_upper(operands, name, sizeof name))
        return -1;
    for (int i = 0; i < r->stage->streams; i++) {
        struct scan is = {r->stage->stream[i].name, r->stage->stream[i].name + strlen(r->stage->stream[i].name)};
        char upper[sizeof r->stage->stream[i].name];
        if (cms_scan_upper(&is, upper, sizeof upper) && !strcmp(upper, name))
            return i;
    }
    for (const char *at = name; *at; at++) {
        if (*at < '0' || *at > '9' || number > REXX_STREAMS)
            return -1;
        number = number * 10 + *at - '0';
    }
    return number < r->stage->streams ? number : -1;
}

static int select_stream(struct rexx *r, struct scan *operands)
{
    unsigned which = side(operands, SIDE_INPUT | SIDE_OUTPUT);
    int stream = stream_of(r, operands);
    if (stream < 0)
        return RC_NO_STREAM;
    if (which & SIDE_INPUT)
        r->input = stream;
    if (which & SIDE_OUTPUT)
        r->output = stream;
    return 0;
}

static int sever(struct rexx *r, struct scan *operands)
{
    unsigned which = side(operands, SIDE_INPUT | SIDE_OUTPUT);
    if (which & SIDE_INPUT)
        cms_wire_sever(&r->in[r->input]);
    if (which & SIDE_OUTPUT)
        cms_wire_end(&r->out[r->output]);
    return 0;
}

static int number_of(struct rexx *r, struct scan *operands)
{
    return side(operands, SIDE_INPUT) & SIDE_INPUT ? r->input : r->output;
}

static int most_of(struct rexx *r, struct scan *operands) { return (void)operands, r->stage->streams - 1; }
static int stage_of(struct rexx *r, struct scan *operands) { return (void)operands, r->stage->number; }

/* 0: a record waits, or one is waited for; 8: not now; 12: nobody is there. */
static int state_of(struct rexx *r, struct scan *operands)
{
    enum { RC_NOT_NOW = 8, RC_UNDEFINED = -4 };
    const uint8_t *data;
    size_t length;
    bool input = side(operands, SIDE_INPUT) & SIDE_INPUT;
    int stream = cms_scan_more(operands) ? stream_of(r, operands) : input ? r->input : r->output;
    if (stream < 0)
        return RC_UNDEFINED;
    if (!input)
        return !cms_wire_wanted(&r->out[stream]) ? RC_END : cms_wire_free(&r->out[stream]) ? 0 : RC_NOT_NOW;
    enum pipe_input is = cms_wire_peek(&r->in[stream], &data, &length);
    return is == INPUT_RECORD ? 0 : is == INPUT_END ? RC_END : RC_NOT_NOW;
}

/* All stages have read their operands, and begun, before this one was asked for its first command, and an error ends
 * them all: who commits finds that none has failed. */
static int commit(struct rexx *r, struct scan *operands)
{
    char level[20] = "";
    (void)r;
    cms_scan_upper(operands, level, sizeof level);
    const char *digits = level + (*level == '-');
    return *digits && !digits[strspn(digits, "0123456789")] ? 0 : cms_message("PIP", MESSAGE_PIPE_NUMBER, level);
}

static int eof_report(struct rexx *r, struct scan *operands)
{
    if (cms_scan_keyword(operands, "ANY", 3))
        r->report = REPORT_ANY;
    else if (cms_scan_keyword(operands, "ALL", 3))
        r->report = REPORT_ALL;
    else if (cms_scan_keyword(operands, "CURRENT", 7))
        r->report = REPORT_CURRENT;
    else
        return cms_message("PIP", MESSAGE_PIPE_MISSING);
    r->connected = count_streams(r);
    return 0;
}

static int message(struct rexx *r, struct scan *operands)
{
    struct scan text;
    char shown[300];
    (void)r;
    cms_pipe_take_text(operands, &text);
    cms_scan_shown(text.at, (size_t)(text.end - text.at), shown, sizeof shown);
    cms_line(shown, strlen(shown));
    return 0;
}

static int add_pipe(struct rexx *r, struct scan *operands) { return add_sub(r, *operands, false); }

static int call_pipe(struct rexx *r, struct scan *operands)
{
    int rc = add_sub(r, *operands, true);
    return rc ? rc : BLOCKED;
}

static const struct {
    const char *name;
    int (*obey)(struct rexx *, struct scan *operands);
} commands[] = {
    {"READTO", readto},       {"PEEKTO", peekto},      {"OUTPUT", output},       {"SHORT", join},
    {"ADDPIPE", add_pipe},    {"CALLPIPE", call_pipe}, {"SELECT", select_stream}, {"SEVER", sever},
    {"STREAMNUM", number_of}, {"MAXSTREAM", most_of},  {"STREAMSTATE", state_of}, {"STAGENUM", stage_of},
    {"MESSAGE", message},     {"COMMIT", commit},      {"EOFREPORT", eof_report},
};

static int obey(struct rexx *r)
{
    struct scan operands = r->asked;
    char name[20];
    if (!cms_scan_upper(&operands, name, sizeof name))
        return 0;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(name, commands[i].name))
            return commands[i].obey(r, &operands);
    return RC_UNKNOWN;
}

/* ---- turns ------------------------------------------------------------------------------------------------------- */

static void answer(struct rexx *r, int rc)
{
    r->asks = false;
    r->moves++;
    cms_pipe_programs.answer(r->program, rc);
}

static int begin(struct rexx *r)
{
    r->begun = true;
    for (int i = 0; i < REXX_STREAMS; i++) {
        r->in[i] = r->out[i] = (struct wire){.moves = &r->moves};
        if (i < r->stage->streams)
            r->in[i].stage = r->out[i].stage = r->stage, r->in[i].stream = r->out[i].stream = i;
    }
    return cms_pipe_programs.begin(r->stage->name, r->argument.at,
                                   (size_t)(r->argument.end - r->argument.at), &r->program);
}

/* What the program has no more use of. */
static int end(struct rexx *r)
{
    int rc = cms_pipe_programs.end(r->program);
    r->program = NULL;
    for (int i = 0; i < REXX_STREAMS; i++) {
        cms_wire_sever(&r->in[i]);
        cms_wire_end(&r->out[i]);
    }
    return rc;
}

static int program_goes_on(struct rexx *r)
{
    while (r->program && !r->called) {
        if (!r->asks && !(r->asks = cms_pipe_programs.go_on(r->program, &r->asked)))
            return end(r);
        int rc = obey(r);
        if (rc == COMMAND_HALTED)
            return rc;
        if (rc == BLOCKED)
            break;
        answer(r, rc);
    }
    return 0;
}

static int rexx_step(struct stage *stage)
{
    struct rexx *r = stage->state;
    unsigned before;
    int rc = r->begun ? 0 : begin(r);
    do {
        int called = 0;
        struct sub *calls = r->called;
        before = r->moves;
        if (cms_halted())
            return COMMAND_HALTED;
        if (!rc)
            rc = subs_go_on(r, &called);
        if (!rc && calls && !r->called && r->program)
            answer(r, called);
        if (!rc)
            rc = program_goes_on(r);
    } while (!rc && before != r->moves);
    if (rc)
        return rc;
    if (!r->program && !r->subs)
        return PIPE_ENOUGH;
    return stage->puts || stage->consumes ? 0 : PIPE_WAIT;
}

static int rexx_prepare(struct stage *stage, struct scan *operands)
{
    struct rexx *r = stage->state;
    r->stage = stage;
    cms_pipe_take_text(operands, &r->argument);
    return 0;
}

static void rexx_close(struct stage *stage)
{
    struct rexx *r = stage->state;
    if (r->program)
        cms_pipe_programs.end(r->program);
    while (r->subs)
        close_sub(r, &r->subs);
    for (struct sub *s; (s = r->spent);) {
        r->spent = s->next;
        free_sub(s);
    }
}

const struct stage_kind cms_stage_rexx = {
    .name = "REXX", .abbreviation = 4, .keeps_on = true, .streams = REXX_STREAMS, .size = sizeof(struct rexx),
    .format = "REXX program [text]",
    .help = HELP_TEXT("A stage that is a REXX program, fn REXX.  Its name alone does it too, if no\n"
                      "stage has it.  Its commands go to the pipeline; RC 12: the end of a stream.\n"
                      "  PEEKTO v   the next record, which stays   READTO v   the same, and takes it\n"
                      "  OUTPUT x   puts a record                  SHORT      joins input and output\n"
                      "  CALLPIPE   runs a pipeline; *: in it are the program's input and output\n"
                      "  ADDPIPE    the same, and the program goes on; *.INPUT: and *.OUTPUT: may also\n"
                      "             stand for what it reads and writes from then on\n"
                      "  SELECT [INPUT|OUTPUT|BOTH] n, SEVER INPUT|OUTPUT, STREAMNUM, MAXSTREAM,\n"
                      "  STREAMSTATE, STAGENUM (in RC), COMMIT n (RC 0: none has failed), MESSAGE x\n"
                      "  EOFREPORT  CURRENT: RC 12 at the end of the stream in use; ALL: also 8 when\n"
                      "             nobody takes any output; ANY: 8 when any stream has gone\n"),
    .prepare = rexx_prepare, .step = rexx_step, .close = rexx_close};
