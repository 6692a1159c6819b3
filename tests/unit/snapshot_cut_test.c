/* The power goes at every moment of the work on snapshots: the minidisk and each of them is what it was before or
 * what it was to be, and never something between. */
#include "tests/unit/snapshot_scene.h"

enum { LOG = 600, STEPS = 14 };

/* What went to the disk, in its order. */
static struct {
    bool flush;
    uint64_t sector;
    uint32_t bytes;
    uint8_t *data;
} log_[LOG];
static unsigned logged;

static void note(const struct disk *d, const struct disk_request *r, int status)
{
    (void)d;
    assert_true(logged < LOG && !status);
    if (r->op == DISK_READ)
        return;
    log_[logged].flush = r->op == DISK_FLUSH;
    log_[logged].sector = r->sector;
    log_[logged].bytes = r->sectors * DISK_SECTOR_BYTES;
    log_[logged].data = malloc(log_[logged].bytes + 1);
    for (uint32_t i = 0, at = 0; i < r->segments && r->op == DISK_WRITE; at += r->segment[i++].bytes)
        memcpy(log_[logged].data + at, r->segment[i].data, r->segment[i].bytes);
    logged++;
}

/* ---- all there is ------------------------------------------------------------------------------------------------
 * */

struct picture {
    uint8_t now[BYTES];
    unsigned count;
    uint32_t number[SNAPSHOTS];
    uint8_t was[SNAPSHOTS][BYTES];
};
static struct picture pictures[STEPS + 1], found;

static void take_picture(struct picture *p)
{
    memset(p, 0, sizeof *p);
    assert_int_equal(read_view(SNAPSHOT_LIVE, p->now), 0);
    assert_int_equal(deed(SNAPSHOT_LIST, 0), SNAPSHOT_OK);
    p->count = answer.head.count;
    for (unsigned i = 0; i < p->count; i++) {
        p->number[i] = answer.head.snapshot[i].number;
        assert_int_equal(read_view(p->number[i], p->was[i]), 0);
    }
}

static bool same_snapshots(const struct picture *a, const struct picture *b)
{
    return a->count == b->count && !memcmp(a->number, b->number, sizeof a->number) &&
           !memcmp(a->was, b->was, sizeof a->was);
}

/* A write of the minidisk may be there in part; all else is there or not. */
static bool between(const struct picture *p, const struct picture *before, const struct picture *after, bool writes)
{
    bool old = !memcmp(p->now, before->now, BYTES), new = !memcmp(p->now, after->now, BYTES);
    if (writes) {
        for (unsigned i = 0; i < BYTES; i += 512)
            if (memcmp(p->now + i, before->now + i, 512) && memcmp(p->now + i, after->now + i, 512))
                return false;
        return same_snapshots(p, before) || same_snapshots(p, after);
    }
    return (old && same_snapshots(p, before)) || (new && same_snapshots(p, after));
}

/* ---- one step after another --------------------------------------------------------------------------------------
 * */

static void flush(void) { assert_int_equal(transfer(live, SNAPSHOT_LIVE, DISK_FLUSH, 0, NULL, 0), 0); }
static void few(void) { assert_int_equal(fill(2, 3, 'b'), 0), flush(); }
static void many(void) { assert_int_equal(fill(1, 18, 'c'), 0), flush(); }
static void others(void) { assert_int_equal(fill(3, 4, 'd'), 0), flush(); }
static void take_one(void) { take(); }
static void delete_two(void) { assert_int_equal(deed(SNAPSHOT_DELETE, 2), SNAPSHOT_OK); }
static void to_one(void) { assert_int_equal(become(SNAPSHOT_RESTORE, 1), SNAPSHOT_OK); }
static void to_six(void) { assert_int_equal(become(SNAPSHOT_RESTORE, 6), SNAPSHOT_OK); }
static void clear_all(void) { assert_int_equal(deed(SNAPSHOT_CLEAR, 0), SNAPSHOT_OK); }

/* The second draft is one of those that the map still tells of the first of. */
static void adopt(void)
{
    static uint8_t data[BLOCK];
    for (unsigned draft = 0; draft < 2; draft++) {
        assert_int_equal(deed(SNAPSHOT_EDIT, 1), SNAPSHOT_OK);
        uint32_t view = answer.view;
        struct snapshot_set *set = snapshot_open(&volume.disk, &disk, "ALICE", view);
        memset(data, 'p' + (int)draft, sizeof data);
        for (unsigned b = 5; b < 9; b++)
            assert_int_equal(transfer(set, view, DISK_WRITE, (b + 4 * draft) * 8, data, 8), 0);
        if (draft)
            assert_int_equal(become(SNAPSHOT_ADOPT, 0), SNAPSHOT_OK);
        snapshot_close(set, view);
        settle();
    }
}

static const struct {
    void (*step)(void);
    bool writes;
} steps[STEPS] = {
    {take_one, false}, {few, true},     {take_one, false}, {many, true},      {take_one, false}, {others, true},
    {to_one, false},   {few, true},     {adopt, false},    {delete_two, false}, {take_one, false}, {many, true},
    {to_six, false},  {clear_all, false},
};

/* How what was written behind the last flush came to the medium. */
enum fate { ALL, NONE, ALL_BUT_FIRST, ONLY_LAST, LAST_IN_HALF, FATES };

static uint8_t first_medium[VOLUME_BLOCKS * BLOCK];

static void apply(unsigned i, unsigned bytes)
{
    memcpy(volume.medium + log_[i].sector * 512, log_[i].data, bytes);
}

static void lay(unsigned cut, enum fate fate)
{
    unsigned flushed = 0;
    memcpy(volume.medium, first_medium, sizeof first_medium);
    for (unsigned i = 0; i < cut; i++)
        flushed = log_[i].flush ? i : flushed;
    for (unsigned i = 0; i < cut; i++) {
        bool last = i == cut - 1, lost_one = fate == NONE || (fate == ALL_BUT_FIRST && i == flushed + 1) ||
                                         (fate == ONLY_LAST && !last);
        if (!log_[i].flush && (i < flushed || !lost_one)) /* a sector is there or not */
            apply(i, fate == LAST_IN_HALF && last ? (log_[i].bytes / 1024) * 512 : log_[i].bytes);
    }
}

static void after_any_cut_all_is_as_before_or_as_it_was_to_be(void **state)
{
    unsigned logged_at[STEPS + 1] = {0}, tried = 0;
    (void)state;
    disk.snapshots.blocks = 90;
    for (unsigned b = 0; b < DISK_BLOCKS; b++)
        fill(b, 1, 'A' + (int)b);
    restart();
    memcpy(first_medium, volume.medium, sizeof first_medium);
    take_picture(&pictures[0]);
    volume.disk.heed = note;
    for (unsigned i = 0; i < STEPS; i++) {
        steps[i].step();
        volume.disk.heed = NULL;
        logged_at[i + 1] = logged;
        take_picture(&pictures[i + 1]);
        if (i % 3 == 2)
            restart();
        volume.disk.heed = note;
    }
    volume.disk.heed = NULL;
    assert_string_equal(lost, "");
    assert_true(logged > 80);
    for (unsigned cut = 0, step = 0; cut <= logged; cut++) {
        while (step < STEPS - 1 && logged_at[step + 1] <= cut)
            step++;
        for (enum fate fate = 0; fate < FATES; fate++, tried++) {
            close_live();
            lay(cut, fate);
            restart();
            take_picture(&found);
            /* what is not flushed of a step's end may be lost still when the next begins */
            bool good = between(&found, &pictures[step], &pictures[step + 1], steps[step].writes) ||
                        (cut == logged_at[step] && step &&
                         between(&found, &pictures[step - 1], &pictures[step], steps[step - 1].writes));
            if (!good)
                fail_msg("cut %u in step %u, fate %u: %u snapshots", cut, step, fate, found.count);
        }
    }
    assert_true(tried > 400);
    for (unsigned i = 0; i < logged; i++)
        free(log_[i].data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(after_any_cut_all_is_as_before_or_as_it_was_to_be, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
