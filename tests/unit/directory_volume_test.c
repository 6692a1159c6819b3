/* The CP volume's label and slots, minidisks, and who may link how. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cp/directory/volume.h"
#include "cp/minidisk/link.h"
#include "cp/minidisk/minidisk.h"
#include "lib/crc32.h"
#include "tests/unit/fake/disk.h"

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

/* ---- minidisks -------------------------------------------------------------------------------------------------- */

static int last_status;
static void done(struct disk_request *r, int status)
{
    (void)r;
    last_status = status;
}

static int transfer(struct disk *disk, enum disk_op op, uint64_t sector, uint8_t *data, uint32_t sectors)
{
    struct disk_segment segment = {data, sectors * 512};
    struct disk_request r = {
        .op = op, .sector = sector, .sectors = sectors, .segment = &segment, .segments = 1, .done = done};
    if (op == DISK_FLUSH)
        r.segments = 0;
    int refused = disk->submit(disk, &r);
    if (refused) {
        assert_int_equal(r.sector, sector);
        return refused;
    }
    fake_disk_done_all(((struct minidisk *)disk->owner)->volume->owner);
    return last_status;
}

static void a_minidisk_is_its_extent_and_nothing_else(void **state)
{
    struct fake_disk disk;
    struct minidisk m;
    uint8_t data[8192];
    (void)state;
    fake_disk_init(&disk, 800, false);
    assert_true(minidisk_init(&m, &disk.disk, "0191", 10, 5, false));
    assert_int_equal(m.disk.sectors, 40);
    memset(data, 0xAB, sizeof data);
    assert_int_equal(transfer(&m.disk, DISK_WRITE, 0, data, 8), 0);
    assert_int_equal(transfer(&m.disk, DISK_WRITE, 39, data, 1), 0);
    assert_int_equal(transfer(&m.disk, DISK_FLUSH, 12345, data, 0), 0);
    assert_int_equal(disk.medium[10 * 4096 - 1], 0);
    assert_int_equal(disk.medium[10 * 4096], 0xAB);
    assert_int_equal(disk.medium[15 * 4096 - 1], 0xAB);
    assert_int_equal(disk.medium[15 * 4096], 0);
    assert_int_equal(transfer(&m.disk, DISK_WRITE, 39, data, 2), -EINVAL);
    assert_int_equal(transfer(&m.disk, DISK_READ, 40, data, 1), -EINVAL);
    assert_int_equal(transfer(&m.disk, DISK_READ, UINT64_MAX - 79, data, 1), -EINVAL);
    fake_disk_free(&disk);
}

static void a_read_only_minidisk_is_not_written(void **state)
{
    struct fake_disk disk;
    struct minidisk m;
    uint8_t data[512] = {1};
    (void)state;
    fake_disk_init(&disk, 800, false);
    assert_true(minidisk_init(&m, &disk.disk, "0190", 0, 100, true));
    assert_int_equal(transfer(&m.disk, DISK_WRITE, 0, data, 1), -EROFS);
    assert_int_equal(transfer(&m.disk, DISK_READ, 0, data, 1), 0);
    assert_int_equal(data[0], 0);
    assert_false(minidisk_init(&m, &disk.disk, "0190", 99, 2, true));
    assert_false(minidisk_init(&m, &disk.disk, "0190", 0xffffffff, 0xffffffff, true));
    assert_false(minidisk_init(&m, &disk.disk, "0190", 5, 0, true));
    fake_disk_free(&disk);
}

/* The turns at which a flood of one user and a few requests of another are served, as the disk
 * would: B for BOB's, A, C for CP's. */
static const char *served(struct disk_request **waiting, uint64_t *now, unsigned count)
{
    static char order[64];
    unsigned n = 0;
    for (; n < count && *waiting; n++) {
        struct disk_request *r = *waiting;
        *waiting = r->next;
        *now = r->turn;
        order[n] = *(const char *)r->owner;
    }
    order[n] = 0;
    return order;
}

static void a_disk_serves_users_by_turns(void **state)
{
    struct disk_user alice = {0}, bob = {0};
    struct disk_request flood[40], few[4], own = {.owner = "C"}, *waiting = NULL;
    uint64_t now = 1000; /* much was served before */
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        flood[i] = (struct disk_request){.sectors = 128, .user = &bob, .owner = "B"};
        disk_request_queue(&waiting, now, &flood[i]);
    }
    assert_string_equal(served(&waiting, &now, 3), "BBB");
    for (unsigned i = 0; i < 4; i++) {
        few[i] = (struct disk_request){.sectors = 64, .user = &alice, .owner = "A"};
        disk_request_queue(&waiting, now, &few[i]);
    }
    assert_ptr_equal(few[0].next, &few[1]);
    assert_string_equal(served(&waiting, &now, 7), "AABAABB"); /* as many sectors for her as for him */
    disk_request_queue(&waiting, now, &own);
    assert_string_equal(served(&waiting, &now, 2), "CB");
    few[0].user->turn = 0;
    disk_request_queue(&waiting, now, &few[0]); /* who was idle gets no credit for it */
    few[1].user = &bob, few[1].owner = "b";
    disk_request_queue(&waiting, now, &few[1]); /* a user's own stay in order */
    assert_string_equal(served(&waiting, &now, 2), "AB");
    assert_string_equal(served(&waiting, &now, 40) + 32, "b");
}

static void links_are_granted_as_zvm_grants_them(void **state)
{
    static const char expected[LINK_MODES][3] = {
        /* nobody, readers, a writer: r w, f = read though write was wished, - no */
        [LINK_R] = {'r', 'r', '-'},  [LINK_RR] = {'r', 'r', 'r'}, [LINK_W] = {'w', '-', '-'},
        [LINK_WR] = {'w', 'f', 'f'}, [LINK_M] = {'w', 'w', '-'},  [LINK_MR] = {'w', 'w', 'f'},
        [LINK_MW] = {'w', 'w', 'w'},
    };
    static const struct link_others others[3] = {{0, 0, NULL, NULL}, {2, 0, "A", NULL}, {1, 1, "A", "B"}};
    (void)state;
    for (unsigned mode = 0; mode < LINK_MODES; mode++) {
        for (unsigned i = 0; i < 3; i++) {
            bool write;
            enum link_result result = link_decide(mode, others[i], &write);
            char got = result == LINK_REFUSED ? '-' : result == LINK_FORCED_READ ? 'f' : write ? 'w' : 'r';
            assert_int_equal(got, expected[mode][i]);
            assert_true(result == LINK_OK || !write);
        }
    }
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
        TEST(a_minidisk_is_its_extent_and_nothing_else),
        TEST(a_read_only_minidisk_is_not_written),
        TEST(a_disk_serves_users_by_turns),
        TEST(links_are_granted_as_zvm_grants_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
