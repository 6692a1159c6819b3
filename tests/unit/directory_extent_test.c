/* The directory: where on the volume things are, and how many there may be. */
#include "tests/unit/directory_scene.h"

static void areas_are_cps_own_and_no_minidisk_reaches_them(void **state)
{
    (void)state;
    assert_int_equal(parse(), 0);
    assert_int_equal(directory.area[AREA_SPOOL].blocks, 0);
    add("/", "areas");
    add("/areas", "spool");
    assert_fault("/areas/spool/extent: is missing");
    set_extent("/areas/spool", 300, 100);
    assert_int_equal(parse(), 0);
    assert_int_equal(directory.area[AREA_SPOOL].start, 300);
    assert_int_equal(directory.area[AREA_SPOOL].blocks, 100);
    add("/areas", "audit");
    set_extent("/areas/audit", 399, 1);
    assert_fault("/areas/audit: its extent overlaps /areas/spool");
    set_extent("/areas/audit", FIRST - 1, 1);
    assert_fault("/areas/audit: its extent begins in CP's own part");
    set_extent("/areas/audit", VOLUME - 1, 2);
    assert_fault("/areas/audit: its extent ends beyond the volume");
    set_extent("/areas/audit", 400, 1);
    set_extent("/users/ALICE/mdisk@191", 299, 2);
    set_bytes("/users/ALICE/mdisk@191", "overlap", "", 0);
    assert_fault("/users/ALICE/mdisk@191: its extent overlaps /areas/spool");
    set_extent("/users/ALICE/mdisk@191", 299, 1);
    assert_int_equal(parse(), 0);
    set_text("/areas/audit", "mode", "R");
    assert_fault("/areas/audit/mode: is no property known here");
    fdt_delprop(blob, node_at("/areas/audit"), "mode");
    add("/areas", "swap");
    assert_fault("/areas/swap: is no node known here");
}

static void extents_stay_in_the_volume_and_apart(void **state)
{
    (void)state;
    set_extent("/users/ALICE/mdisk@191", 132, 1);
    assert_fault("/users/MAINT/mdisk@190: its extent overlaps ALICE's mdisk@191");
    set_bytes("/users/MAINT/mdisk@190", "overlap", "", 0);
    assert_int_equal(parse(), 0);
    make_good(NULL);
    set_extent("/users/ALICE/mdisk@191", VOLUME - 1, 2);
    assert_fault("/users/ALICE/mdisk@191: its extent ends beyond the volume");
    set_extent("/users/ALICE/mdisk@191", 0xffffffff, 0xffffffff);
    assert_fault("/users/ALICE/mdisk@191: its extent ends beyond the volume");
    set_extent("/users/ALICE/mdisk@191", FIRST - 1, 1);
    assert_fault("/users/ALICE/mdisk@191: its extent begins in CP's own part");
}

static void snapshots_have_an_area_that_is_nobody_elses(void **state)
{
    static const char disk[] = "/users/ALICE/mdisk@191";
    const struct {
        uint32_t start, blocks;
        const char *fault;
    } wrong[] = {
        {FIRST - 4, 4, "/users/ALICE/mdisk@191/snapshots: its extent begins in CP's own part"},
        {VOLUME - 5, 6, "/users/ALICE/mdisk@191/snapshots: its extent ends beyond the volume"},
        {300, 2, "/users/ALICE/mdisk@191/snapshots: has less than 3 blocks"},
        {230, 10, "/users/ALICE/mdisk@191/snapshots: its extent overlaps the minidisk's own"},
        {120, 13, "/users/MAINT/mdisk@190: its extent overlaps ALICE's mdisk@191 or its snapshots"},
    };
    fdt32_t cells[2];
    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cells[0] = cpu_to_fdt32(wrong[i].start), cells[1] = cpu_to_fdt32(wrong[i].blocks);
        set_bytes(disk, "snapshots", (const char *)cells, sizeof cells);
        assert_fault(wrong[i].fault);
    }
    cells[0] = cpu_to_fdt32(300), cells[1] = cpu_to_fdt32(20);
    set_bytes(disk, "snapshots", (const char *)cells, sizeof cells);
    assert_int_equal(parse(), 0);
    set_extent("/users/MAINT/mdisk@190", 310, 5);
    assert_fault("overlaps");
    make_good(NULL);
    set_bytes(disk, "snapshots", (const char *)cells, sizeof cells);
    set_extent("/users/MAINT/mdisk@190", 132, 2); /* declared or not: what is written there would not be kept */
    set_bytes("/users/MAINT/mdisk@190", "overlap", "", 0);
    assert_fault("/users/MAINT/mdisk@190: its extent overlaps ALICE's mdisk@191");
    make_good(NULL);
    set_bytes(disk, "snapshots", (const char *)cells, sizeof cells);
    add("/", "areas");
    add("/areas", "spool");
    set_extent("/areas/spool", 319, 10);
    assert_fault("/users/ALICE/mdisk@191/snapshots: its extent overlaps /areas/spool");
}

static void limits_are_kept(void **state)
{
    (void)state;
    set_cell("/users/ALICE", "maximum", 31);
    assert_fault("/users/ALICE/storage: is more than maximum");
    make_good(NULL);
    set_text("/users/MAINT", "classes", "BG");
    assert_fault("/users: has nobody of class A");
    make_good(NULL);
    for (int i = 0; i < DIRECTORY_USER_DISKS - 1; i++) {
        char name[16], path[64];
        snprintf(name, sizeof name, "mdisk@3%02x", i);
        snprintf(path, sizeof path, "/users/ALICE/%s", name);
        add("/users/ALICE", name);
        set_extent(path, 300 + i, 1);
    }
    assert_fault("is more than the 16 disks a machine can have");
}

static void a_pool_is_one_entry_for_many_users(void **state)
{
    (void)state;
    add_user("MNY", "G");
    set_pool("/users/MNY", 8, 11);
    add("/users/MNY", "link@190");
    set_text("/users/MNY/link@190", "user", "MAINT");
    set_cell("/users/MNY/link@190", "vdev", 0x190);
    assert_int_equal(parse(), 0);
    assert_false(directory_find(&directory, "MNY") || directory_find(&directory, "MNY00012"));
    for (unsigned number = 8; number <= 11; number++) {
        char id[DIRECTORY_NAME + 1];
        snprintf(id, sizeof id, "MNY%05u", number);
        const struct user *user = directory_find(&directory, id);
        unsigned links = 0;
        assert_true(user && user->classes == CLASS('G') && !strcmp(user->machine.userid, id));
        for (unsigned i = 0; i < user->links; i++)
            links += directory.link[user->link + i].vdev == 0x190;
        assert_int_equal(links, 1);
    }
}

static void a_pool_that_cannot_be_is_refused(void **state)
{
    (void)state;
    add_user("MANY", "G");
    set_pool("/users/MANY", 1, 2);
    assert_fault("/users/MANY/pool: is for a name of 1 to 3 characters");
    make_good(NULL);
    add_user("MNY", "G");
    set_pool("/users/MNY", 3, 2);
    assert_fault("/users/MNY/pool: is no range of 1 to 99999");
    set_pool("/users/MNY", 1, 2);
    add("/users/MNY", "mdisk@191");
    set_extent("/users/MNY/mdisk@191", 300, 1);
    assert_fault("/users/MNY/pool: is for users without minidisks of their own");
    make_good(NULL);
    add_user("MNY", "G");
    add_user("MNY00002", "G");
    set_pool("/users/MNY", 1, 2);
    assert_fault("/users/MNY00002: is there twice");
}

#define TEST(name) cmocka_unit_test_setup(name, make_good)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(areas_are_cps_own_and_no_minidisk_reaches_them),
        TEST(extents_stay_in_the_volume_and_apart),
        TEST(snapshots_have_an_area_that_is_nobody_elses),
        TEST(limits_are_kept),
        TEST(a_pool_is_one_entry_for_many_users),
        TEST(a_pool_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
