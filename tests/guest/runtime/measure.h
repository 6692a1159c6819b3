/* How payloads measure: ticks of the TSC (in Bochs: instructions) between two RDTSC around one operation, inlined so
 * that nothing else lies between, less what the two cost by themselves. One line a figure:
 * "R name min=.. med=.. mean=.. max=.. n=..". */
#pragma once
#include "tests/guest/runtime/runtime.h"

enum { MEASURE_WARM = 20, MEASURE_SINGLES = 100, MEASURE_MOST = 20032 };

extern uint64_t measure_samples[MEASURE_MOST];
extern uint64_t measure_bracket; /* of the two RDTSC; 0 until measure_begin() */

void measure_begin(void); /* reports the bracket */
void measure_report(const char *name, uint64_t *values, unsigned count); /* sorts them */

#define MEASURE_MANY(name, warm, count, ...)                        \
    do {                                                            \
        for (int i = 0; i < (int)(warm); i++) {                     \
            __VA_ARGS__;                                            \
        }                                                           \
        for (int i = 0; i < (int)(count); i++) {                    \
            uint64_t from = rdtsc();                                \
            __VA_ARGS__;                                            \
            measure_samples[i] = rdtsc() - from - measure_bracket;  \
        }                                                           \
        measure_report(name, measure_samples, count);               \
    } while (0)
#define MEASURE(name, ...) MEASURE_MANY(name, MEASURE_WARM, MEASURE_SINGLES, __VA_ARGS__)
