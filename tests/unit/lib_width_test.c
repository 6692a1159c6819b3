/* How wide characters are, asked of the C library. */
#define _XOPEN_SOURCE 700
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

#include <cmocka.h>

#include "lib/edit.h"

static size_t encoded(char *to, uint32_t point)
{
    if (point < 0x800) {
        to[0] = (char)(0xc0 | point >> 6), to[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        to[0] = (char)(0xe0 | point >> 12), to[1] = (char)(0x80 | (point >> 6 & 0x3f));
        to[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | point >> 18), to[1] = (char)(0x80 | (point >> 12 & 0x3f));
    to[2] = (char)(0x80 | (point >> 6 & 0x3f)), to[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

static void every_character_is_as_wide_as_terminals_have_it(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
    for (uint32_t point = 0xa0; point < 0x110000; point++) {
        char text[4];
        int width = wcwidth((wchar_t)point);
        if (width >= 0 && edit_columns(text, encoded(text, point)) != (size_t)width)
            fail_msg("U+%04X has %d columns", point, width);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_character_is_as_wide_as_terminals_have_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
