/* What a source with its mutants asleep asks (scripts/mutants.py makes such sources): which of them is awake. */
#pragma once
#include <stddef.h>

extern unsigned mutant_awake;         /* environment MUTANT; none otherwise */
extern unsigned char *mutant_reached; /* a byte for each that was asked for, kept in the file MUTANT_REACHED names */

static inline int mutant_is(unsigned number)
{
    mutant_reached[number] = 1;
    return number == mutant_awake;
}
#define MUTANT(number) mutant_is(number)

/* Writes zeros over those of the table's rows, `each` bytes long, that `only` has something in. */
void mutant_empty(void *table, const void *only, size_t bytes, size_t each);
