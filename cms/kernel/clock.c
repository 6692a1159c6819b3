/* Days and seconds: the proleptic Gregorian calendar, counted from March so that the leap day comes last. */
#include "cms/kernel/clock.h"

enum { DAY_SECONDS = 86400, ERA_DAYS = 146097, ERA_YEARS = 400, DAYS_TO_1970 = 719468, WEEKDAY_OF_1970 = 4 };

struct clock_date cms_clock_split(uint64_t unix_seconds)
{
    uint64_t days = unix_seconds / DAY_SECONDS + DAYS_TO_1970;
    unsigned second = (unsigned)(unix_seconds % DAY_SECONDS);
    unsigned day_of_era = (unsigned)(days % ERA_DAYS);
    unsigned year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * day_of_year + 2) / 153; /* 0: March */

    return (struct clock_date){
        .year = (int)(days / ERA_DAYS * ERA_YEARS + year + (month >= 10)),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
        .hour = (int)(second / 3600), .minute = (int)(second / 60 % 60), .second = (int)(second % 60),
        .weekday = (int)((unix_seconds / DAY_SECONDS + WEEKDAY_OF_1970) % 7),
    };
}

uint64_t cms_clock_join(const struct clock_date *date)
{
    uint64_t year = (uint64_t)(date->year - (date->month <= 2));
    uint64_t month = (uint64_t)(date->month > 2 ? date->month - 3 : date->month + 9);
    uint64_t year_of_era = year % ERA_YEARS, day_of_year = (153 * month + 2) / 5 + (uint64_t)date->day - 1;
    uint64_t days = year / ERA_YEARS * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return (days - DAYS_TO_1970) * DAY_SECONDS + (uint64_t)date->hour * 3600 + (uint64_t)date->minute * 60 +
           (uint64_t)date->second;
}

static uint64_t asked, offset; /* to ns since 1970; 0: not known */

void cms_clock_moved(void) { offset = 0; }

uint64_t cms_clock_wall(void)
{
    enum { ASK_AGAIN_NS = 1000000000, STEP_NS = 2000000 };
    uint64_t now = cms_clock_ns();

    if (!offset || now - asked > ASK_AGAIN_NS) {
        struct clock_time t = cms_clock_now();
        uint64_t wall = t.unix_seconds * 1000000000 + t.microseconds * 1000ull, difference = wall - now - offset;
        if (!offset || difference + STEP_NS > 2 * STEP_NS) /* it goes on without a step where there was none */
            offset = wall - now;
        asked = now;
    }
    return now + offset;
}
