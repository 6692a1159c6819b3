/* Executes sequences in a guest of the payload's own, whose hypervisor asks for exits at random and undoes them: the
 * guest must not notice. */
#pragma once
#include "tests/guest/oracle/sequence.h"

void oracle_guest_begin(uint64_t first_fresh, uint64_t fresh);
/* As oracle_run(). */
uint64_t oracle_guest_run(uint64_t seed, uint64_t number, bool trace);
