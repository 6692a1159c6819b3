/* Where a program was single-stepped: a handler of #DB that notes, and the places it may name. */
#pragma once
#include "tests/guest/runtime/runtime.h"

enum { GUEST_STEPS = 64 };

struct guest_steps {
    unsigned count;           /* traps; the first GUEST_STEPS are in `at` */
    unsigned others;          /* those among them without DR6.BS */
    uint64_t at[GUEST_STEPS]; /* RIP that was pushed */
};
extern volatile struct guest_steps guest_steps;

/* From here on #DB is noted, and DR6 left as if there had been none. */
void guest_steps_begin(void);
/* Which of these addresses it is, or -1. */
int guest_place(const uint64_t *places, uint32_t count, uint64_t rip);
