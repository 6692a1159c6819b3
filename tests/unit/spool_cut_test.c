/* The power goes at every moment of the spool's work: what was kept is there, whole, and what was not is as it was
 * before or as it was to be. */
#include "tests/unit/spool_scene.h"

enum { STEPS = 16, LOG = 400, SNAPSHOT = 4096 };

/* What went to the disk, in its order. */
static struct {
    bool flush;
    uint64_t sector;
    uint32_t bytes;
    uint8_t data[SPOOL_BLOCK];
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
    if (r->op == DISK_WRITE)
        memcpy(log_[logged].data, r->segment[0].data, log_[logged].bytes);
    logged++;
}

/* ---- all there is, as a text ------------------------------------------------------------------------------------- */

static uint32_t sum_of(const struct spool_file *f)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < f->blocks; i++) {
        _Alignas(8) uint8_t block[SPOOL_BLOCK];
        memcpy(block, area.medium + (SPOOL_FIRST_DATA + (size_t)spool_file_block(f, i)) * SPOOL_BLOCK, sizeof block);
        assert_true(spool_block_good(block, f->id, i));
        for (unsigned b = 0; b < sizeof block; b++)
            sum = sum * 31 + block[b];
    }
    return sum;
}

static void snapshot(char text[SNAPSHOT])
{
    size_t at = 0;
    text[0] = 0;
    for (struct spool_user *u = alice; u <= bob; u++)
        for (enum spool_queue q = 0; q < SPOOL_QUEUES; q++)
            for (struct spool_file *f = first(u, q); f; f = spool_next(u->id, NULL, q, f->order))
                at += (size_t)snprintf(text + at, SNAPSHOT - at, "%s %u %u %c %s %u %x\n", f->owner, q, f->spoolid,
                                       f->class, f->name, (unsigned)f->records, (unsigned)sum_of(f));
}

/* ---- one step after another -------------------------------------------------------------------------------------- */

static void send_three(void) { send_file(bob, "ALICE", "THREE", 120, 80); }
static void send_long(void) { send_file(bob, "ALICE", "LONG", 5, SPOOL_RECORD_MAX); }
static void to_own_punch(void) { send_file(alice, "", "MINE", 1, 0); }
static void change(void)
{
    struct spool_file *f = first(alice, SPOOL_RDR);
    f->class = 'Z';
    spool_change(f);
}
static void purge(void) { spool_purge(first(alice, SPOOL_RDR)); }
static void transfer(void) { spool_transfer(first(alice, SPOOL_RDR), "BOB", SPOOL_RDR); }
static void give_back(void) { spool_transfer(first(bob, SPOOL_RDR), "ALICE", SPOOL_PRT); }
static void half_a_file(void) { assert_int_equal(punch(bob, 110, 80, 'x'), SPOOL_OK); }
static void throw_away(void)
{
    assert_true(spool_close(bob, SPOOL_PUN, &(struct spool_close){.name = "", .type = "", .to = "", .purge = true}));
}

static void (*const steps[STEPS])(void) = {
    send_three, change, to_own_punch, purge, send_long, half_a_file, throw_away, transfer,
    send_three, send_three, purge, give_back, send_long, change, transfer, purge,
};

static char snapshots[STEPS + 1][SNAPSHOT];
static unsigned logged_at[STEPS + 1];

/* How what was written behind the last flush came to the medium. */
enum fate { ALL, NONE, ALL_BUT_FIRST, ONLY_LAST, LAST_IN_HALF, FATES };

static void apply(unsigned i, unsigned bytes) { memcpy(area.medium + log_[i].sector * 512, log_[i].data, bytes); }

static void lay(unsigned cut, enum fate fate)
{
    unsigned flushed = 0;
    memset(area.medium, 0, (size_t)AREA_BLOCKS * SPOOL_BLOCK);
    for (unsigned i = 0; i < cut; i++)
        flushed = log_[i].flush ? i : flushed;
    for (unsigned i = 0; i < cut; i++) {
        bool last = i == cut - 1, lost = fate == NONE || (fate == ALL_BUT_FIRST && i == flushed + 1) ||
                                         (fate == ONLY_LAST && !last);
        if (!log_[i].flush && (i < flushed || !lost))
            apply(i, fate == LAST_IN_HALF && last ? log_[i].bytes / 2 : log_[i].bytes);
    }
}

static void whatever_was_kept_is_there_after_any_cut(void **state)
{
    char found[SNAPSHOT];
    unsigned tried = 0;
    (void)state;
    logged = 0;
    area.disk.heed = note;
    for (unsigned i = 0; i < STEPS; i++) {
        steps[i]();
        settle();
        snapshot(snapshots[i + 1]);
        logged_at[i + 1] = logged;
        if (steps[i] != half_a_file)
            restart();
    }
    area.disk.heed = NULL;
    assert_true(logged > 50);
    for (unsigned cut = 0, step = 0; cut <= logged; cut++) {
        while (step < STEPS - 1 && logged_at[step + 1] <= cut)
            step++;
        for (enum fate fate = 0; fate < FATES; fate++, tried++) {
            lay(cut, fate);
            restart();
            snapshot(found);
            if (strcmp(found, snapshots[step]) && strcmp(found, snapshots[step + 1]))
                fail_msg("cut %u in step %u, fate %u:\n%s-- neither\n%s-- nor\n%s", cut, step, fate, found,
                         snapshots[step], snapshots[step + 1]);
            assert_true(spool_damaged() <= (fate == LAST_IN_HALF));
        }
    }
    assert_true(tried > 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whatever_was_kept_is_there_after_any_cut, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
