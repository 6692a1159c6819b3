/* PIPE: from a line to a row of stages, and running it. */
#include "cms/pipe/pipe.h"

#include <string.h>

#include "cms/command/messages.h"
#include "cms/kernel/heap.h"

struct pipeline {
    struct stage stage[PIPE_STAGES_MAX];
    struct scan text[PIPE_STAGES_MAX]; /* each stage as typed, || already made | */
    int count;
    const struct stage *failed; /* while another ran */
    char separator;
    char line[COMMAND_LINE_MAX + 1];
};

/* ---- buffers and held records ------------------------------------------------------------------------------------ */

bool cms_buffer_add(struct buffer *b, const void *data, size_t length, int *rc)
{
    if (length > PIPE_RECORD_MAX - b->length) {
        *rc = cms_message("PIP", MESSAGE_PIPE_LONG, b->length + length);
        return false;
    }
    if (b->length + length > b->room) {
        size_t room = 2 * b->room > b->length + length ? 2 * b->room : b->length + length + 128;
        uint8_t *grown = b->data ? cms_heap_resize(b->data, room) : cms_heap_allocate(room);
        if (!grown) {
            *rc = cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
            return false;
        }
        b->data = grown;
        b->room = room;
    }
    if (length)
        memcpy(b->data + b->length, data, length);
    b->length += length;
    return true;
}

void cms_buffer_free(struct buffer *b)
{
    cms_heap_free(b->data);
    *b = (struct buffer){0};
}

int cms_hold_add(struct hold *hold, const uint8_t *data, size_t length)
{
    struct held *held = cms_heap_allocate(sizeof *held + length);
    if (!held)
        return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
    held->next = NULL;
    held->length = length;
    memcpy(held->data, data, length);
    if (!hold->last)
        hold->last = &hold->first;
    *hold->last = held;
    hold->last = &held->next;
    hold->count++;
    return 0;
}

struct held *cms_hold_take(struct hold *hold)
{
    struct held *held = hold->first;
    if (!held)
        return NULL;
    hold->first = held->next;
    hold->count--;
    if (!hold->first)
        hold->last = &hold->first;
    return held;
}

void cms_hold_free(struct hold *hold)
{
    for (struct held *held; (held = cms_hold_take(hold));)
        cms_heap_free(held);
}

/* ---- the specification ------------------------------------------------------------------------------------------- */

/* (STAGESEP c) or (SEPARATOR c) before the first stage */
static int read_options(struct pipeline *p, struct scan *s)
{
    char word[12], value[4];
    p->separator = '|';
    if (!cms_scan_more(s) || *s->at != '(')
        return 0;
    const char *close = memchr(s->at, ')', (size_t)(s->end - s->at));
    struct scan options = {s->at + 1, close ? close : s->end};
    while (cms_scan_upper(&options, word, sizeof word)) {
        if (!cms_abbreviates(word, "STAGESEP", 8) && !cms_abbreviates(word, "SEPARATOR", 3))
            return cms_message("PIP", MESSAGE_PIPE_OPTION, word);
        if (!cms_scan_upper(&options, value, sizeof value) || value[1])
            return cms_message("PIP", MESSAGE_PIPE_MISSING);
        p->separator = value[0];
    }
    s->at = close ? close + 1 : s->end;
    return 0;
}

/* Cuts the line into stages in place; a doubled separator is the character itself. */
static int cut(struct pipeline *p, struct scan s)
{
    char *out = p->line;
    for (;;) {
        if (p->count == PIPE_STAGES_MAX)
            return cms_message("PIP", MESSAGE_PIPE_EXCESSIVE, "stages");
        struct scan *text = &p->text[p->count++];
        text->at = out;
        while (s.at < s.end && (*s.at != p->separator || (s.at + 1 < s.end && s.at[1] == p->separator))) {
            s.at += *s.at == p->separator;
            *out++ = *s.at++;
        }
        text->end = out;
        struct scan look = *text;
        if (!cms_scan_more(&look) && p->count == 1 && s.at == s.end)
            return cms_message("PIP", MESSAGE_PIPE_NONE);
        if (!cms_scan_more(&look))
            return cms_message("PIP", MESSAGE_PIPE_NULL_STAGE);
        if (s.at == s.end)
            return 0;
        s.at++;
    }
}

static const struct stage_kind *find_kind(const char *name)
{
    for (const struct stage_kind *const *kind = cms_pipe_stages; *kind; kind++)
        if (cms_abbreviates(name, (*kind)->name, (*kind)->abbreviation))
            return *kind;
    return NULL;
}

static void say_where(const struct pipeline *p, const struct stage *stage)
{
    char text[COMMAND_LINE_MAX + 1];
    struct scan s = p->text[stage->number - 1];
    cms_scan_more(&s);
    memcpy(text, s.at, (size_t)(s.end - s.at));
    text[s.end - s.at] = 0;
    cms_message("PIP", MESSAGE_PIPE_STAGE, stage->number);
    cms_message("PIP", MESSAGE_PIPE_RUNNING, text);
}

static int make_stage(struct pipeline *p, int index)
{
    char name[20];
    struct stage *stage = &p->stage[index];
    struct scan operands = p->text[index];
    *stage = (struct stage){
        .number = index + 1, .next = index + 1 < p->count ? stage + 1 : NULL, .failed = &p->failed};
    cms_scan_upper(&operands, name, sizeof name);
    stage->kind = find_kind(name);
    if (!stage->kind)
        return cms_message("PIP", MESSAGE_PIPE_ENTRY_POINT, name);
    if (stage->kind->place == PLACE_FIRST && index > 0)
        return cms_message("PIP", MESSAGE_PIPE_FIRST);
    if (stage->kind->place == PLACE_LATER && index == 0)
        return cms_message("PIP", MESSAGE_PIPE_NOT_FIRST);
    stage->state = cms_heap_allocate(stage->kind->size + 1);
    if (!stage->state)
        return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
    memset(stage->state, 0, stage->kind->size + 1);
    return stage->kind->prepare ? stage->kind->prepare(stage, &operands) : cms_scan_end(&operands);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

int cms_pipe_put(struct stage *stage, const void *data, size_t length)
{
    struct stage *next = stage->next;
    int rc = 0;
    if (cms_halted())
        return COMMAND_HALTED;
    if (!next)
        return 0;
    if (!next->done)
        rc = next->kind->record(next, data, length);
    if (rc == PIPE_ENOUGH)
        next->done = true;
    else if (rc && !*stage->failed)
        *stage->failed = next;
    if (rc && rc != PIPE_ENOUGH)
        return rc;
    return next->done && !stage->kind->keeps_on ? PIPE_ENOUGH : 0;
}

static int call(struct pipeline *p, int index, int (*step)(struct stage *stage))
{
    int rc = step ? step(&p->stage[index]) : 0;
    if (rc == PIPE_ENOUGH)
        return 0;
    if (rc && rc != COMMAND_HALTED)
        say_where(p, p->failed ? p->failed : &p->stage[index]);
    return rc;
}

static int run(struct pipeline *p)
{
    int rc = 0;
    for (int i = p->count - 1; !rc && i >= 0; i--)
        rc = call(p, i, p->stage[i].kind->start);
    for (int i = 0; !rc && i < p->count; i++)
        rc = call(p, i, p->stage[i].kind->end);
    return rc;
}

static int make_stages(struct pipeline *p)
{
    int rc = 0;
    for (int i = 0; !rc && i < p->count; i++) {
        rc = make_stage(p, i);
        if (rc)
            say_where(p, &p->stage[i]);
    }
    return rc;
}

static void close_stages(struct pipeline *p)
{
    for (int i = 0; i < p->count; i++) {
        struct stage *stage = &p->stage[i];
        if (stage->state && stage->kind->close)
            stage->kind->close(stage);
        cms_heap_free(stage->state);
    }
}

int cms_pipe(const struct arguments *a)
{
    struct scan s = {a->rest, a->rest + strlen(a->rest)};
    struct pipeline *p = strlen(a->rest) < sizeof p->line ? cms_heap_allocate(sizeof *p) : NULL;
    if (!p)
        return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
    memset(p, 0, sizeof *p);
    int rc = read_options(p, &s);
    if (!rc)
        rc = cut(p, s);
    if (!rc)
        rc = make_stages(p);
    if (!rc)
        rc = run(p);
    close_stages(p);
    cms_heap_free(p);
    return rc;
}
