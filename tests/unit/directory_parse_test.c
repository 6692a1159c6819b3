/* The directory: what a good one gives, and that every kind of fault is told by path and reason. */
#include "tests/unit/directory_scene.h"

static void a_good_directory_gives_its_users(void **state)
{
    (void)state;
    set_cell("/users/ALICE", "maximum", 64);
    set_text("/users/ALICE", "nesting", "shadow");
    set_bytes("/users/ALICE", "xautolog", "MAINT\0BOB", 10);
    set_bytes("/users/ALICE", "ssh-keys", ED25519 " alice@home\0" ECDSA, sizeof(ED25519 " alice@home\0" ECDSA));
    set_cell("/users/ALICE", "idle", 15);
    assert_int_equal(parse(), 0);
    const struct user *alice = directory_find(&directory, "ALICE"), *maint = directory_find(&directory, "MAINT");
    assert_non_null(alice);
    assert_string_equal(alice->ipl, "CMS");
    assert_int_equal(alice->ssh_keys_bytes, sizeof(ED25519 " alice@home\0" ECDSA));
    assert_int_equal(alice->idle, 15);
    assert_int_equal(maint->idle, 0);
    assert_int_equal(alice->classes, CLASS('G'));
    assert_int_equal(alice->machine.storage_maximum, 64 << 20);
    assert_int_equal(maint->machine.storage_maximum, 32 << 20);
    assert_int_equal(maint->machine.nesting, NEST_MEMORY);
    assert_int_equal(alice->machine.nesting, NEST_SHADOW);
    assert_true(directory_may_autolog(alice, "BOB"));
    assert_false(directory_may_autolog(alice, "EVE"));
    assert_null(directory_find(&directory, "BOB"));
    assert_int_equal(directory.links, 1);
    assert_int_equal(directory.link[0].mode, LINK_RR);
    assert_ptr_equal(&directory.disk[directory.link[0].disk], directory_find_disk(&directory, maint, 0x190));
}

static void what_is_no_tree_is_refused(void **state)
{
    (void)state;
    memset(blob, 0, sizeof blob);
    assert_fault("/: is no sound device tree");
    make_good(NULL);
    fdt_set_totalsize(blob, sizeof blob + 1);
    assert_fault("/: is no sound device tree");
    make_good(NULL);
    told[0] = 0;
    assert_int_equal(directory_parse(&directory, blob, 20, FIRST, VOLUME, note, NULL), 1);
}

/* Where libfdt adds a length up it comes out short, or before it. */
static void a_length_beyond_all_bytes_is_refused(void **state)
{
    static const uint32_t lengths[] = {0xFFFFFFF8, 0xFFFFFFF0, 0x7FFFFFFF, 0x80000000};
    (void)state;
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        make_good(NULL);
        set_bytes("/users/ALICE", "xautolog", "BOB", 4);
        int bytes;
        struct fdt_property *p = fdt_get_property_w(blob, node_at("/users/ALICE"), "xautolog", &bytes);
        p->len = cpu_to_fdt32(lengths[i]);
        assert_true(parse() > 0);
    }
}

static void a_list_is_judged_string_by_string_and_no_value_is_endless(void **state)
{
    static char many[8192];
    (void)state;
    for (unsigned i = 0; i < sizeof many; i += 4)
        memcpy(many + i, "BOB", 4);
    set_bytes("/users/ALICE", "xautolog", many, sizeof many - 4);
    assert_int_equal(parse(), 0);
    many[4003] = 'x';
    set_bytes("/users/ALICE", "xautolog", many, sizeof many - 4);
    assert_fault("/users/ALICE/xautolog: has a name that is not 1 to 8 characters");
    memset(many, 'x', sizeof many - 5);
    set_bytes("/users/ALICE", "xautolog", many, sizeof many - 4);
    assert_fault("/users/ALICE/xautolog: has a string that is too long");
    make_good(NULL);
    set_bytes("/users/ALICE", "parm", many, PROPERTY_LONGEST + 1);
    assert_fault("/users/ALICE/parm: is too long");
}

static void what_is_unknown_is_refused(void **state)
{
    (void)state;
    set_text("/users/ALICE", "passwort", "x");
    assert_fault("/users/ALICE/passwort: is no property known here");
    make_good(NULL);
    add("/users/ALICE", "tdisk@192");
    assert_fault("/users/ALICE/tdisk@192: is no node known here");
    make_good(NULL);
    add("/users/ALICE/link@190", "x");
    assert_fault("/users/ALICE/link@190/x: is no node known here");
    make_good(NULL);
    add("/", "profiles");
    assert_fault("/profiles: is no node known here");
    make_good(NULL);
    set_text("/users", "default", "x");
    assert_fault("/users/default: is no property known here");
}

static void what_is_missing_is_told(void **state)
{
    (void)state;
    fdt_delprop(blob, node_at("/users/ALICE"), "password");
    assert_fault("/users/ALICE/password: is missing");
    make_good(NULL);
    fdt_delprop(blob, node_at("/"), "compatible");
    assert_fault("/compatible: is missing");
    make_good(NULL);
    fdt_delprop(blob, node_at("/users/ALICE/mdisk@191"), "extent");
    assert_fault("/users/ALICE/mdisk@191/extent: is missing");
    make_good(NULL);
    fdt_delprop(blob, node_at("/users/ALICE/link@190"), "user");
    assert_fault("/users/ALICE/link@190/user: is missing");
}

static void a_grant_is_given_by_its_name_and_to_no_other_user(void **state)
{
    (void)state;
    for (unsigned i = 0; i < GRANTS; i++) {
        make_good(NULL);
        set_bytes("/users/ALICE", machine_grants[i].property, "", 0);
        assert_int_equal(parse(), 0);
        assert_int_equal(directory_find(&directory, "ALICE")->machine.grants, 1u << i);
        assert_int_equal(directory_find(&directory, "MAINT")->machine.grants, 0);
        make_good(NULL);
        set_bytes("/users/ALICE", machine_grants[i].property, "\0\0\0\1", 4);
        assert_fault(": takes no value");
    }
}

static void what_follows_for_the_machine_is_filled_in(void **state)
{
    (void)state;
    set_cell("/users/ALICE", "maximum", 64);
    assert_int_equal(parse(), 0);
    const struct machine_config *alice = &directory_find(&directory, "ALICE")->machine;
    const struct machine_config *maint = &directory_find(&directory, "MAINT")->machine;
    assert_string_equal(alice->userid, "ALICE");
    assert_int_equal(alice->storage_bytes, 32 << 20);
    assert_int_equal(alice->frame_limit, machine_config_frames(64 << 20));
    assert_int_equal(alice->uarts, 1);
    assert_int_equal(alice->rank, FRAME_USER);
    assert_int_equal(maint->rank, FRAME_OPERATOR); /* class A */
}

static void values_are_judged(void **state)
{
    static const struct {
        const char *property, *bytes;
        int count;
    } bad[] = {
        {"password", "vmn", 4}, {"password", HASH, 20},     {"classes", "GX", 3},     {"classes", "", 1},
        {"classes", "G", 1},    {"storage", "\0\0\0\0", 4}, {"storage", "\0\0\1", 3}, {"storage", "\0\x10\0\1", 4},
        {"storage", "", 0},     {"ipl", "NINECHARS", 10},   {"ipl", "cms", 4},        {"parm", "a\tb", 4},
        {"nesting", "on", 3},   {"debug-exit", "x", 1},     {"lines", "\0\0\0\5", 4}, {"lines", "\0\0\0\0", 4},
        {"xautolog", "BOB", 3}, {"xautolog", "BO B", 5},    {"userid", "al", 3},
        {"ssh-keys", "k", 1},   {"ssh-keys", "", 1},        {"ssh-keys", "rsa AAAA", 9},
        {"ssh-keys", "ssh-ed25519 ", 13},       {"ssh-keys", "ssh-ed25519 AA\" x", 18},
        {"ssh-keys", "ssh-ed25519 AA\nx", 17},  {"ssh-keys", "ssh-ed25519 AA a\nssh-rsa B", 27},
        {"ssh-keys", "command=\"x\" ssh-ed25519 AA", 27}, {"ssh-keys", "ssh-ed25519 AA\0x", 17},
        {"ssh-keys", ED25519 "\0" ED25519, sizeof(ED25519 "\0" ED25519) - 1},
        {"ssh-keys", ED25519 "\0x", sizeof ED25519 + 2}, {"ssh-keys", ED25519 "A", sizeof ED25519 + 1},
        {"idle", "\0\0\0\0", 4}, {"idle", "\0\0\0\1", 4}, {"idle", "\0\0\x27\x61", 4}, {"idle", "\0\5", 2},
        {"forbidden", "LINUX", 5}, {"forbidden", "a\0", 3},  {"forbidden", "NINECHARS", 10},
        {"forbidden", "A234567\0B234567\0C234567\0D234567\0E234567\0F234567\0G234567\0H234567", 64},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        char path[64];
        make_good(NULL);
        set_bytes("/users/ALICE", bad[i].property, bad[i].bytes, bad[i].count);
        snprintf(path, sizeof path, "/users/ALICE/%s: ", bad[i].property);
        assert_fault(path);
    }
}

static void what_is_forbidden_is_kept_with_the_machine(void **state)
{
    (void)state;
    set_bytes("/users/ALICE", "forbidden", "LINUX\0MACHINE", 14);
    assert_int_equal(parse(), 0);
    const struct machine_config *alice = &directory_find(&directory, "ALICE")->machine;
    assert_string_equal(alice->forbidden, "LINUX MACHINE");
    assert_true(machine_forbids(alice, "LINUX") && machine_forbids(alice, "MACHINE"));
    assert_false(machine_forbids(alice, "MACH") || machine_forbids(alice, "MACHINES"));
    assert_false(machine_forbids(alice, "REXX"));
    assert_string_equal(directory_find(&directory, "MAINT")->machine.forbidden, "");
}

static void a_minidisks_values_are_judged(void **state)
{
    static const struct {
        const char *property, *bytes;
        int count;
    } bad[] = {
        {"extent", "\0\0\0\x85\0\0\0\0", 8},
        {"extent", "\0\0\0\x85", 4},
        {"mode", "RX", 3},
        {"mode", "R", 1},
        {"passwords", "secret", 7},
        {"passwords", "ALL", 3},
        {"passwords", "\0\0\0", 4},
        {"passwords", "$6$rounds=5000$a$b", 19},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        make_good(NULL);
        set_bytes("/users/ALICE/mdisk@191", bad[i].property, bad[i].bytes, bad[i].count);
        assert_fault("/users/ALICE/mdisk@191/");
    }
    make_good(NULL);
    set_bytes("/users/ALICE/mdisk@191", "passwords", "ALL\0" HASH, sizeof HASH + 4);
    assert_int_equal(parse(), 0);
    const struct directory_disk *disk = directory_find_disk(&directory, directory_find(&directory, "ALICE"), 0x191);
    assert_string_equal(disk->password[PASSWORD_READ], "ALL");
    assert_string_equal(disk->password[PASSWORD_WRITE], HASH);
    assert_null(disk->password[PASSWORD_MULTIPLE]);
}

static void names_are_judged(void **state)
{
    (void)state;
    add_user("TOOLONG99", "G");
    assert_fault("/users/TOOLONG99: its name is not 1 to 8");
    make_good(NULL);
    add_user("bob", "G");
    assert_fault("/users/bob: its name is not 1 to 8");
    make_good(NULL);
    add_user("odd", "G");
    set_text("/users/odd", "userid", "A@B$#_-9");
    assert_int_equal(parse(), 0);
    assert_non_null(directory_find(&directory, "A@B$#_-9"));
    make_good(NULL);
    add("/users/ALICE", "mdisk@xyz");
    set_extent("/users/ALICE/mdisk@xyz", 300, 1);
    assert_fault("/users/ALICE/mdisk@xyz: has no device number");
    make_good(NULL);
    add("/users/ALICE", "mdisk@12345");
    set_extent("/users/ALICE/mdisk@12345", 300, 1);
    assert_fault("/users/ALICE/mdisk@12345: has no device number");
}

static void duplicates_are_refused(void **state)
{
    (void)state;
    add_user("other", "G");
    set_text("/users/other", "userid", "ALICE");
    assert_fault("/users/ALICE: is there twice");
    make_good(NULL);
    add("/users/ALICE", "mdisk@190");
    set_extent("/users/ALICE/mdisk@190", 300, 1);
    assert_fault("/users/ALICE/link@190: this device number is there twice");
    make_good(NULL);
    add("/users/ALICE", "mdisk@0191");
    set_extent("/users/ALICE/mdisk@0191", 300, 1);
    assert_fault("/users/ALICE/mdisk@191: this device number is there twice");
}

static void links_lead_somewhere(void **state)
{
    (void)state;
    set_text("/users/ALICE/link@190", "user", "EVE");
    assert_fault("/users/ALICE/link@190: links to a user who is not in the directory");
    make_good(NULL);
    set_cell("/users/ALICE/link@190", "vdev", 0x191);
    assert_fault("/users/ALICE/link@190: links to a minidisk its user does not have");
    set_cell("/users/ALICE/link@190", "vdev", 0x10000);
    assert_true(parse() >= 1);
    assert_non_null(strstr(told, "/users/ALICE/link@190/vdev: "));
}

static void every_fault_is_told_not_only_the_first(void **state)
{
    (void)state;
    set_text("/users/ALICE", "nesting", "on");
    set_text("/users/MAINT", "password", "vmn");
    set_extent("/users/ALICE/mdisk@191", 1, 1);
    assert_int_equal(parse(), 3);
}

static void the_built_in_one_lets_the_operator_in(void **state)
{
    struct sha512_crypt c;
    (void)state;
    directory_builtin(&directory);
    const struct user *operator= directory_find(&directory, "OPERATOR");
    assert_non_null(operator);
    assert_int_equal(operator->machine.nesting, NEST_MEMORY); /* IPL CP works, */
    assert_int_equal(operator->machine.uarts, MACHINE_UARTS); /* and that CP can be dialed */
    assert_true(sha512_crypt_begin(&c, operator->password, "vmn", 3));
    while (!sha512_crypt_step(&c, 1000)) {}
    assert_true(sha512_crypt_matches(&c));
}

#define TEST(name) cmocka_unit_test_setup(name, make_good)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_directory_gives_its_users),
        TEST(what_is_no_tree_is_refused),
        TEST(a_length_beyond_all_bytes_is_refused),
        TEST(a_list_is_judged_string_by_string_and_no_value_is_endless),
        TEST(what_is_unknown_is_refused),
        TEST(what_is_missing_is_told),
        TEST(a_grant_is_given_by_its_name_and_to_no_other_user),
        TEST(what_follows_for_the_machine_is_filled_in),
        TEST(values_are_judged),
        TEST(what_is_forbidden_is_kept_with_the_machine),
        TEST(a_minidisks_values_are_judged),
        TEST(names_are_judged),
        TEST(duplicates_are_refused),
        TEST(links_lead_somewhere),
        TEST(every_fault_is_told_not_only_the_first),
        TEST(the_built_in_one_lets_the_operator_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
