/* What must hold of a VMCB whatever runs with it, asserted each time its intercepts were made anew, by a table that
 * knows nothing of how they are made (cp/svm/control.c): the part that nest/assert.h has no word for, of
 * docs/nesting.md, "What must hold". */
#pragma once
#include "cp/svm/state.h"

/* 0, or the number of the first row that does not hold, from 1. @pre svm_control_apply() was called last */
unsigned svm_assert(const struct svm_state *, const struct svm_maps *);
const char *svm_assertion(unsigned number); /* what it says; NULL: there is none of that number */
