/* A directory that is good, to be spoilt by tests: built in `blob`, parsed into `directory`, with all faults in `told`.
 * A header, so that each test has its own. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "cp/credential/sha512_crypt.h"
#include "cp/device/grant.h"
#include "cp/directory/reader.h"

#define UNUSED __attribute__((unused)) /* not every test needs all of it */

enum { FIRST = 33, VOLUME = 10000, BLOB = 16384 };

#define HASH                                                                                                           \
    "$6$rounds=1000$salt$"                                                                                             \
    "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB./"

#define ED25519 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP2PZs+XKzIHutBh9DnxZ6SLzAF6rS5+HxO36LYn29Di"
#define ECDSA \
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJ27EKAZIvVn" \
    "pTMZvm1aBhDnsCUv8wad9n+2BX5WfAW53y0wnVF5/FGb9LLI0GnpZfrUNmIhmY6dZCQM632b8y0="

static struct directory_rows rows;
static struct directory directory = DIRECTORY_IN(rows);
static char told[4096]; /* every fault so far: "path: reason\n" */
static _Alignas(8) uint8_t blob[BLOB];

static unsigned blocks_left = DIRECTORY_BLOCKS, blocks_made;

struct user *directory_block(void)
{
    if (blocks_made == blocks_left)
        return NULL;
    blocks_made++;
    return calloc(DIRECTORY_BLOCK, sizeof(struct user));
}

UNUSED static void note(void *context, const char *path, const char *reason)
{
    size_t length = strlen(told);
    (void)context;
    snprintf(told + length, sizeof told - length, "%s: %s\n", path, reason);
}

static bool is_over(void) { return true; }

/* In as many steps as there can be. */
UNUSED static unsigned parse(void)
{
    struct directory_reader r;
    told[0] = 0;
    directory_read_begin(&r, &directory, blob, sizeof blob, FIRST, VOLUME, note, NULL);
    while (!directory_read_on(&r, is_over)) {}
    return r.faults;
}

/* ---- building a good directory, to be spoilt -------------------------------------------------------------------- */

UNUSED static int node_at(const char *path)
{
    int node = fdt_path_offset(blob, path);
    assert_true(node >= 0);
    return node;
}

UNUSED static void add(const char *parent, const char *name)
{
    assert_true(fdt_add_subnode(blob, node_at(parent), name) >= 0);
}

UNUSED static void set_text(const char *path, const char *name, const char *text)
{
    assert_int_equal(fdt_setprop_string(blob, node_at(path), name, text), 0);
}

UNUSED static void set_cell(const char *path, const char *name, uint32_t value)
{
    assert_int_equal(fdt_setprop_u32(blob, node_at(path), name, value), 0);
}

UNUSED static void set_bytes(const char *path, const char *name, const char *bytes, int count)
{
    assert_int_equal(fdt_setprop(blob, node_at(path), name, bytes, count), 0);
}

UNUSED static void set_extent(const char *path, uint32_t start, uint32_t blocks)
{
    fdt32_t cells[2] = {cpu_to_fdt32(start), cpu_to_fdt32(blocks)};
    assert_int_equal(fdt_setprop(blob, node_at(path), "extent", cells, sizeof cells), 0);
}

UNUSED static void set_pool(const char *path, uint32_t low, uint32_t high)
{
    fdt32_t cells[2] = {cpu_to_fdt32(low), cpu_to_fdt32(high)};
    assert_int_equal(fdt_setprop(blob, node_at(path), "pool", cells, sizeof cells), 0);
}

UNUSED static void add_user(const char *name, const char *classes)
{
    char path[64];
    add("/users", name);
    snprintf(path, sizeof path, "/users/%s", name);
    set_text(path, "password", HASH);
    set_text(path, "classes", classes);
    set_cell(path, "storage", 32);
}

UNUSED static int make_good(void **state)
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

UNUSED static void assert_fault(const char *expected)
{
    unsigned faults = parse();
    if (!strstr(told, expected))
        fail_msg("expected \"%s\", was told:\n%s", expected, told);
    assert_int_equal(faults, 1);
}

/* ---- tests
 * ------------------------------------------------------------------------------------------------------------ */
