/* For tests of what CP does in steps with a disk. */
#pragma once
#include "tests/unit/fake/disk.h"
#include "tests/unit/work_all.h"

/* Every step and every request, in the order they come, until nothing is left of either. */
static inline void fake_disk_settle(struct fake_disk *f)
{
    while (f->first || work_waits()) {
        work_all();
        if (f->first)
            fake_disk_done_first(f);
    }
}
