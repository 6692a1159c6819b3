/* For tests of what CP does in steps (cp/time/work.h). */
#pragma once
#include "cp/time/work.h"

/* Every step that is left, and those they begin; how many. */
static inline unsigned work_all(void)
{
    unsigned steps = 0;
    for (; work_waits(); steps++)
        work_run();
    return steps;
}
