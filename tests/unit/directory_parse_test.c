/* The directory: what a good one gives, and that every kind of fault is told by path and reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "cp/credential/sha512_crypt.h"
#include "cp/device/grant.h"
#include "cp/directory/directory.h"

enum { FIRST = 33, VOLUME = 10000, BLOB = 16384 };

#define HASH                                                                                                           \
    "$6$rounds=1000$salt$"                                                                                             \
    "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB./"

#define ED25519 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP2PZs+XKzIHutBh9DnxZ6SLzAF6rS5+HxO36LYn29Di"
#define ECDSA \
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJ27EKAZIvVn" \
    "pTMZvm1aBhDnsCUv8wad9n+2BX5WfAW53y0wnVF5/FGb9LLI0GnpZfrUNmIhmY6dZCQM632b8y0="

static struct directory directory;
static char told[4096]; /* every fault so far: "path: reason\n" */
static _Alignas(8) uint8_t blob[BLOB];

static void note(void *context, const char *path, const char *reason)
{
    size_t length = strlen(told);
    (void)context;
    snprintf(told + length, sizeof told - length, "%s: %s\n", path, reason);
}

static unsigned parse(void)
{
    told[0] = 0;
    return directory_parse(&directory, blob, sizeof blob, FIRST, VOLUME, note, NULL);
}

/* ---- building a good directory, to be spoilt -------------------------------------------------------------------- */

static int node_at(const char *path)
{
    int node = fdt_path_offset(blob, path);
    assert_true(node >= 0);
    return node;
}

static void add(const char *parent, const char *name)
{
    assert_true(fdt_add_subnode(blob, node_at(parent), name) >= 0);
}

static void set_text(const char *path, const char *name, const char *text)
{
    assert_int_equal(fdt_setprop_string(blob, node_at(path), name, text), 0);
}

static void set_cell(const char *path, const char *name, uint32_t value)
{
    assert_int_equal(fdt_setprop_u32(blob, node_at(path), name, value), 0);
}

static void set_bytes(const char *path, const char *name, const char *bytes, int count)
{
    assert_int_equal(fdt_setprop(blob, node_at(path), name, bytes, count), 0);
}

static void set_extent(const char *path, uint32_t start, uint32_t blocks)
{
    fdt32_t cells[2] = {cpu_to_fdt32(start), cpu_to_fdt32(blocks)};
    assert_int_equal(fdt_setprop(blob, node_at(path), "extent", cells, sizeof cells), 0);
}

static void set_pool(const char *path, uint32_t low, uint32_t high)
{
    fdt32_t cells[2] = {cpu_to_fdt32(low), cpu_to_fdt32(high)};
    assert_int_equal(fdt_setprop(blob, node_at(path), "pool", cells, sizeof cells), 0);
}

static void add_user(const char *name, const char *classes)
{
    char path[64];
    add("/users", name);
    snprintf(path, sizeof path, "/users/%s", name);
    set_text(path, "password", HASH);
    set_text(path, "classes", classes);
    set_cell(path, "storage", 32);
}

static int make_good(void **state)
{
    (void)state;
    assert_int_equal(fdt_create_empty_tree(blob, sizeof blob), 0);
    set_text("/", "compatible", "vmn,directory");
    add("/", "users");
    add_user("MAINT", "ABC");
    add("/users/MAINT", "mdisk@190");
    set_extent("/users/MAINT/mdisk@190", 33, 100);
    add_user("ALICE", "G");
    set_text("/users/ALICE", "ipl", "CMS");
    add("/users/ALICE", "mdisk@191");
    set_extent("/users/ALICE/mdisk@191", 133, 100);
    add("/users/ALICE", "link@190");
    set_text("/users/ALICE/link@190", "user", "MAINT");
    set_cell("/users/ALICE/link@190", "vdev", 0x190);
    return 0;
}

static void assert_fault(const char *expected)
{
    unsigned faults = parse();
    if (!strstr(told, expected))
        fail_msg("expected \"%s\", was told:\n%s", expected, told);
    assert_int_equal(faults, 1);
}

/* ---- tests
 * ------------------------------------------------------------------------------------------------------------ */

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

static void too_many_users_are_refused(void **state)
{
    (void)state;
    add_user("MNY", "G"); /* a new node comes first */
    set_pool("/users/MNY", 1, DIRECTORY_USERS);
    parse();
    assert_non_null(strstr(told, "/users/MAINT: is one user too many for this CP\n"));
    set_pool("/users/MNY", 1, 10000);
    parse();
    assert_non_null(strstr(told, "/users/MNY/pool: has more users than this CP keeps\n"));
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
        for (unsigned i = 0; i < directory.links; i++)
            links += &directory.user[directory.link[i].user] == user && directory.link[i].vdev == 0x190;
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
    assert_int_equal(operator->machine.nesting, NEST_MEMORY); /* IPL CP works */
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
        TEST(what_is_unknown_is_refused),
        TEST(what_is_missing_is_told),
        TEST(a_grant_is_given_by_its_name_and_to_no_other_user),
        TEST(what_follows_for_the_machine_is_filled_in),
        TEST(values_are_judged),
        TEST(a_minidisks_values_are_judged),
        TEST(names_are_judged),
        TEST(duplicates_are_refused),
        TEST(areas_are_cps_own_and_no_minidisk_reaches_them),
        TEST(extents_stay_in_the_volume_and_apart),
        TEST(links_lead_somewhere),
        TEST(limits_are_kept),
        TEST(too_many_users_are_refused),
        TEST(a_pool_is_one_entry_for_many_users),
        TEST(a_pool_that_cannot_be_is_refused),
        TEST(every_fault_is_told_not_only_the_first),
        TEST(the_built_in_one_lets_the_operator_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
