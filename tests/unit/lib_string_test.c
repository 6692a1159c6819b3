/* The copies of the freestanding builds against those of the C library, at every length and alignment that matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LENGTHS = 150, SHIFTS = 9, ROOM = LENGTHS + 2 * SHIFTS, GUARD = 0xA5 };

static uint8_t from[ROOM], ours[ROOM], theirs[ROOM];

static void fill(void)
{
    for (unsigned i = 0; i < ROOM; i++)
        from[i] = (uint8_t)(i * 7 + 1);
    memset(ours, GUARD, ROOM);
    memset(theirs, GUARD, ROOM);
}

static void same(void)
{
    for (unsigned i = 0; i < ROOM; i++)
        assert_int_equal(ours[i], theirs[i]);
}

/* the library's, from here on by these names */
static void *(*const library_memcpy)(void *, const void *, size_t) = memcpy;
static void *(*const library_memmove)(void *, const void *, size_t) = memmove;
static void *(*const library_memset)(void *, int, size_t) = memset;

#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#define memcpy  our_memcpy
#define memmove our_memmove
#define memset  our_memset
#define memcmp  our_memcmp
#define memchr  our_memchr
#define strlen  our_strlen
#define strnlen our_strnlen
#define strcmp  our_strcmp
#define strncmp our_strncmp
#define strchr  our_strchr
#define strrchr our_strrchr
#define strstr  our_strstr
#define strcpy  our_strcpy
#define strpbrk our_strpbrk
#define strcspn our_strcspn
#define strspn  our_strspn
#include "lib/string.c"

static void memcpy_copies_that_much_and_no_more(void **state)
{
    (void)state;
    for (unsigned length = 0; length < LENGTHS; length++)
        for (unsigned a = 0; a < SHIFTS; a++)
            for (unsigned b = 0; b < SHIFTS; b++) {
                fill();
                assert_ptr_equal(our_memcpy(ours + a, from + b, length), ours + a);
                library_memcpy(theirs + a, from + b, length);
                same();
            }
}

static void memmove_bears_every_overlap(void **state)
{
    (void)state;
    for (unsigned length = 0; length < LENGTHS; length++)
        for (unsigned a = 0; a < 2 * SHIFTS; a++)
            for (unsigned b = 0; b < 2 * SHIFTS; b++) {
                fill();
                library_memcpy(ours, from, ROOM);
                library_memcpy(theirs, from, ROOM);
                assert_ptr_equal(our_memmove(ours + a, ours + b, length), ours + a);
                library_memmove(theirs + a, theirs + b, length);
                same();
            }
}

static void memset_sets_that_much_and_no_more(void **state)
{
    (void)state;
    for (unsigned length = 0; length < LENGTHS; length++)
        for (unsigned a = 0; a < SHIFTS; a++) {
            fill();
            assert_ptr_equal(our_memset(ours + a, 0x1C3, length), ours + a);
            library_memset(theirs + a, 0x1C3, length);
            same();
        }
}

static void strspn_counts_what_is_of_a_set(void **state)
{
    (void)state;
    assert_int_equal(our_strspn("  |x ", " |"), 3);
    assert_int_equal(our_strspn("x |", " |"), 0);
    assert_int_equal(our_strspn("||", " |"), 2);
    assert_int_equal(our_strspn("", " "), 0);
    assert_int_equal(our_strspn("x", ""), 0);
}

static void strcspn_counts_to_the_first_of_a_set_or_to_the_end(void **state)
{
    (void)state;
    assert_int_equal(our_strcspn("SET {MSG | WNG}", " {|"), 3);
    assert_int_equal(our_strcspn("{MSG", " {|"), 0);
    assert_int_equal(our_strcspn("MSG", " {|"), 3);
    assert_int_equal(our_strcspn("", " "), 0);
    assert_int_equal(our_strcspn("MSG", ""), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strspn_counts_what_is_of_a_set),
        cmocka_unit_test(strcspn_counts_to_the_first_of_a_set_or_to_the_end),
        cmocka_unit_test(memcpy_copies_that_much_and_no_more),
        cmocka_unit_test(memmove_bears_every_overlap),
        cmocka_unit_test(memset_sets_that_much_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
