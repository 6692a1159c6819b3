/* The levels beneath a machine, a line each: this CP's own, then what the CP below tells. */
#pragma once
#include "cp/vcpu/vm.h"

enum { CHAIN_LINE = 80 };

/* Writes the lines, each ended by a newline, cut at `size`; returns their length. No NUL. */
unsigned chain_text(const struct vm *, char *text, unsigned size);
