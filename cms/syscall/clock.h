/* Which clocks there are: clock_gettime(2). */
#pragma once
#include <stdint.h>

enum { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS, CLOCK_THREAD, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
       CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM, CLOCK_TAI = 11 };

int clock_read(int clock, uint64_t *ns); /* -EINVAL */
/* When that clock will show `at`, as cms_wait_now(); -EINVAL, -EOPNOTSUPP: a clock that nobody can wait for. */
int clock_deadline(int clock, uint64_t at, uint64_t *deadline);
