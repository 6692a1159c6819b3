/* Two-operand arithmetic and logic with the status flags they leave, as pure functions. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/decode/instruction.h"

enum {
    FLAG_CF = 1 << 0, FLAG_PF = 1 << 2, FLAG_AF = 1 << 4, FLAG_ZF = 1 << 6, FLAG_SF = 1 << 7, FLAG_TF = 1 << 8,
    FLAG_DF = 1 << 10, FLAG_OF = 1 << 11
};

/* The result of OP_ADD ... OP_CMP, OP_TEST, OP_INC, OP_DEC, OP_NOT, OP_NEG (right ignored) and OP_BT ... OP_BTC (right
 * is the bit's number, taken modulo the size). *flags: RFLAGS, in and out; flags that an operation leaves undefined are
 * cleared (AF of logic) or kept (those of BT). size: 1, 2, 4 or 8 bytes; operands are cut to it. */
uint64_t arithmetic(enum operation, unsigned size, uint64_t left, uint64_t right, uint64_t *flags);

/* Does the destination receive the result? (Not for CMP, TEST and BT.) */
bool arithmetic_writes(enum operation);
