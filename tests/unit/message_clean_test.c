/* What another's terminal may be shown: every byte, every short sequence and every character, against the C library's
 * idea of UTF-8 and of letters. */
#include <limits.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include <cmocka.h>

#include "cp/message/clean.h"

/* Marks of direction, breaks, joiners, blanks without width, selectors, tags, fillers. */
static bool is_treacherous(uint32_t c)
{
    return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0x61c ||
           c == 0xfeff || c == 0xad || (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0000 && c <= 0xe0fff) || c == 0x115f ||
           c == 0x1160 || c == 0x3164 || c == 0xffa0 || (c >= 0xfff9 && c <= 0xfffb);
}

/* Only whole characters, none of which a terminal obeys, and no more of them than there were bytes. */
static void assert_clean(const char *text, size_t length)
{
    char out[64], again[64];
    size_t got = clean_text(out, text, length, false), step;
    assert_true(got <= length);
    for (size_t at = 0; at < got; at += step) {
        mbstate_t state = {0};
        wchar_t c = 0;
        step = mbrtowc(&c, out + at, got - at, &state);
        if (step - 1 >= 4 || iswcntrl((wint_t)c) || c < ' ' || is_treacherous((uint32_t)c))
            fail_msg("%02x %02x %02x %02x: U+%04X at byte %zu", (uint8_t)text[0], (uint8_t)text[1], (uint8_t)text[2],
                     (uint8_t)text[3], (unsigned)c, at);
    }
    assert_int_equal(clean_text(again, out, got, false), got);
    assert_memory_equal(again, out, got);
}

static void every_sequence_of_up_to_three_bytes_comes_out_as_characters(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 1 << 16; n++) {
        char text[4] = {(char)(n >> 8), (char)n, 0, 0};
        assert_clean(text, 1);
        assert_clean(text, 2);
    }
    /* what begins with less than C0 takes one byte, and then as above */
    for (uint32_t n = 0xc0 << 16; n < 1 << 24; n++) {
        char text[4] = {(char)(n >> 16), (char)(n >> 8), (char)n, 0};
        assert_clean(text, 3);
    }
}

static void four_and_more_bytes_come_out_as_characters(void **state)
{
    static const uint8_t end[] = {0x00, 0x1b, 0x41, 0x7f, 0x80, 0x9b, 0xbf, 0xc0, 0xf4, 0xff};
    (void)state;
    for (unsigned lead = 0xe0; lead < 0x100; lead++)
        for (unsigned second = 0; second < 0x100; second++)
            for (unsigned i = 0; i < sizeof end; i++)
                for (unsigned j = 0; j < sizeof end; j++) {
                    char text[] = {(char)lead, (char)second, (char)end[i], (char)end[j], (char)end[i], (char)end[j]};
                    for (size_t length = 1; length <= sizeof text; length++)
                        assert_clean(text, length);
                }
}

static void what_is_overlong_or_a_surrogate_is_no_character(void **state)
{
    static const char *const bad[] = {"\xc0\x9b",         "\xc1\xbf",         "\xe0\x80\x9b",     "\xe0\x9f\xbf",
                                      "\xf0\x80\x80\x9b", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80",     "\xed\xbf\xbf",
                                      "\xf4\x90\x80\x80", "\xf8\x88\x80\x80", "\xef\xbf\xbf",     "\xef\xb7\x90"};
    char out[8];
    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t length = strlen(bad[i]);
        assert_int_equal(clean_text(out, bad[i], length, false), length);
        assert_memory_equal(out, "????", length);
    }
}

static void letters_of_every_script_stay_and_what_is_obeyed_or_unseen_does_not(void **state)
{
    unsigned letters = 0;
    (void)state;
    for (uint32_t c = 0; c < 0x110000; c++) {
        char text[MB_LEN_MAX], out[MB_LEN_MAX];
        mbstate_t shift = {0};
        size_t length = wcrtomb(text, (wchar_t)c, &shift);
        if (length == (size_t)-1) /* a surrogate */
            continue;
        bool stays = clean_text(out, text, length, false) == length && !memcmp(out, text, length);
        if (c < 0x20 || (c >= 0x7f && c < 0xa0) || is_treacherous(c))
            assert_false(stays);
        else if (iswalpha((wint_t)c) && !(c >= 0x17b4 && c <= 0x17b5) && c != '?') {
            letters++;
            if (!stays)
                fail_msg("U+%04X is a letter", (unsigned)c);
        }
    }
    assert_true(letters > 100000);
}

static void tabs_are_blanks_and_ends_of_lines_stay_where_there_may_be_lines(void **state)
{
    char out[16];
    (void)state;
    assert_int_equal(clean_text(out, "a\tb\nc\rd", 7, true), 7);
    assert_memory_equal(out, "a b\nc?d", 7);
    assert_int_equal(clean_text(out, "a\tb\nc\rd", 7, false), 7);
    assert_memory_equal(out, "a b?c?d", 7);
    assert_int_equal(clean_text(out, "Gr\xc3\xb6\xc3\x9f" "e", 7, false), 7);
    assert_memory_equal(out, "Gr\xc3\xb6\xc3\x9f" "e", 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_of_up_to_three_bytes_comes_out_as_characters),
        cmocka_unit_test(four_and_more_bytes_come_out_as_characters),
        cmocka_unit_test(what_is_overlong_or_a_surrogate_is_no_character),
        cmocka_unit_test(letters_of_every_script_stay_and_what_is_obeyed_or_unseen_does_not),
        cmocka_unit_test(tabs_are_blanks_and_ends_of_lines_stay_where_there_may_be_lines),
    };
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
