/* Segments of a virtual CPU as operands of the instructions CP carries out: bases, and what the processor checks before
 * paging. SDM "Limit Checking", "Type Checking", "Canonical Addressing". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/decode/instruction.h"
#include "cp/vcpu/vcpu.h"

static inline bool segment_canonical(uint64_t linear)
{
    return (uint64_t)((int64_t)(linear << 16) >> 16) == linear;
}

/* What is added to an offset: 0 for the old four in 64-bit mode. */
uint64_t segment_base(struct vcpu *, enum segment);
/* May `size` bytes at `offset` of the segment, linear address `linear`, be read or written? False: #GP(0) or #SS(0) is
 * queued. */
bool segment_allows(struct vcpu *, enum segment, uint64_t offset, uint64_t linear, unsigned size, bool write);
bool segment_would_allow(struct vcpu *, enum segment, uint64_t offset, uint64_t linear, unsigned size, bool write);
