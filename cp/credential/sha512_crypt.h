/* sha512-crypt, the password hash of crypt(5) that begins with $6$, in small pieces so that nobody waits for it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/credential/sha512.h"

enum {
    SHA512_CRYPT_SALT = 16,
    SHA512_CRYPT_TEXT = sizeof "$6$rounds=999999999$" + 16 + 1 + 86, /* the longest setting, with its NUL */
    SHA512_CRYPT_KEY = 128, /* the longest password taken */
    SHA512_CRYPT_ROUNDS_MIN = 1000,
    SHA512_CRYPT_ROUNDS_MAX = 999999999,
};

/* What is worked on: the sequences P and S, then the rounds. */
enum sha512_crypt_stage { SHA512_CRYPT_P, SHA512_CRYPT_S, SHA512_CRYPT_ROUNDS };

struct sha512_crypt {
    uint8_t stage;       /* enum sha512_crypt_stage */
    uint16_t copies;     /* of P or S, still to be hashed into: */
    struct sha512 digest;
    uint32_t rounds, done;
    uint8_t salt_length, key_length;
    char salt[SHA512_CRYPT_SALT];
    uint8_t expected[SHA512_BYTES]; /* the setting's hash, decoded */
    uint8_t a[SHA512_BYTES], p[SHA512_CRYPT_KEY], s[SHA512_CRYPT_SALT];
};

/* Is this a whole "$6$[rounds=N$]salt$hash"? N counts 1000 to 999999999, the salt 1 to 16 characters of [./0-9A-Za-z].
 */
bool sha512_crypt_valid(const char *setting);

/* Begins hashing `key` (cut at SHA512_CRYPT_KEY bytes) as `setting` says. False when the setting is not valid. */
bool sha512_crypt_begin(struct sha512_crypt *, const char *setting, const char *key, size_t key_length);
/* Hashes some SHA-512 blocks more: `blocks`, or up to four beyond. True when all is done. How much all is depends on
 * the setting, the length of the key, and a little on chance. */
bool sha512_crypt_step(struct sha512_crypt *, uint32_t blocks);
/* Is it the password? Takes the same time either way, and wipes the struct. @pre sha512_crypt_step returned true */
bool sha512_crypt_matches(struct sha512_crypt *);
