/* Carries and overflows from the sum's own bits (each bit's carry out of its operands and result), so that all sizes
 * are alike. */
#include "cp/decode/arithmetic.h"

enum { ARITHMETIC_FLAGS = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF };

static uint64_t top_bit(unsigned size)
{
    return UINT64_C(1) << (8 * size - 1);
}

static uint64_t cut(uint64_t value, unsigned size)
{
    return value & (top_bit(size) | (top_bit(size) - 1));
}

static unsigned result_flags(uint64_t result, unsigned size)
{
    bool odd = __builtin_popcount(result & 0xff) & 1;

    return (cut(result, size) ? 0 : FLAG_ZF) | (result & top_bit(size) ? FLAG_SF : 0) | (odd ? 0 : FLAG_PF);
}

static void set(uint64_t *flags, unsigned changed, unsigned value)
{
    *flags = (*flags & ~(uint64_t)changed) | (value & changed);
}

static uint64_t add(unsigned size, uint64_t left, uint64_t right, bool carry, uint64_t *flags, unsigned changed)
{
    uint64_t sum = left + right + carry, carries = (left & right) | ((left | right) & ~sum);
    uint64_t overflows = (left ^ sum) & (right ^ sum);

    set(flags, changed,
        result_flags(sum, size) | (carries & top_bit(size) ? FLAG_CF : 0) | (carries & 8 ? FLAG_AF : 0) |
            (overflows & top_bit(size) ? FLAG_OF : 0));
    return cut(sum, size);
}

static uint64_t subtract(unsigned size, uint64_t left, uint64_t right, bool borrow, uint64_t *flags, unsigned changed)
{
    uint64_t rest = left - right - borrow, borrows = (~left & right) | ((~left | right) & rest);
    uint64_t overflows = (left ^ right) & (left ^ rest);

    set(flags, changed,
        result_flags(rest, size) | (borrows & top_bit(size) ? FLAG_CF : 0) | (borrows & 8 ? FLAG_AF : 0) |
            (overflows & top_bit(size) ? FLAG_OF : 0));
    return cut(rest, size);
}

static uint64_t logic(unsigned size, uint64_t result, uint64_t *flags)
{
    set(flags, ARITHMETIC_FLAGS, result_flags(result, size));
    return cut(result, size);
}

static uint64_t bit(enum operation operation, unsigned size, uint64_t value, uint64_t number, uint64_t *flags)
{
    uint64_t mask = UINT64_C(1) << number % (8 * size);

    set(flags, FLAG_CF, value & mask ? FLAG_CF : 0);
    switch (operation) {
    case OP_BTS: return value | mask;
    case OP_BTR: return value & ~mask;
    case OP_BTC: return value ^ mask;
    default: return value;
    }
}

uint64_t arithmetic(enum operation operation, unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    const unsigned but_carry = ARITHMETIC_FLAGS & ~FLAG_CF;
    bool carry = *flags & FLAG_CF;

    left = cut(left, size);
    right = cut(right, size);
    switch (operation) {
    case OP_ADD: return add(size, left, right, false, flags, ARITHMETIC_FLAGS);
    case OP_ADC: return add(size, left, right, carry, flags, ARITHMETIC_FLAGS);
    case OP_CMP:
    case OP_SUB: return subtract(size, left, right, false, flags, ARITHMETIC_FLAGS);
    case OP_SBB: return subtract(size, left, right, carry, flags, ARITHMETIC_FLAGS);
    case OP_NEG: return subtract(size, 0, left, false, flags, ARITHMETIC_FLAGS);
    case OP_INC: return add(size, left, 1, false, flags, but_carry);
    case OP_DEC: return subtract(size, left, 1, false, flags, but_carry);
    case OP_OR: return logic(size, left | right, flags);
    case OP_TEST:
    case OP_AND: return logic(size, left & right, flags);
    case OP_XOR: return logic(size, left ^ right, flags);
    case OP_NOT: return cut(~left, size);
    default: return bit(operation, size, left, right, flags);
    }
}

bool arithmetic_writes(enum operation operation)
{
    return operation != OP_CMP && operation != OP_TEST && operation != OP_BT;
}
