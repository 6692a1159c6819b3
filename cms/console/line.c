/* See line.h. */
#include "cms/console/line.h"

#include "cms/console/terminal.h"

static void show(void *context, const char *bytes, size_t count)
{
    (void)context;
    cms_terminal_write(bytes, count);
}

static const char *recall(void *context, size_t back)
{
    const struct line_editor *e = context;
    return cms_history_line(&e->history, back);
}

static void complete(void *context)
{
    struct line_editor *e = context;
    cms_complete(&e->completion, &e->keys.line);
}

void cms_line_begin(struct line_editor *e)
{
    struct edited_line *l = &e->keys.line;
    e->keys.context = e;
    e->keys.recall = recall;
    e->keys.complete = complete;
    l->text = e->text;
    l->limit = LINE_TEXT_MAX;
    l->show = show;
    l->width = cms_terminal_width();
    e->completion.tabbed = false;
    keys_begin(&e->keys, 0, false);
}

/* The terminal may have become another since the line was begun. */
static void look_at_width(struct edited_line *l)
{
    size_t width = cms_terminal_width();
    if (width >= EDIT_WIDTH_LEAST)
        l->width = width;
}

enum keys_event cms_line_key(struct line_editor *e, unsigned char c)
{
    enum { DRAW_AGAIN = 'L' - '@' };
    if (c != '\t')
        e->completion.tabbed = false;
    if (c == DRAW_AGAIN)
        look_at_width(&e->keys.line);
    return keys_take(&e->keys, c);
}
