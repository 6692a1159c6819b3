/* Owns the samples. In: values in ticks. Out: lines. */
#include "tests/guest/runtime/measure.h"

uint64_t measure_samples[MEASURE_MOST], measure_bracket;

static void sort(uint64_t *values, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        uint64_t value = values[i];
        unsigned at = i;
        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

void measure_report(const char *name, uint64_t *values, unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += values[i];
    sort(values, count);
    guest_print("R %s min=%llu med=%llu mean=%llu max=%llu n=%u\n", name, (unsigned long long)values[0],
                (unsigned long long)values[count / 2], (unsigned long long)(sum / count),
                (unsigned long long)values[count - 1], count);
}

void measure_begin(void)
{
    for (unsigned i = 0; i < MEASURE_SINGLES; i++) {
        uint64_t from = rdtsc();
        measure_samples[i] = rdtsc() - from;
    }
    measure_report("bracket", measure_samples, MEASURE_SINGLES);
    measure_bracket = measure_samples[0];
}
