/* The conversions of SPECS. C is bytes as they are, X hexadecimal, B binary digits, D a signed decimal number, V bytes
 * behind their number in two. */
#include <string.h>

#include "cms/pipe/specs.h"
#include "lib/format.h"

enum { TOO_LONG = 1, MALFORMED = 2, DECIMAL_WIDTH = 11, BINARY_BYTES = 4 };

static int add(struct buffer *out, const void *data, size_t length)
{
    int rc = 0;
    cms_buffer_add(out, data, length, &rc);
    return rc;
}

static int digits(struct buffer *out, const uint8_t *data, size_t length, unsigned bits)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < length; i++)
        for (int shift = 8 - (int)bits; !rc && shift >= 0; shift -= (int)bits)
            rc = add(out, &"0123456789ABCDEF"[data[i] >> shift & ((1u << bits) - 1)], 1);
    return rc;
}

static int c2x(struct buffer *out, const uint8_t *data, size_t length)
{
    return digits(out, data, length, 4);
}

static int c2b(struct buffer *out, const uint8_t *data, size_t length)
{
    return digits(out, data, length, 1);
}

/* Blanks may stand between bytes. */
static int undigits(struct buffer *out, const uint8_t *data, size_t length, unsigned bits)
{
    unsigned value = 0, have = 0;
    int rc = 0;
    for (size_t i = 0; !rc && i < length; i++) {
        uint8_t c = data[i] >= 'a' && data[i] <= 'f' ? (uint8_t)(data[i] - 32) : data[i];
        unsigned digit = c >= '0' && c <= '9' ? c - 48u : c >= 'A' && c <= 'F' ? c - 55u : 99;
        if (c == ' ' && !have)
            continue;
        if (digit >> bits)
            return MALFORMED;
        value = value << bits | digit;
        have += bits;
        if (have == 8) {
            rc = add(out, &(uint8_t){(uint8_t)value}, 1);
            have = value = 0;
        }
    }
    return rc ? rc : have ? MALFORMED : 0;
}

static int x2c(struct buffer *out, const uint8_t *data, size_t length)
{
    return undigits(out, data, length, 4);
}

static int b2c(struct buffer *out, const uint8_t *data, size_t length)
{
    return undigits(out, data, length, 1);
}

static int c2d(struct buffer *out, const uint8_t *data, size_t length)
{
    int64_t value = length && data[0] & 0x80 ? -1 : 0;
    char text[24];
    if (length > BINARY_BYTES)
        return TOO_LONG;
    for (size_t i = 0; i < length; i++)
        value = (int64_t)((uint64_t)value << 8 | data[i]);
    return add(out, text, format_text(text, sizeof text, "%*lld", DECIMAL_WIDTH, (long long)value));
}

static int d2c(struct buffer *out, const uint8_t *data, size_t length)
{
    size_t i = 0;
    uint64_t value = 0;
    while (length && data[length - 1] == ' ')
        length--;
    while (i < length && data[i] == ' ')
        i++;
    bool negative = i < length && data[i] == '-';
    i += i < length && (negative || data[i] == '+');
    if (i == length)
        return MALFORMED;
    for (; i < length; i++) {
        if (data[i] < '0' || data[i] > '9')
            return MALFORMED;
        value = value * 10 + (data[i] - '0');
        if (value > UINT32_MAX)
            return TOO_LONG;
    }
    if (value > (uint64_t)INT32_MAX + negative)
        return TOO_LONG;
    uint32_t word = negative ? (uint32_t)-value : (uint32_t)value;
    uint8_t bytes[BINARY_BYTES];
    for (int b = 0; b < BINARY_BYTES; b++)
        bytes[b] = (uint8_t)(word >> (24 - 8 * b));
    return add(out, bytes, BINARY_BYTES);
}

static int v2c(struct buffer *out, const uint8_t *data, size_t length)
{
    if (length < 2)
        return MALFORMED;
    size_t given = (size_t)(data[0] << 8 | data[1]);
    return given > length - 2 ? MALFORMED : add(out, data + 2, given);
}

static int c2v(struct buffer *out, const uint8_t *data, size_t length)
{
    if (length > UINT16_MAX)
        return TOO_LONG;
    int rc = add(out, (const uint8_t[]){(uint8_t)(length >> 8), (uint8_t)length}, 2);
    return rc ? rc : add(out, data, length);
}

static const struct specs_conversion conversions[] = {
    {"C2X", c2x}, {"X2C", x2c}, {"C2B", c2b}, {"B2C", b2c}, {"C2D", c2d}, {"D2C", d2c}, {"V2C", v2c}, {"C2V", c2v}};

const struct specs_conversion *cms_specs_conversion(struct scan *scan)
{
    for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++)
        if (cms_scan_keyword(scan, conversions[i].name, 3))
            return &conversions[i];
    return NULL;
}
