/* Files through the interface: what is written comes back, at every block size, in every format, by any way of reading;
 * appends, sparse files, readers beside writers. */
#include "tests/unit/edf_scene.h"

static void what_is_written_comes_back_at_every_block_size(void **state)
{
    static const struct {
        char recfm;
        uint32_t length, count;
    } files[] = {{'V', 80, 1}, {'V', 80, 500}, {'V', 5000, 60}, {'V', 65535, 8}, {'V', 1, 3000},
                 {'F', 1, 4097}, {'F', 80, 1000}, {'F', 65535, 5}, {'F', 4096, 30}, {'F', 513, 100}};
    (void)state;
    for (int b = 0; b < 4; b++) {
        open_disk(block_sizes[b], 4096 * 1024 / block_sizes[b]);
        for (unsigned i = 0; i < sizeof files / sizeof files[0]; i++) {
            char name[9];
            snprintf(name, sizeof name, "F%u", i % 100);
            assert_int_equal(edf_put(accessed, name, "FILE", files[i].recfm, files[i].length, files[i].count, i),
                             EDF_OK);
        }
        again();
        for (unsigned i = 0; i < sizeof files / sizeof files[0]; i++) {
            char name[9];
            snprintf(name, sizeof name, "F%u", i % 100);
            file_is(name, files[i].recfm, files[i].length, files[i].count, i);
        }
        close_disk();
    }
}

/* 512-byte blocks: 42 V pointers or 128 F pointers a block, so three levels come quickly. */
static void files_of_three_pointer_levels_come_back(void **state)
{
    struct edf_file_facts facts;
    (void)state;
    open_disk(512, 40000);
    assert_int_equal(edf_put(accessed, "V3", "FILE", 'V', 3000, 700, 1), EDF_OK); /* about 2050 blocks: over 42 * 42 */
    assert_int_equal(edf_put(accessed, "F3", "FILE", 'F', 512, 17000, 2), EDF_OK);
    again();
    assert_int_equal(edf_find(accessed, "V3", "FILE", &facts), EDF_OK);
    assert_true(facts.blocks > 42 * 42);
    assert_int_equal(edf_find(accessed, "F3", "FILE", &facts), EDF_OK);
    assert_true(facts.blocks > 128 * 128);
    file_is("V3", 'V', 3000, 700, 1);
    file_is("F3", 'F', 512, 17000, 2);
    assert_int_equal(edf_erase(accessed, "F3", "FILE"), EDF_OK);
    again();
    file_is("V3", 'V', 3000, 700, 1);
    close_disk();
}

static void any_record_can_be_reached_directly(void **state)
{
    (void)state;
    for (int b = 0; b < 4; b += 3) {
        open_disk(block_sizes[b], 8192 * 1024 / block_sizes[b]);
        assert_int_equal(edf_put(accessed, "V", "FILE", 'V', 1200, 1500, 3), EDF_OK);
        assert_int_equal(edf_put(accessed, "F", "FILE", 'F', 700, 1500, 4), EDF_OK);
        for (int pass = 0; pass < 2; pass++) {
            struct edf_reader *reader;
            char recfm = pass ? 'F' : 'V';
            uint32_t length = pass ? 700 : 1200, salt = pass ? 4 : 3, got;
            assert_int_equal(edf_open(accessed, pass ? "F" : "V", "FILE", &reader), EDF_OK);
            for (uint32_t i = 0, at = 0; i < 1500; i++, at = (at + 617) % 1500) {
                assert_int_equal(edf_seek(reader, at + 1), EDF_OK);
                record_is(reader, recfm, length, at, salt);
            }
            assert_int_equal(edf_seek(reader, 1501), EDF_OK);
            assert_int_equal(edf_read(reader, record, sizeof record, &got), EDF_END);
            assert_int_equal(edf_seek(reader, 1502), EDF_BAD_RECORD);
            assert_int_equal(edf_seek(reader, 0), EDF_BAD_RECORD);
            edf_close(reader);
        }
        close_disk();
    }
}

static void reading_far_into_a_file_reads_few_blocks(void **state)
{
    struct edf_reader *reader;
    (void)state;
    open_disk(512, 20000);
    assert_int_equal(edf_put(accessed, "V", "FILE", 'V', 1200, 5000, 3), EDF_OK);
    minidisk_reset(&disk);
    assert_int_equal(edf_open(accessed, "V", "FILE", &reader), EDF_OK);
    assert_int_equal(edf_seek(reader, 4321), EDF_OK);
    record_is(reader, 'V', 1200, 4320, 3);
    assert_true(disk.reads <= 10);
    edf_close(reader);
    close_disk();
}

static void a_short_buffer_gets_the_beginning_and_the_full_length(void **state)
{
    struct edf_reader *reader;
    uint8_t small[10];
    uint32_t got;
    (void)state;
    open_disk(512, 200);
    assert_int_equal(edf_put(accessed, "V", "FILE", 'V', 1200, 20, 5), EDF_OK);
    assert_int_equal(edf_open(accessed, "V", "FILE", &reader), EDF_OK);
    for (uint32_t i = 0; i < 20; i++) {
        uint32_t n = edf_fill_length('V', 1200, i, 5);
        assert_int_equal(edf_read(reader, small, sizeof small, &got), EDF_OK);
        assert_int_equal(got, n);
        edf_fill(expected, n, i, 5);
        assert_memory_equal(small, expected, n < sizeof small ? n : sizeof small);
    }
    edf_close(reader);
    close_disk();
}

/* Appending piece by piece must give the very file that writing at once gives. */
static void appending_gives_what_writing_at_once_gives(void **state)
{
    (void)state;
    for (int pass = 0; pass < 4; pass++) {
        char recfm = pass & 1 ? 'F' : 'V';
        uint32_t length = pass & 2 ? 3000 : 100;
        struct edf_writer *writer;
        struct edf_file_facts one, many;
        open_disk(512, 20000);
        uint32_t done = 0, total = pass & 2 ? 900 : 5000;
        for (uint32_t step = 1; done < total; step = step * 3 % 97 + 1) {
            if (done == 0)
                assert_int_equal(edf_create(accessed, "MANY", "FILE", '1', recfm, length, EDF_NEW, &writer), EDF_OK);
            else
                assert_int_equal(edf_append(accessed, "MANY", "FILE", &writer), EDF_OK);
            for (uint32_t i = 0; i < step && done < total; i++, done++) {
                uint32_t n = edf_fill_length(recfm, length, done, 6);
                edf_fill(record, n, done, 6);
                assert_int_equal(edf_write(writer, record, n), EDF_OK);
            }
            assert_int_equal(edf_commit(writer), EDF_OK);
        }
        again();
        file_is("MANY", recfm, length, total, 6);
        assert_int_equal(edf_put(accessed, "ONE", "FILE", recfm, length, total, 6), EDF_OK);
        assert_int_equal(edf_find(accessed, "ONE", "FILE", &one), EDF_OK);
        assert_int_equal(edf_find(accessed, "MANY", "FILE", &many), EDF_OK);
        assert_int_equal(one.blocks, many.blocks);
        assert_int_equal(one.lrecl, many.lrecl);
        close_disk();
    }
}

static void a_sparse_file_takes_no_room_and_reads_as_zeros(void **state)
{
    struct edf_writer *writer;
    struct edf_reader *reader;
    struct edf_disk_facts before, after;
    uint32_t got;
    (void)state;
    open_disk(512, 1000);
    edf_disk_query(accessed, &before);
    assert_int_equal(edf_create(accessed, "HOLES", "FILE", '1', 'F', 100, EDF_NEW, &writer), EDF_OK);
    assert_int_equal(edf_add_zeros(writer, 100, 300000), EDF_OK); /* 30 MB on a disk of half a megabyte */
    edf_fill(record, 100, 9, 9);
    assert_int_equal(edf_write(writer, record, 100), EDF_OK);
    assert_int_equal(edf_commit(writer), EDF_OK);
    again();
    edf_disk_query(accessed, &after);
    assert_true(after.used - before.used < 12);
    assert_int_equal(edf_append(accessed, "HOLES", "FILE", &writer), EDF_OK);
    assert_int_equal(edf_add_zeros(writer, 100, 20000), EDF_OK);
    assert_int_equal(edf_commit(writer), EDF_OK);
    assert_int_equal(edf_append(accessed, "HOLES", "FILE", &writer), EDF_OK);
    assert_int_equal(edf_write(writer, record, 100), EDF_OK);
    assert_int_equal(edf_commit(writer), EDF_OK);
    again();
    assert_int_equal(edf_open(accessed, "HOLES", "FILE", &reader), EDF_OK);
    edf_fill(expected, 100, 9, 9);
    for (uint32_t i = 1; i <= 320002; i += i % 1000 == 0 ? 997 : 1) {
        static const uint8_t zeros[100];
        assert_int_equal(edf_seek(reader, i), EDF_OK);
        assert_int_equal(edf_read(reader, record, sizeof record, &got), EDF_OK);
        assert_memory_equal(record, i == 300001 || i == 320002 ? expected : zeros, 100);
    }
    edf_close(reader);
    close_disk();
}

static void a_reader_keeps_its_file_while_it_is_replaced_and_erased(void **state)
{
    struct edf_reader *reader;
    (void)state;
    open_disk(512, 120);
    assert_int_equal(edf_put(accessed, "A", "FILE", 'V', 90, 100, 1), EDF_OK);
    assert_int_equal(edf_open(accessed, "A", "FILE", &reader), EDF_OK);
    record_is(reader, 'V', 90, 0, 1);
    assert_int_equal(edf_put(accessed, "A", "FILE", 'V', 90, 100, 2), EDF_OK);
    assert_int_equal(edf_put(accessed, "A", "FILE", 'V', 90, 100, 3), EDF_OK);
    assert_int_equal(edf_erase(accessed, "A", "FILE"), EDF_OK);
    assert_int_equal(edf_put(accessed, "B", "FILE", 'V', 90, 100, 4), EDF_OK);
    for (uint32_t i = 1; i < 100; i++)
        record_is(reader, 'V', 90, i, 1);
    edf_close(reader);
    for (int i = 0; i < 20; i++) /* and its blocks are free again afterwards */
        assert_int_equal(edf_put(accessed, "A", "FILE", 'V', 90, 100, 5), EDF_OK);
    close_disk();
}

static void two_writers_at_once_do_not_mix(void **state)
{
    struct edf_writer *a, *b;
    (void)state;
    open_disk(512, 300);
    assert_int_equal(edf_create(accessed, "A", "FILE", '1', 'F', 100, EDF_NEW, &a), EDF_OK);
    assert_int_equal(edf_create(accessed, "B", "FILE", '1', 'F', 100, EDF_NEW, &b), EDF_OK);
    for (uint32_t i = 0; i < 200; i++) {
        edf_fill(record, 100, i, 1);
        assert_int_equal(edf_write(a, record, 100), EDF_OK);
        edf_fill(record, 100, i, 2);
        assert_int_equal(edf_write(b, record, 100), EDF_OK);
    }
    assert_int_equal(edf_commit(a), EDF_OK);
    assert_int_equal(edf_faults(&disk, true), 0); /* b's blocks are not lost ones */
    assert_int_equal(edf_commit(b), EDF_OK);
    again();
    file_is("A", 'F', 100, 200, 1);
    file_is("B", 'F', 100, 200, 2);
    close_disk();
}

static void files_of_a_released_disk_are_cut_off_but_can_be_closed(void **state)
{
    struct edf_reader *reader;
    struct edf_writer *writer, *other;
    uint32_t got;
    (void)state;
    open_disk(512, 300);
    assert_int_equal(edf_put(accessed, "A", "FILE", 'F', 100, 50, 1), EDF_OK);
    assert_int_equal(edf_open(accessed, "A", "FILE", &reader), EDF_OK);
    assert_int_equal(edf_create(accessed, "B", "FILE", '1', 'F', 100, EDF_NEW, &writer), EDF_OK);
    assert_int_equal(edf_create(accessed, "C", "FILE", '1', 'F', 100, EDF_NEW, &other), EDF_OK);
    assert_int_equal(edf_write(writer, record, 100), EDF_OK);
    edf_release(accessed);
    assert_int_equal(edf_read(reader, record, sizeof record, &got), EDF_IO);
    edf_close(reader);
    assert_int_equal(edf_commit(writer), EDF_IO);
    edf_abort(other);
    assert_int_equal(disk.in_use, 0);
    accessed = edf_access_or_die(&disk, true);
    file_is("A", 'F', 100, 50, 1);
    close_disk();
}

static void what_must_be_refused_is_refused(void **state)
{
    struct edf_writer *writer, *other;
    struct edf_file_facts facts;
    (void)state;
    open_disk(1024, 100);
    assert_int_equal(edf_put(accessed, "A", "FILE", 'V', 10, 5, 0), EDF_OK);
    assert_int_equal(edf_create(accessed, "A", "FILE", '1', 'V', 0, EDF_NEW, &writer), EDF_EXISTS);
    assert_int_equal(edf_create(accessed, "A*", "FILE", '1', 'V', 0, EDF_NEW, &writer), EDF_BAD_NAME);
    assert_int_equal(edf_create(accessed, "B", "FILE", '7', 'V', 0, EDF_NEW, &writer), EDF_INVALID);
    assert_int_equal(edf_create(accessed, "B", "FILE", '1', 'F', 0, EDF_NEW, &writer), EDF_BAD_RECORD);
    assert_int_equal(edf_create(accessed, "B", "FILE", '1', 'F', 65536, EDF_NEW, &writer), EDF_BAD_RECORD);
    assert_int_equal(edf_append(accessed, "B", "FILE", &writer), EDF_NOT_FOUND);
    assert_int_equal(edf_erase(accessed, "B", "FILE"), EDF_NOT_FOUND);
    assert_int_equal(edf_create(accessed, "B", "FILE", '1', 'F', 80, EDF_NEW, &writer), EDF_OK);
    assert_int_equal(edf_create(accessed, "B", "FILE", '1', 'F', 80, EDF_REPLACE, &other), EDF_BUSY);
    assert_int_equal(edf_rename(accessed, "A", "FILE", "B", "FILE"), EDF_BUSY);
    assert_int_equal(edf_write(writer, record, 79), EDF_BAD_RECORD);
    assert_int_equal(edf_write(writer, record, 0), EDF_BAD_RECORD);
    edf_abort(writer);
    assert_int_equal(edf_find(accessed, "B", "FILE", &facts), EDF_NOT_FOUND);
    assert_int_equal(edf_put(accessed, "B", "FILE", 'V', 10, 5, 0), EDF_OK);
    assert_int_equal(edf_rename(accessed, "A", "FILE", "B", "FILE"), EDF_EXISTS);
    assert_int_equal(edf_rename(accessed, "A", "FILE", "A", "FILE"), EDF_OK);
    assert_int_equal(edf_set_mode_number(accessed, "A", "FILE", '6'), EDF_OK);
    assert_int_equal(edf_find(accessed, "A", "FILE", &facts), EDF_OK);
    assert_int_equal(facts.mode_number, '6');
    edf_release(accessed);
    accessed = edf_access_or_die(&disk, false);
    assert_int_equal(edf_erase(accessed, "A", "FILE"), EDF_READ_ONLY);
    close_disk();
}

static void a_small_file_costs_few_writes_and_two_flushes(void **state)
{
    (void)state;
    open_disk(4096, 5000);
    assert_int_equal(edf_put(accessed, "A", "FILE", 'V', 80, 10, 1), EDF_OK);
    minidisk_reset(&disk);
    assert_int_equal(edf_put(accessed, "B", "FILE", 'V', 80, 30, 1), EDF_OK);
    assert_int_equal(disk.writes, 3); /* data and map side by side, directory, label */
    assert_int_equal(disk.flushes, 2);
    assert_int_equal(disk.reads, 0);
    close_disk();
}

static void accessing_reads_label_and_directory_only(void **state)
{
    (void)state;
    open_disk(4096, 5000);
    for (uint32_t i = 0; i < 60; i++) {
        char name[9];
        snprintf(name, sizeof name, "F%u", i);
        assert_int_equal(edf_put(accessed, name, "FILE", 'V', 800, 30, i), EDF_OK);
    }
    minidisk_reset(&disk);
    edf_release(accessed);
    accessed = edf_access_or_die(&disk, true);
    assert_int_equal(disk.reads, 2);
    close_disk();
}

static void listing_matches_patterns_and_ends(void **state)
{
    struct edf_file_facts facts;
    uint32_t position = 0, found = 0;
    (void)state;
    open_disk(512, 400);
    for (uint32_t i = 0; i < 30; i++) {
        char name[9];
        snprintf(name, sizeof name, "%c%u", i % 2 ? 'X' : 'Y', i % 100);
        assert_int_equal(edf_put(accessed, name, "FILE", 'V', 8, 3, i), EDF_OK);
    }
    while (edf_next(accessed, &position, "X*", "F*", &facts) == EDF_OK) {
        assert_int_equal(facts.name[0], 'X');
        found++;
    }
    assert_int_equal(found, 15);
    close_disk();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_comes_back_at_every_block_size),
        cmocka_unit_test(files_of_three_pointer_levels_come_back),
        cmocka_unit_test(any_record_can_be_reached_directly),
        cmocka_unit_test(reading_far_into_a_file_reads_few_blocks),
        cmocka_unit_test(a_short_buffer_gets_the_beginning_and_the_full_length),
        cmocka_unit_test(appending_gives_what_writing_at_once_gives),
        cmocka_unit_test(a_sparse_file_takes_no_room_and_reads_as_zeros),
        cmocka_unit_test(a_reader_keeps_its_file_while_it_is_replaced_and_erased),
        cmocka_unit_test(two_writers_at_once_do_not_mix),
        cmocka_unit_test(files_of_a_released_disk_are_cut_off_but_can_be_closed),
        cmocka_unit_test(what_must_be_refused_is_refused),
        cmocka_unit_test(a_small_file_costs_few_writes_and_two_flushes),
        cmocka_unit_test(accessing_reads_label_and_directory_only),
        cmocka_unit_test(listing_matches_patterns_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
