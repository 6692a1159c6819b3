/* Times in words. In: microseconds since 1970, TSC ticks. Out: text. */
#include "cp/time/clock_text.h"

#include "cp/time/timer.h"
#include "lib/format.h"

enum { DAY_SECONDS = 86400 };

struct date {
    unsigned year, month, day;
};

/* Days since 1970 to year, month, day: years counted from March, so that the leap day is their last. */
static struct date date_of(uint64_t days)
{
    uint64_t shifted = days + 719468, era = shifted / 146097;
    unsigned of_era = shifted % 146097;
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned march_month = (5 * of_year + 2) / 153;
    unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;
    return (struct date){year_of_era + era * 400 + (month <= 2), month, of_year - (153 * march_month + 2) / 5 + 1};
}

const char *clock_text_span(char out[CLOCK_TEXT], uint64_t us)
{
    uint64_t s = us / 1000000;
    format_text(out, CLOCK_TEXT, "%02u:%02u:%02u", (unsigned)(s / 3600), (unsigned)(s / 60 % 60), (unsigned)(s % 60));
    return out;
}

const char *clock_text_time(char out[CLOCK_TEXT], uint64_t unix_us)
{
    return clock_text_span(out, unix_us % (DAY_SECONDS * 1000000ull));
}

const char *clock_text_date(char out[CLOCK_TEXT], uint64_t unix_us)
{
    struct date d = date_of(unix_us / 1000000 / DAY_SECONDS);
    format_text(out, CLOCK_TEXT, "%02u/%02u/%02u", d.month, d.day, d.year % 100);
    return out;
}

const char *clock_text_full(char out[CLOCK_TEXT], uint64_t unix_us)
{
    static const char *const names[] = {"THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY"};
    char time[CLOCK_TEXT], date[CLOCK_TEXT];
    format_text(out, CLOCK_TEXT, "%s UTC %s %s", clock_text_time(time, unix_us),
                names[unix_us / 1000000 / DAY_SECONDS % 7], clock_text_date(date, unix_us));
    return out;
}

const char *clock_text_cpu(char out[CLOCK_TEXT], uint64_t ticks)
{
    uint64_t hundredths = clock_ns(ticks) / 10000000;
    format_text(out, CLOCK_TEXT, "%03u:%02u.%02u", (unsigned)(hundredths / 6000), (unsigned)(hundredths / 100 % 60),
                (unsigned)(hundredths % 100));
    return out;
}
