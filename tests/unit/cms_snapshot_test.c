/* SNAPSHOT as a user of CMS types it: what CP is told, and which files stay when a disk is rolled back. The disk F00 is
 * what CP would give to edit. */
#include "tests/unit/cms_scene.h"

static int start(void **state)
{
    (void)state;
    scene_begin();
    attach(0x191, 'A', "ALI191");
    attach(0xF00, 'B', "ALI191");
    fake_cms_cp("", 0);
    return 0;
}

static void only(const char *line) { assert_int_equal(obey(line), 0); }

static void what_is_no_rollback_goes_to_cp_as_it_is(void **state)
{
    (void)state;
    fake_cms_cp("DASD 0191 SNAPSHOT 1 TAKEN\n", 0);
    shows("snapshot take 191 before", 0, "DASD 0191 SNAPSHOT 1 TAKEN\n");
    assert_string_equal(fake_cms_cp_asked, "snapshot take 191 before");
    fake_cms_cp(NULL, 0);
    shows("SNAPSHOT LIST 191", 88, "DMSCPF9001E CP is not there: this machine runs without it\n");
}

static void files_that_are_named_stay_as_they_are_now(void **state)
{
    (void)state;
    only("PIPE literal new|> PROFILE EXEC A");
    only("PIPE literal new|> MINE NOTEBOOK A");
    only("PIPE literal new|> OTHER DATA A");
    only("PIPE literal old|> PROFILE EXEC B");
    only("PIPE literal old|> GONE NOTEBOOK B"); /* erased since */
    only("PIPE literal old|> OTHER DATA B");
    only("RELEASE B");
    shows("SNAPSHOT ROLLBACK 191 11/29/26 (KEEP PROFILE EXEC * NOTEBOOK", 0,
          "DMSSNP9070I 2 file(s) stayed as they were\n");
    only("ACCESS F00 B");
    shows("TYPE PROFILE EXEC B", 0, "\nnew\n\n");
    shows("TYPE MINE NOTEBOOK B", 0, "\nnew\n\n");
    shows("TYPE OTHER DATA B", 0, "\nold\n\n");
    shows("STATE GONE NOTEBOOK B", 28, "DMSSTT002E File GONE NOTEBOOK B not found\n");
    shows("STATE OTHER DATA A", 0, ""); /* accessed again */
}

/* What CP refuses is shown, and the disk is there again. */
static void what_cp_refuses_changes_nothing(void **state)
{
    (void)state;
    only("PIPE literal new|> OTHER DATA A");
    only("RELEASE B");
    fake_cms_cp("HCPSNP9112E 0191 has no snapshot 7\n", 9112);
    fake_cms_cp_when = "SNAPSHOT LINK";
    shows("SNAPSHOT ROLLBACK 191 7 (KEEP * EXEC", 9112, "HCPSNP9112E 0191 has no snapshot 7\n");
    fake_cms_cp_when = "SNAPSHOT ROLLBACK";
    shows("SNAPSHOT ROLLBACK 191 7", 9112, "HCPSNP9112E 0191 has no snapshot 7\n");
    shows("STATE OTHER DATA A", 0, "");
}

static void operands_are_judged(void **state)
{
    (void)state;
    shows("SNAPSHOT ROLLBACK 191", 24, "DMSSNP028E No device specified\n");
    shows("SNAPSHOT ROLLBACK 19X 1", 24, "DMSSNP017E Invalid device address: 19X\n");
    shows("SNAPSHOT ROLLBACK 191 1 2", 24, "DMSSNP070E Invalid parameter 2\n");
    shows("SNAPSHOT ROLLBACK 191 12345678901", 24, "DMSSNP070E Invalid parameter 12345678901\n");
    shows("SNAPSHOT ROLLBACK 191 1 (WHAT", 24, "DMSSNP003E Invalid option: WHAT\n");
    shows("SNAPSHOT ROLLBACK 191 1 (KEEP PROFILE", 24, "DMSSNP023E No filetype specified\n");
    shows("SNAPSHOT ROLLBACK 192 1 (KEEP PROFILE EXEC", 36, "DMSSNP9071E Disk 192 is not accessed\n");
}

static void a_disk_without_room_for_what_stays_is_left_alone(void **state)
{
    (void)state;
    only("PIPE literal x| duplicate 60000 | > BIG DATA A");
    only("PIPE literal x| duplicate 70000 | > OLD DATA B");
    only("RELEASE B");
    assert_int_equal(obey("SNAPSHOT ROLLBACK 191 1 (KEEP BIG DATA"), 100);
    assert_string_equal(fake_cms_cp_asked, "DETACH F00"); /* and nothing behind it */
    shows("STATE BIG DATA A", 0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_no_rollback_goes_to_cp_as_it_is, start, scene_end),
        cmocka_unit_test_setup_teardown(files_that_are_named_stay_as_they_are_now, start, scene_end),
        cmocka_unit_test_setup_teardown(what_cp_refuses_changes_nothing, start, scene_end),
        cmocka_unit_test_setup_teardown(operands_are_judged, start, scene_end),
        cmocka_unit_test_setup_teardown(a_disk_without_room_for_what_stays_is_left_alone, start, scene_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
