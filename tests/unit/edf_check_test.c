/* The check finds what is wrong: one inconsistency is put on a clean disk at a time, and the fault reported must be the
 * one expected. Offsets are those of the disk layout. */
#include "cms/edf/edf_check.h"
#include "tests/unit/fake/edf_state.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct minidisk disk;
static uint8_t *clean;
static char faults[4000];

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_word(uint8_t *p, uint32_t value)
{
    for (int i = 3; i >= 0; i--, value >>= 8)
        p[i] = (uint8_t)value;
}

static uint8_t *block(uint32_t number) { return disk.bytes + (size_t)(number - 1) * 512; }
static uint8_t *label(void) { return disk.bytes + 512; }
static uint8_t *fst(int index) { return block(word(label() + 0x10)) + 64 * index; }
static uint8_t *map(void) { return block(word(fst(1) + 0x28)); }

/* Entries: 2 V FILE (V, three levels of pointers are not needed: one), 3 F FILE (F), 4 DEEP FILE (V, two levels). */
static void make_clean(void)
{
    minidisk_open(&disk, 1000);
    assert_int_equal(edf_format(&disk.device, &disk.host, 512, "CHECK"), EDF_OK);
    struct edf_disk *accessed = edf_access_or_die(&disk, true);
    assert_int_equal(edf_put(accessed, "V", "FILE", 'V', 300, 20, 1), EDF_OK);
    assert_int_equal(edf_put(accessed, "F", "FILE", 'F', 100, 20, 2), EDF_OK);
    assert_int_equal(edf_put(accessed, "DEEP", "FILE", 'V', 600, 100, 3), EDF_OK);
    edf_release(accessed);
    assert_int_equal(edf_faults(&disk, true), 0);
    assert_int_equal(fst(4)[0x34], 2);
    clean = malloc(disk.size);
    memcpy(clean, disk.bytes, disk.size);
}

static void note(void *ctx, const char *where, const char *text, bool fault)
{
    size_t at = strlen(faults);
    (void)ctx;
    snprintf(faults + at, sizeof faults - at, "%s%s: %s\n", fault ? "" : "note: ", where, text);
}

static void used_count(void) { put_word(label() + 0x20, word(label() + 0x20) + 1); }
static void too_many_blocks(void) { put_word(label() + 0x1c, 1001); }
static void bad_origin(void) { put_word(label() + 0x10, 6); }
static void bad_block_size(void) { put_word(label() + 0x0c, 513); }
static void not_director(void) { fst(0)[3] = 9; }
static void record_count(void) { put_word(fst(0) + 0x30, 4); }
static void record_count_high(void) { put_word(fst(0) + 0x30, 7); }
static void map_levels(void) { fst(1)[0x34] = 1; }
static void map_entry(void) { put_word(fst(1) + 0x20, 100); }
static void map_beyond(void) { put_word(fst(1) + 0x28, 5000); }
static void lost_block(void) { map()[100] |= 0x80; }
static void freed_block(void) { map()[0] = 0xf8; }
static void recfm(void) { fst(2)[0x1e] = 0; }
static void lrecl_zero(void) { put_word(fst(3) + 0x20, 0); }
static void lrecl_v(void) { put_word(fst(2) + 0x20, 301); }
static void f_records(void) { put_word(fst(3) + 0x30, 2000000); }
static void origin_beyond(void) { put_word(fst(2) + 0x28, 1001); }
static void origin_null(void) { put_word(fst(2) + 0x28, 0); }
static void levels(void) { fst(3)[0x34] = 3; }
static void pointer_size(void) { fst(2)[0x35] = 4; }
static void block_count(void) { put_word(fst(3) + 0x2c, 3); }
static void v_records(void) { put_word(fst(2) + 0x30, 19); }
static void same_name(void) { memcpy(fst(3), fst(2), 16); }
static void bad_name(void) { fst(2)[0] = 0x4b; } /* a full stop */
static void bad_mode(void) { fst(2)[0x19] = 0xf9; }
static void bad_date(void) { fst(2)[0x37] = 0x13; }
static void cross_link(void) { put_word(block(word(fst(3) + 0x28)) + 4, word(block(word(fst(2) + 0x28)))); }
static void pointer_beyond(void) { put_word(block(word(fst(3) + 0x28)) + 4, 0x7fffffff); }
static void shared_tree(void) { put_word(fst(3) + 0x28, word(fst(2) + 0x28)); }
static void last_word(void) { put_word(block(word(fst(2) + 0x28)) + 508, 5); }
static void fewer_pointers(void) { put_word(block(word(fst(2) + 0x28)) + 508, 0); }
static void highest(void) { put_word(block(word(fst(2) + 0x28)) + 4, 1); }
static void displacement(void) { put_word(block(word(fst(2) + 0x28)) + 20, 1); }
static void high_highest(void) { put_word(block(word(fst(4) + 0x28)) + 4, 1); }
static void high_displacement(void) { put_word(block(word(fst(4) + 0x28)) + 20, 0); }
static void loop(void) { put_word(block(word(fst(4) + 0x28)), word(fst(4) + 0x28)); }
static void record_zero(void) { memset(block(word(block(word(fst(2) + 0x28)))), 0, 2); }
static void record_long(void) { block(word(block(word(fst(2) + 0x28))))[0] = 0xff; }
static void after_last(void) { fst(7)[0x20] = 1; }

static const struct {
    const char *expected;
    void (*damage)(void);
} damages[] = {
    {"label: its used count is", used_count},
    {"label or directory: the label counts more blocks than the device has", too_many_blocks},
    {"label or directory: the label's directory origin is not 4 or 5", bad_origin},
    {"label or directory: the label's block size is not", bad_block_size},
    {"label or directory: the directory does not begin with DIRECTOR and ALLOCMAP", not_director},
    {"directory: there is something after its last entry", record_count},
    {"directory: its record count is 7, but it has 5 entries", record_count_high},
    {"map: it has 1 pointer levels instead of 0", map_levels},
    {"map: its entry should say F 512, 1 records, 1 blocks", map_entry},
    {"map: a pointer is beyond the disk", map_beyond},
    {"map: block 801 is used in the map, but owned by no file", lost_block},
    {"free in the map, but used by", freed_block},
    {"V FILE: its record format is neither F nor V", recfm},
    {"F FILE: its record length is out of range", lrecl_zero},
    {"V FILE: its longest record is", lrecl_v},
    {"F FILE: its pointer levels do not fit its size", f_records},
    {"V FILE: its first block is beyond the disk", origin_beyond},
    {"V FILE: its first block is beyond the disk", origin_null},
    {"F FILE: its pointer levels do not fit its size", levels},
    {"V FILE: its pointer size does not fit its record format", pointer_size},
    {"F FILE: it has 4 data blocks, not 3", block_count},
    {"V FILE: a pointer's record number is wrong", v_records},
    {"V FILE: the directory has this name twice", same_name},
    {": its name or type is not a valid one", bad_name},
    {"V FILE: its file mode is not a letter and 0 to 6", bad_mode},
    {"V FILE: its date is not a date", bad_date},
    {"is also used by V FILE", cross_link},
    {"F FILE: a pointer is beyond the disk", pointer_beyond},
    {"is also used by V FILE", shared_tree},
    {"V FILE: a pointer block's last word is wrong", last_word},
    {"V FILE: it ends within or before its last record", fewer_pointers},
    {"V FILE: a pointer's record number is wrong", highest},
    {"V FILE: a pointer's displacement is wrong", displacement},
    {"DEEP FILE: a pointer block's record number is wrong", high_highest},
    {"DEEP FILE: a pointer block's displacement is wrong", high_displacement},
    {"DEEP FILE: block", loop},
    {"V FILE: a record's length is 0 or more than the longest", record_zero},
    {"V FILE: a record's length is 0 or more than the longest", record_long},
    {"directory: there is something after its last entry", after_last},
};

static void each_inconsistency_is_found_and_named(void **state)
{
    struct edf_check_report report;
    (void)state;
    make_clean();
    for (unsigned i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        memcpy(disk.bytes, clean, disk.size);
        damages[i].damage();
        faults[0] = '\0';
        assert_int_equal(edf_check(&disk.device, &disk.host, note, NULL, &report), EDF_OK);
        if (report.faults == 0 || !strstr(faults, damages[i].expected))
            fail_msg("expected \"%s\", got:\n%s", damages[i].expected, faults);
    }
    free(clean);
    minidisk_close(&disk);
}

static void a_disk_with_a_damaged_entry_is_read_only_and_its_other_files_can_be_read(void **state)
{
    struct edf_disk_facts facts;
    struct edf_reader *reader;
    struct edf_file_facts file;
    (void)state;
    make_clean();
    recfm();
    struct edf_disk *accessed = edf_access_or_die(&disk, true);
    edf_disk_query(accessed, &facts);
    assert_false(facts.writable);
    assert_string_equal(facts.fault, "a directory entry is damaged");
    assert_int_equal(edf_open(accessed, "V", "FILE", &reader), EDF_DAMAGED);
    assert_string_equal(edf_reason(accessed).text, "its record format is neither F nor V");
    assert_int_equal(edf_find(accessed, "V", "FILE", &file), EDF_OK);
    assert_non_null(file.fault);
    assert_int_equal(edf_open(accessed, "F", "FILE", &reader), EDF_OK);
    edf_close(reader);
    assert_int_equal(edf_erase(accessed, "F", "FILE"), EDF_READ_ONLY);
    edf_release(accessed);
    free(clean);
    minidisk_close(&disk);
}

static void a_disk_with_a_wrong_map_refuses_changes(void **state)
{
    struct edf_disk_facts facts;
    (void)state;
    make_clean();
    lost_block();
    struct edf_disk *accessed = edf_access_or_die(&disk, true);
    assert_int_equal(edf_erase(accessed, "F", "FILE"), EDF_DAMAGED);
    assert_string_equal(edf_reason(accessed).text, "the allocation map does not add up to the label's used count");
    edf_disk_query(accessed, &facts);
    assert_false(facts.writable);
    edf_release(accessed);
    free(clean);
    minidisk_close(&disk);
}

static void a_truncated_device_and_an_empty_one_are_refused(void **state)
{
    struct edf_disk *accessed;
    struct edf_reason reason;
    (void)state;
    make_clean();
    for (disk.device.sectors = 0; disk.device.sectors < 1000; disk.device.sectors++) {
        enum edf_status status = edf_access(&disk.device, &disk.host, true, &accessed, &reason);
        assert_int_equal(status, disk.device.sectors < 2 ? EDF_NOT_CMS : EDF_DAMAGED);
    }
    free(clean);
    minidisk_close(&disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_inconsistency_is_found_and_named),
        cmocka_unit_test(a_disk_with_a_damaged_entry_is_read_only_and_its_other_files_can_be_read),
        cmocka_unit_test(a_disk_with_a_wrong_map_refuses_changes),
        cmocka_unit_test(a_truncated_device_and_an_empty_one_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
