/* The CP volume's label and slots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cp/directory/volume.h"
#include "lib/crc32.h"

enum { BLOCKS = 1000 };

static _Alignas(8) uint8_t head[VOLUME_HEAD_BYTES];
static struct volume_facts facts;

static uint8_t *block(unsigned n) { return head + n * VOLUME_BLOCK; }

static int make_volume(void **state)
{
    (void)state;
    memset(head, 0, sizeof head);
    volume_label_make(block(0), "VOL1", BLOCKS);
    volume_slot_make(block(VOLUME_SLOT_A), "first", 5, 1);
    volume_slot_make(block(VOLUME_SLOT_B), "second", 6, 2);
    return 0;
}

static void assert_first(const char *blob)
{
    assert_null(volume_examine(head, BLOCKS, &facts));
    assert_int_equal(facts.bytes[0], strlen(blob));
    assert_memory_equal(facts.blob[0], blob, strlen(blob));
}

static void the_crc_is_the_usual_one(void **state)
{
    (void)state;
    assert_int_equal(crc32_of("123456789", 9), 0xCBF43926);
}

static void the_newest_directory_comes_first(void **state)
{
    (void)state;
    assert_first("second");
    assert_string_equal(facts.volid, "VOL1");
    assert_int_equal(facts.slot[0], 'B');
    assert_int_equal(facts.slot[1], 'A');
    volume_slot_make(block(VOLUME_SLOT_A), "third", 5, 3);
    assert_first("third");
    assert_int_equal(facts.slot[0], 'A');
}

static void a_damaged_slot_leaves_the_other(void **state)
{
    (void)state;
    block(VOLUME_SLOT_B)[sizeof(struct volume_slot) + 2] ^= 1;
    assert_first("first");
    assert_null(facts.blob[1]);
    assert_string_equal(facts.slot_fault[1], "its contents are damaged");
    block(VOLUME_SLOT_A)[9] ^= 1;
    assert_null(volume_examine(head, BLOCKS, &facts));
    assert_null(facts.blob[0]);
    assert_string_equal(facts.slot_fault[0], "its header is damaged");
}

static void every_flipped_bit_of_label_and_headers_is_seen(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < sizeof(struct volume_label) * 8; bit++) {
        head[bit / 8] ^= 1 << bit % 8;
        assert_non_null(volume_examine(head, BLOCKS, &facts));
        head[bit / 8] ^= 1 << bit % 8;
    }
    for (unsigned bit = 0; bit < (sizeof(struct volume_slot) + 6) * 8; bit++) {
        block(VOLUME_SLOT_B)[bit / 8] ^= 1 << bit % 8;
        assert_first("first");
        block(VOLUME_SLOT_B)[bit / 8] ^= 1 << bit % 8;
    }
}

static void a_slot_that_claims_too_much_is_not_read(void **state)
{
    struct volume_slot *slot = (struct volume_slot *)block(VOLUME_SLOT_B);
    (void)state;
    slot->bytes = 0xffffffff;
    slot->crc = crc32_of(slot, offsetof(struct volume_slot, crc));
    assert_first("first");
    slot->bytes = VOLUME_DIRECTORY_MAX; /* to its very end: AddressSanitizer watches */
    slot->blob_crc = crc32_of(slot + 1, VOLUME_DIRECTORY_MAX);
    slot->crc = crc32_of(slot, offsetof(struct volume_slot, crc));
    assert_null(volume_examine(head, BLOCKS, &facts));
    assert_int_equal(facts.bytes[0], VOLUME_DIRECTORY_MAX);
}

static void a_truncated_volume_is_refused(void **state)
{
    (void)state;
    assert_string_equal(volume_examine(head, BLOCKS - 1, &facts),
                        "volume is larger than its disk: the image is truncated");
    memset(head, 0, VOLUME_BLOCK);
    assert_string_equal(volume_examine(head, BLOCKS, &facts), "no CP volume label");
}

#define TEST(name) cmocka_unit_test_setup(name, make_volume)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_crc_is_the_usual_one),
        TEST(the_newest_directory_comes_first),
        TEST(a_damaged_slot_leaves_the_other),
        TEST(every_flipped_bit_of_label_and_headers_is_seen),
        TEST(a_slot_that_claims_too_much_is_not_read),
        TEST(a_truncated_volume_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
