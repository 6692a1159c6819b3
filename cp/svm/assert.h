/* What must hold of a VMCB, whatever runs with it. It is asserted each time the intercepts have been made anew, by a
 * table that knows nothing of how cp/svm/control.c makes them. This is the part of docs/nesting.md, "What must hold",
 * that only VMCBs have and nest/assert.h does not cover. */
#pragma once
#include "cp/svm/state.h"

/* 0, or the number of the first row that does not hold, from 1. @pre svm_control_apply() was called last */
unsigned svm_assert(const struct svm_state *, const struct svm_maps *);
const char *svm_assertion(unsigned number); /* what it says; NULL: there is none of that number */
