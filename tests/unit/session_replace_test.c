/* A new directory in force while people work: what is in use stays, what is another's is nobody else's, who comes
 * meanwhile waits, and one that is refused, or whose volume fails, leaves all as it was. */
#include "tests/unit/replace_scene.h"

/* ---- what is in force -------------------------------------------------------------------------------------------- */

static void a_good_one_is_in_force_at_once_and_on_the_volume_for_the_next_start(void **state)
{
    const void *before, *after;
    uint64_t sequence = on_volume(&before);
    (void)state;
    logon(1, "ALICE");
    shown(1);
    add_user("CAROL", 650);
    set_password("/users/BOB", "new");
    assert_replaced(0, "DIRECTORY REPLACED: 5 USERS, 6 MINIDISKS, 2 LINKS\n");
    assert_int_equal(on_volume(&after), sequence + 1);
    assert_ptr_not_equal(after, before);
    assert_memory_equal(after, packed, fdt_totalsize(packed));
    assert_answer("ALICE", "QUERY VIRTUAL 191", 0, "DASD 0191 9336 VMN001 R/W");
    logon(2, "BOB"); /* by the old password */
    fake_clock_advance(2000000000);
    turn();
    assert_shows(2, "HCPLGA050E");
    type(2, "LOGON BOB\r");
    type(2, "new\r");
    assert_non_null(vm_of("BOB"));
    type(1, "#CP LOGOFF\r");
    logon(1, "CAROL");
    assert_non_null(link_find(session_find("CAROL")->user, 0x191));
}

static void who_is_logged_on_keeps_what_they_logged_on_with_until_they_log_on_again(void **state)
{
    (void)state;
    logon(1, "ALICE");
    set_text("/users/ALICE", "classes", "AG");
    fdt_setprop_u32(blob, node("/users/ALICE"), "storage", 4);
    fdt_setprop_u32(blob, node("/users/ALICE"), "idle", 90);
    assert_replaced(0, "REPLACED");
    memset(blob, 0xEE, sizeof blob);
    draft();
    assert_replaced(0, "REPLACED"); /* the storage of the one before is another's now */
    set_text("/users/ALICE", "classes", "AG");
    assert_replaced(0, "REPLACED");
    assert_answer("ALICE", "FORCE MAINT", 9016, "HCPCMD9016E");
    assert_answer("ALICE", "QUERY SET", 0, "IDLE OFF");
    assert_answer("ALICE", "QUERY VIRTUAL STORAGE", 0, "2M");
    assert_string_equal(vm_of("ALICE")->config.userid, "ALICE");
    type(1, "#CP LOGOFF\r");
    logon(1, "ALICE");
    assert_int_equal(session_find("ALICE")->user->classes, CLASS('A') | CLASS('G'));
}

/* The rows of users are others, and their numbers. */
static void nothing_that_is_remembered_of_a_user_becomes_anothers(void **state)
{
    (void)state;
    logon(1, "ALICE");
    logon(2, "BOB");
    struct user_kept *bobs = session_find("BOB")->user->kept;
    bobs->links_refused = 2;
    ((struct user *)directory_find(&directory, "OPERATOR"))->kept->refused = 3;
    assert_answer("ALICE", "SPOOL PUN CLASS X", 0, "");
    drop("/users/MAINT/mdisk@190");
    draft();
    add_user("AAA", 650);
    add_user("ZZZ", 600);
    assert_replaced(0, "REPLACED: 6 USERS");
    assert_ptr_equal(directory_find(&directory, "BOB")->kept, bobs);
    assert_int_equal(directory_find(&directory, "OPERATOR")->kept->refused, 3);
    assert_int_equal(directory_find(&directory, "AAA")->kept->refused, 0);
    assert_int_equal(directory_find(&directory, "ZZZ")->kept->links_refused, 0);
    draft();
    assert_replaced(0, "REPLACED: 4 USERS");
    add_user("NEW", 650);
    assert_replaced(0, "REPLACED: 5 USERS");
    for (unsigned i = 0; i < directory.users; i++)
        for (unsigned j = 0; j < i; j++)
            assert_ptr_not_equal(directory_user(&directory, i)->kept, directory_user(&directory, j)->kept);
    assert_int_equal(session_find("ALICE")->spool.unit[SPOOL_PUN].class, 'X');
    assert_int_equal(session_find("BOB")->spool.unit[SPOOL_PUN].class, 'A');
    assert_answer("ALICE", "QUERY LINKS 190", 0, "BOB      0190 R/O\n");
}

static void add_pool(const char *name, uint32_t users)
{
    fdt32_t range[2] = {cpu_to_fdt32(1), cpu_to_fdt32(users)};
    assert_int_equal(fdt_setprop(blob, node(add_entry(name)), "pool", range, sizeof range), 0);
}

static bool always(void) { return true; }

static void count_each(void)
{
    for (unsigned i = 0; i < directory.users; i++)
        directory_user(&directory, i)->kept->refused = i + 1;
    for (unsigned i = 0; i < directory.users; i++)
        assert_int_equal(directory_user(&directory, i)->kept->refused, i + 1); /* nobody has another's */
}

static void ten_thousand_users_come_and_go_and_each_has_what_is_kept_of_them(void **state)
{
    enum { POOL = DIRECTORY_USERS - 4 };
    (void)state;
    logon(1, "ALICE");
    for (unsigned round = 0; round < 3; round++) {
        const struct user *user;
        add_pool(round % 2 ? "ODD" : "EVN", POOL);
        assert_replaced(0, "DIRECTORY REPLACED: 10240 USERS");
        assert_null(directory_find(&directory, round % 2 ? "EVN10000" : "ODD10000"));
        assert_non_null(user = directory_find(&directory, round % 2 ? "ODD10000" : "EVN10000"));
        assert_int_equal(user->kept->refused, 0);
        count_each();
        unsigned count = user->kept->refused;
        assert_replaced(0, "DIRECTORY REPLACED: 10240 USERS"); /* the same */
        assert_int_equal(directory_find(&directory, user->id)->kept->refused, count);
        assert_ptr_equal(directory_find(&directory, "ALICE")->kept, session_find("ALICE")->user->kept);
        draft();
    }
    add_pool("MNY", POOL + 1);
    assert_replaced(9035, "HCPDIR9031W /users/BOB is one user too many for this CP\n");
    draft();
    assert_replaced(0, "DIRECTORY REPLACED: 4 USERS");
    count_each();
}

/* The last, as what is kept back stays so. */
static void a_refused_one_leaves_what_is_kept_back_for_cp_and_all_it_took(void **state)
{
    enum { PART_FOR_CP = 64, ARENA = 16384 };
    static void *frame[ARENA];
    struct frame_account operators = {.rank = FRAME_OPERATOR};
    unsigned held = 0, cps = 0;
    (void)state;
    add_pool("POL", DIRECTORY_USERS - 4);
    set_text("/users/BOB", "classes", "Q");
    assert_replaced(9035, "HCPDIR9031W /users/BOB/classes");
    uint64_t before = frame_available();
    assert_replaced(9035, "HCPDIR9031W /users/BOB/classes");
    assert_int_equal(frame_available(), before);
    set_text("/users/BOB", "classes", "G");
    uint64_t kept_for_cp = frame_available() / PART_FOR_CP;
    frame_keep();
    assert_int_equal(give("MAINT"), REPLACE_TAKEN);
    while ((frame[held] = frame_alloc(&operators)))
        held++;
    assert_answer("MAINT", "DIRECTORY CHECK", 9035, "has more users than CP has storage for");
    while (cps < kept_for_cp && (frame[held + cps] = frame_alloc(&frame_cp_account)))
        cps++;
    assert_int_equal(cps, kept_for_cp);
    while (cps)
        frame_free(&frame_cp_account, frame[held + --cps]);
    while (held)
        frame_free(&operators, frame[--held]);
    assert_answer("MAINT", "DIRECTORY REPLACE", 0, "REPLACED: 10240 USERS");
    draft();
    assert_replaced(0, "REPLACED: 4 USERS");
    count_each();
}

/* A slice may end behind each. */
static void names_are_compared_one_at_a_time(void **state)
{
    (void)state;
    add_pool("MNY", 500);
    assert_replaced(0, "REPLACED: 504 USERS");
    directory_next.users = 0;
    next_name_begin();
    unsigned steps = 1;
    while (!next_name_on(always))
        steps++;
    assert_in_range(steps, 504, 505);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static void assert_refused(unsigned code, const char *expected)
{
    struct directory before = directory;
    const void *at, *now;
    uint64_t sequence = on_volume(&at), changes = directory_changes;
    assert_replaced(code, expected);
    assert_memory_equal(&directory, &before, sizeof before);
    assert_int_equal(directory_changes, changes);
    assert_int_equal(on_volume(&now), sequence);
    assert_ptr_equal(now, at);
    assert_false(replace_holds());
}

static void a_faulty_one_is_refused_with_every_fault(void **state)
{
    (void)state;
    set_text("/users/BOB", "classes", "Q");
    set_text("/users/ALICE", "passwort", "x");
    assert_refused(9035, "HCPDIR9031W /users/ALICE/passwort is no property known here\n");
    assert_non_null(strstr(answer, "HCPDIR9031W /users/BOB/classes has a letter that is no privilege class A to H\n"));
    assert_non_null(strstr(answer, "HCPDIR9035E Directory not replaced; what is wrong with it: 2\n"));
    assert_answer("MAINT", "DIRECTORY CHECK", 9035, "HCPDIR9031W");
    draft();
    blob[3] ^= 1;
    fdt_set_totalsize(blob, 1000);
    assert_int_equal(replace_put(session_find("MAINT"), 0, blob, 900), REPLACE_TAKEN);
    assert_answer("MAINT", "DIRECTORY CHECK", 9035, "HCPDIR9031W / is no sound device tree");
    logon(1, "BOB");
    assert_non_null(vm_of("BOB"));
}

static void who_is_logged_on_may_not_vanish_nor_what_is_linked_move(void **state)
{
    (void)state;
    logon(1, "ALICE");
    drop("/users/ALICE");
    assert_refused(9035, "HCPDIR9036E ALICE is logged on, and not in the new directory\n");
    draft();
    set_extent("/users/MAINT/mdisk@190", 700, 99);
    assert_refused(9035, "HCPDIR9037E Minidisk MAINT 0190 is linked by ALICE, and is not where it was\n");
    draft();
    set_extent("/users/ALICE/mdisk@191", 600, 100);
    assert_refused(9035, "HCPDIR9037E Minidisk ALICE 0191 is linked by ALICE, and is not where it was\n");
    draft();
    set_extent("/areas/spool", 800, 99);
    assert_refused(9035, "HCPDIR9038E Area spool is in use, and is not where it was\n");
    draft();
    drop("/areas/audit");
    assert_refused(9035, "HCPDIR9038E Area audit is in use, and is not where it was\n");
    draft();
    set_extent("/users/BOB/mdisk@191", 600, 90); /* nobody has it */
    drop("/users/OPERATOR");
    set_text("/users/MAINT", "classes", "ABCEG");
    assert_replaced(0, "REPLACED: 3 USERS");
    type(1, "#CP DETACH 190\r");
    type(1, "#CP LOGOFF\r");
    drop("/users/ALICE");
    assert_int_equal(fdt_delprop(blob, node("/users/BOB"), "xautolog"), 0);
    assert_replaced(0, "REPLACED: 2 USERS");
}

static void a_check_changes_nothing(void **state)
{
    struct directory before = directory;
    const void *at;
    uint64_t sequence = on_volume(&at);
    (void)state;
    add_user("CAROL", 650);
    assert_int_equal(give("MAINT"), REPLACE_TAKEN);
    assert_answer("MAINT", "DIRECTORY CHECK", 0, "DIRECTORY IS GOOD: 5 USERS, 6 MINIDISKS, 2 LINKS\n");
    assert_memory_equal(&directory, &before, sizeof before);
    assert_int_equal(on_volume(&at), sequence);
    assert_answer("MAINT", "DIRECTORY REPLACE", 0, "REPLACED: 5 USERS");
    assert_answer("MAINT", "DIRECTORY REPLACE", 9039, "HCPDIR9039E Directory not replaced: none was given\n");
}

static void a_volume_that_fails_leaves_the_old_one_in_force(void **state)
{
    (void)state;
    add_user("CAROL", 650);
    scene_disk.fail = true;
    assert_refused(9039, "HCPDIR9039E Directory not replaced: the volume failed\n");
    scene_disk.fail = false;
    assert_answer("MAINT", "DIRECTORY REPLACE", 0, "REPLACED: 5 USERS");
    scene_disk.disk.read_only = true;
    assert_refused(9039, "HCPDIR9039E Directory not replaced: the volume can only be read\n");
    scene_disk.disk.read_only = false;
    struct directory_source source = directory_source;
    directory_source.disk = NULL;
    assert_refused(9039, "HCPDIR9039E Directory not replaced: there is no CP volume\n");
    directory_source = source;
}

/* Whatever of it is on the medium when the power goes. */
static void a_cut_leaves_the_old_one_or_the_new_one(void **state)
{
    static uint8_t medium[VOLUME_HEAD_BYTES];
    const void *at;
    uint64_t sequence = on_volume(&at);
    size_t slot = directory_source.next_slot * VOLUME_BLOCK, bytes;
    struct volume_facts facts;
    (void)state;
    set_password("/users/BOB", "new");
    memcpy(medium, scene_disk.medium, sizeof medium);
    assert_replaced(0, "REPLACED");
    bytes = fdt_totalsize(packed) + sizeof(struct volume_slot);
    for (size_t sectors = 0; sectors * 512 < bytes + 512; sectors++) {
        memcpy(medium + slot, scene_disk.medium + slot, sectors * 512);
        assert_null(volume_examine(medium, SCENE_BLOCKS, &facts));
        bool whole = !memcmp(medium + slot, scene_disk.medium + slot, bytes);
        assert_int_equal(facts.sequence[0], sequence + whole);
        assert_true(whole || sectors * 512 < bytes);
    }
}

/* ---- what happens meanwhile -------------------------------------------------------------------------------------- */

static void type_only(unsigned line, const char *text)
{
    fake_type(line, text);
    some_turns();
}

static void who_logs_on_meanwhile_waits_and_is_asked_for_in_the_new_one(void **state)
{
    (void)state;
    type(1, "LOGON BOB\r");
    type(2, "LOGON ALICE\r");
    set_password("/users/BOB", "new");
    begin_replacing();
    type_only(1, "vmn\r");
    type_only(2, "vmn\r");
    assert_int_equal(((struct terminal *)fake_line[1].line.owner)->session->state, SESSION_HELD);
    assert_int_equal(session_users(), 1);
    end_replacing();
    fake_clock_advance(2000000000);
    turn();
    assert_non_null(vm_of("ALICE"));
    assert_null(vm_of("BOB"));
    assert_shows(1, "HCPLGA050E");
}

static void a_password_that_is_being_hashed_counts_if_it_is_the_same_still(void **state)
{
    (void)state;
    type(1, "LOGON BOB\r");
    type(2, "LOGON ALICE\r");
    fake_type(1, "vmn\r");
    fake_type(2, "vmn\r");
    user_poll();
    assert_int_equal(((struct terminal *)fake_line[1].line.owner)->session->state, SESSION_VERIFY);
    set_password("/users/BOB", "new");
    begin_replacing();
    end_replacing();
    turn();
    fake_clock_advance(2000000000);
    turn();
    assert_non_null(vm_of("ALICE"));
    assert_null(vm_of("BOB"));
    assert_shows(1, "HCPLGA050E");
    assert_int_equal(directory_find(&directory, "BOB")->kept->refused, 1);
}

static void who_links_meanwhile_waits_and_an_old_password_is_none(void **state)
{
    char blocks[160];
    (void)state;
    logon(1, "BOB");
    begin_replacing();
    type_only(1, "#CP LINK MAINT 190 300 RR\r");
    assert_null(link_find(session_find("BOB")->user, 0x300));
    end_replacing();
    assert_non_null(link_find(session_find("BOB")->user, 0x300));
    shown(1);
    fake_type(1, "#CP LINK MAINT 190 301 W secret\r");
    for (unsigned i = 0; i < 100 && session_find("BOB")->state != SESSION_CHECK; i++)
        user_poll();
    assert_int_equal(session_find("BOB")->state, SESSION_CHECK);
    int length = snprintf(blocks, sizeof blocks, "ALL%c%s", 0, crypt("other", "$6$rounds=1000$salt$")) + 1;
    fdt_setprop(blob, node("/users/MAINT/mdisk@190"), "passwords", blocks, length);
    begin_replacing();
    some_turns();
    assert_int_equal(session_find("BOB")->state, SESSION_CHECK);
    end_replacing();
    assert_shows(1, "HCPLNM9088E MAINT 0190 not linked; the directory was replaced while the password was checked");
    assert_null(link_find(session_find("BOB")->user, 0x301));
}

static void who_is_to_be_logged_on_by_another_is_asked_for_in_the_new_one(void **state)
{
    (void)state;
    begin_replacing();
    run("MAINT", "XAUTOLOG BOB");
    some_turns();
    assert_int_equal(session_users(), 1);
    end_replacing();
    assert_non_null(vm_of("BOB"));
    type(0, "#CP FORCE BOB\r");
    scene_reset(state);
    logon(0, "MAINT");
    draft();
    drop("/users/BOB");
    begin_replacing();
    run("MAINT", "XAUTOLOG BOB");
    end_replacing();
    assert_shows(0, "HCPXAL053E BOB not in CP directory");
}

static void it_is_finished_though_who_asked_has_left(void **state)
{
    uint64_t changes = directory_changes;
    (void)state;
    set_password("/users/BOB", "new");
    assert_int_equal(give("MAINT"), REPLACE_TAKEN);
    type(0, "DIRECTORY REPLACE\r");
    assert_shows(0, "DIRECTORY REPLACED: 4 USERS");
    assert_int_equal(directory_changes, changes + 1);
    begin_replacing();
    deed_note(session_find("MAINT"), DEED_LOGOFF);
    some_turns();
    assert_null(session_find("MAINT"));
    turn();
    assert_int_equal(directory_changes, changes + 2);
    assert_false(replace_holds());
    logon(1, "OPERATOR");
    assert_answer("OPERATOR", "QUERY AUDIT 9", 0, "DIRECTORY REPLACED, NUMBER ");
    logon(0, "MAINT");
    assert_replaced(0, "REPLACED");
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_one_is_in_force_at_once_and_on_the_volume_for_the_next_start),
        TEST(who_is_logged_on_keeps_what_they_logged_on_with_until_they_log_on_again),
        TEST(nothing_that_is_remembered_of_a_user_becomes_anothers),
        TEST(ten_thousand_users_come_and_go_and_each_has_what_is_kept_of_them),
        TEST(names_are_compared_one_at_a_time),
        TEST(a_faulty_one_is_refused_with_every_fault),
        TEST(who_is_logged_on_may_not_vanish_nor_what_is_linked_move),
        TEST(a_check_changes_nothing),
        TEST(a_volume_that_fails_leaves_the_old_one_in_force),
        TEST(a_cut_leaves_the_old_one_or_the_new_one),
        TEST(who_logs_on_meanwhile_waits_and_is_asked_for_in_the_new_one),
        TEST(a_password_that_is_being_hashed_counts_if_it_is_the_same_still),
        TEST(who_links_meanwhile_waits_and_an_old_password_is_none),
        TEST(who_is_to_be_logged_on_by_another_is_asked_for_in_the_new_one),
        TEST(it_is_finished_though_who_asked_has_left),
        TEST(a_refused_one_leaves_what_is_kept_back_for_cp_and_all_it_took),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
