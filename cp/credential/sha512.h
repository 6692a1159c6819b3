/* SHA-512: FIPS 180-4 "SHA-512". */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { SHA512_BYTES = 64, SHA512_BLOCK = 128 };

struct sha512 {
    uint64_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[SHA512_BLOCK];
};

void sha512_begin(struct sha512 *);
void sha512_add(struct sha512 *, const void *data, size_t bytes);
void sha512_end(struct sha512 *, uint8_t digest[SHA512_BYTES]);
