/* A machine's share of the processor, as z/VM's directory statement SHARE says it: what it gets while more machines
 * want the processor than there is of it.
 *
 *   ABSOLUTE n%   so much of all there is
 *   RELATIVE n    of what absolute shares leave, n parts, where all relative shares that run add up to the whole */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHARE_USUAL = 100, SHARE_RELATIVE_MAX = 10000, SHARE_WHOLE = 1000 /* 100 %, in tenths */,
       SHARE_TEXT = 24 };

struct share {
    bool absolute;
    uint16_t parts; /* tenths of a percent, 1..SHARE_WHOLE; or relative: 1..SHARE_RELATIVE_MAX, and 0 is the usual */
};

static inline uint64_t share_parts(struct share share) { return share.parts ? share.parts : SHARE_USUAL; }

/* "RELATIVE 200" or "ABSOLUTE 12.5%", in any case, abbreviated to three letters at most, the % may be left out. */
bool share_parse(const char *text, struct share *);

/* "RELATIVE SHARE = 200", "ABSOLUTE SHARE = 12.5%" */
const char *share_text(struct share, char text[SHARE_TEXT]);
