/* Where plain text ends, asked of it byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/plain.h"

enum { LONGEST = 27 };

/* Beside bytes that have most bits set, or few, so that a carry into the next would show. */
static void every_byte_at_every_place_ends_it_if_it_is_not_printable(void **state)
{
    static const uint8_t around[] = {' ', '@', 'A', '~'};
    uint8_t text[LONGEST];
    (void)state;
    for (size_t length = 1; length <= LONGEST; length++)
        for (size_t at = 0; at < length; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                memset(text, around[(at + byte) % sizeof around], length);
                text[at] = (uint8_t)byte;
                assert_int_equal(plain_run(text, length), byte >= 0x20 && byte <= 0x7e ? length : at);
            }
}

static void what_stands_behind_the_first_that_is_not_plain_changes_nothing(void **state)
{
    uint8_t text[13]; /* the last eight overlap those before */
    (void)state;
    for (size_t at = 0; at < sizeof text - 1; at++)
        for (unsigned two = 0; two < 65536; two += 7) {
            memset(text, 'a', sizeof text);
            text[at] = (uint8_t)two;
            text[at + 1] = (uint8_t)(two >> 8);
            size_t expected = 0;
            while (expected < sizeof text && text[expected] >= 0x20 && text[expected] <= 0x7e)
                expected++;
            assert_int_equal(plain_run(text, sizeof text), expected);
        }
}

static void nothing_has_nothing(void **state)
{
    (void)state;
    assert_int_equal(plain_run("x", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_at_every_place_ends_it_if_it_is_not_printable),
        cmocka_unit_test(what_stands_behind_the_first_that_is_not_plain_changes_nothing),
        cmocka_unit_test(nothing_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
