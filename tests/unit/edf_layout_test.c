/* What lies on the disk, byte for byte, against the published layout of label, directory entries and pointer blocks
 * (the label and file status table sections of the CMS data areas). The offsets are spelt out here on purpose. */
#include "tests/unit/fake/edf_state.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct minidisk disk;
static struct edf_disk *accessed;

static void open_disk(uint32_t block_size, uint32_t blocks)
{
    minidisk_open(&disk, (uint64_t)blocks * (block_size / EDF_SECTOR));
    assert_int_equal(edf_format(&disk.device, &disk.host, block_size, "ALI191"), EDF_OK);
    accessed = edf_access_or_die(&disk, true);
}

static void close_disk(void)
{
    edf_release(accessed);
    assert_int_equal(edf_faults(&disk, true), 0);
    minidisk_close(&disk);
}

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static const uint8_t *block(uint32_t number, uint32_t block_size)
{
    return disk.bytes + (size_t)(number - 1) * block_size;
}

static void the_label_is_at_byte_512_and_in_ebcdic(void **state)
{
    static const uint8_t expected[0x34] = {
        0xc3, 0xd4, 0xe2, 0xf1,             /* CMS1 */
        0xc1, 0xd3, 0xc9, 0xf1, 0xf9, 0xf1, /* ALI191 */
        0x00, 0x02,                         /* version */
        0x00, 0x00, 0x10, 0x00,             /* block size */
        0x00, 0x00, 0x00, 0x04,             /* directory origin */
        0, 0, 0, 0, 0, 0, 0, 0,             /* cylinders */
        0x00, 0x00, 0x00, 0x64,             /* blocks */
        0x00, 0x00, 0x00, 0x06,             /* used */
        0x00, 0x00, 0x00, 0x40,             /* entry size */
        0x00, 0x00, 0x00, 0x40,             /* entries a block */
        0x26, 0x11, 0x21, 0x14, 0x05, 0x31, /* created */
        0x01, 0x00,                         /* 20xx */
    };
    (void)state;
    open_disk(4096, 100);
    assert_memory_equal(disk.bytes + 512, expected, sizeof expected);
    close_disk();
}

static void a_new_directory_describes_itself_and_the_map(void **state)
{
    static const uint8_t director[] = {0, 0, 0, 1, 0, 0, 0, 0, 0xc4, 0xc9, 0xd9, 0xc5, 0xc3, 0xe3, 0xd6, 0xd9};
    static const uint8_t allocmap[] = {0, 0, 0, 2, 0, 0, 0, 0, 0xc1, 0xd3, 0xd3, 0xd6, 0xc3, 0xd4, 0xc1, 0xd7};
    (void)state;
    open_disk(1024, 100);
    const uint8_t *d = block(4, 1024);
    assert_memory_equal(d, director, 16);
    assert_int_equal(d[0x1e], 0xc6);
    assert_int_equal(word(d + 0x20), 64);
    assert_int_equal(word(d + 0x28), 4);
    assert_int_equal(word(d + 0x30), 2);
    assert_memory_equal(d + 64, allocmap, 16);
    assert_int_equal(word(d + 64 + 0x28), 6);
    assert_int_equal(block(6, 1024)[0], 0xfc); /* blocks 1 to 6 are used */
    close_disk();
}

static void a_file_entry_says_all_about_the_file(void **state)
{
    static const uint8_t name[] = {0xc1, 0xd3, 0xd7, 0xc8, 0xc1, 0x40, 0x40, 0x40,
                                   0xc4, 0xc1, 0xe3, 0xc1, 0x40, 0x40, 0x40, 0x40};
    static const uint8_t date[] = {0x26, 0x11, 0x21, 0x14, 0x05, 0x31};
    struct edf_writer *writer;
    uint8_t record[80];
    (void)state;
    memset(record, 0xc1, sizeof record);
    open_disk(512, 100);
    assert_int_equal(edf_create(accessed, "ALPHA", "DATA", '2', 'F', 80, EDF_NEW, &writer), EDF_OK);
    for (int i = 0; i < 13; i++)
        assert_int_equal(edf_write(writer, record, 80), EDF_OK); /* 1040 bytes: 3 blocks and a pointer block */
    assert_int_equal(edf_commit(writer), EDF_OK);
    assert_int_equal(word(disk.bytes + 512 + 0x10), 5); /* the directory has moved to block 5 */
    const uint8_t *fst = block(5, 512) + 2 * 64;
    assert_memory_equal(fst, name, 16);
    assert_int_equal(fst[0x18], 0xc1);
    assert_int_equal(fst[0x19], 0xf2);
    assert_int_equal(fst[0x1e], 0xc6);
    assert_int_equal(fst[0x1f], 0x08);
    assert_int_equal(word(fst + 0x20), 80);
    assert_int_equal(word(fst + 0x2c), 3);
    assert_int_equal(word(fst + 0x30), 13);
    assert_int_equal(fst[0x34], 1);
    assert_int_equal(fst[0x35], 4);
    assert_memory_equal(fst + 0x36, date, 6);
    const uint8_t *pointers = block(word(fst + 0x28), 512);
    for (int i = 0; i < 3; i++)
        assert_int_equal(block(word(pointers + 4 * i), 512)[15], 0xc1);
    assert_int_equal(block(word(pointers + 8), 512)[16], 0); /* 1040 bytes end here */
    assert_int_equal(word(pointers + 12), 0);
    close_disk();
}

static void put_v(const char *name, const uint32_t *length, int count)
{
    static uint8_t record[EDF_LRECL_MAX];
    struct edf_writer *writer;
    memset(record, 0xaa, sizeof record);
    assert_int_equal(edf_create(accessed, name, "V", '1', 'V', 0, EDF_NEW, &writer), EDF_OK);
    for (int i = 0; i < count; i++)
        assert_int_equal(edf_write(writer, record, length[i]), EDF_OK);
    assert_int_equal(edf_commit(writer), EDF_OK);
}

static void pointer_is(const uint8_t *pointers, int index, uint32_t highest, uint32_t displacement)
{
    assert_int_not_equal(word(pointers + 12 * index), 0);
    assert_int_equal(word(pointers + 12 * index + 4), highest);
    assert_int_equal(word(pointers + 12 * index + 8), displacement);
}

static void v_pointers_carry_record_number_and_displacement(void **state)
{
    (void)state;
    open_disk(512, 100);
    put_v("A", (const uint32_t[]){100, 700, 3}, 3);
    const uint8_t *fst = block(word(disk.bytes + 512 + 0x10), 512) + 2 * 64;
    assert_int_equal(fst[0x1e], 0xe5);
    assert_int_equal(word(fst + 0x20), 700);
    assert_int_equal(word(fst + 0x2c), 2);
    assert_int_equal(fst[0x34], 1);
    assert_int_equal(fst[0x35], 12);
    const uint8_t *pointers = block(word(fst + 0x28), 512);
    pointer_is(pointers, 0, 2, 0);
    pointer_is(pointers, 1, 3, 292); /* 2 + 100 + 2 + 700 - 512 */
    assert_int_equal(word(pointers + 508), 12);
    const uint8_t *data = block(word(pointers), 512);
    assert_int_equal(data[0] << 8 | data[1], 100);
    assert_int_equal(data[102] << 8 | data[103], 700);
    data = block(word(pointers + 12), 512);
    assert_int_equal(data[291], 0xaa);
    assert_int_equal(data[292] << 8 | data[293], 3);
    assert_int_equal(data[297], 0);
    close_disk();
}

static void a_v_record_that_fills_a_block_is_marked_spanned(void **state)
{
    (void)state;
    open_disk(512, 100);
    put_v("A", (const uint32_t[]){1500, 1}, 2);
    const uint8_t *pointers = block(word(block(word(disk.bytes + 512 + 0x10), 512) + 2 * 64 + 0x28), 512);
    pointer_is(pointers, 0, 1, 0);
    pointer_is(pointers, 1, 1, 0xffffffff);
    pointer_is(pointers, 2, 2, 478);
    assert_int_equal(word(pointers + 508), 24);
    close_disk();
}

static void a_v_length_may_be_split_between_blocks(void **state)
{
    (void)state;
    open_disk(512, 100);
    put_v("A", (const uint32_t[]){509, 300, 7}, 3); /* 2 + 509 = 511: one byte of the next length fits */
    const uint8_t *pointers = block(word(block(word(disk.bytes + 512 + 0x10), 512) + 2 * 64 + 0x28), 512);
    pointer_is(pointers, 0, 2, 0);
    pointer_is(pointers, 1, 3, 301); /* the other byte of the length, then the data */
    assert_int_equal(block(word(pointers), 512)[511], 300 >> 8);
    assert_int_equal(block(word(pointers + 12), 512)[0], 300 & 255);
    close_disk();
}

static void a_null_pointer_is_a_block_of_zeros_and_is_not_counted(void **state)
{
    struct edf_writer *writer;
    uint8_t record[512] = {7};
    (void)state;
    open_disk(512, 100);
    assert_int_equal(edf_create(accessed, "SPARSE", "F", '1', 'F', 512, EDF_NEW, &writer), EDF_OK);
    assert_int_equal(edf_write(writer, record, 512), EDF_OK);
    assert_int_equal(edf_add_zeros(writer, 512, 5), EDF_OK);
    assert_int_equal(edf_write(writer, record, 512), EDF_OK);
    assert_int_equal(edf_commit(writer), EDF_OK);
    const uint8_t *fst = block(word(disk.bytes + 512 + 0x10), 512) + 2 * 64;
    assert_int_equal(word(fst + 0x2c), 2);
    assert_int_equal(word(fst + 0x30), 7);
    const uint8_t *pointers = block(word(fst + 0x28), 512);
    assert_int_not_equal(word(pointers), 0);
    for (int i = 1; i <= 5; i++)
        assert_int_equal(word(pointers + 4 * i), 0);
    assert_int_not_equal(word(pointers + 24), 0);
    close_disk();
}

static void dates_of_both_centuries_are_kept(void **state)
{
    static const struct edf_date dates[] = {
        {1985, 2, 28, 23, 59, 59}, {1999, 12, 31, 0, 0, 0}, {2000, 1, 1, 0, 0, 1}, {2099, 12, 31, 23, 59, 58}};
    (void)state;
    open_disk(4096, 50);
    for (int i = 0; i < 4; i++) {
        struct edf_file_facts facts;
        disk.date = dates[i];
        assert_int_equal(edf_put(accessed, "DATED", "FILE", 'V', 10, 1, 0), EDF_OK);
        assert_int_equal(edf_find(accessed, "DATED", "FILE", &facts), EDF_OK);
        assert_memory_equal(&facts.date, &dates[i], sizeof dates[i]);
        const uint8_t *fst = block(word(disk.bytes + 512 + 0x10), 4096) + 2 * 64;
        assert_int_equal(fst[0x1f] & 8, dates[i].year >= 2000 ? 8 : 0);
    }
    close_disk();
}

static void a_directory_of_many_blocks_points_to_its_first_block_in_4_or_5(void **state)
{
    char name[9] = "F000";
    (void)state;
    open_disk(512, 300);
    for (int i = 0; i < 20; i++) {
        name[2] = (char)('0' + i / 10);
        name[3] = (char)('0' + i % 10);
        assert_int_equal(edf_put(accessed, name, "DATA", 'V', 10, 1, 0), EDF_OK);
    }
    uint32_t origin = word(disk.bytes + 512 + 0x10);
    const uint8_t *own = block(origin, 512);
    assert_int_equal(own[0x34], 1);
    assert_int_equal(word(own + 0x30), 22);
    assert_int_equal(word(own + 0x2c), 3);
    assert_int_equal(word(block(word(own + 0x28), 512)), origin);
    close_disk();
}

static void a_label_in_block_3_as_on_ckd_is_found_and_kept_there(void **state)
{
    (void)state;
    open_disk(1024, 100);
    edf_release(accessed);
    memcpy(disk.bytes + 2048, disk.bytes + 512, 512);
    memset(disk.bytes + 512, 0, 512);
    accessed = edf_access_or_die(&disk, true);
    assert_int_equal(edf_put(accessed, "A", "B", 'V', 10, 1, 0), EDF_OK);
    assert_int_equal(word(disk.bytes + 2048 + 0x10), 5);
    assert_int_equal(disk.bytes[512], 0);
    close_disk();
}

static void ebcdic_maps_every_code_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++)
        assert_int_equal(edf_ascii_from_ebcdic(edf_ebcdic_from_ascii((uint8_t)i)), i);
    assert_int_equal(edf_ebcdic_from_ascii('['), 0xad);
    assert_int_equal(edf_ebcdic_from_ascii('z'), 0xa9);
}

static void patterns_match_as_in_cms(void **state)
{
    (void)state;
    assert_true(edf_name_matches(NULL, "ANY"));
    assert_true(edf_name_matches("*", "ANY"));
    assert_true(edf_name_matches("A*", "A"));
    assert_true(edf_name_matches("*Y", "ANY"));
    assert_true(edf_name_matches("A%Y", "ANY"));
    assert_true(edf_name_matches("*A*B*", "XAXXBX"));
    assert_false(edf_name_matches("A%", "A"));
    assert_false(edf_name_matches("A", "AB"));
    assert_false(edf_name_matches("*B", "ABC"));
    assert_false(edf_name_matches("%%%%", "ABC"));
}

static void names_are_1_to_8_cms_characters(void **state)
{
    (void)state;
    assert_true(edf_name_valid("A"));
    assert_true(edf_name_valid("#@+$-:_Z"));
    assert_false(edf_name_valid(""));
    assert_false(edf_name_valid("TOOLONGXX"));
    assert_false(edf_name_valid("A B"));
    assert_false(edf_name_valid("A*"));
    assert_false(edf_name_valid("A.B"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_label_is_at_byte_512_and_in_ebcdic),
        cmocka_unit_test(a_new_directory_describes_itself_and_the_map),
        cmocka_unit_test(a_file_entry_says_all_about_the_file),
        cmocka_unit_test(v_pointers_carry_record_number_and_displacement),
        cmocka_unit_test(a_v_record_that_fills_a_block_is_marked_spanned),
        cmocka_unit_test(a_v_length_may_be_split_between_blocks),
        cmocka_unit_test(a_null_pointer_is_a_block_of_zeros_and_is_not_counted),
        cmocka_unit_test(dates_of_both_centuries_are_kept),
        cmocka_unit_test(a_directory_of_many_blocks_points_to_its_first_block_in_4_or_5),
        cmocka_unit_test(a_label_in_block_3_as_on_ckd_is_found_and_kept_there),
        cmocka_unit_test(ebcdic_maps_every_code_both_ways),
        cmocka_unit_test(patterns_match_as_in_cms),
        cmocka_unit_test(names_are_1_to_8_cms_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
