/* The fraction with a small numerator that is nearest to another: for software that multiplies by the numerator in 32
 * bits. In: any fraction. Out: one in lowest terms. */
#pragma once
#include <stdint.h>

struct ratio {
    uint32_t numerator, denominator;
};

/* The nearest to numerator/denominator of all with a numerator of at most `most`; of two that are as near the one with
 * the smaller numerator. @pre denominator and `most` are not 0 */
struct ratio ratio_nearest(uint64_t numerator, uint32_t denominator, uint32_t most);
