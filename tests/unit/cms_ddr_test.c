/* DDR as a user types it: whole disks to disks and tapes, and what must not be written over. */
#include "cms/kernel/disk.h"
#include "tests/unit/cms_scene.h"

#include <limits.h>

static int start(void **state)
{
    (void)state;
    scene_begin();
    attach(0x191, 'A', "ALI191");
    attach(0x192, 'B', "ALI192");
    assert_int_equal(obey("PIPE literal The end|literal   two|literal one|> ALPHA DATA B"), 0);
    fake_cms_attach(0x193, false);
    assert_int_equal(obey("FILEDEF * CLEAR"), 0);
    return 0;
}

/* What is shown is exactly this, where the user answers YES. */
static void agreed(const char *line, const char *question, const char *rest)
{
    fake_cms_type("YES\r");
    assert_int_equal(obey(line), 0);
    assert_non_null(strstr(fake_cms_shown(), question));
    if (!strstr(fake_cms_shown(), rest))
        fail_msg("%s: %s", line, fake_cms_shown());
}

static void same_disks(uint16_t one, uint16_t other)
{
    static uint8_t a[DISK_SECTOR], b[DISK_SECTOR];
    struct disk *first = cms_disk_find(one), *second = cms_disk_find(other);
    for (uint64_t n = 0; n < first->sectors; n++) {
        assert_int_equal(cms_disk_read(first, n, a, 1), 0);
        assert_int_equal(cms_disk_read(second, n, b, 1), 0);
        if (memcmp(a, b, sizeof a))
            fail_msg("sector %u", (unsigned)n);
    }
}

static void spoil(uint16_t vdev)
{
    static uint8_t data[DISK_SECTOR];
    struct disk *disk = cms_disk_find(vdev);
    memset(data, 0xee, sizeof data);
    for (uint64_t n = 0; n < disk->sectors; n++)
        assert_int_equal(cms_disk_write(disk, n, data, 1), 0);
}

static void a_disk_is_copied_to_the_last_sector(void **state)
{
    (void)state;
    spoil(0x193);
    agreed("DDR COPY 192 TO 193", "DMSDDR9041R DDR will overwrite disk 193. Do you wish to continue?",
           "DMSDDR9042I 512 sectors of disk 193, ");
    same_disks(0x192, 0x193);
    shows("ACCESS 193 C", 0, "");
    shows("TYPE ALPHA DATA C", 0, "\none\n  two\nThe end\n\n");
    obey("RELEASE C");
}

static void what_was_accessed_is_accessed_afresh(void **state)
{
    (void)state;
    obey("PIPE literal old| > OLD DATA A");
    agreed("DDR COPY 192 TO 191", "DMSDDR9041R", "DMSDDR9042I");
    shows("LISTFILE * * A (LABEL NOHEADER", 0,
          "ALPHA    DATA     A1 V          7          3          1 11/21/26 14:05:31 ALI192\n");
}

static void a_disk_goes_to_a_tape_and_comes_back(void **state)
{
    (void)state;
    obey("TAPE DUMP ALPHA DATA B (WTM NOPRINT");
    shows("DDR DUMP 192", 0, "DMSDDR9042I 512 sectors of disk 192, 6 of them not zero\n");
    obey("TAPE DUMP ALPHA DATA B (NOPRINT");
    spoil(0x193);
    obey("TAPE REW");
    obey("TAPE FSF");
    agreed("DDR RESTORE 193", "DMSDDR9041R", "DMSDDR9042I 512 sectors of disk 193, 6 of them not zero");
    same_disks(0x192, 0x193);
    obey("TAPE FSF");
    shows("TAPE SCAN", 0, "Scanning.....\nALPHA DATA B1\nEnd-of-file or end-of-tape\n");
}

static void who_does_not_agree_keeps_the_disk(void **state)
{
    static const char *const answers[] = {"0\r", "NO\r", "\r", "what\r"};
    (void)state;
    spoil(0x193);
    for (unsigned i = 0; i < sizeof answers / sizeof *answers; i++) {
        fake_cms_type(answers[i]);
        assert_int_equal(obey("DDR COPY 193 TO 192"), 0);
        shows("TYPE ALPHA DATA B", 0, "\none\n  two\nThe end\n\n");
    }
    fake_cms_type("HX\r");
    assert_int_equal(obey("DDR COPY 193 TO 192"), COMMAND_HALTED);
    shows("TYPE ALPHA DATA B", 0, "\none\n  two\nThe end\n\n");
}

static void what_cannot_be_is_refused_before_anything_is_written(void **state)
{
    (void)state;
    shows("DDR COPY 192 TO 192", 24, "DMSDDR9044E Disk 192 cannot be both\n");
    shows("DDR COPY 192 TO 199", 100, "DMSDDR113S 199 not attached or invalid device address\n");
    shows("DDR COPY 19X TO 192", 24, "DMSDDR017E Invalid device address: 19X\n");
    cms_disk_find(0x193)->sectors = 511;
    shows("DDR COPY 192 TO 193", 32,
          "DMSDDR9040E Disk 193 has 511 sectors; the one that is to be copied has 512\n");
    cms_disk_find(0x193)->read_only = true;
    shows("DDR COPY 192 TO 193", 36, "DMSDDR037E Filemode 193 is accessed as read/only\n");
    obey("DDR DUMP 192");
    obey("TAPE REW");
    shows("DDR RESTORE 191", 24, "DMSDDR9044E Disk 191 cannot be both\n"); /* the tape is a file on it */
    shows("STATE TAP1 AWSTAPE A", 0, "");
}

/* The tape is read to its end before the user is asked. */
static void an_image_that_is_not_whole_costs_no_disk(void **state)
{
    static const struct {
        const char *make, *why;
    } wrong[] = {
        {"TAPE DUMP ALPHA DATA B (NOPRINT", "a block is not one of DDR DUMP"},
        {"PIPE literal x| specs x000000004000 1| > TAP1 AWSTAPE A", "a block is not one of DDR DUMP"},
        {"PIPE literal x| specs x0D000000A00002C4C4D9C40000000000000000 1| > TAP1 AWSTAPE A",
         "a block is not the first of DDR DUMP"},
        {"PIPE literal x| specs x0D000000A00002C4C4D9C80000000000000200 1| > TAP1 AWSTAPE A",
         "a block is not one of DDR DUMP"},
        {"PIPE literal x| specs x0D000000A00002C4C4D9C80000000000000200 1"
         " x0D000D00A00002C4C4D9C50000000000000001 next| > TAP1 AWSTAPE A",
         "its end is missing"},
        {"PIPE literal x| specs x0D000000A00002C4C4D9C80000000000000200 1"
         " x0D000D00A00002C4C4D9C40000000000000001 next| > TAP1 AWSTAPE A",
         "its sectors are not in order, or beyond its end"},
        {"PIPE literal x| specs x0D000000 1| > TAP1 AWSTAPE A", "the file ends within a block's header"},
    };
    char said[160];
    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        obey("TAPE REW");
        assert_int_equal(obey(wrong[i].make), 0);
        obey("TAPE REW");
        snprintf(said, sizeof said, "DMSDDR9043E There is no whole disk where TAP1(181) stands: %s\n", wrong[i].why);
        shows("DDR RESTORE 192", 32, said);
    }
    shows("TYPE ALPHA DATA B", 0, "\none\n  two\nThe end\n\n");
}

static void a_copy_that_fails_is_no_cms_disk(void **state)
{
    (void)state;
    obey("DDR DUMP 192");
    fake_cms_type("1\r");
    fake_cms_disks_fail = true;
    assert_int_equal(obey("DDR COPY 192 TO 193"), 100);
    assert_non_null(strstr(fake_cms_shown(), "DMSDDR125S Permanent unit check on disk 193: device error"));
    fake_cms_disks_fail = false;
    obey("ACCESS 193 C");
    assert_non_null(strstr(fake_cms_shown(), "there is no CMS1 label"));
}

static void copy_raw(uint16_t from, uint16_t to)
{
    static uint8_t data[FAKE_DISK_SECTORS * DISK_SECTOR];
    assert_int_equal(cms_disk_read(cms_disk_find(from), 0, data, FAKE_DISK_SECTORS), 0);
    assert_int_equal(cms_disk_write(cms_disk_find(to), 0, data, FAKE_DISK_SECTORS), 0);
}

/* Whenever the power goes: the disk is the old one, or no CMS disk, or the new one. */
static void a_copy_that_is_cut_anywhere_leaves_no_disk_that_is_half_another(void **state)
{
    unsigned cut = 0, done = 0;
    (void)state;
    obey("PIPE literal old| > OLD DATA A");
    for (; !done; cut++) {
        copy_raw(0x191, 0x193);
        fake_cms_type("1\r");
        fake_cms_sectors_left = cut;
        done = !obey("DDR COPY 192 TO 193");
        fake_cms_sectors_left = UINT_MAX;
        obey("ACCESS 193 C");
        bool gone = strstr(fake_cms_shown(), "there is no CMS1 label");
        if (done || gone)
            continue;
        assert_true(cut < 2); /* the label is in the second sector that is written */
        shows("LISTFILE * * C (LABEL NOHEADER", 0,
              "OLD      DATA     C1 V          3          1          1 11/21/26 14:05:31 ALI191\n");
        obey("RELEASE C");
    }
    assert_int_equal(cut - 1, FAKE_DISK_SECTORS + 64 + 1); /* the first ones twice, the label once more */
    same_disks(0x192, 0x193);
    obey("RELEASE C");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_disk_is_copied_to_the_last_sector),
        TEST(what_was_accessed_is_accessed_afresh),
        TEST(a_disk_goes_to_a_tape_and_comes_back),
        TEST(who_does_not_agree_keeps_the_disk),
        TEST(what_cannot_be_is_refused_before_anything_is_written),
        TEST(an_image_that_is_not_whole_costs_no_disk),
        TEST(a_copy_that_fails_is_no_cms_disk),
        TEST(a_copy_that_is_cut_anywhere_leaves_no_disk_that_is_half_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
