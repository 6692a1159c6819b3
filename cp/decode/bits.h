/* Shifts, rotations, counts, multiplication and division with the status flags they leave, as pure functions. Flags
 * that an operation leaves undefined are cleared or kept. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/decode/instruction.h"

/* OP_ROL ... OP_SAR, OP_ADCX ... OP_SHRX. size: 1, 2, 4 or 8 bytes. `left` is the destination's old value, or what is
 * combined with the operand: a count, VEX.vvvv; of shifts and rotations `right` is the count. */
uint64_t bits(enum operation, unsigned size, uint64_t left, uint64_t right, uint64_t *flags);
bool bits_has(enum operation);

/* SHLD and SHRD: `filler` gives the bits that come in. */
uint64_t bits_shift_double(bool to_left, unsigned size, uint64_t value, uint64_t filler, unsigned count,
                           uint64_t *flags);

struct wide { /* AX's low half and high half: RAX and RDX, or for size 1 AL and AH */
    uint64_t low, high;
};
struct wide bits_multiply(bool is_signed, unsigned size, uint64_t left, uint64_t right, uint64_t *flags);
/* low: quotient, high: remainder. false: #DE */
bool bits_divide(bool is_signed, unsigned size, struct wide dividend, uint64_t divisor, struct wide *result);
