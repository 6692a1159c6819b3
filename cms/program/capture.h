/* The output of a program whose command's output is captured: it goes there as lines, and not to the terminal. */
#pragma once
#include <stdbool.h>

#include "cms/vfs/file.h"

struct capture;
struct program_capture {
    struct files *files; /* the program's descriptors; NULL: nothing is captured, they are the terminal's */
    struct capture *capture;
};
/* False: there is no storage for it. Else it is ended when the program has. */
bool program_capture_begin(struct program_capture *);
void program_capture_end(struct program_capture *);
