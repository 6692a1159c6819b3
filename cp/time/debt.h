/* What CP does for a machine outside of its turn: its disks' rings and transfers. That time is the machine's too. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct debt {
    uint64_t ticks; /* of CP's time, not yet charged (cp/dispatch/run.c) */
};

/* Whose debt CP's time is since it let interrupts in last; NULL: nobody's. Set by whoever begins to work for somebody;
 * the event loop takes it down. */
extern struct debt *debtor;
