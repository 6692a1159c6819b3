/* The time of day and the two CPU clocks. */
#pragma once
#include <stdint.h>

struct clock_time {
    uint64_t unix_seconds; /* local wall clock as seconds since 1970-01-01 00:00 local time */
    uint32_t microseconds;
    uint64_t virtual_ns; /* CPU time of this machine; without CP, time since IPL for both */
    uint64_t total_ns;
};

struct clock_date {
    int year, month, day;       /* 2026, 1..12, 1..31 */
    int hour, minute, second;
    int weekday;                /* 0 Sunday .. 6 Saturday */
};

struct clock_time cms_clock_now(void);
/* Nanoseconds from some moment on, which only grow, also when CMS was saved and goes on elsewhere; never 0. Quicker
 * than cms_clock_now(): no call of CP. */
uint64_t cms_clock_ns(void);
/* The processor's own count, which only grows, and how long so much of it takes. The driver room provides them. */
uint64_t cms_ticks(void);
uint64_t cms_ticks_ns(uint64_t ticks);
/* Nanoseconds since 1970-01-01, as cms_clock_now() has them but by the processor's count in between, so that asking
 * costs no call of CP. */
uint64_t cms_clock_wall(void);
void cms_clock_moved(void); /* what it knew of the time of day holds no more: the machine may be another */
struct clock_date cms_clock_split(uint64_t unix_seconds);
uint64_t cms_clock_join(const struct clock_date *date); /* the inverse; weekday is ignored */
