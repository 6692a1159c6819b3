/* The line editor of CMS: lib/keys.h on the terminal, with a history and completion. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/console/complete.h"
#include "cms/console/history.h"
#include "lib/keys.h"

struct line_editor {
    struct keys keys;
    char text[LINE_TEXT_MAX + 1]; /* the line: NUL-terminated */
    struct completion completion;
    struct history history;
};

void cms_line_begin(struct line_editor *editor);
enum keys_event cms_line_key(struct line_editor *editor, unsigned char byte);
