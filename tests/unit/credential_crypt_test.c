/* SHA-512 and sha512-crypt against FIPS's examples and the host's crypt(3). */
#include <crypt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cp/credential/sha512.h"
#include "cp/credential/sha512_crypt.h"
#include "lib/format.h"

static void assert_digest(const char *text, size_t repeat, const char *hex)
{
    struct sha512 s;
    uint8_t digest[SHA512_BYTES];
    char got[2 * SHA512_BYTES + 1];
    sha512_begin(&s);
    while (repeat--)
        sha512_add(&s, text, strlen(text));
    sha512_end(&s, digest);
    for (int i = 0; i < SHA512_BYTES; i++)
        format_text(got + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(got, hex);
}

static void the_published_digests_come_out(void **state)
{
    (void)state;
    assert_digest("abc", 1,
                  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    assert_digest("", 1,
                  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
                  "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
    assert_digest("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
                  "mnopqrstnopqrstu",
                  1,
                  "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
                  "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909");
    assert_digest("aaaaaaaaaa", 100000,
                  "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
                  "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b");
}

static void assert_like_the_host(const char *key, const char *setting)
{
    char whole[132];
    struct sha512_crypt c;
    const char *host = crypt(key, setting);
    assert_non_null(host);
    format_text(whole, sizeof whole, "%s", host);
    assert_true(sha512_crypt_valid(whole));
    assert_true(sha512_crypt_begin(&c, whole, key, strlen(key)));
    while (!sha512_crypt_step(&c, 37)) {}
    assert_true(sha512_crypt_matches(&c));
}

static void hashes_are_those_of_crypt(void **state)
{
    (void)state;
    assert_like_the_host("vmn", "$6$rounds=1000$vmnvmnvmn");
    assert_like_the_host("vmn", "$6$rounds=1000$0123456789abcdef");
    assert_like_the_host("", "$6$rounds=1001$a");
    assert_like_the_host("a rather long password, longer than one block of 64 bytes, by two", "$6$x");
    char key[SHA512_CRYPT_KEY + 1] = {0};
    for (unsigned length = 1; length <= SHA512_CRYPT_KEY; length += 9) {
        memset(key, 'k', length);
        assert_like_the_host(key, "$6$rounds=1013$Salt./9zZ");
    }
}

static void another_password_does_not_match(void **state)
{
    (void)state;
    struct sha512_crypt c;
    assert_true(sha512_crypt_begin(&c, crypt("vmn", "$6$rounds=1000$salt"), "vmm", 3));
    assert_true(sha512_crypt_step(&c, 100000));
    assert_false(sha512_crypt_matches(&c));
    for (size_t i = 0; i < sizeof c; i++)
        assert_int_equal(((uint8_t *)&c)[i], 0);
}

/* Whatever was typed: a key of 128 bytes is hashed 128 times before the first round, and a
 * round of it takes three blocks. */
static void no_piece_of_the_work_is_longer_than_was_asked_for_and_four_blocks(void **state)
{
    (void)state;
    struct sha512_crypt c;
    char key[SHA512_CRYPT_KEY];
    memset(key, 'k', sizeof key);
    for (unsigned length = 0; length <= sizeof key; length++) {
        assert_true(sha512_crypt_begin(&c, crypt("vmn", "$6$rounds=1000$0123456789abcdef"), key, length));
        unsigned blocks_a_round = (SHA512_BYTES + 16 + 2 * length + 16) / SHA512_BLOCK + 1, pieces = 1;
        for (uint32_t done = 0; !sha512_crypt_step(&c, 10); done = c.done, pieces++)
            assert_in_range(c.done - done, 0, 10);
        assert_in_range(pieces, 80, 100 * blocks_a_round + 100);
    }
}

/* All but the S sequence, which is 16 to 271 copies of the salt by a digest's first byte. */
static void another_password_of_the_same_length_takes_as_many_pieces(void **state)
{
    static const char setting[] = "$6$rounds=1000$salt";
    unsigned least = UINT32_MAX, most = 0;
    (void)state;
    for (char c = 'a'; c <= 'z'; c++) {
        const char key[] = {'v', 'm', c};
        struct sha512_crypt s;
        unsigned pieces = 1;
        assert_true(sha512_crypt_begin(&s, crypt("vmn", setting), key, sizeof key));
        for (; !sha512_crypt_step(&s, 1); pieces++) {}
        least = pieces < least ? pieces : least;
        most = pieces > most ? pieces : most;
    }
    assert_in_range(most - least, 0, 255 * 4 / SHA512_BLOCK + 1);
}

#define HASH "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

static void a_malformed_setting_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "$6$",
        "$5$salt$" HASH "./",
        "$6$salt",
        "$6$salt$",
        "$6$salt$" HASH,
        "$6$salt$" HASH "./.",
        "$6$$" HASH "./",
        "$6$0123456789abcdefg$" HASH "./",
        "$6$sa:t$" HASH "./",
        "$6$salt$" HASH "zz",
        "$6$rounds=999$salt$" HASH "./",
        "$6$rounds=1000000000$salt$" HASH "./",
        "$6$rounds=99999999999999999999$salt$" HASH "./",
        "$6$rounds=$salt$" HASH "./",
        "$6$rounds=1000salt$" HASH "./",
        "vmn",
    };
    (void)state;
    assert_true(sha512_crypt_valid("$6$salt$" HASH "./"));
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(sha512_crypt_valid(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_digests_come_out),  cmocka_unit_test(hashes_are_those_of_crypt),
        cmocka_unit_test(another_password_does_not_match),
        cmocka_unit_test(no_piece_of_the_work_is_longer_than_was_asked_for_and_four_blocks),
        cmocka_unit_test(another_password_of_the_same_length_takes_as_many_pieces),
        cmocka_unit_test(a_malformed_setting_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
