#include "cms/kernel/random.h"

#include <string.h>

enum { KEY_WORDS = 8, BLOCK_WORDS = 16, BLOCK = 64, KEY = 32, FRESH_EVERY = 64 };

static uint32_t key[KEY_WORDS];
static uint64_t uses;

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a += *b; *d = rotate(*d ^ *a, 16);
    *c += *d; *b = rotate(*b ^ *c, 12);
    *a += *b; *d = rotate(*d ^ *a, 8);
    *c += *d; *b = rotate(*b ^ *c, 7);
}

static void block(uint64_t counter, uint32_t out[BLOCK_WORDS])
{
    uint32_t in[BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}, x[BLOCK_WORDS];

    memcpy(in + 4, key, sizeof key);
    memcpy(in + 12, &counter, sizeof counter);
    memcpy(x, in, sizeof x);
    for (int round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 4; i++)
            quarter(&x[i], &x[4 + i], &x[8 + i], &x[12 + i]);
        for (unsigned i = 0; i < 4; i++)
            quarter(&x[i], &x[4 + (i + 1) % 4], &x[8 + (i + 2) % 4], &x[12 + (i + 3) % 4]);
    }
    for (unsigned i = 0; i < BLOCK_WORDS; i++)
        out[i] = x[i] + in[i];
}

static void mix(void)
{
    for (unsigned i = 0; i < KEY_WORDS; i += 2) {
        uint64_t chance = cms_entropy();
        key[i] ^= (uint32_t)chance;
        key[i + 1] ^= (uint32_t)(chance >> 32);
    }
}

void cms_random_stir(const void *what, size_t bytes)
{
    const uint8_t *from = what;
    uint32_t out[BLOCK_WORDS];

    mix();
    for (size_t i = 0; i < bytes; i++) {
        key[i % KEY / sizeof *key] ^= (uint32_t)from[i] << 8 * (i % sizeof *key);
        if (i % KEY < KEY - 1 && i + 1 < bytes)
            continue;
        block(0, out);
        memcpy(key, out, KEY);
    }
}

void cms_random_fill(void *to, size_t bytes)
{
    uint32_t out[BLOCK_WORDS];
    char *at = to;

    if (!(uses++ % FRESH_EVERY))
        mix();
    block(0, out);
    memcpy(key, out, KEY); /* what was given cannot be found from what is kept */
    size_t part = bytes < BLOCK - KEY ? bytes : BLOCK - KEY;
    memcpy(at, (char *)out + KEY, part);
    if (part == bytes)
        return;
    /* the rest by a key of its own, that is gone behind it */
    uint32_t kept[KEY_WORDS];
    block(1, out);
    memcpy(kept, key, sizeof kept);
    memcpy(key, out, KEY);
    for (uint64_t counter = 0; part < bytes; counter++) {
        size_t n = bytes - part < BLOCK ? bytes - part : BLOCK;
        block(counter, out);
        memcpy(at + part, out, n);
        part += n;
    }
    memcpy(key, kept, sizeof key);
}

uint64_t cms_random(void)
{
    uint64_t value;
    cms_random_fill(&value, sizeof value);
    return value;
}
