/* SHA-512. In: bytes. Out: their digest. The constants are those of FIPS 180-4 "SHA-384, SHA-512 Constants". */
#include "cp/credential/sha512.h"

#include <string.h>

static const uint64_t constant[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
    0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
    0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
    0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
    0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static inline uint64_t rotate(uint64_t x, int by) { return x >> by | x << (64 - by); }

/* rotate(x, i) ^ rotate(x, j) ^ rotate(x, k), each turn on top of the one before: what LOGON waits for is mostly this
 */
static inline uint64_t sum(uint64_t x, int i, int j, int k)
{
    return rotate(x ^ rotate(x ^ rotate(x, k - j), j - i), i);
}

static inline uint64_t big_endian(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return __builtin_bswap64(value);
}

static inline uint64_t schedule(uint64_t w[16], int t)
{
    uint64_t w15 = w[(t + 1) & 15], w2 = w[(t + 14) & 15];
    uint64_t s0 = rotate(w15 ^ rotate(w15, 7), 1) ^ w15 >> 7;
    uint64_t s1 = rotate(w2 ^ rotate(w2, 42), 19) ^ w2 >> 6;
    return w[t & 15] += s0 + w[(t + 9) & 15] + s1;
}

/* The eight working variables change names instead of places: eight rounds bring them home. */
#define ROUND(a, b, c, d, e, f, g, h, t, word)                                                                         \
    do {                                                                                                               \
        uint64_t t1 = h + sum(e, 14, 18, 41) + (g ^ (e & (f ^ g))) + k[t] + (word);                                    \
        d += t1;                                                                                                       \
        h = t1 + sum(a, 28, 34, 39) + (((a ^ b) & (a ^ c)) ^ a);                                                       \
    } while (0)
#define EIGHT_ROUNDS(t, WORD)                                                                                          \
    do {                                                                                                               \
        ROUND(a, b, c, d, e, f, g, h, t, WORD(t));                                                                     \
        ROUND(h, a, b, c, d, e, f, g, t + 1, WORD(t + 1));                                                             \
        ROUND(g, h, a, b, c, d, e, f, t + 2, WORD(t + 2));                                                             \
        ROUND(f, g, h, a, b, c, d, e, t + 3, WORD(t + 3));                                                             \
        ROUND(e, f, g, h, a, b, c, d, t + 4, WORD(t + 4));                                                             \
        ROUND(d, e, f, g, h, a, b, c, t + 5, WORD(t + 5));                                                             \
        ROUND(c, d, e, f, g, h, a, b, t + 6, WORD(t + 6));                                                             \
        ROUND(b, c, d, e, f, g, h, a, t + 7, WORD(t + 7));                                                             \
    } while (0)
#define FIRST(t) (w[t] = big_endian(block + 8 * (t)))
#define LATER(t) schedule(w, (t)&15)

static void compress(uint64_t state[8], const uint8_t *block)
{
    uint64_t w[16];
    uint64_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint64_t e = state[4], f = state[5], g = state[6], h = state[7];

    const uint64_t *k = constant;
    EIGHT_ROUNDS(0, FIRST);
    EIGHT_ROUNDS(8, FIRST);
    for (int t = 16; t < 80; t += 16) { /* spelled out so that every index of w is known when compiling */
        k = constant + t;
        EIGHT_ROUNDS(0, LATER);
        EIGHT_ROUNDS(8, LATER);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void sha512_begin(struct sha512 *s)
{
    static const uint64_t initial[8] = {
        0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
        0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
    };
    memcpy(s->state, initial, sizeof initial);
    s->length = 0;
}

void sha512_add(struct sha512 *s, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    while (bytes) {
        size_t filled = s->length % SHA512_BLOCK, piece = SHA512_BLOCK - filled;
        if (piece > bytes)
            piece = bytes;
        memcpy(s->block + filled, at, piece);
        s->length += piece, at += piece, bytes -= piece;
        if (s->length % SHA512_BLOCK == 0)
            compress(s->state, s->block);
    }
}

void sha512_end(struct sha512 *s, uint8_t digest[SHA512_BYTES])
{
    size_t filled = s->length % SHA512_BLOCK;
    uint64_t bits = __builtin_bswap64(s->length * 8);
    s->block[filled++] = 0x80;
    if (filled > SHA512_BLOCK - 16) {
        memset(s->block + filled, 0, SHA512_BLOCK - filled);
        compress(s->state, s->block);
        filled = 0;
    }
    memset(s->block + filled, 0, SHA512_BLOCK - 8 - filled);
    memcpy(s->block + SHA512_BLOCK - 8, &bits, 8);
    compress(s->state, s->block);
    for (int i = 0; i < 8; i++) {
        uint64_t word = __builtin_bswap64(s->state[i]);
        memcpy(digest + 8 * i, &word, 8);
    }
}
