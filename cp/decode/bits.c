/* SDM "Instruction Set Reference" of each. There is no division of 128 bits without a library: it is done bit by
 * bit. */
#include "cp/decode/bits.h"

#include "cp/decode/arithmetic.h"

typedef unsigned __int128 u128;
typedef __int128 s128;

static unsigned width(unsigned size)
{
    return 8 * size;
}

static uint64_t mask(unsigned count) /* of the low bits, 0 to 64 */
{
    return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

static uint64_t cut(uint64_t value, unsigned size)
{
    return value & mask(width(size));
}

static int64_t extend(uint64_t value, unsigned size)
{
    uint64_t sign = UINT64_C(1) << (width(size) - 1);
    return (int64_t)((cut(value, size) ^ sign) - sign);
}

static bool top(uint64_t value, unsigned size)
{
    return value >> (width(size) - 1) & 1;
}

static unsigned ones(uint64_t value)
{
    unsigned count = 0;

    for (; value; value &= value - 1)
        count++;
    return count;
}

static void put(uint64_t *flags, unsigned which, bool on)
{
    *flags = on ? *flags | which : *flags & ~(uint64_t)which;
}

static void put_result(uint64_t *flags, uint64_t result, unsigned size)
{
    put(flags, FLAG_ZF, !cut(result, size));
    put(flags, FLAG_SF, top(result, size));
    put(flags, FLAG_PF, !(ones(result & 0xff) & 1));
}

/* ---- shifts and rotations --------------------------------------------------------------------------- */

/* A count of which nothing is left changes no flag either. */
static unsigned shift_count(unsigned size, uint64_t count)
{
    return count & (size == 8 ? 63 : 31);
}

static uint64_t rotate(unsigned size, uint64_t value, unsigned left_by)
{
    unsigned by = left_by % width(size);
    return by ? cut(value << by | value >> (width(size) - by), size) : value;
}

static uint64_t rol(unsigned size, uint64_t value, uint64_t by, uint64_t *flags)
{
    unsigned count = shift_count(size, by);
    uint64_t result = rotate(size, value, count);

    if (!count)
        return value;
    put(flags, FLAG_CF, result & 1);
    put(flags, FLAG_OF, top(result, size) != (result & 1));
    return result;
}

static uint64_t ror(unsigned size, uint64_t value, uint64_t by, uint64_t *flags)
{
    unsigned count = shift_count(size, by);
    uint64_t result = rotate(size, value, width(size) - count % width(size));

    if (!count)
        return value;
    put(flags, FLAG_CF, top(result, size));
    put(flags, FLAG_OF, top(result, size) != top(result << 1, size));
    return result;
}

/* Bit by bit through the carry. */
static uint64_t rcl(unsigned size, uint64_t value, uint64_t by, uint64_t *flags)
{
    for (unsigned count = shift_count(size, by) % (width(size) + 1); count; count--) {
        bool out = top(value, size);
        value = cut(value << 1, size) | (*flags & FLAG_CF);
        put(flags, FLAG_CF, out);
        put(flags, FLAG_OF, top(value, size) != out);
    }
    return value;
}

static uint64_t rcr(unsigned size, uint64_t value, uint64_t by, uint64_t *flags)
{
    for (unsigned count = shift_count(size, by) % (width(size) + 1); count; count--) {
        bool out = value & 1;
        put(flags, FLAG_OF, top(value, size) != (*flags & FLAG_CF));
        value = value >> 1 | (uint64_t)(*flags & FLAG_CF) << (width(size) - 1);
        put(flags, FLAG_CF, out);
    }
    return value;
}

static uint64_t shl(unsigned size, uint64_t value, uint64_t by, uint64_t *flags)
{
    unsigned count = shift_count(size, by);

    if (!count)
        return value;
    uint64_t before = count > width(size) ? 0 : value << (count - 1), result = cut(before << 1, size);
    put_result(flags, result, size);
    put(flags, FLAG_CF, top(before, size));
    put(flags, FLAG_OF, top(result, size) != top(before, size));
    return result;
}

static uint64_t shr(unsigned size, uint64_t value, uint64_t by, uint64_t *flags)
{
    unsigned count = shift_count(size, by);

    if (!count)
        return value;
    uint64_t before = value >> (count - 1), result = before >> 1;
    put_result(flags, result, size);
    put(flags, FLAG_CF, before & 1);
    put(flags, FLAG_OF, top(value, size));
    return result;
}

static uint64_t sar(unsigned size, uint64_t value, uint64_t by, uint64_t *flags)
{
    unsigned count = shift_count(size, by);

    if (!count)
        return value;
    int64_t before = extend(value, size) >> (count - 1);
    uint64_t result = cut((uint64_t)(before >> 1), size);
    put_result(flags, result, size);
    put(flags, FLAG_CF, before & 1);
    put(flags, FLAG_OF, false);
    return result;
}

/* More than 16 of 16 bits is undefined; what comes in then is the value once more, as on Intel's. */
uint64_t bits_shift_double(bool to_left, unsigned size, uint64_t value, uint64_t filler, unsigned by, uint64_t *flags)
{
    unsigned count = shift_count(size, by), bits_of = width(size);

    if (!count)
        return value;
    u128 all = to_left ? (u128)value << bits_of | filler : (u128)filler << bits_of | value;
    if (size == 2)
        all = to_left ? all << 16 | value : all | (u128)value << 32;
    unsigned low = to_left && size == 2 ? 32 : to_left ? bits_of : 0;
    u128 before = to_left ? all << (count - 1) >> low : all >> (count - 1);
    uint64_t result = cut((uint64_t)(to_left ? all << count >> low : all >> count), size);
    put_result(flags, result, size);
    put(flags, FLAG_CF, to_left ? top((uint64_t)before, size) : (uint64_t)before & 1);
    put(flags, FLAG_OF, top(result, size) != top(value, size));
    return result;
}

/* ---- of a register and an operand ------------------------------------------------------------------------ */

static uint64_t adcx(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    u128 sum = (u128)left + right + (*flags & FLAG_CF);
    put(flags, FLAG_CF, sum >> width(size) & 1);
    return (uint64_t)sum;
}

static uint64_t adox(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    u128 sum = (u128)left + right + !!(*flags & FLAG_OF);
    put(flags, FLAG_OF, sum >> width(size) & 1);
    return (uint64_t)sum;
}

static uint64_t imul(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    return bits_multiply(true, size, left, right, flags).low;
}

/* CRC-32C, the low bit first */
static uint64_t crc32(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    uint32_t crc = (uint32_t)left;

    (void)flags;
    for (unsigned i = 0; i < width(size); i++) {
        bool odd = (crc ^ right >> i) & 1;
        crc = crc >> 1 ^ (odd ? 0x82F63B78u : 0);
    }
    return crc;
}

/* of 0 the destination stays, though it is undefined */
static uint64_t bsf(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    (void)size;
    put(flags, FLAG_ZF, !right);
    return right ? (uint64_t)__builtin_ctzll(right) : left;
}

static uint64_t bsr(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    (void)size;
    put(flags, FLAG_ZF, !right);
    return right ? 63 - (uint64_t)__builtin_clzll(right) : left;
}

static uint64_t counted(unsigned size, uint64_t right, uint64_t result, uint64_t *flags)
{
    (void)size;
    put(flags, FLAG_CF, !right);
    put(flags, FLAG_ZF, !result);
    return result;
}

static uint64_t tzcnt(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    (void)left;
    return counted(size, right, right ? (uint64_t)__builtin_ctzll(right) : width(size), flags);
}

static uint64_t lzcnt(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    (void)left;
    return counted(size, right, right ? (uint64_t)__builtin_clzll(right) - (64 - width(size)) : width(size), flags);
}

static uint64_t popcnt(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    (void)left, (void)size;
    put(flags, FLAG_CF | FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF, false);
    put(flags, FLAG_ZF, !right);
    return ones(right);
}

static uint64_t logical(unsigned size, uint64_t result, bool carry, uint64_t *flags)
{
    put_result(flags, result, size);
    put(flags, FLAG_OF, false);
    put(flags, FLAG_CF, carry);
    return cut(result, size);
}

static uint64_t andn(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    return logical(size, ~left & right, false, flags);
}

static uint64_t blsr(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    (void)left;
    return logical(size, right & (right - 1), !right, flags);
}

static uint64_t blsmsk(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    (void)left;
    return logical(size, right ^ (right - 1), !right, flags);
}

static uint64_t blsi(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    (void)left;
    return logical(size, right & -right, right, flags);
}

static uint64_t bzhi(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    unsigned from = left & 0xff;
    return logical(size, right & mask(from), from >= width(size), flags);
}

static uint64_t bextr(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    unsigned start = left & 0xff, length = left >> 8 & 0xff;
    return logical(size, start >= 64 ? 0 : right >> start & mask(length), false, flags);
}

static uint64_t pdep(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    uint64_t result = 0;

    (void)size, (void)flags;
    for (; right; right &= right - 1, left >>= 1)
        result |= left & 1 ? right & -right : 0;
    return result;
}

static uint64_t pext(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    uint64_t result = 0;

    (void)size, (void)flags;
    for (unsigned at = 0; right; right &= right - 1, at++)
        result |= (uint64_t)!!(left & right & -right) << at;
    return result;
}

static uint64_t rorx(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    (void)flags;
    return rotate(size, right, width(size) - shift_count(size, left));
}

static uint64_t sarx(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    (void)flags;
    return cut((uint64_t)(extend(right, size) >> shift_count(size, left)), size);
}

static uint64_t shlx(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    (void)flags;
    return cut(right << shift_count(size, left), size);
}

static uint64_t shrx(unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    (void)flags;
    return right >> shift_count(size, left);
}

static uint64_t (*const operations[OPERATIONS])(unsigned, uint64_t, uint64_t, uint64_t *) = {
    [OP_ROL] = rol, [OP_ROR] = ror, [OP_RCL] = rcl, [OP_RCR] = rcr,
    [OP_SHL] = shl, [OP_SHR] = shr, [OP_SAR] = sar,
    [OP_ADCX] = adcx, [OP_ADOX] = adox, [OP_IMUL] = imul, [OP_CRC32] = crc32,
    [OP_BSF] = bsf, [OP_BSR] = bsr, [OP_TZCNT] = tzcnt, [OP_LZCNT] = lzcnt, [OP_POPCNT] = popcnt,
    [OP_ANDN] = andn, [OP_BLSR] = blsr, [OP_BLSMSK] = blsmsk, [OP_BLSI] = blsi, [OP_BZHI] = bzhi,
    [OP_BEXTR] = bextr, [OP_PDEP] = pdep, [OP_PEXT] = pext,
    [OP_RORX] = rorx, [OP_SARX] = sarx, [OP_SHLX] = shlx, [OP_SHRX] = shrx,
};

bool bits_has(enum operation operation)
{
    return operations[operation];
}

uint64_t bits(enum operation operation, unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    bool whole = operation == OP_CRC32; /* whose destination is wider than its source */
    return operations[operation](size, whole ? left : cut(left, size), cut(right, size), flags);
}

/* ---- twice as wide ------------------------------------------------------------------------------------------ */

struct wide bits_multiply(bool is_signed, unsigned size, uint64_t left, uint64_t right, uint64_t *flags)
{
    u128 product = is_signed ? (u128)((s128)extend(left, size) * extend(right, size))
                             : (u128)cut(left, size) * cut(right, size);
    struct wide result = {cut((uint64_t)product, size), cut((uint64_t)(product >> width(size)), size)};
    bool fits = is_signed ? (s128)product == extend(result.low, size) : !result.high;

    put(flags, FLAG_CF | FLAG_OF, !fits);
    return result;
}

static u128 divide(u128 dividend, uint64_t divisor, uint64_t *rest)
{
    u128 quotient = 0, left = 0;

    for (unsigned i = 128; i--;) {
        left = left << 1 | (dividend >> i & 1);
        quotient <<= 1;
        if (left >= divisor) {
            left -= divisor;
            quotient |= 1;
        }
    }
    *rest = (uint64_t)left;
    return quotient;
}

bool bits_divide(bool is_signed, unsigned size, struct wide dividend, uint64_t divisor, struct wide *result)
{
    u128 all = (u128)cut(dividend.high, size) << width(size) | cut(dividend.low, size);
    bool negative = is_signed && top(dividend.high, size), against = is_signed && top(divisor, size);
    uint64_t by = against ? -(uint64_t)extend(divisor, size) : cut(divisor, size), rest;
    u128 most = is_signed ? mask(width(size) - 1) + (u128)(negative != against) : mask(width(size));

    if (!by)
        return false;
    if (negative)
        all = size == 8 ? -all : -all & (((u128)1 << 2 * width(size)) - 1);
    u128 quotient = divide(all, by, &rest);
    if (quotient > most)
        return false;
    result->low = cut((uint64_t)(negative != against ? -quotient : quotient), size);
    result->high = cut(negative ? -rest : rest, size);
    return true;
}
