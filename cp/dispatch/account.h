/* What the event loop counts of itself, for those who measure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "vmcs-shadow/exit.h"

/* What kept CP from its interrupts: a stretch goes from one moment when they may come in (a window, or a guest that
 * runs) to the next. */
enum stretch { STRETCH_INTERRUPT, STRETCH_TIMER, STRETCH_USERS, STRETCH_WORK, STRETCHES };

struct dispatch_account {
    uint64_t idle_ticks; /* TSC ticks halted since boot */
    uint64_t entries;    /* of any machine: as many exits, whoever they were for */
    uint64_t unsound;    /* control blocks that CP made and refused to run: nest/assert.h, cp/svm/assert.h */
    /* The longest stretches in TSC ticks: of the loop's own doings, and of exits by reason, those below
     * STRETCH_WORTH_KEEPING left out. */
    uint64_t stretch[STRETCHES], exit_stretch[EXIT_REASONS];
};

enum { STRETCH_WORTH_KEEPING = 5000 };

extern struct dispatch_account dispatch_account;

void account_begin(void); /* stretches count from now on: somebody may be there who has to wait */
void account_stretch(enum stretch, uint64_t ticks);
void account_exit_stretch(unsigned reason, uint64_t ticks);
/* Them one after another: *at begins at 0 and belongs to this function. False: no more. */
bool account_stretch_next(unsigned *at, const char **what, uint64_t *ticks);
