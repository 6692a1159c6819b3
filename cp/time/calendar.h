/* Days and dates of the Gregorian calendar, for years 0 to 9999. Day 0 is 1 March of the year -400, so that all are
 * positive. */
#pragma once
#include <stdint.h>

enum { CALENDAR_UNIX_EPOCH = 865565 /* 1970-01-01 */ };

struct calendar_date {
    unsigned year, month, day; /* 0-9999, 1-12, 1-31 */
    unsigned weekday;          /* 0 Sunday; not looked at by calendar_day */
};

uint32_t calendar_day(const struct calendar_date *);
struct calendar_date calendar_date(uint32_t day);
