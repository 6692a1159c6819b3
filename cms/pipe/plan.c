/* From a specification to stages that are connected and prepared.
 *
 *     (endchar ?) < a file | a: locate /x/ | b: faninany | > c file ? a: | change /y/z/ | b:
 *
 * A label on a stage declares it; alone it stands for that stage's next stream, in and out, from 1 on. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/label.h"
#include "cms/pipe/pipeline.h"
#include "cms/pipe/stages.h"
#include "cms/pipe/programs.h"
#include "cms/pipe/wire.h"

enum { NESTED_MAX = 8 };

struct block {
    struct block *next;
    char text[];
};

struct cutter {
    struct scan in;
    char *out;
    char separator, end, escape; /* 0: none */
    char ended_by;
};

struct place {
    struct stage *stage; /* NULL: nothing stands before */
    int stream;
};

/* ---- global options ---------------------------------------------------------------------------------------------- */

/* A character, or two hexadecimal digits of one. */
static int read_character(struct scan *options, const char *keyword, char *character)
{
    struct scan hex;
    struct string string;
    char value[8], text[12];
    if (!cms_scan_upper(options, value, sizeof value))
        return cms_message("PIP", MESSAGE_PIPE_VALUE, keyword);
    *character = value[0];
    if (!value[1])
        return 0;
    text[0] = 'X';
    memcpy(text + 1, value, strlen(value) + 1);
    hex = (struct scan){text, text + strlen(text)};
    if (strlen(value) != 2 || cms_scan_hex(&hex, &string))
        return cms_message("PIP", MESSAGE_PIPE_CHARACTER, value);
    *character = (char)string.data[0];
    return 0;
}

static int read_name(struct pipeline *p, struct scan *options)
{
    return cms_scan_upper(options, p->name, sizeof p->name) ? 0 : cms_message("PIP", MESSAGE_PIPE_VALUE, "NAME");
}

static int read_option(struct pipeline *p, struct cutter *c, struct scan *options)
{
    char word[20];
    uint32_t level;
    if (cms_scan_keyword(options, "STAGESEP", 8) || cms_scan_keyword(options, "SEPARATOR", 3))
        return read_character(options, "STAGESEP", &c->separator);
    if (cms_scan_keyword(options, "ENDCHAR", 3))
        return read_character(options, "ENDCHAR", &c->end);
    if (cms_scan_keyword(options, "ESCAPE", 3))
        return read_character(options, "ESCAPE", &c->escape);
    if (cms_scan_keyword(options, "NAME", 4))
        return read_name(p, options);
    if (cms_scan_keyword(options, "MSGLEVEL", 3))
        return cms_scan_number(options, &level);
    if (cms_scan_keyword(options, "TRACE", 5))
        return p->trace = true, 0;
    if (cms_scan_keyword(options, "LISTRC", 6) || cms_scan_keyword(options, "LISTERR", 7))
        return p->list_rc = true, 0;
    cms_scan_upper(options, word, sizeof word);
    return cms_message("PIP", MESSAGE_PIPE_OPTION, word);
}

/* In parentheses before the first stage. */
static int read_options(struct pipeline *p, struct cutter *c)
{
    struct scan *s = &c->in;
    int rc = 0;
    if (!cms_scan_more(s) || *s->at != '(')
        return 0;
    const char *close = memchr(s->at, ')', (size_t)(s->end - s->at));
    if (!close)
        return cms_message("PIP", MESSAGE_PIPE_PARENTHESIS);
    struct scan options = {s->at + 1, close};
    while (!rc && cms_scan_more(&options))
        rc = read_option(p, c, &options);
    s->at = close + 1;
    return rc;
}

/* ---- cutting ----------------------------------------------------------------------------------------------------- */

/* What stands up to the next separator or end; a doubled one is the character itself. */
static int next_element(struct cutter *c, struct scan *element)
{
    struct scan *s = &c->in;
    element->at = c->out;
    c->ended_by = 0;
    while (s->at < s->end) {
        char now = *s->at++;
        bool escapes = c->escape && now == c->escape;
        if (escapes && s->at == s->end)
            return cms_message("PIP", MESSAGE_PIPE_ESCAPE);
        if (escapes) {
            now = *s->at++;
        } else if (now == c->separator || (c->end && now == c->end)) {
            if (s->at == s->end || *s->at != now) {
                c->ended_by = now;
                break;
            }
            s->at++;
        }
        *c->out++ = now;
    }
    element->end = c->out;
    return 0;
}

static char *make_text(struct pipeline *p, size_t length)
{
    struct block *block = cms_heap_allocate(sizeof *block + length + 1);
    if (!block)
        return NULL;
    block->next = p->blocks;
    p->blocks = block;
    return block->text;
}

/* ---- connecting -------------------------------------------------------------------------------------------------- */

static int no_storage(void)
{
    return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
}

static int add_stream(struct stage *s, const char *name)
{
    int most = s->kind->streams ? s->kind->streams : 1;
    if (s->streams == most)
        return cms_message("PIP", MESSAGE_PIPE_STREAMS);
    struct stream *grown = cms_heap_resize(s->stream, ((size_t)s->streams + 1) * sizeof *grown);
    if (!grown)
        return no_storage();
    s->stream = grown;
    grown[s->streams] = (struct stream){0};
    memcpy(grown[s->streams++].name, name, strlen(name));
    return 0;
}

static int connect(struct pipeline *p, struct place from, struct place to)
{
    struct connection *c = cms_heap_allocate(sizeof *c);
    if (!c)
        return no_storage();
    *c = (struct connection){.next = p->connections, .from = from.stage, .to = to.stage};
    p->connections = c;
    from.stage->stream[from.stream].out = c;
    to.stage->stream[to.stream].in = c;
    return 0;
}

/* ---- stages ------------------------------------------------------------------------------------------------------ */

static int add_stage(struct pipeline *p, struct stage **made)
{
    if (p->count == PIPE_STAGES_MAX)
        return cms_message("PIP", MESSAGE_PIPE_EXCESSIVE, "stages");
    if (p->count == p->room) {
        int room = 2 * p->room + 8;
        struct stage **grown = cms_heap_resize(p->stage, (size_t)room * sizeof *grown);
        if (!grown)
            return no_storage();
        p->stage = grown;
        p->room = room;
    }
    struct stage *s = cms_heap_allocate(sizeof *s);
    if (!s)
        return no_storage();
    *s = (struct stage){.pipeline = p};
    *made = p->stage[p->count++] = s;
    return 0;
}

static const struct stage_kind *find_program(const char *name)
{
    return cms_pipe_programs.find(name) ? &cms_stage_rexx : NULL;
}

/* Its name, behind any NOT and REXX, which are about the stage that follows. */
static int name_stage(struct stage *s, struct scan *operands)
{
    char name[20];
    do {
        if (!cms_scan_upper(operands, name, sizeof name))
            return cms_message("PIP", MESSAGE_PIPE_MISSING);
        s->kind = cms_pipe_kind(name);
        s->inverted ^= s->kind == &cms_stage_not;
    } while (s->kind == &cms_stage_not);
    if (s->kind == &cms_stage_rexx && !cms_scan_upper(operands, name, sizeof name))
        return cms_message("PIP", MESSAGE_PIPE_MISSING);
    if (!s->kind || s->kind == &cms_stage_rexx)
        s->kind = find_program(name);
    memcpy(s->name, name, strlen(name) < sizeof s->name ? strlen(name) : sizeof s->name - 1);
    char shown[sizeof name];
    return s->kind ? 0
                   : cms_message("PIP", MESSAGE_PIPE_ENTRY_POINT,
                                 cms_scan_shown(name, strlen(name), shown, sizeof shown));
}

static int add_line(struct pipeline *p, struct cutter *c, int line, struct stage *owner, unsigned depth,
                    struct place *end);

/* The operands of a takes_stage: a row of stages to its stream 1. */
static int add_inner(struct pipeline *p, struct stage *s, struct scan operands, unsigned depth)
{
    struct cutter inner = {.in = operands, .separator = '|',
                           .out = make_text(p, (size_t)(operands.end - operands.at))};
    struct place end = {0};
    int rc = inner.out ? 0 : no_storage();
    if (!rc && depth == NESTED_MAX)
        rc = cms_message("PIP", MESSAGE_TOO_DEEP);
    if (!rc && !cms_scan_more(&operands))
        rc = cms_message("PIP", MESSAGE_PIPE_MISSING);
    if (!rc)
        rc = add_stream(s, "");
    if (!rc)
        rc = read_options(p, &inner);
    if (!rc)
        rc = add_line(p, &inner, s->line, s, depth + 1, &end);
    return rc ? rc : connect(p, end, (struct place){s, 1});
}

static int make_stage(struct stage *s, struct pipeline *p, unsigned depth)
{
    struct scan operands = s->text;
    int rc = name_stage(s, &operands);
    if (rc)
        return rc;
    s->state = cms_heap_allocate(s->kind->size + 1);
    if (!s->state)
        return no_storage();
    memset(s->state, 0, s->kind->size + 1);
    s->stream = cms_heap_allocate(sizeof *s->stream);
    if (!s->stream)
        return no_storage();
    *s->stream = (struct stream){0};
    s->streams = 1;
    if (s->kind->takes_stage)
        return add_inner(p, s, operands, depth);
    return s->kind->prepare ? s->kind->prepare(s, &operands) : cms_scan_end(&operands);
}

/* ---- labels ------------------------------------------------------------------------------------------------------ */

static struct stage *find_label(const struct pipeline *p, const struct stage *owner, const char *name)
{
    for (int i = 0; i < p->count; i++)
        if (p->stage[i]->owner == owner && !strcmp(p->stage[i]->label, name))
            return p->stage[i];
    return NULL;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static int new_stage(struct pipeline *p, struct stage model, const struct label *label, unsigned depth,
                     struct stage **made)
{
    if (label->given && find_label(p, model.owner, label->name))
        return cms_message("PIP", MESSAGE_PIPE_DECLARED, label->name);
    int rc = add_stage(p, made);
    if (rc)
        return rc;
    **made = model;
    (*made)->pipeline = p;
    (*made)->asleep = model.owner != NULL;
    memcpy((*made)->label, label->name, sizeof label->name);
    rc = make_stage(*made, p, depth);
    if (!rc && label->given)
        memcpy((*made)->stream[0].name, label->stream, sizeof label->stream);
    if (rc)
        p->failed = *made;
    return rc;
}

static int check_place(struct pipeline *p, const struct stage *s, bool first)
{
    if (s->kind->place == PLACE_ANY || (s->kind->place == PLACE_FIRST) == first)
        return 0;
    p->failed = s;
    return first ? cms_message("PIP", MESSAGE_PIPE_NOT_FIRST) : cms_message("PIP", MESSAGE_PIPE_FIRST);
}

/* The stage at the end of a row that has or takes what the pipeline is connected to. */
static int add_connector(struct pipeline *p, struct scan text, struct stage model, const struct label *label,
                         bool first, struct stage **made)
{
    char shown[40];
    bool input = label->said ? label->input : first;
    text.end = (const char *)memchr(text.at, ':', (size_t)(text.end - text.at)) + 1;
    struct wire *wire = p->outer ? p->outer->find(p->outer->context, first, input, label->number) : NULL;
    if (!wire)
        return cms_message("PIP", MESSAGE_PIPE_CONNECTOR,
                           cms_scan_shown(text.at, (size_t)(text.end - text.at), shown, sizeof shown));
    int rc = add_stage(p, made);
    if (rc)
        return rc;
    **made = model;
    (*made)->text = text;
    (*made)->pipeline = p;
    (*made)->asleep = model.owner != NULL;
    (*made)->kind = first ? &cms_connector_from : &cms_connector_to;
    struct connector *c = (*made)->state = cms_heap_allocate(sizeof *c);
    (*made)->stream = cms_heap_allocate(sizeof *(*made)->stream);
    if (!c || !(*made)->stream)
        return no_storage();
    *c = (struct connector){.wire = wire};
    *(*made)->stream = (struct stream){0};
    (*made)->streams = 1;
    return 0;
}

/* One element of a line, behind what stands at `end`, which becomes what it is. */
static int add_element(struct pipeline *p, struct scan element, struct stage model, unsigned depth, struct place *end)
{
    struct label label;
    struct place here = {0};
    struct scan whole = element;
    cms_scan_more(&whole);
    int rc = cms_pipe_read_label(&element, &label);
    if (rc)
        return rc;
    if (label.connector) {
        rc = add_connector(p, whole, model, &label, !end->stage, &here.stage);
        if (!rc && end->stage)
            rc = connect(p, *end, here);
        *end = here;
        return rc;
    }
    if (!cms_scan_more(&element) && !label.given)
        return cms_message("PIP", MESSAGE_PIPE_NULL_STAGE);
    if (cms_scan_more(&element)) {
        model.text = element;
        rc = new_stage(p, model, &label, depth, &here.stage);
        if (!rc)
            rc = check_place(p, here.stage, !end->stage);
    } else if (!(here.stage = find_label(p, model.owner, label.name))) {
        rc = cms_message("PIP", MESSAGE_PIPE_UNDECLARED, label.name);
    } else {
        here.stream = here.stage->streams;
        rc = add_stream(here.stage, label.stream);
    }
    if (!rc && end->stage)
        rc = connect(p, *end, here);
    *end = here;
    return rc;
}

/* Up to an end character. Stages of an owner count as the owner, where messages tell which. */
static int add_line(struct pipeline *p, struct cutter *c, int line, struct stage *owner, unsigned depth,
                    struct place *end)
{
    struct scan element;
    int rc, number = 0;
    do {
        struct stage model = {.owner = owner, .line = line, .number = owner ? owner->number : ++number};
        rc = next_element(c, &element);
        if (!rc)
            rc = add_element(p, element, model, depth, end);
    } while (!rc && c->ended_by && c->ended_by == c->separator);
    return rc;
}

int cms_pipeline_plan(struct pipeline *p, struct scan text)
{
    struct cutter c = {.in = text, .separator = '|'};
    int line = 1, rc = 0;
    c.out = make_text(p, (size_t)(text.end - text.at));
    if (!c.out)
        return no_storage();
    rc = read_options(p, &c);
    if (!rc && !cms_scan_more(&c.in))
        return cms_message("PIP", MESSAGE_PIPE_NONE);
    do {
        struct place end = {0};
        if (!rc && !cms_scan_more(&c.in))
            rc = cms_message("PIP", MESSAGE_PIPE_NULL_PIPELINE);
        if (!rc)
            rc = add_line(p, &c, line++, NULL, 0, &end);
    } while (!rc && c.ended_by);
    if (rc && p->failed)
        cms_pipeline_where(p->failed);
    return rc;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void close_stage(struct stage *s)
{
    if (s->state && s->kind->close)
        s->kind->close(s);
    cms_heap_free(s->state);
    cms_heap_free(s->stream);
    cms_heap_free(s);
}

void cms_pipeline_close(struct pipeline *p)
{
    for (int i = 0; i < p->count; i++)
        close_stage(p->stage[i]);
    cms_heap_free(p->stage);
    for (struct connection *c; (c = p->connections);) {
        p->connections = c->next;
        cms_buffer_free(&c->copy);
        cms_heap_free(c);
    }
    for (struct block *b; (b = p->blocks);) {
        p->blocks = b->next;
        cms_heap_free(b);
    }
}
