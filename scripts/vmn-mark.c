/* See vmn-mark.h. */
#include "scripts/vmn-mark.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

void mark(struct line *l, const char *what)
{
    unsigned char begins = MARK_BEGINS;
    if (!l->token)
        return;
    buffer_add(&l->to_emulator, &begins, 1);
    buffer_add(&l->to_emulator, l->token, strlen(l->token));
    buffer_add(&l->to_emulator, what, strlen(what));
}

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

/* A terminal that does not know how wide or high it is says 0. */
void mark_size(struct line *l)
{
    enum { SIDE_MOST = 999 };
    struct winsize size;
    char what[16];
    if (!l->token || ioctl(l->in, TIOCGWINSZ, &size) ||
        (!size.ws_col && !size.ws_row) || (size.ws_col == l->columns && size.ws_row == l->rows))
        return;
    l->columns = size.ws_col;
    l->rows = size.ws_row;
    snprintf(what, sizeof what, "W%u,%u;", least(l->columns, SIDE_MOST), least(l->rows, SIDE_MOST));
    mark(l, what);
}

void mark_end(struct line *l)
{
    if (!l->ended)
        mark(l, "E;");
    l->ended = true;
}
