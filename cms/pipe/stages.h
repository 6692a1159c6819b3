/* The stages there are, each a row of stages.def, and what several of them share. */
#pragma once
#include "cms/pipe/pipe.h"
#include "cms/pipe/range.h"

#define STAGE(name) extern const struct stage_kind cms_stage_##name;
#include "cms/pipe/stages.def"
#undef STAGE

/* The stage of that name in upper case, or its abbreviation; NULL: none. */
const struct stage_kind *cms_pipe_kind(const char *name);
/* The rest of the operands but for one blank, as it stands. */
void cms_pipe_take_text(struct scan *operands, struct scan *text);
/* To the primary output if chosen, else to stream 1. */
int cms_pipe_choose(struct stage *stage, bool chosen, const uint8_t *data, size_t length);
void cms_pipe_free_held(struct held *held);
