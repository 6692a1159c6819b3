/* CRC-32, four bits at a time. */
#include "lib/crc32.h"

#define BIT(c)    ((c) >> 1 ^ (0xEDB88320u & -((c) & 1)))
#define NIBBLE(n) BIT(BIT(BIT(BIT((uint32_t)(n)))))

static const uint32_t nibbles[16] = {
    NIBBLE(0), NIBBLE(1), NIBBLE(2),  NIBBLE(3),  NIBBLE(4),  NIBBLE(5),  NIBBLE(6),  NIBBLE(7),
    NIBBLE(8), NIBBLE(9), NIBBLE(10), NIBBLE(11), NIBBLE(12), NIBBLE(13), NIBBLE(14), NIBBLE(15),
};

uint32_t crc32_more(uint32_t before, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    uint32_t crc = ~before;
    while (bytes--) {
        crc ^= *at++;
        crc = crc >> 4 ^ nibbles[crc & 15];
        crc = crc >> 4 ^ nibbles[crc & 15];
    }
    return ~crc;
}

uint32_t crc32_of(const void *data, size_t bytes) { return crc32_more(0, data, bytes); }
