/* Spool files and the units that make and read them. */
#include "tests/unit/spool_scene.h"

/* The whole file, read to its end; the last answer. */
static enum spool_io read_all(struct spool_user *user, unsigned spoolid, unsigned *records, char *fill)
{
    uint8_t bytes[SPOOL_BLOCK];
    struct spool_reading r = {.spoolid = spoolid};
    enum spool_io io;
    *records = 0;
    do {
        r.bytes = sizeof bytes;
        io = spool_read(user, &r, bytes);
        for (unsigned at = 0; at < r.bytes; ++*records) {
            int length = spool_record_length(bytes + at, r.bytes - at);
            assert_true(length >= 0);
            for (int i = 0; i < length; i++)
                *fill = (char)bytes[at + SPOOL_LENGTH + (unsigned)i];
            at += SPOOL_LENGTH + (unsigned)length;
        }
        if (io == SPOOL_BUSY)
            settle();
    } while (!r.end && (io == SPOOL_OK || io == SPOOL_BUSY));
    return io;
}

static void what_one_punches_another_reads(void **state)
{
    unsigned records;
    char fill = 0;
    (void)state;
    send_file(bob, "ALICE", "HELLO", 130, 80);
    assert_string_equal(arrivals, "ALICE 1 from BOB 1\n");
    assert_int_equal(spool_count("ALICE", SPOOL_RDR), 1);
    assert_int_equal(spool_count("BOB", SPOOL_PUN), 0);
    assert_int_equal(read_all(alice, 0, &records, &fill), SPOOL_OK);
    assert_int_equal(records, 130);
    assert_int_equal(fill, 'H');
    struct spool_file *f = first(alice, SPOOL_RDR);
    assert_true(spool_in_use(f));
    assert_ptr_equal(spool_reader_close(alice), f);
    assert_false(spool_in_use(f));
    restart();
    assert_int_equal(read_all(alice, 1, &records, &fill), SPOOL_OK);
    assert_int_equal(records, 130);
    assert_string_equal(first(alice, SPOOL_RDR)->name, "HELLO");
    assert_string_equal(first(alice, SPOOL_RDR)->origin, "BOB");
    spool_reader_close(alice);
}

static void records_of_any_length_come_as_they_went(void **state)
{
    unsigned records;
    char fill = 0;
    (void)state;
    send_file(bob, "ALICE", "ZERO", 3000, 0);
    assert_int_equal(read_all(alice, 1, &records, &fill), SPOOL_OK);
    assert_int_equal(records, 3000);
    send_file(bob, "ALICE", "LONG", 3, SPOOL_RECORD_MAX);
    assert_int_equal(read_all(alice, 2, &records, &fill), SPOOL_OK);
    assert_int_equal(records, 3);
    assert_int_equal(fill, 'L');
    uint8_t wrong[] = {0xff, 0xff, 0, 0}, cut[] = {5, 0, 'a'};
    unsigned bytes = sizeof wrong;
    assert_int_equal(spool_write(bob, SPOOL_PUN, wrong, &bytes), SPOOL_LENGTH_BAD);
    bytes = sizeof cut;
    assert_int_equal(spool_write(bob, SPOOL_PUN, cut, &bytes), SPOOL_LENGTH_BAD);
    assert_int_equal(bytes, 0);
    spool_reader_close(alice);
}

static void a_reader_reads_what_is_not_held_and_of_its_class(void **state)
{
    unsigned records;
    char fill = 0;
    (void)state;
    assert_int_equal(read_all(alice, 0, &records, &fill), SPOOL_NONE);
    bob->unit[SPOOL_PUN].hold = 1;
    send_file(bob, "ALICE", "HELD", 1, 1);
    bob->unit[SPOOL_PUN].hold = 0;
    assert_int_equal(read_all(alice, 0, &records, &fill), SPOOL_NONE);
    bob->unit[SPOOL_PUN].class = 'B';
    send_file(bob, "ALICE", "B", 1, 1);
    alice->unit[SPOOL_RDR].class = 'C';
    assert_int_equal(read_all(alice, 0, &records, &fill), SPOOL_NONE);
    alice->unit[SPOOL_RDR].class = 'B';
    assert_int_equal(read_all(alice, 0, &records, &fill), SPOOL_OK);
    assert_int_equal(fill, 'B');
    assert_int_equal(read_all(alice, 1, &records, &fill), SPOOL_OK); /* by its number, held or not */
    assert_int_equal(fill, 'H');
    assert_int_equal(read_all(alice, 3, &records, &fill), SPOOL_NONE);
    assert_int_equal(read_all(bob, 1, &records, &fill), SPOOL_NONE); /* somebody else's */
}

static void nobody_takes_more_than_is_left_for_others(void **state)
{
    (void)state;
    assert_int_equal(punch(bob, 1000, SPOOL_RECORD_MAX, 'x'), SPOOL_NO_ROOM);
    assert_true(close_punch(bob, "HALF", ""));
    settle();
    assert_int_equal(first(bob, SPOOL_PUN)->blocks, AREA_DATA / 2);
    assert_int_equal(first(bob, SPOOL_PUN)->records, AREA_DATA / 2); /* what was taken is there */
    assert_int_equal(punch(bob, 1, 1, 'x'), SPOOL_NO_ROOM);
    assert_int_equal(punch(alice, 1000, SPOOL_RECORD_MAX, 'y'), SPOOL_NO_ROOM);
    assert_true(close_punch(alice, "QUARTER", "BOB"));
    settle();
    assert_int_equal(first(bob, SPOOL_RDR)->blocks, AREA_DATA / 4);
    spool_close(bob, SPOOL_PUN, &(struct spool_close){.name = "", .type = "", .to = "", .purge = true});
    spool_purge(first(bob, SPOOL_PUN));
    settle();
    assert_int_equal(punch(bob, 10, SPOOL_RECORD_MAX, 'x'), SPOOL_OK);
}

static void there_are_as_many_files_as_the_table_holds_and_half_of_them_one_may_make(void **state)
{
    unsigned made = 0;
    (void)state;
    while (punch(bob, 1, 0, 'x') == SPOOL_OK) { /* without a block for each: */
        assert_true(spool_close(bob, SPOOL_PUN, &(struct spool_close){.name = "", .type = "", .to = "", .hold = 0}));
        settle();
        made++;
    }
    assert_true(made >= AREA_DATA / 2);
    while (spool_next("BOB", NULL, SPOOL_PUN, INT64_MIN)) {
        spool_purge(first(bob, SPOOL_PUN));
        settle();
    }
    spool_close(bob, SPOOL_PUN, &(struct spool_close){.name = "", .type = "", .to = "", .purge = true});
    settle();
    struct spool_file *file[SPOOL_FILES];
    for (made = 0; (file[made] = spool_create("BOB")); made++) {}
    assert_int_equal(made, SPOOL_FILES / 2);
    while (made)
        spool_abandon(file[--made]);
}

static void blocks_of_a_purged_file_are_free_only_when_that_is_kept(void **state)
{
    (void)state;
    send_file(bob, "ALICE", "OLD", 15, SPOOL_RECORD_MAX);
    assert_int_equal(punch(bob, 10, SPOOL_RECORD_MAX, 'x'), SPOOL_NO_ROOM);
    spool_close(bob, SPOOL_PUN, &(struct spool_close){.name = "", .type = "", .to = "", .purge = true});
    settle();
    uint64_t ticket = spool_purge(first(alice, SPOOL_RDR));
    assert_null(first(alice, SPOOL_RDR));
    assert_int_equal(spool_outcome(ticket), SPOOL_PENDING);
    struct spool_file *f = spool_create("BOB");
    unsigned blocks = 0;
    while (spool_extend(f))
        blocks++;
    assert_int_equal(blocks, 5);
    settle();
    assert_int_equal(spool_outcome(ticket), SPOOL_DONE);
    while (spool_extend(f))
        blocks++;
    assert_int_equal(blocks, 20);
    spool_abandon(f);
}

static void an_altered_block_costs_its_file_and_no_other(void **state)
{
    unsigned records;
    char fill = 0;
    (void)state;
    send_file(bob, "ALICE", "BAD", 120, 80);
    send_file(bob, "ALICE", "GOOD", 120, 80);
    area.medium[(SPOOL_FIRST_DATA + (size_t)spool_file_block(first(alice, SPOOL_RDR), 1)) * SPOOL_BLOCK + 100] ^= 1;
    assert_int_equal(read_all(alice, 1, &records, &fill), SPOOL_BROKEN);
    assert_true(records > 0 && records < 120);
    assert_int_equal(read_all(alice, 2, &records, &fill), SPOOL_OK);
    assert_int_equal(records, 120);
    spool_reader_close(alice);
    area.medium[1024 + 300] ^= 1; /* in both sectors of the second slot */
    area.medium[1536 + 300] ^= 1;
    restart();
    assert_int_equal(spool_damaged(), 1);
    assert_non_null(spool_find("ALICE", 1));
    assert_null(spool_find("ALICE", 2));
}

static void what_the_disk_refuses_is_not_called_kept(void **state)
{
    (void)state;
    send_file(bob, "ALICE", "FILE", 1, 1);
    area.fail = true;
    struct spool_file *f = first(alice, SPOOL_RDR);
    f->class = 'X';
    uint64_t ticket = spool_change(f);
    settle();
    assert_int_equal(spool_outcome(ticket), SPOOL_FAILED);
    assert_int_equal(punch(bob, 120, 80, 'x'), SPOOL_BROKEN);
    assert_true(close_punch(bob, "LOST", "ALICE"));
    settle();
    assert_int_equal(spool_closed(bob, SPOOL_PUN), SPOOL_FAILED);
    area.fail = false;
    ticket = spool_change(f); /* and what failed before goes with it */
    settle();
    assert_int_equal(spool_outcome(ticket), SPOOL_DONE);
    restart();
    assert_int_equal(first(alice, SPOOL_RDR)->class, 'X');
    assert_int_equal(spool_count("ALICE", SPOOL_RDR), 1);
}

static void spoolids_are_an_owners_own_and_orders_a_queues(void **state)
{
    (void)state;
    send_file(bob, "ALICE", "ONE", 1, 1);
    send_file(alice, "ALICE", "TWO", 1, 1);
    send_file(bob, "", "MINE", 1, 1);
    assert_int_equal(first(bob, SPOOL_PUN)->spoolid, 1);
    struct spool_file *two = spool_find("ALICE", 2);
    assert_string_equal(two->name, "TWO");
    two->order = spool_first_order();
    spool_change(two);
    settle();
    restart();
    two = first(alice, SPOOL_RDR);
    assert_string_equal(two->name, "TWO");
    spool_transfer(two, "BOB", SPOOL_PRT);
    settle();
    assert_string_equal(arrivals, "BOB 2 from ALICE 2\n");
    assert_int_equal(first(bob, SPOOL_PRT)->spoolid, 2);
    assert_string_equal(first(bob, SPOOL_PRT)->origin, "ALICE");
    assert_string_equal(spool_next(NULL, "ALICE", SPOOL_PRT, INT64_MIN)->owner, "BOB");
}

/* Whether it comes before or behind what is being written, and whether the disk takes it or not. */
static void spoolids_go_round_and_are_given_again_as_late_as_can_be(void **state)
{
    (void)state;
    for (unsigned id = 1; id <= 3; id++) {
        send_file(bob, "ALICE", "GONE", 1, 1);
        assert_int_equal(first(alice, SPOOL_RDR)->spoolid, id);
        spool_purge(first(alice, SPOOL_RDR));
        settle();
    }
    restart(); /* the volume remembers */
    send_file(bob, "ALICE", "FOUR", 1, 1);
    assert_int_equal(first(alice, SPOOL_RDR)->spoolid, 4);
    spool_transfer(first(alice, SPOOL_RDR), "BOB", SPOOL_RDR);
    send_file(bob, "ALICE", "FIVE", 1, 1);
    assert_int_equal(first(alice, SPOOL_RDR)->spoolid, 5);
    for (unsigned i = 0; i < 40; i++) { /* BOB's come and go, in more places than one */
        send_file(alice, "BOB", "OTHER", 1, 1);
        spool_purge(first(bob, SPOOL_RDR));
        settle();
    }
    for (unsigned id = 6; id <= SPOOL_ID_MAX; id++) {
        struct spool_file *f = spool_create("ALICE");
        assert_int_equal(f->spoolid, id);
        spool_commit(f, "ALICE", SPOOL_PUN);
        spool_purge(f);
        settle();
    }
    send_file(alice, "", "FIRST", 1, 1);
    assert_int_equal(first(alice, SPOOL_PUN)->spoolid, 1);
    spool_purge(first(alice, SPOOL_PUN));
    settle();
    struct spool_file *open = spool_create("ALICE");
    assert_int_equal(open->spoolid, 2);
    spool_abandon(open); /* nobody ever saw its number */
    struct spool_file *f[5];
    for (unsigned i = 0; i < 4; i++) {
        f[i] = spool_create("ALICE");
        assert_int_equal(f[i]->spoolid, i < 3 ? i + 2 : 6); /* FIVE is there still */
    }
    for (unsigned i = 4; i--;)
        spool_abandon(f[i]);
}

static void what_changes_while_the_table_is_written_is_answered_too(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        send_file(bob, "ALICE", "FILE", 1, 1);
    for (unsigned fails = 0; fails < 2; fails++)
        for (unsigned changed = 1; changed <= 3; changed++) {
            uint64_t first = spool_change(spool_find("ALICE", 2)), second;
            work_all();
            assert_non_null(area.first);
            area.fail = fails;
            second = spool_change(spool_find("ALICE", changed));
            settle();
            area.fail = false;
            assert_int_equal(spool_outcome(first), fails ? SPOOL_FAILED : SPOOL_DONE);
            assert_int_equal(spool_outcome(second), fails ? SPOOL_FAILED : SPOOL_DONE);
            assert_true(spool_idle());
        }
}

static void what_is_open_at_logoff_is_kept(void **state)
{
    (void)state;
    assert_int_equal(punch(bob, 2, 10, 'x'), SPOOL_OK);
    assert_false(spool_units_idle() && spool_count("BOB", SPOOL_PUN));
    spool_units_close(bob);
    assert_false(spool_units_idle());
    settle();
    assert_true(spool_units_idle() && spool_idle());
    assert_int_equal(first(bob, SPOOL_PUN)->records, 2);
}

static void without_an_area_there_is_no_spool(void **state)
{
    struct fake_disk small;
    (void)state;
    spool_start(NULL, note_news, note_arrival);
    assert_non_null(strstr(spool_obstacle(), "no area"));
    fake_disk_init(&small, SPOOL_FIRST_DATA * 8, false);
    spool_start(&small.disk, note_news, note_arrival);
    assert_non_null(strstr(spool_obstacle(), "too small"));
    small.disk.read_only = true;
    small.disk.sectors += 8;
    spool_start(&small.disk, note_news, note_arrival);
    assert_non_null(strstr(spool_obstacle(), "read-only"));
    assert_true(spool_idle());
    fake_disk_free(&small);
    restart();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_one_punches_another_reads),
        TEST(records_of_any_length_come_as_they_went),
        TEST(a_reader_reads_what_is_not_held_and_of_its_class),
        TEST(nobody_takes_more_than_is_left_for_others),
        TEST(there_are_as_many_files_as_the_table_holds_and_half_of_them_one_may_make),
        TEST(blocks_of_a_purged_file_are_free_only_when_that_is_kept),
        TEST(an_altered_block_costs_its_file_and_no_other),
        TEST(what_the_disk_refuses_is_not_called_kept),
        TEST(spoolids_are_an_owners_own_and_orders_a_queues),
        TEST(spoolids_go_round_and_are_given_again_as_late_as_can_be),
        TEST(what_changes_while_the_table_is_written_is_answered_too),
        TEST(what_is_open_at_logoff_is_kept),
        TEST(without_an_area_there_is_no_spool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
