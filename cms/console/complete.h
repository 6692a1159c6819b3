/* Completion of what is typed, by Tab. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "cms/console/edit.h"

/* The index-th name that begins with the `length` characters at `word`, in any case; NULL after the last. */
typedef const char *(*line_completer)(const char *word, size_t length, size_t index);

struct completion {
    line_completer names; /* may be NULL */
    bool tabbed;          /* the last key was a Tab that could not decide: another one lists the names */
};

/* A Tab. Only a command's name is completed: the first word, or the first after a logical line end. */
void cms_complete(struct completion *completion, struct edited_line *line);
