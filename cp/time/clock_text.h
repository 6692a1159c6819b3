/* Wall clock and CPU time as CP writes them. */
#pragma once
#include <stdint.h>

enum { CLOCK_TEXT = 40 };

/* "14:05:31" */
const char *clock_text_time(char out[CLOCK_TEXT], uint64_t unix_us);
/* "11/21/26" */
const char *clock_text_date(char out[CLOCK_TEXT], uint64_t unix_us);
/* "14:05:31 UTC SATURDAY 11/21/26" */
const char *clock_text_full(char out[CLOCK_TEXT], uint64_t unix_us);
/* "00:01:15", hours:minutes:seconds */
const char *clock_text_span(char out[CLOCK_TEXT], uint64_t us);
/* "000:00.05", minutes:seconds.hundredths of a span in TSC ticks */
const char *clock_text_cpu(char out[CLOCK_TEXT], uint64_t ticks);
