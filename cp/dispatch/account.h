/* What the event loop counts of itself, for those who measure. */
#pragma once
#include <stdint.h>

struct dispatch_account {
    uint64_t idle_ticks; /* TSC ticks halted since boot */
    uint64_t entries;    /* of any machine: as many exits, whoever they were for */
    uint64_t asynchronous; /* of those, exits that nothing the machine did has caused: CP's timer, a real interrupt */
    uint64_t unsound;    /* control blocks that CP made and refused to run: nest/assert.h, cp/svm/assert.h */
};

extern struct dispatch_account dispatch_account;
