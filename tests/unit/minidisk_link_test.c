/* Minidisks, and who has them: users, on machines of which only their disks are known. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cp/directory/load.h"
#include "cp/minidisk/area.h"
#include "cp/minidisk/link.h"
#include "cp/minidisk/minidisk.h"
#include "tests/unit/fake/disk.h"

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

/* The turns at which a flood of one user and a few requests of another are served, as the disk would: B for BOB's, A,
 * C for CP's. */
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

/* ---- the table of links ------------------------------------------------------------------------------------------ */

enum { SLOTS = 4 };

static struct machine machines[3];
static struct {
    unsigned vdev[SLOTS];
    struct disk *disk[SLOTS];
} attached[3];

int machine_attach_disk(struct machine *m, unsigned vdev, struct disk *disk)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (!attached[m - machines].disk[i]) {
            attached[m - machines].disk[i] = disk;
            attached[m - machines].vdev[i] = vdev;
            return 0;
        }
    return -ENOSPC;
}

int machine_detach_disk(struct machine *m, unsigned vdev)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (attached[m - machines].disk[i] && attached[m - machines].vdev[i] == vdev)
            return attached[m - machines].disk[i] = NULL, 0;
    return -ENOENT;
}

static struct fake_disk volume;
static const struct user alices = {.id = "ALICE"}, bobs = {.id = "BOB"}, *const alice = &alices, *const bob = &bobs;

/* Three minidisks, the last of which shares blocks with the one before. */
static int begin(void **state)
{
    (void)state;
    for (struct link *l = NULL; (l = link_next(l));)
        link_forget(l->user);
    memset(attached, 0, sizeof attached);
    directory_clear(&directory);
    strcpy(directory_add(&directory)->id, "ALICE");
    strcpy(directory_add(&directory)->id, "BOB");
    directory_add(&directory);
    directory.disk[0] = (struct directory_disk){.vdev = 0x191, .start = 10, .blocks = 10};
    directory.disk[1] = (struct directory_disk){.vdev = 0x192, .start = 20, .blocks = 10};
    directory.disk[2] = (struct directory_disk){.vdev = 0x193, .start = 29, .blocks = 10, .overlap = true};
    if (!volume.medium)
        fake_disk_init(&volume, 8 * 100, false);
    link_volume = &volume.disk;
    return 0;
}

static void who_shares_blocks_is_among_the_others_under_whatever_name(void **state)
{
    (void)state;
    assert_int_equal(link_make(alice, &machines[0], &directory.disk[1], 0x192, LINK_MR), LINK_OK);
    assert_int_equal(link_make(bob, &machines[1], &directory.disk[0], 0x191, LINK_MR), LINK_OK);
    assert_int_equal(link_make(bob, &machines[1], &directory.disk[2], 0x193, LINK_MR), LINK_FORCED_READ);
    struct link_others others = link_others(&directory.disk[2], bob);
    assert_int_equal(others.writers, 1);
    assert_int_equal(others.readers, 0);
    assert_string_equal(others.writer, "ALICE");
    others = link_others(&directory.disk[2], NULL);
    assert_int_equal(others.readers, 1);
    assert_string_equal(others.reader, "BOB");
    assert_int_equal(link_make(bob, &machines[1], &directory.disk[1], 0x200, LINK_R), LINK_REFUSED);
    assert_null(link_find(bob, 0x200));
}

static void a_device_number_is_taken_once_a_machine_but_by_others_too(void **state)
{
    (void)state;
    assert_int_equal(link_make(alice, &machines[0], &directory.disk[0], 0x191, LINK_RR), LINK_OK);
    assert_int_equal(link_make(alice, &machines[0], &directory.disk[1], 0x191, LINK_RR), LINK_VDEV_IN_USE);
    assert_int_equal(link_make(bob, &machines[1], &directory.disk[0], 0x191, LINK_RR), LINK_OK);
    assert_ptr_not_equal(link_find(alice, 0x191), link_find(bob, 0x191));
    assert_true(link_detach(alice, &machines[0], 0x191));
    assert_false(link_detach(alice, &machines[0], 0x191));
    assert_null(attached[0].disk[0]);
    assert_non_null(attached[1].disk[0]);
    assert_non_null(link_find(bob, 0x191));
}

static void who_has_left_has_no_links_and_others_keep_theirs(void **state)
{
    unsigned left = 0;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        link_make(alice, &machines[0], &directory.disk[i], 0x300 + i, LINK_RR);
        link_make(bob, &machines[1], &directory.disk[i], 0x300 + i, LINK_RR);
    }
    link_forget(alice);
    for (struct link *l = NULL; (l = link_next(l)); left++)
        assert_ptr_equal(l->user, bob);
    assert_int_equal(left, 3);
    assert_null(link_find(alice, 0x300));
}

/* Whatever number of minidisks they have; and what CP does for them is charged to their machine. */
static void all_minidisks_of_a_user_wait_in_one_place_of_the_queue(void **state)
{
    (void)state;
    link_make(alice, &machines[0], &directory.disk[0], 0x191, LINK_RR);
    link_make(alice, &machines[0], &directory.disk[1], 0x192, LINK_RR);
    link_make(bob, &machines[1], &directory.disk[0], 0x191, LINK_RR);
    struct disk_user *hers = link_find(alice, 0x191)->minidisk.user;
    assert_ptr_equal(hers, &machines[0].disk_user);
    assert_ptr_equal(link_find(alice, 0x192)->minidisk.user, hers);
    assert_ptr_not_equal(link_find(bob, 0x191)->minidisk.user, hers);
    debtor = NULL;
    transfer(&link_find(alice, 0x191)->minidisk.disk, DISK_FLUSH, 0, NULL, 0);
    assert_ptr_equal(debtor, &hers->debt);
}

static void what_cannot_be_attached_is_not_linked(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SLOTS; i++)
        assert_int_equal(link_make(alice, &machines[0], &directory.disk[0], 0x200 + i, LINK_RR), LINK_OK);
    assert_int_equal(link_make(alice, &machines[0], &directory.disk[0], 0x300, LINK_RR), LINK_NO_ROOM);
    assert_null(link_find(alice, 0x300));
    link_volume = NULL;
    assert_int_equal(link_make(bob, &machines[1], &directory.disk[0], 0x191, LINK_RR), LINK_NO_VOLUME);
    assert_null(link_find(bob, 0x191));
}

static void an_area_is_its_range_of_the_volume_and_is_there_only_where_the_directory_has_one(void **state)
{
    uint8_t data[4096];
    (void)state;
    assert_null(area_open(AREA_SPOOL));
    directory.area[AREA_SPOOL] = (struct directory_range){40, 3};
    directory.area[AREA_AUDIT] = (struct directory_range){99, 2};
    struct disk *spool = area_open(AREA_SPOOL);
    assert_non_null(spool);
    assert_null(area_open(AREA_AUDIT)); /* beyond the volume */
    assert_int_equal(spool->sectors, 24);
    memset(data, 0xCD, sizeof data);
    assert_int_equal(transfer(spool, DISK_WRITE, 16, data, 8), 0);
    assert_int_equal(transfer(spool, DISK_WRITE, 17, data, 8), -EINVAL);
    assert_int_equal(volume.medium[42 * 4096 - 1], 0);
    assert_int_equal(volume.medium[42 * 4096], 0xCD);
    assert_int_equal(volume.medium[43 * 4096], 0);
    link_volume = NULL;
    assert_null(area_open(AREA_SPOOL));
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_minidisk_is_its_extent_and_nothing_else),
        TEST(a_read_only_minidisk_is_not_written),
        TEST(a_disk_serves_users_by_turns),
        TEST(links_are_granted_as_zvm_grants_them),
        TEST(who_shares_blocks_is_among_the_others_under_whatever_name),
        TEST(a_device_number_is_taken_once_a_machine_but_by_others_too),
        TEST(who_has_left_has_no_links_and_others_keep_theirs),
        TEST(all_minidisks_of_a_user_wait_in_one_place_of_the_queue),
        TEST(what_cannot_be_attached_is_not_linked),
        TEST(an_area_is_its_range_of_the_volume_and_is_there_only_where_the_directory_has_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
