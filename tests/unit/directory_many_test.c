/* The directory: as many users as there may be. What they cost a step, and what few cost. */
#include "tests/unit/directory_scene.h"

enum { POOL = DIRECTORY_USERS - 2 /* besides MAINT and ALICE */ };

static int begin(void **state)
{
    static struct directory_rows fresh;
    fresh = (struct directory_rows){0};
    directory = (struct directory)DIRECTORY_IN(fresh);
    blocks_left = DIRECTORY_BLOCKS;
    blocks_made = 0;
    return make_good(state);
}

static int end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < DIRECTORY_BLOCKS; i++)
        free(directory.rows->block[i]);
    return 0;
}

static void add_pool(const char *name, uint32_t low, uint32_t high)
{
    char path[32];
    snprintf(path, sizeof path, "/users/%s", name);
    add_user(name, "G");
    set_pool(path, low, high);
}

static const struct user *member(const char *prefix, unsigned number)
{
    char id[DIRECTORY_NAME + 1];
    snprintf(id, sizeof id, "%s%05u", prefix, number);
    return directory_find(&directory, id);
}

static void ten_thousand_are_each_found_and_nobody_else(void **state)
{
    (void)state;
    add_pool("MNY", 1, POOL);
    assert_int_equal(parse(), 0);
    assert_int_equal(directory.users, DIRECTORY_USERS);
    for (unsigned i = 0; i < directory.users; i++)
        assert_ptr_equal(directory_find(&directory, directory_user(&directory, i)->id), directory_user(&directory, i));
    assert_null(member("MNY", 0));
    assert_null(member("MNY", POOL + 1));
    assert_null(directory_find(&directory, ""));
    assert_null(directory_find(&directory, "MNY"));
    assert_null(directory_find(&directory, "MNY000010"));
    assert_null(directory_find(&directory, "mny00001"));
    assert_string_equal(member("MNY", POOL)->machine.userid, "MNY10238");
}

/* The next directory is read where others stood. */
static void who_was_in_another_directory_is_not_found(void **state)
{
    (void)state;
    add_pool("MNY", 1, 5000);
    assert_int_equal(parse(), 0);
    make_good(state);
    add_pool("NEW", 4000, 9000);
    assert_int_equal(parse(), 0);
    assert_null(member("MNY", 4000));
    assert_non_null(member("NEW", 4000));
    assert_int_equal(directory.users, 5003);
}

static void one_too_many_is_told_by_path_and_reason(void **state)
{
    (void)state;
    add_pool("MNY", 1, POOL + 1);
    parse();
    assert_non_null(strstr(told, "/users/MAINT: is one user too many for this CP\n"));
    set_pool("/users/MNY", 1, DIRECTORY_USERS + 1);
    parse();
    assert_non_null(strstr(told, "/users/MNY/pool: has more users than this CP keeps\n"));
}

static void each_who_is_there_twice_is_told(void **state)
{
    (void)state;
    add_pool("MNY", 1, 5000);
    add_user("MNY00001", "G"); /* new nodes come first */
    add_user("MNY05000", "G");
    assert_int_equal(parse(), 2);
    assert_string_equal(told, "/users/MNY00001: is there twice\n/users/MNY05000: is there twice\n");
}

/* Of a name that is there, and of one that is not: users with the same hash. */
static void a_name_is_found_in_a_few_steps(void **state)
{
    static const char *const prefix[] = {"MNY", "A", "ZZ"};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        unsigned longest = 0, all = 0;
        make_good(NULL);
        add_pool(prefix[i], 50000, 50000 + POOL - 1);
        assert_int_equal(parse(), 0);
        for (unsigned hash = 0; hash < DIRECTORY_HASHES; hash++) {
            unsigned length = 0;
            for (unsigned row = directory.rows->named[hash]; row; length++)
                row = directory_user(&directory, row - 1)->same_hash;
            longest = length > longest ? length : longest;
            all += length;
        }
        assert_int_equal(all, DIRECTORY_USERS);
        assert_in_range(longest, 1, 20);
    }
}

/* So that a slice may end behind each user, and nothing is done for all of them at once. */
static void each_user_takes_the_same_few_steps_of_judging(void **state)
{
    unsigned steps[3];
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct directory_reader r;
        make_good(NULL);
        add_pool("MNY", 1, 1000 * (i + 1));
        directory_read_begin(&r, &directory, blob, sizeof blob, FIRST, VOLUME, note, NULL);
        for (steps[i] = 1; !directory_read_on(&r, is_over);)
            steps[i]++;
    }
    assert_int_equal(steps[1] - steps[0], 3 * 1000); /* made, looked at, and its devices */
    assert_int_equal(steps[2] - steps[1], 3 * 1000);
}

static void those_of_a_pool_have_the_links_of_its_entry(void **state)
{
    (void)state;
    add_pool("MNY", 1, POOL);
    for (unsigned i = 0; i < DIRECTORY_USER_DISKS; i++) {
        char name[16], path[40];
        snprintf(name, sizeof name, "link@%x", 0x190 + i);
        snprintf(path, sizeof path, "/users/MNY/%s", name);
        add("/users/MNY", name);
        set_text(path, "user", "MAINT");
        set_cell(path, "vdev", 0x190);
    }
    assert_int_equal(parse(), 0);
    const struct user *first = member("MNY", 1), *last = member("MNY", POOL);
    assert_int_equal(last->links, DIRECTORY_USER_DISKS);
    assert_int_equal(last->link, first->link);
    assert_int_equal(directory.links, DIRECTORY_USER_DISKS + 1);
    for (unsigned i = 0; i < last->links; i++)
        assert_int_equal(directory.link[last->link + i].vdev, 0x190 + DIRECTORY_USER_DISKS - 1 - i);
    assert_null(directory_find_disk(&directory, last, 0x190));
}

/* ---- verifiers --------------------------------------------------------------------------------------------------- */

static void every_number_picks_somebody_who_has_a_verifier(void **state)
{
    (void)state;
    add_pool("NOL", 1, 3000);
    set_text("/users/NOL", "password", "NOLOG");
    add_pool("MNY", 1, 3000);
    add_pool("NOP", 1, 3000);
    set_text("/users/NOP", "password", "NOLOG");
    assert_int_equal(parse(), 0);
    for (uint32_t number = 0; number < 3 * DIRECTORY_USERS; number++)
        assert_string_equal(directory_verifier_for(&directory, number), HASH);
    assert_string_equal(directory.secret, HASH);
    make_good(NULL);
    set_text("/users/MAINT", "password", "NOLOG");
    set_text("/users/ALICE", "password", "NOLOG");
    assert_int_equal(parse(), 0);
    assert_null(directory.secret);
    assert_null(directory_verifier_for(&directory, 1));
}

/* ---- storage ----------------------------------------------------------------------------------------------------- */

static void few_users_take_one_frame(void **state)
{
    (void)state;
    assert_int_equal(parse(), 0);
    assert_int_equal(blocks_made, 1);
    assert_true(DIRECTORY_BLOCK >= 10);
    add_pool("MNY", 1, 2 * DIRECTORY_BLOCK - 2);
    assert_int_equal(parse(), 0);
    assert_int_equal(blocks_made, 2);
    parse();
    assert_int_equal(blocks_made, 2); /* they stay */
}

static void a_lack_of_storage_is_told_by_path_and_reason(void **state)
{
    (void)state;
    blocks_left = 1;
    add_pool("MNY", 1, 100);
    parse();
    assert_string_equal(told, "/users/MNY/pool: has more users than CP has storage for\n"
                              "/users/ALICE: is one user more than CP has storage for\n"
                              "/users/MAINT: is one user more than CP has storage for\n"
                              "/users: has nobody of class A, who could shut the system down\n");
    blocks_left = 100;
    assert_int_equal(parse(), 0);
    assert_int_equal(directory.users, 102);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ten_thousand_are_each_found_and_nobody_else),
        TEST(who_was_in_another_directory_is_not_found),
        TEST(one_too_many_is_told_by_path_and_reason),
        TEST(each_who_is_there_twice_is_told),
        TEST(a_name_is_found_in_a_few_steps),
        TEST(each_user_takes_the_same_few_steps_of_judging),
        TEST(those_of_a_pool_have_the_links_of_its_entry),
        TEST(every_number_picks_somebody_who_has_a_verifier),
        TEST(few_users_take_one_frame),
        TEST(a_lack_of_storage_is_told_by_path_and_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
