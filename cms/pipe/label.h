/* What stands before a stage, or in the place of one: a label, or a connector. */
#pragma once
#include "cms/pipe/scan.h"

struct label {
    char name[9], stream[5];
    bool given;
    bool connector, input, said; /* *: and its like; said: which side */
    int number;                  /* of its stream */
};

/* name: or name.stream: before a stage or alone, and then *element is what is left; *: or *.INPUT.n: and the like.
 * 0, or the return code of a message. */
int cms_pipe_read_label(struct scan *element, struct label *label);
