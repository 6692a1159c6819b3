/* A year that begins in March ends with its leap day, so the lengths of its months are (153 m + 2) / 5 added up. */
#include "cp/time/calendar.h"

enum { DAYS_400_YEARS = 146097, SHIFT_YEARS = 400, FIRST_WEEKDAY = 3 /* day 0 was a Wednesday */ };

uint32_t calendar_day(const struct calendar_date *date)
{
    uint32_t year = date->year + SHIFT_YEARS - (date->month <= 2);
    uint32_t month = (date->month + 9) % 12;

    return year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + date->day - 1;
}

struct calendar_date calendar_date(uint32_t day)
{
    uint32_t era = day / DAYS_400_YEARS, of_era = day % DAYS_400_YEARS;
    uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * of_year + 2) / 153;
    struct calendar_date date = {
        .day = of_year - (153 * month + 2) / 5 + 1, .month = month < 10 ? month + 3 : month - 9,
        .weekday = (day + FIRST_WEEKDAY) % 7,
    };

    date.year = year + era * 400 + (date.month <= 2) - SHIFT_YEARS;
    return date;
}
