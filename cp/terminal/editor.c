/* CP's own line editing. In: typed bytes. Out: a line of text, and its echo. */
#include "cp/terminal/editor.h"

#include <string.h>

static void show(void *context, const char *bytes, size_t count)
{
    struct editor *e = context;
    e->echo(e->context, bytes, (unsigned)count);
}

static const char *recall(void *context, size_t back)
{
    const struct editor *e = context;
    return e->history && back <= EDITOR_HISTORY && e->history[back - 1][0] ? e->history[back - 1] : NULL;
}

static void complete(void *context)
{
    struct editor *e = context;
    if (e->complete)
        e->complete(e->context);
    else
        edit_bell(&e->keys.line);
}

static void remember(struct editor *e)
{
    const struct edited_line *l = &e->keys.line;
    if (!e->history || l->hidden || !l->length || !strcmp(e->history[0], e->text))
        return;
    memmove(e->history[1], e->history[0], (EDITOR_HISTORY - 1) * sizeof e->history[0]);
    memcpy(e->history[0], e->text, l->length + 1);
}

void editor_begin(struct editor *e, unsigned width, unsigned indent, bool hidden)
{
    struct edited_line *l = &e->keys.line;
    e->keys.recall = recall;
    e->keys.complete = complete;
    e->keys.context = l->context = e;
    l->show = show;
    l->text = e->text;
    l->limit = EDITOR_LINE;
    l->width = width;
    keys_begin(&e->keys, indent, hidden);
}

enum keys_event editor_take(struct editor *e, uint8_t byte)
{
    enum keys_event event = keys_take(&e->keys, byte);
    if (event == KEYS_LINE)
        remember(e);
    return event;
}

void editor_show(struct editor *e, unsigned width)
{
    if (width >= EDIT_WIDTH_LEAST)
        e->keys.line.width = width;
    edit_show(&e->keys.line);
}

void editor_forget(struct editor *e)
{
    memset(e->text, 0, sizeof e->text);
}
