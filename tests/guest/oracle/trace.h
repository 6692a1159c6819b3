/* What `trace` prints of a sequence before it is executed. */
#pragma once
#include "tests/guest/oracle/sequence.h"

/* Its mood and breakpoints, and its units with their bytes. */
void oracle_print_sequence(const struct sequence *, uint64_t number);
/* So many numbers, in one line. */
void oracle_print_registers(const uint64_t *registers, unsigned count);
