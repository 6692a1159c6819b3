/* Tab at CP's prompt. In: the line up to the cursor. Out: the rest of its last word, or all that this may become. */
#include <string.h>

#include "cp/session/obey.h"
#include "cp/session/session.h"
#include "lib/candidates.h"

static struct candidates candidates;

/* Where the last piece of the text begins, behind one of `ends`. */
static size_t last(const char *text, size_t length, const char *ends)
{
    while (length && !strchr(ends, text[length - 1]))
        length--;
    return length;
}

static void list(struct session *s)
{
    char row[256];
    size_t next = 0;
    while (candidates_row(&candidates, &next, row, sizeof row, session_line_size(s)))
        output_say(&s->output, "%s", row);
}

void typing_complete(void *context)
{
    struct session *s = context;
    struct edited_line *l = &s->typing.editor.keys.line;
    size_t word = last(l->text, l->cursor, " \t#"), start = last(l->text, word, "#");
    char line[EDITOR_LINE + 1];
    memcpy(line, l->text + start, word - start);
    line[word - start] = 0;
    candidates_begin(&candidates, l->text + word, l->cursor - word);
    command_complete(s, line, &candidates);
    if (candidates_insert(&candidates, l))
        return;
    if (candidates.count && s->typing.tabbed)
        list(s);
    else
        edit_bell(l);
    s->typing.tabbed = candidates.count;
}
