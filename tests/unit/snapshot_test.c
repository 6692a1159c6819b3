/* Snapshots of a minidisk: what they hold, what they cost, what is refused, and a disk that goes on whatever comes. */
#include "tests/unit/snapshot_scene.h"

static uint8_t seen[BYTES];

static int block_is(uint32_t block, int value)
{
    for (unsigned i = 0; i < BLOCK; i++)
        if (seen[(size_t)block * BLOCK + i] != (uint8_t)value)
            return 0;
    return 1;
}

static void a_snapshot_costs_what_changed_and_holds_what_was(void **state)
{
    (void)state;
    assert_int_equal(fill(0, DISK_BLOCKS, 'a'), 0);
    unsigned before = volume.writes;
    assert_int_equal(fill(3, 1, 'a'), 0);
    assert_int_equal(volume.writes, before + 1); /* without snapshots: itself alone */
    uint32_t one = take();
    assert_int_equal(fill(3, 2, 'b'), 0);
    before = volume.writes;
    assert_int_equal(fill(3, 2, 'c'), 0);
    assert_int_equal(volume.writes, before + 1); /* what is kept once is */
    assert_int_equal(deed(SNAPSHOT_LIST, 0), SNAPSHOT_OK);
    assert_int_equal(answer.head.count, 1);
    assert_int_equal(answer.cost[0], 2);
    assert_int_equal(answer.unused, answer.slots - 2);
    uint32_t two = take();
    assert_int_equal(fill(4, 1, 'd'), 0);
    assert_int_equal(read_view(one, seen), 0);
    assert_true(block_is(3, 'a') && block_is(4, 'a') && block_is(5, 'a'));
    assert_int_equal(read_view(two, seen), 0);
    assert_true(block_is(3, 'c') && block_is(4, 'c') && block_is(5, 'a'));
    assert_int_equal(read_view(SNAPSHOT_LIVE, seen), 0);
    assert_true(block_is(3, 'c') && block_is(4, 'd'));
    assert_int_equal(deed(SNAPSHOT_DELETE, two), SNAPSHOT_OK);
    assert_int_equal(answer.unused, answer.slots - 2); /* the older has a copy of its own */
    assert_int_equal(read_view(one, seen), 0);
    assert_true(block_is(3, 'a') && block_is(4, 'a'));
    assert_int_equal(deed(SNAPSHOT_DELETE, one), SNAPSHOT_OK);
    assert_int_equal(answer.unused, answer.slots);
}

static void a_view_cannot_be_written_and_a_draft_can(void **state)
{
    uint8_t data[512];
    (void)state;
    fill(0, DISK_BLOCKS, 'a');
    uint32_t one = take();
    fill(0, 4, 'b');
    struct snapshot_set *set = snapshot_open(&volume.disk, &disk, "ALICE", one);
    assert_int_equal(transfer(set, one, DISK_WRITE, 0, data, 1), -EROFS);
    assert_int_equal(transfer(set, one, DISK_FLUSH, 0, NULL, 0), 0);
    assert_int_equal(deed(SNAPSHOT_DELETE, one), SNAPSHOT_IN_USE);
    assert_int_equal(deed(SNAPSHOT_EDIT, one), SNAPSHOT_OK);
    uint32_t draft = answer.view;
    assert_true(draft & SNAPSHOT_DRAFT);
    struct snapshot_set *edited = snapshot_open(&volume.disk, &disk, "ALICE", draft);
    memset(data, 'x', sizeof data);
    assert_int_equal(transfer(edited, draft, DISK_WRITE, 9, data, 1), 0); /* a part of block 1 */
    assert_int_equal(deed(SNAPSHOT_EDIT, one), SNAPSHOT_IN_USE);
    assert_int_equal(read_view(draft, seen), 0);
    assert_true(block_is(0, 'a') && seen[8 * 512] == 'a' && seen[9 * 512] == 'x' && seen[10 * 512] == 'a');
    assert_int_equal(read_view(SNAPSHOT_LIVE, seen), 0);
    assert_true(block_is(1, 'b'));
    assert_int_equal(deed(SNAPSHOT_ADOPT, 0), SNAPSHOT_IN_USE);
    assert_int_equal(become(SNAPSHOT_ADOPT, 0), SNAPSHOT_OK);
    assert_int_equal(transfer(edited, draft, DISK_READ, 9, data, 1), -EIO); /* it is no more */
    snapshot_close(set, one);
    snapshot_close(edited, draft);
    assert_int_equal(read_view(SNAPSHOT_LIVE, seen), 0);
    assert_true(block_is(0, 'a') && seen[9 * 512] == 'x' && block_is(2, 'a'));
    assert_int_equal(read_view(one, seen), 0);
    assert_true(block_is(0, 'a') && block_is(1, 'a'));
    restart();
    assert_int_equal(read_view(SNAPSHOT_LIVE, seen), 0);
    assert_true(block_is(0, 'a') && seen[9 * 512] == 'x');
    assert_int_equal(become(SNAPSHOT_ADOPT, 0), SNAPSHOT_NONE);
}

static void going_back_keeps_the_younger_ones(void **state)
{
    (void)state;
    fill(0, DISK_BLOCKS, 'a');
    uint32_t one = take();
    fill(2, 3, 'b');
    uint32_t two = take();
    assert_int_equal(deed(SNAPSHOT_RESTORE, one), SNAPSHOT_IN_USE);
    assert_int_equal(become(SNAPSHOT_RESTORE, one), SNAPSHOT_OK);
    assert_int_equal(read_view(SNAPSHOT_LIVE, seen), 0);
    assert_true(block_is(2, 'a') && block_is(4, 'a'));
    assert_int_equal(become(SNAPSHOT_RESTORE, two), SNAPSHOT_OK);
    assert_int_equal(read_view(SNAPSHOT_LIVE, seen), 0);
    assert_true(block_is(2, 'b') && block_is(4, 'b') && block_is(5, 'a'));
}

static void where_there_is_no_room_to_go_back_nothing_changes(void **state)
{
    (void)state;
    disk.snapshots.blocks = 5; /* three copies */
    restart();
    fill(0, DISK_BLOCKS, 'a');
    uint32_t one = take();
    fill(0, 2, 'b');
    take();
    assert_int_equal(become(SNAPSHOT_RESTORE, one), SNAPSHOT_FULL);
    assert_int_equal(read_view(SNAPSHOT_LIVE, seen), 0);
    assert_true(block_is(0, 'b') && block_is(1, 'b') && block_is(2, 'a'));
    assert_string_equal(lost, "");
    assert_int_equal(answer.head.count, 2);
}

static void a_full_area_costs_the_oldest_and_never_a_write(void **state)
{
    (void)state;
    disk.snapshots.blocks = 7; /* five copies */
    restart();
    fill(0, DISK_BLOCKS, 'a');
    uint32_t one = take();
    fill(0, 3, 'b');
    uint32_t two = take();
    assert_int_equal(fill(0, 2, 'c'), 0);
    assert_string_equal(lost, "");
    assert_int_equal(fill(4, 2, 'c'), 0);
    assert_string_equal(lost, "ALICE 191 1\n");
    assert_int_equal(read_view(one, seen), -EIO);
    assert_int_equal(read_view(two, seen), 0);
    assert_true(block_is(0, 'b') && block_is(2, 'b') && block_is(4, 'a') && block_is(5, 'a'));
    assert_int_equal(fill(0, DISK_BLOCKS, 'd'), 0); /* more than it holds at all */
    assert_string_equal(lost, "ALICE 191 1\nALICE 191 2\n");
    assert_int_equal(read_view(SNAPSHOT_LIVE, seen), 0);
    assert_true(block_is(0, 'd') && block_is(DISK_BLOCKS - 1, 'd'));
    assert_int_equal(deed(SNAPSHOT_LIST, 0), SNAPSHOT_OK);
    assert_int_equal(answer.head.count, 0);
    assert_int_equal(answer.head.losses, 2);
    assert_int_equal(answer.head.lost.number, two);
    restart();
    take();
}

static void a_draft_gives_way_before_a_snapshot(void **state)
{
    uint8_t data[BLOCK] = {1};
    (void)state;
    disk.snapshots.blocks = 5;
    restart();
    fill(0, DISK_BLOCKS, 'a');
    uint32_t one = take();
    assert_int_equal(deed(SNAPSHOT_EDIT, one), SNAPSHOT_OK);
    uint32_t draft = answer.view;
    struct snapshot_set *set = snapshot_open(&volume.disk, &disk, "ALICE", draft);
    for (unsigned b = 0; b < 3; b++)
        assert_int_equal(transfer(set, draft, DISK_WRITE, b * 8, data, 8), 0);
    assert_int_equal(transfer(set, draft, DISK_WRITE, 24, data, 8), -EIO); /* no room for more of it */
    assert_int_equal(fill(0, 3, 'b'), 0);
    assert_string_equal(lost, "");
    assert_int_equal(transfer(set, draft, DISK_READ, 0, data, 8), -EIO);
    snapshot_close(set, draft);
    assert_int_equal(read_view(one, seen), 0);
    assert_true(block_is(0, 'a') && block_is(2, 'a'));
}

static enum snapshot_result by(enum snapshot_deed what, const char *name, uint64_t from, uint64_t to, uint64_t now)
{
    struct snapshot_order o = {.deed = what, .from = from, .to = to, .now = now};
    snprintf(o.name, sizeof o.name, "%s", name);
    return ask(&o);
}

static void snapshots_are_found_by_number_name_and_time(void **state)
{
    (void)state;
    assert_int_equal(by(SNAPSHOT_TAKE, "BEFORE", 0, 0, 5000), SNAPSHOT_OK);
    assert_int_equal(by(SNAPSHOT_TAKE, "BEFORE", 0, 0, 6000), SNAPSHOT_NAMED);
    assert_int_equal(by(SNAPSHOT_TAKE, "", 0, 0, 6000), SNAPSHOT_OK);
    assert_int_equal(by(SNAPSHOT_TAKE, "EIGHTLET", 0, 0, 7000), SNAPSHOT_OK);
    assert_int_equal(by(SNAPSHOT_LOOK, "EIGHTLET", 0, 0, 0), SNAPSHOT_OK);
    assert_int_equal(answer.view, 3);
    assert_int_equal(by(SNAPSHOT_LOOK, "EIGHT", 0, 0, 0), SNAPSHOT_NONE);
    assert_int_equal(by(SNAPSHOT_LOOK, "", 4000, 6500, 0), SNAPSHOT_OK);
    assert_int_equal(answer.view, 2);
    assert_int_equal(by(SNAPSHOT_LOOK, "", 0, 4000, 0), SNAPSHOT_NONE);
    assert_int_equal(deed(SNAPSHOT_LOOK, 1), SNAPSHOT_OK);
    assert_int_equal(deed(SNAPSHOT_LOOK, 4), SNAPSHOT_NONE);
    assert_int_equal(deed(SNAPSHOT_DELETE, 3), SNAPSHOT_OK);
    for (unsigned i = 2; i < SNAPSHOTS; i++)
        take();
    assert_int_equal(answer.head.snapshot[2].number, 4); /* no number comes again */
    assert_int_equal(deed(SNAPSHOT_TAKE, 0), SNAPSHOT_TOO_MANY);
    restart();
    assert_int_equal(deed(SNAPSHOT_LIST, 0), SNAPSHOT_OK);
    assert_int_equal(answer.head.count, SNAPSHOTS);
    assert_string_equal(answer.head.snapshot[0].name, "BEFORE");
    assert_int_equal(deed(SNAPSHOT_CLEAR, 0), SNAPSHOT_OK);
    assert_int_equal(answer.head.count, 0);
    assert_int_equal(snapshot_answered(999999)->result, SNAPSHOT_FAILED);
}

static void an_area_that_is_not_its_own_is_refused_and_left_alone(void **state)
{
    uint8_t *area = volume.medium + AREA_START * BLOCK;
    uint8_t was[BLOCK];
    (void)state;
    fill(0, 2, 'a');
    take();
    fill(0, 1, 'b');
    disk.start++; /* another minidisk, over whose area this one's was laid */
    memcpy(was, area, sizeof was);
    restart();
    assert_int_equal(deed(SNAPSHOT_LIST, 0), SNAPSHOT_DAMAGED);
    assert_string_equal(answer.why, "it is of another minidisk");
    assert_int_equal(fill(0, 1, 'c'), 0);
    assert_memory_equal(was, area, sizeof was);
    disk.start--;
    area[20] ^= 1;
    restart();
    assert_int_equal(deed(SNAPSHOT_TAKE, 0), SNAPSHOT_DAMAGED);
    assert_string_equal(answer.why, "its head is damaged");
    assert_int_equal(deed(SNAPSHOT_CLEAR, 0), SNAPSHOT_OK);
    assert_int_equal(deed(SNAPSHOT_TAKE, 0), SNAPSHOT_OK);
}

static void a_damaged_area_that_is_cleared_holds_no_storage_when_it_is_closed(void **state)
{
    (void)state;
    take();
    volume.medium[AREA_START * BLOCK + 20] ^= 1;
    restart();
    assert_int_equal(deed(SNAPSHOT_CLEAR, 0), SNAPSHOT_OK);
    restart();
}

/* What the map has lost nobody may believe any more, also if it can be read again later. */
static void a_damaged_map_is_disowned_with_the_next_write(void **state)
{
    uint8_t *map = volume.medium + (AREA_START + 1) * BLOCK;
    (void)state;
    fill(0, 2, 'a');
    take();
    fill(0, 1, 'b');
    map[100] ^= 1;
    restart();
    assert_int_equal(deed(SNAPSHOT_RESTORE, 1), SNAPSHOT_DAMAGED);
    assert_int_equal(read_view(SNAPSHOT_LIVE, seen), 0);
    assert_true(block_is(0, 'b'));
    assert_int_equal(fill(1, 1, 'c'), 0);
    assert_string_equal(lost, "ALICE 191 1 failed\n");
    map[100] ^= 1;
    restart();
    assert_int_equal(deed(SNAPSHOT_LIST, 0), SNAPSHOT_OK);
    assert_int_equal(answer.head.count, 0);
}

/* ---- at random ---------------------------------------------------------------------------------------------------
 * */

static uint32_t seed;
static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(seed >> 8) * n >> 24);
}

static struct {
    uint8_t now[BYTES];
    unsigned count;
    uint32_t number[SNAPSHOTS + 1];
    uint8_t was[SNAPSHOTS + 1][BYTES];
} model;

static void model_write(void)
{
    static uint8_t data[BYTES];
    uint32_t sector = random_below(DISK_BLOCKS * 8), sectors = 1 + random_below(DISK_BLOCKS * 8 - sector);
    sectors = random_below(3) ? sectors % 20 + 1 : sectors;
    if (sectors > DISK_BLOCKS * 8 - sector)
        sectors = DISK_BLOCKS * 8 - sector;
    for (uint32_t i = 0; i < sectors * 512; i++)
        data[i] = (uint8_t)random_below(256);
    assert_int_equal(write_live(sector, sectors, data), 0);
    memcpy(model.now + (size_t)sector * 512, data, (size_t)sectors * 512);
}

static void model_take(void)
{
    enum snapshot_result result = deed(SNAPSHOT_TAKE, 0);
    assert_int_equal(result, model.count == SNAPSHOTS ? SNAPSHOT_TOO_MANY : SNAPSHOT_OK);
    if (result)
        return;
    model.number[model.count] = answer.view;
    memcpy(model.was[model.count++], model.now, BYTES);
}

static void model_delete(void)
{
    unsigned i = model.count ? random_below(model.count) : 0;
    if (!model.count)
        return;
    assert_int_equal(deed(SNAPSHOT_DELETE, model.number[i]), SNAPSHOT_OK);
    model.count--;
    memmove(&model.number[i], &model.number[i + 1], (model.count - i) * sizeof *model.number);
    memmove(model.was[i], model.was[i + 1], (size_t)(model.count - i) * BYTES);
}

static void model_restore(void)
{
    unsigned i = model.count ? random_below(model.count) : 0;
    if (!model.count)
        return;
    assert_int_equal(become(SNAPSHOT_RESTORE, model.number[i]), SNAPSHOT_OK);
    memcpy(model.now, model.was[i], BYTES);
}

static void model_draft(void)
{
    static uint8_t draft_data[BYTES];
    unsigned i = model.count ? random_below(model.count) : 0;
    if (!model.count)
        return;
    assert_int_equal(deed(SNAPSHOT_EDIT, model.number[i]), SNAPSHOT_OK);
    uint32_t view = answer.view;
    struct snapshot_set *set = snapshot_open(&volume.disk, &disk, "ALICE", view);
    memcpy(draft_data, model.was[i], BYTES);
    for (unsigned n = random_below(5); n; n--) {
        uint32_t sector = random_below(DISK_BLOCKS * 8 - 16), sectors = 1 + random_below(16);
        memset(draft_data + (size_t)sector * 512, (int)random_below(256), (size_t)sectors * 512);
        assert_int_equal(transfer(set, view, DISK_WRITE, sector, draft_data + (size_t)sector * 512, sectors), 0);
    }
    if (random_below(3)) {
        assert_int_equal(become(SNAPSHOT_ADOPT, 0), SNAPSHOT_OK);
        memcpy(model.now, draft_data, BYTES);
    }
    snapshot_close(set, view);
    settle();
}

static void model_compare(void)
{
    assert_int_equal(read_view(SNAPSHOT_LIVE, seen), 0);
    assert_memory_equal(seen, model.now, BYTES);
    assert_int_equal(deed(SNAPSHOT_LIST, 0), SNAPSHOT_OK);
    assert_int_equal(answer.head.count, model.count);
    for (unsigned i = 0; i < model.count; i++) {
        assert_int_equal(read_view(model.number[i], seen), 0);
        assert_memory_equal(seen, model.was[i], BYTES);
    }
}

static void whatever_is_done_every_snapshot_is_what_the_minidisk_was(void **state)
{
    static void (*const deeds[])(void) = {model_write, model_write, model_write, model_take, model_delete,
                                          model_restore, model_draft, restart};
    (void)state;
    disk.snapshots.blocks = AREA_BLOCKS_MOST;
    restart();
    memset(&model, 0, sizeof model);
    for (seed = 1; model.count < 3;)
        model_take(), model_write();
    for (unsigned i = 0; i < 1500; i++) {
        deeds[random_below(sizeof deeds / sizeof *deeds)]();
        if (i % 5 == 0)
            model_compare();
    }
    assert_string_equal(lost, "");
}

/* ---- a medium that fails ------------------------------------------------------------------------------------------
 * */

static void try_all(bool *wrote)
{
    deed(SNAPSHOT_TAKE, 0);
    *wrote = fill(0, 3, 'c') == 0;
    deed(SNAPSHOT_DELETE, 1);
    become(SNAPSHOT_RESTORE, 2);
}

/* One request after the other fails, in each run another. What is there afterwards is what it says. */
static void a_medium_that_fails_leaves_no_snapshot_that_is_wrong(void **state)
{
    bool wrote;
    (void)state;
    for (unsigned at = 1, last = 99; at <= last; at++) {
        end(NULL);
        begin(NULL);
        fill(0, DISK_BLOCKS, 'a');
        take();
        fill(1, 1, 'b');
        take();
        requests_done = 0;
        fail_at = at;
        try_all(&wrote);
        last = requests_done > at ? last : at;
        fail_at = 0;
        restart();
        assert_int_equal(deed(SNAPSHOT_LIST, 0), SNAPSHOT_OK);
        struct snapshot_head head = answer.head;
        for (unsigned i = 0; i < head.count; i++) {
            uint32_t number = head.snapshot[i].number;
            assert_int_equal(read_view(number, seen), 0);
            if (!block_is(0, 'a') || !block_is(1, number == 1 ? 'a' : 'b') || !block_is(2, 'a'))
                fail_msg("request %u failed: snapshot %u is wrong", at, number);
        }
        assert_int_equal(fill(0, DISK_BLOCKS, 'z'), 0);
        assert_true(last < 99 || at < 98);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_snapshot_costs_what_changed_and_holds_what_was, begin, end),
        cmocka_unit_test_setup_teardown(a_view_cannot_be_written_and_a_draft_can, begin, end),
        cmocka_unit_test_setup_teardown(going_back_keeps_the_younger_ones, begin, end),
        cmocka_unit_test_setup_teardown(where_there_is_no_room_to_go_back_nothing_changes, begin, end),
        cmocka_unit_test_setup_teardown(a_full_area_costs_the_oldest_and_never_a_write, begin, end),
        cmocka_unit_test_setup_teardown(a_draft_gives_way_before_a_snapshot, begin, end),
        cmocka_unit_test_setup_teardown(snapshots_are_found_by_number_name_and_time, begin, end),
        cmocka_unit_test_setup_teardown(an_area_that_is_not_its_own_is_refused_and_left_alone, begin, end),
        cmocka_unit_test_setup_teardown(a_damaged_area_that_is_cleared_holds_no_storage_when_it_is_closed, begin, end),
        cmocka_unit_test_setup_teardown(a_damaged_map_is_disowned_with_the_next_write, begin, end),
        cmocka_unit_test_setup_teardown(whatever_is_done_every_snapshot_is_what_the_minidisk_was, begin, end),
        cmocka_unit_test_setup_teardown(a_medium_that_fails_leaves_no_snapshot_that_is_wrong, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
