/* TERMINAL: what CP takes the terminal for. */
#include "cp/command/families.h"
#include "cp/session/dial.h"

const char command_terminal_help[] =
    "TERMINAL LINESIZE {columns | OFF}\n"
    "Says how wide the terminal is, 20 to 255 columns, where CP is not told of it by\n"
    "who carries the line: so wide are the rows of a line that is being edited.\n"
    "OFF: as CP is told, else 80. QUERY TERMINAL shows it.\n";

unsigned command_terminal(struct call *c)
{
    enum { LINE_SIZE_MOST = 255 };
    struct word name, size;
    uint64_t columns = 0;
    char text[32];
    if (!call_next(c, &name) || !call_next(c, &size))
        return FAIL(c, "TRM", 26, "");
    bool off = word_is(size, "OFF", 3);
    bool valid = off || (word_number(size, LINE_SIZE_MOST, &columns) && columns >= EDIT_WIDTH_LEAST);
    if (!word_is(name, "LINESIZE", 5) || !valid) {
        word_upper(valid ? name : size, text, sizeof text);
        return FAIL(c, "TRM", 2, text);
    }
    unsigned failed = call_end(c, "TRM");
    if (failed)
        return failed;
    c->session->line_size = (unsigned)columns;
    dial_tell_width(c->session);
    return 0;
}
