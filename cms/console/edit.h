/* The line being typed in CMS: lib/edit.h, and what completion does with it. */
#pragma once
#include "cms/console/terminal.h"
#include "lib/edit.h"

enum { LINE_TEXT_MAX = 4096 };

/* Something else was shown since, and the cursor stands on an empty row: the line once more. */
static inline void cms_edit_redraw(struct edited_line *line) { edit_show(line); }
static inline void cms_edit_bell(void) { cms_terminal_write("\a", 1); }
