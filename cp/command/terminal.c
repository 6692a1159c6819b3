/* TERMINAL: what CP takes the terminal for. */
#include <stddef.h>

#include "cp/command/families.h"
#include "cp/session/dial.h"

const char command_terminal_help[] =
    "TERMINAL {LINESIZE | PAGELENGTH} {number | OFF}\n"
    "Says how wide (LINESIZE, 20 to 255 columns) or how high (PAGELENGTH, 2 to 255\n"
    "rows) the terminal is, where CP is not told of it by who carries the line: so\n"
    "wide are the rows of a line that is being edited, and so large is the screen\n"
    "of an editor in CMS. OFF: as CP is told, else 80 and 24. QUERY TERMINAL shows\n"
    "them.\n";

static const struct side {
    const char *name;
    unsigned letters, least;
    size_t at; /* in struct session */
} sides[] = {
    {"LINESIZE", 5, EDIT_WIDTH_LEAST, offsetof(struct session, line_size)},
    {"PAGELENGTH", 5, 2, offsetof(struct session, page_length)},
};

static const struct side *side_of(struct word name)
{
    for (const struct side *i = sides; i < sides + sizeof sides / sizeof *sides; i++)
        if (word_is(name, i->name, i->letters))
            return i;
    return NULL;
}

unsigned command_terminal(struct call *c)
{
    enum { SIDE_MOST = 255 };
    struct word name, size;
    uint64_t number = 0;
    char text[32];
    if (!call_next(c, &name) || !call_next(c, &size))
        return FAIL(c, "TRM", 26, "");
    const struct side *side = side_of(name);
    bool off = word_is(size, "OFF", 3);
    if (!side || !(off || (word_number(size, SIDE_MOST, &number) && number >= side->least))) {
        word_upper(side ? size : name, text, sizeof text);
        return FAIL(c, "TRM", 2, text);
    }
    unsigned failed = call_end(c, "TRM");
    if (failed)
        return failed;
    *(unsigned *)((char *)c->session + side->at) = (unsigned)number;
    dial_tell_size(c->session);
    return 0;
}
