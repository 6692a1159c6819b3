/* Continued fractions: every best approximation is a convergent, or lies between two of them with the same step
 * (a semiconvergent). */
#include "cp/time/ratio.h"

#include <stdbool.h>

typedef unsigned __int128 u128;

/* Of the whole steps that the next term would take, as many as keep both parts within their bounds. */
static uint64_t steps_within(uint64_t term, struct ratio last, struct ratio now, uint32_t most)
{
    uint64_t up = now.numerator ? (most - last.numerator) / now.numerator : UINT64_MAX;
    uint64_t down = now.denominator ? (UINT32_MAX - last.denominator) / now.denominator : UINT64_MAX;
    uint64_t within = up < down ? up : down;

    return term < within ? term : within;
}

/* |a - n/d| < |b - n/d|. Each side is less than 2^96 times a denominator. */
static bool nearer(struct ratio a, struct ratio b, uint64_t n, uint32_t d)
{
    u128 an = (u128)a.numerator * d, bn = (u128)b.numerator * d, at = (u128)n * a.denominator,
         bt = (u128)n * b.denominator;

    return (an > at ? an - at : at - an) * b.denominator < (bn > bt ? bn - bt : bt - bn) * a.denominator;
}

struct ratio ratio_nearest(uint64_t numerator, uint32_t denominator, uint32_t most)
{
    struct ratio last = {0, 1}, now = {1, 0};
    uint64_t n = numerator, d = denominator;

    while (d) {
        uint64_t term = n / d, taken = steps_within(term, last, now, most);
        struct ratio next = {(uint32_t)(last.numerator + taken * now.numerator),
                             (uint32_t)(last.denominator + taken * now.denominator)};
        if (taken < term)
            return !now.denominator || nearer(next, now, numerator, denominator) ? next : now;
        uint64_t rest = n - term * d;
        n = d, d = rest;
        last = now, now = next;
    }
    return now;
}
