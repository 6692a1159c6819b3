/* Text that needs no second look: printable ASCII, which is most of what goes to a terminal. */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef uint64_t plain_word __attribute__((aligned(1), may_alias)); /* eight bytes of anything, anywhere */

/* The top bit of each byte that is not 20 to 7E, as far as the lowest of them: it lacks 20, has it already, or gets it
 * when one is added (7F), and what is carried or borrowed there goes to those above it. */
static inline uint64_t plain_ends(const uint8_t *at)
{
    uint64_t word = *(const plain_word *)at;
    return (word | (word - 0x2020202020202020) | (word + 0x0101010101010101)) & 0x8080808080808080;
}

/* How many of the first `length` bytes are 20 to 7E. Eight at a time, the last of which may have been seen before. */
static inline size_t plain_run(const void *text, size_t length)
{
    enum { WORD = sizeof(plain_word), BITS = 8 };
    const uint8_t *at = text;
    size_t n = 0;
    for (; length < WORD; n++)
        if (n == length || at[n] < ' ' || at[n] >= 0x7f)
            return n;
    for (; n < length; n += WORD) {
        if (n > length - WORD)
            n = length - WORD;
        uint64_t ends = plain_ends(at + n);
        if (ends)
            return n + (unsigned)__builtin_ctzll(ends) / BITS;
    }
    return length;
}
