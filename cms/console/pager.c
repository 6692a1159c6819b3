#include "cms/console/pager.h"

#include "cms/console/console.h"
#include "cms/console/terminal.h"

enum { CONTROL_C = 3, ESCAPE = 27, ROWS_LEAST = 3 };

static const char more[] = "MORE...", rub_out[] = "\r\033[K", clear[] = "\033[H\033[2J";

static void type(const char *text, size_t length)
{
    cms_terminal_write(text, length);
}

static int next_key(void)
{
    int c;
    while ((c = cms_terminal_read()) < 0)
        cms_terminal_wait();
    return c;
}

/* The last byte of an escape sequence that is ESC [ ... or ESC O x, ~ standing for the number 6 before it. */
static int escape_key(void)
{
    int c = next_key(), number = 0;
    if (c != '[' && c != 'O')
        return c;
    while ((c = next_key()) < '@' || c > '~')
        number = c >= '0' && c <= '9' ? number * 10 + c - '0' : 0;
    return c == '~' && number == 6 ? 'B' : c == 'B' ? c : 0;
}

/* What was typed ahead of MORE... stays; only keys of now count. */
static void wait_for_key(void)
{
    for (int before = 0, c; cms_console_types(); before = c) {
        c = next_key();
        if (c == '\r' || c == '\n' || c == ' ')
            return;
        if (c == ESCAPE && escape_key() == 'B')
            return;
        if (c == 'q' || c == 'Q' || c == CONTROL_C || ((c | 0x20) == 'x' && (before | 0x20) == 'h'))
            cms_console_halt();
    }
}

static void pause(struct pager *p)
{
    type(more, sizeof more - 1);
    wait_for_key();
    type(rub_out, sizeof rub_out - 1);
    p->used = 0;
}

/* Rows that a line takes: a byte that goes on a character of UTF-8 has no column. */
static size_t rows_of(const struct pager *p, const char *data, size_t length)
{
    size_t columns = 0;
    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)data[i] & 0xc0) != 0x80;
    return columns ? (columns + p->columns - 1) / p->columns : 1;
}

static void begin_typing(struct pager *p)
{
    if (!p->typed && p->clears)
        type(clear, sizeof clear - 1);
    p->typed = true;
}

static void take(void *context, const char *data, size_t length)
{
    struct pager *p = context;
    struct output_sink mine = cms_redirect(p->before);
    if (cms_console_types()) {
        size_t rows = rows_of(p, data, length);
        begin_typing(p);
        if (p->used && p->used + rows > p->rows - 1)
            pause(p);
        cms_line(data, length);
        p->used += rows;
    }
    cms_redirect(mine);
}

void cms_pager_begin(struct pager *p, bool clears)
{
    struct output_sink none = {.line = NULL};
    *p = (struct pager){.columns = cms_terminal_width(), .rows = cms_terminal_height(), .clears = clears};
    if (!p->columns || p->rows < ROWS_LEAST || !cms_output_shows())
        p->rows = 0;
    if (!p->rows)
        return;
    p->before = cms_redirect(none);
    cms_redirect((struct output_sink){take, p, true});
}

/* The pager in force is the one whose sink is. */
void cms_pager_program_types(void)
{
    const struct output_sink none = {.line = NULL}, sink = cms_redirect(none);
    cms_redirect(sink);
    if (sink.line == take)
        begin_typing(sink.context);
}

void cms_pager_end(struct pager *p, bool holds)
{
    if (!p->rows)
        return;
    cms_redirect(p->before);
    if (holds && p->typed && cms_console_types())
        pause(p);
}
