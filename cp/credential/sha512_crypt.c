/* sha512-crypt. In: a setting from the directory and a typed password. Out: whether they match, some rounds at a time.
 * The algorithm is Drepper's "Unix crypt using SHA-256 and SHA-512"; its steps' letters are used as names. */
#include "cp/credential/sha512_crypt.h"

#include <string.h>

enum { ROUNDS_DEFAULT = 5000, HASH_TEXT = 86 };

static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* The hash's bytes are written three at a time, first byte highest, in this order; the last byte alone. */
static const uint8_t order[63] = {
    0,  21, 42, 22, 43, 1,  44, 2,  23, 3,  24, 45, 25, 46, 4,  47, 5,  26, 6,  27, 48,
    28, 49, 7,  50, 8,  29, 9,  30, 51, 31, 52, 10, 53, 11, 32, 12, 33, 54, 34, 55, 13,
    56, 14, 35, 15, 36, 57, 37, 58, 16, 59, 17, 38, 18, 39, 60, 40, 61, 19, 62, 20, 41,
};

static int digit_value(char c)
{
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* `count` digits of 6 bits, lowest first, or -1. */
static long decode(const char *text, int count)
{
    long value = 0;
    for (int i = 0; i < count; i++) {
        int digit = digit_value(text[i]);
        if (digit < 0)
            return -1;
        value |= (long)digit << (6 * i);
    }
    return value;
}

static bool decode_hash(const char *text, uint8_t hash[SHA512_BYTES])
{
    if (strlen(text) != HASH_TEXT)
        return false;
    for (int i = 0; i < 63; i += 3, text += 4) {
        long value = decode(text, 4);
        if (value < 0)
            return false;
        hash[order[i]] = value >> 16, hash[order[i + 1]] = value >> 8, hash[order[i + 2]] = value;
    }
    long last = decode(text, 2);
    hash[63] = last;
    return last >= 0 && last < 256;
}

static bool parse_rounds(const char **at, uint32_t *rounds)
{
    uint32_t value = 0;
    *rounds = ROUNDS_DEFAULT;
    if (strncmp(*at, "rounds=", 7))
        return true;
    const char *digit = *at + 7;
    for (; *digit >= '0' && *digit <= '9' && value <= SHA512_CRYPT_ROUNDS_MAX / 10; digit++)
        value = value * 10 + (*digit - '0');
    *rounds = value;
    *at = digit + 1;
    return *digit == '$' && value >= SHA512_CRYPT_ROUNDS_MIN && value <= SHA512_CRYPT_ROUNDS_MAX;
}

static bool parse(struct sha512_crypt *c, const char *setting)
{
    if (strncmp(setting, "$6$", 3))
        return false;
    const char *at = setting + 3;
    if (!parse_rounds(&at, &c->rounds))
        return false;
    for (c->salt_length = 0; digit_value(*at) >= 0; at++) {
        if (c->salt_length == SHA512_CRYPT_SALT)
            return false;
        c->salt[c->salt_length++] = *at;
    }
    return c->salt_length && *at == '$' && decode_hash(at + 1, c->expected);
}

bool sha512_crypt_valid(const char *setting)
{
    struct sha512_crypt scratch;
    return parse(&scratch, setting);
}

static void add_repeated(struct sha512 *s, const uint8_t digest[SHA512_BYTES], size_t bytes)
{
    for (; bytes > SHA512_BYTES; bytes -= SHA512_BYTES)
        sha512_add(s, digest, SHA512_BYTES);
    sha512_add(s, digest, bytes);
}

static void make_b(struct sha512_crypt *c, const char *key, uint8_t b[SHA512_BYTES])
{
    struct sha512 s;
    sha512_begin(&s);
    sha512_add(&s, key, c->key_length);
    sha512_add(&s, c->salt, c->salt_length);
    sha512_add(&s, key, c->key_length);
    sha512_end(&s, b);
}

static void make_a(struct sha512_crypt *c, const char *key, const uint8_t b[SHA512_BYTES])
{
    struct sha512 s;
    sha512_begin(&s);
    sha512_add(&s, key, c->key_length);
    sha512_add(&s, c->salt, c->salt_length);
    add_repeated(&s, b, c->key_length);
    for (unsigned bits = c->key_length; bits; bits >>= 1) {
        if (bits & 1)
            sha512_add(&s, b, SHA512_BYTES);
        else
            sha512_add(&s, key, c->key_length);
    }
    sha512_end(&s, c->a);
}

bool sha512_crypt_begin(struct sha512_crypt *c, const char *setting, const char *key, size_t key_length)
{
    uint8_t b[SHA512_BYTES];
    memset(c, 0, sizeof *c);
    if (!parse(c, setting))
        return false;
    c->key_length = key_length > SHA512_CRYPT_KEY ? SHA512_CRYPT_KEY : key_length;
    make_b(c, key, b);
    make_a(c, key, b);
    memcpy(c->p, key, c->key_length);
    memcpy(c->s, c->salt, c->salt_length);
    c->copies = c->key_length;
    sha512_begin(&c->digest);
    return true;
}

/* ---- the work, in pieces that tell how many bytes they hashed ---------------------------------------------------- */

/* P and S: as long as the key and the salt, made of the digest of many copies of them, in whose place they come. */
static void spread(struct sha512_crypt *c, uint8_t *text, unsigned length)
{
    uint8_t digest[SHA512_BYTES];
    sha512_end(&c->digest, digest);
    for (unsigned i = 0; i < length; i++)
        text[i] = digest[i % SHA512_BYTES];
    sha512_begin(&c->digest);
}

static unsigned do_copies(struct sha512_crypt *c)
{
    bool of_key = c->stage == SHA512_CRYPT_P;
    uint8_t *text = of_key ? c->p : c->s;
    unsigned length = of_key ? c->key_length : c->salt_length;
    if (c->copies) {
        c->copies--;
        sha512_add(&c->digest, text, length);
        return length;
    }
    spread(c, text, length);
    c->copies = 16 + c->a[0]; /* of the salt */
    c->stage++;
    return SHA512_BLOCK;
}

static unsigned do_round(struct sha512_crypt *c)
{
    struct sha512 s;
    uint32_t n = c->done++;
    bool odd = n & 1;
    sha512_begin(&s);
    sha512_add(&s, odd ? c->p : c->a, odd ? c->key_length : SHA512_BYTES);
    if (n % 3)
        sha512_add(&s, c->s, c->salt_length);
    if (n % 7)
        sha512_add(&s, c->p, c->key_length);
    sha512_add(&s, odd ? c->a : c->p, odd ? SHA512_BYTES : c->key_length);
    unsigned blocks = (unsigned)(s.length + 16) / SHA512_BLOCK + 1; /* with the padding and the length behind it */
    sha512_end(&s, c->a);
    return blocks * SHA512_BLOCK;
}

bool sha512_crypt_step(struct sha512_crypt *c, uint32_t blocks)
{
    for (uint64_t bytes = 0; bytes < (uint64_t)blocks * SHA512_BLOCK && c->done < c->rounds;)
        bytes += c->stage == SHA512_CRYPT_ROUNDS ? do_round(c) : do_copies(c);
    return c->done == c->rounds;
}

bool sha512_crypt_matches(struct sha512_crypt *c)
{
    uint8_t difference = 0;
    for (int i = 0; i < SHA512_BYTES; i++)
        difference |= c->a[i] ^ c->expected[i];
    for (volatile uint8_t *at = (volatile uint8_t *)c, *end = at + sizeof *c; at < end; at++)
        *at = 0;
    return !difference;
}
