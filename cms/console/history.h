/* The lines typed before: as many of the newest as fit. */
#pragma once
#include <stddef.h>

#include "cms/console/edit.h"

enum { HISTORY_BYTES = 2 * LINE_TEXT_MAX };

struct history {
    size_t used;
    char lines[HISTORY_BYTES]; /* oldest first, each NUL-terminated */
};

/* The line `back` places before the end, the newest being 1; NULL if there are not so many. */
const char *cms_history_line(const struct history *history, size_t back);
/* Adds a line, unless it is empty or the same as the newest. It is cut at LINE_TEXT_MAX. */
void cms_history_add(struct history *history, const char *line);
