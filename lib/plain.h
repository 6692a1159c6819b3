/* Text that needs no second look: printable ASCII, which is most of what goes to a terminal. */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef uint64_t plain_word __attribute__((aligned(1), may_alias)); /* eight bytes of anything, anywhere */

/* How many of the first `length` bytes are 20 to 7E. Eight at a time: none has its top bit, none gets it when one is
 * added (7F), and each has bit 5 or bit 6. */
static inline size_t plain_run(const void *text, size_t length)
{
    const uint8_t *at = text;
    size_t n = 0;
    for (; n + sizeof(plain_word) <= length; n += sizeof(plain_word)) {
        uint64_t word = *(const plain_word *)(at + n);
        if ((word | (word + 0x0101010101010101)) & 0x8080808080808080 ||
            ~(word | word << 1) & 0x4040404040404040)
            break;
    }
    while (n < length && at[n] >= ' ' && at[n] < 0x7f)
        n++;
    return n;
}
