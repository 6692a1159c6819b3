/* Disks that other tools wrote: filled to the last block, with a directory whose own block count was not kept up, with
 * files of no records. They can be read, written and emptied like ours. */
#include "cms/edf/edf_check.h"
#include "tests/unit/fake/foreign.h"
#include "tests/unit/edf_scene.h"

static void file_name(char text[12], uint32_t number)
{
    snprintf(text, 12, "F%u", number);
}

static bool exists(uint32_t number)
{
    struct edf_file_facts facts;
    char text[12];
    file_name(text, number);
    return edf_find(accessed, text, "FILE", &facts) == EDF_OK;
}

/* Which file is erased as number n of `files`. */
static uint32_t in_turn(uint32_t n, uint32_t files) { return n % files; }
static uint32_t backwards(uint32_t n, uint32_t files) { return files - 1 - n; }
static uint32_t from_both_ends(uint32_t n, uint32_t files) { return n % 2 ? files - 1 - n / 2 : n / 2; }
static uint32_t (*const orders[])(uint32_t n, uint32_t files) = {in_turn, backwards, from_both_ends};

static uint64_t records_are(uint32_t number)
{
    struct edf_reader *reader;
    char text[12];
    uint32_t length, count = 0;
    file_name(text, number);
    assert_int_equal(edf_open(accessed, text, "FILE", &reader), EDF_OK);
    for (; edf_read(reader, record, sizeof record, &length) == EDF_OK; count++) {
        assert_int_equal(record[0], (uint8_t)(number + count));
        assert_int_equal(record[length - 1], (uint8_t)(number + count));
    }
    edf_close(reader);
    return count;
}

/* Each erasure takes one file away and no other, at once and for who accesses the disk afresh. */
static void empty(const struct foreign *made, uint32_t (*order)(uint32_t n, uint32_t files), bool access_again)
{
    struct edf_disk_facts facts;
    char text[12];
    if (!foreign_open(&disk, made))
        return;
    accessed = edf_access_or_die(&disk, true);
    edf_disk_query(accessed, &facts);
    assert_int_equal(facts.used, facts.blocks);
    for (uint32_t n = 0; n < made->files; n++) {
        file_name(text, order(n, made->files));
        assert_int_equal(edf_erase(accessed, text, "FILE"), EDF_OK);
        assert_int_equal(edf_faults(&disk, true), 0);
        if (access_again)
            again();
        edf_disk_query(accessed, &facts);
        assert_int_equal(facts.files, made->files - 1 - n);
        for (uint32_t i = 0; i < made->files; i++)
            assert_true(exists(order(i, made->files)) == (i > n));
        if (n + 1 < made->files)
            records_are(order(n + 1, made->files));
    }
    assert_int_equal(facts.erased, 0);
    assert_int_equal(facts.used, 6); /* as after formatting */
    assert_int_equal(edf_put(accessed, "NEW", "FILE", 'V', 80, 3, 1), EDF_OK);
    close_disk();
}

static void a_disk_filled_to_its_last_block_can_be_emptied(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 3; order++)
        for (uint32_t each = 0; each <= 6; each++)
            for (uint32_t files = 1; files <= 40; files += files < 14 ? 1 : 13)
                for (uint32_t blocks = 10 + files * each; blocks < 30 + files * (each + 1); blocks += 3)
                    empty(&(struct foreign){512, blocks, files, each}, orders[order], files % 2);
}

static void a_disk_of_4096_byte_blocks_filled_to_its_last_one_can_be_emptied(void **state)
{
    (void)state;
    for (uint32_t files = 1; files <= 200; files = files * 3 + 1)
        for (uint32_t each = 1; each <= 3; each++)
            for (uint32_t extra = 9; extra <= 30; extra += 7)
                empty(&(struct foreign){4096, files * (each + 1) + extra, files, each}, in_turn, files % 2);
}

/* Each of these has one block: none alone gives the commit what it needs. */
static void small_files_erased_one_by_one_give_their_blocks_back_together(void **state)
{
    struct edf_disk_facts facts;
    bool waited = false;
    char text[12];
    (void)state;
    assert_true(foreign_open(&disk, &(struct foreign){512, 54, 40, 1}));
    accessed = edf_access_or_die(&disk, true);
    for (uint32_t n = 0; n < 8; n++) {
        file_name(text, n * 5);
        assert_int_equal(edf_erase(accessed, text, "FILE"), EDF_OK);
        edf_disk_query(accessed, &facts);
        waited |= facts.erased > 0 && facts.used == facts.blocks;
        assert_int_equal(facts.files, 39 - n);
        again();
    }
    assert_true(waited);
    for (uint32_t n = 1; n < 4; n++) {
        file_name(text, n);
        assert_int_equal(edf_erase(accessed, text, "FILE"), EDF_OK);
    }
    edf_disk_query(accessed, &facts);
    assert_int_equal(facts.erased, 0);
    assert_true(facts.used < facts.blocks);
    close_disk();
}

static void a_file_that_is_being_read_keeps_its_blocks_on_a_full_disk(void **state)
{
    struct edf_reader *reader;
    uint32_t length;
    (void)state;
    assert_true(foreign_open(&disk, &(struct foreign){512, 40, 3, 6}));
    accessed = edf_access_or_die(&disk, true);
    assert_int_equal(edf_open(accessed, "F0", "FILE", &reader), EDF_OK);
    assert_int_equal(edf_erase(accessed, "F0", "FILE"), EDF_FULL);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(edf_read(reader, record, sizeof record, &length), EDF_OK);
        assert_int_equal(record[0], i);
    }
    edf_close(reader);
    assert_int_equal(edf_erase(accessed, "F0", "FILE"), EDF_OK);
    close_disk();
}

/* At any call: the file is there or it is gone, the disk is clean, and after a new access all goes on. */
static void a_device_error_while_a_full_disk_is_emptied_leaves_the_old_or_the_new_state(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 4; how++)
        for (unsigned n = 1;; n++) {
            assert_true(foreign_open(&disk, &(struct foreign){512, 60, 14, 2}));
            accessed = edf_access_or_die(&disk, true);
            minidisk_reset(&disk);
            disk.fail_at = n;
            disk.fail_on = how & 1;
            disk.fail_late = how & 2;
            enum edf_status status = edf_erase(accessed, "F3", "FILE");
            bool reached = disk.calls >= n;
            minidisk_reset(&disk);
            if (how == 0)
                assert_true(exists(3) == (status != EDF_OK));
            again();
            assert_true(exists(3) || status == EDF_OK || how);
            edf_erase(accessed, "F3", "FILE");
            assert_false(exists(3));
            assert_int_equal(edf_erase(accessed, "F5", "FILE"), EDF_OK);
            close_disk();
            if (!reached)
                break;
        }
}

static void a_directory_whose_block_count_was_not_kept_up_is_noted_and_mended(void **state)
{
    struct edf_check_report report;
    (void)state;
    assert_true(foreign_open(&disk, &(struct foreign){512, 80, 30, 1}));
    assert_int_equal(edf_check(&disk.device, &disk.host, NULL, NULL, &report), EDF_OK);
    assert_int_equal(report.faults, 0);
    assert_int_equal(report.notes, 1);
    accessed = edf_access_or_die(&disk, true);
    assert_int_equal(edf_erase(accessed, "F29", "FILE"), EDF_OK);
    assert_int_equal(edf_check(&disk.device, &disk.host, NULL, NULL, &report), EDF_OK);
    assert_int_equal(report.notes, 0);
    close_disk();
}

static void files_without_records_are_read_renamed_continued_and_erased(void **state)
{
    struct edf_file_facts facts;
    struct edf_writer *writer;
    (void)state;
    assert_true(foreign_open(&disk, &(struct foreign){512, 40, 4, 0}));
    accessed = edf_access_or_die(&disk, true);
    assert_int_equal(records_are(0), 0);
    assert_int_equal(edf_erase(accessed, "F3", "FILE"), EDF_OK); /* the one that fills the disk */
    assert_int_equal(edf_rename(accessed, "F0", "FILE", "EMPTY", "FILE"), EDF_OK);
    assert_int_equal(edf_append(accessed, "F1", "FILE", &writer), EDF_OK);
    assert_int_equal(edf_write(writer, "seven..", 7), EDF_OK); /* the first one says how long they are */
    assert_int_equal(edf_write(writer, "eight...", 8), EDF_BAD_RECORD);
    assert_int_equal(edf_commit(writer), EDF_OK);
    assert_int_equal(edf_append(accessed, "F2", "FILE", &writer), EDF_OK);
    assert_int_equal(edf_commit(writer), EDF_OK);
    again();
    assert_int_equal(edf_find(accessed, "F1", "FILE", &facts), EDF_OK);
    assert_int_equal(facts.records, 1);
    assert_int_equal(facts.lrecl, 7);
    assert_int_equal(edf_find(accessed, "F2", "FILE", &facts), EDF_OK);
    assert_int_equal(facts.records, 0);
    close_disk();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_filled_to_its_last_block_can_be_emptied),
        cmocka_unit_test(a_disk_of_4096_byte_blocks_filled_to_its_last_one_can_be_emptied),
        cmocka_unit_test(small_files_erased_one_by_one_give_their_blocks_back_together),
        cmocka_unit_test(a_file_that_is_being_read_keeps_its_blocks_on_a_full_disk),
        cmocka_unit_test(a_device_error_while_a_full_disk_is_emptied_leaves_the_old_or_the_new_state),
        cmocka_unit_test(a_directory_whose_block_count_was_not_kept_up_is_noted_and_mended),
        cmocka_unit_test(files_without_records_are_read_renamed_continued_and_erased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
