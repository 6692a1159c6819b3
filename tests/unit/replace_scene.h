/* What tests of replacing the directory share: MAINT at the first terminal, a draft to be changed, and the volume while
 * it is written. */
#pragma once
#include "cp/diagnose.h"
#include "cp/directory/next.h"
#include "cp/minidisk/link.h"
#include "cp/session/replace.h"
#include "tests/unit/command_scene.h"

static _Alignas(8) uint8_t blob[16384], packed[sizeof blob];

/* As the sample, to be changed. */
UNUSED static void draft(void) { memcpy(blob, scene_blob, sizeof blob); }

UNUSED static int node(const char *path)
{
    int at = fdt_path_offset(blob, path);
    assert_true(at >= 0);
    return at;
}

UNUSED static void set_text(const char *path, const char *name, const char *text)
{
    assert_int_equal(fdt_setprop_string(blob, node(path), name, text), 0);
}

UNUSED static void set_password(const char *path, const char *password)
{
    set_text(path, "password", crypt(password, "$6$rounds=1000$another$"));
}

UNUSED static void set_extent(const char *path, uint32_t start, uint32_t blocks)
{
    fdt32_t cells[2] = {cpu_to_fdt32(start), cpu_to_fdt32(blocks)};
    assert_int_equal(fdt_setprop(blob, node(path), "extent", cells, sizeof cells), 0);
}

UNUSED static void drop(const char *path) { assert_int_equal(fdt_del_node(blob, node(path)), 0); }

/* Returns its node's path, which the next one takes the place of. */
UNUSED static const char *add_entry(const char *name)
{
    static char path[40];
    assert_true(fdt_add_subnode(blob, node("/users"), name) >= 0);
    snprintf(path, sizeof path, "/users/%s", name);
    set_text(path, "password", crypt("vmn", "$6$rounds=1000$salt$"));
    set_text(path, "classes", "G");
    assert_int_equal(fdt_setprop_u32(blob, node(path), "storage", 2), 0);
    return path;
}

UNUSED static void add_user(const char *name, uint32_t start)
{
    char path[40];
    snprintf(path, sizeof path, "%s", add_entry(name));
    assert_true(fdt_add_subnode(blob, node(path), "mdisk@191") >= 0);
    snprintf(path, sizeof path, "/users/%s/mdisk@191", name);
    set_extent(path, start, 50);
}

UNUSED static enum replace_put give(const char *who)
{
    enum { PIECE = 1000 };
    struct session *s = session_find(who);
    memcpy(packed, blob, sizeof packed);
    assert_int_equal(fdt_pack(packed), 0);
    uint32_t bytes = fdt_totalsize(packed);
    enum replace_put put = REPLACE_TAKEN;
    for (uint32_t at = 0; at < bytes && put == REPLACE_TAKEN; at += PIECE)
        put = replace_put(s, at, packed + at, bytes - at < PIECE ? bytes - at : PIECE);
    return put;
}

UNUSED static void assert_replaced(unsigned code, const char *expected)
{
    assert_int_equal(give("MAINT"), REPLACE_TAKEN);
    assert_answer("MAINT", "DIRECTORY REPLACE", code, expected);
}

/* Which directory a start would find. */
UNUSED static uint64_t on_volume(const void **newest)
{
    struct volume_facts facts;
    assert_null(volume_examine(scene_disk.medium, SCENE_BLOCKS, &facts));
    *newest = facts.blob[0];
    return facts.sequence[0];
}

UNUSED static int begin(void **state)
{
    scene_disk.fail = false;
    scene_reset(state);
    logon(0, "MAINT");
    draft();
    assert_replaced(0, "DIRECTORY REPLACED: 4 USERS, 5 MINIDISKS, 2 LINKS\n");
    for (unsigned i = 0; i < directory.users; i++)
        memset(directory_user(&directory, i)->kept, 0, sizeof *directory_user(&directory, i)->kept);
    shown(0);
    return 0;
}

/* ---- meanwhile -------------------------------------------------------------------------------------------------- */

UNUSED static bool is_being_written(void)
{
    for (struct disk_request *r = scene_disk.first; r; r = r->next)
        if (r->op == DISK_WRITE && r->sector == directory_source.next_slot * VOLUME_BLOCK / 512)
            return true;
    return false;
}

/* Up to where the volume is being written, or what it takes to get there. */
UNUSED static void begin_replacing(void)
{
    struct response r = {.session = session_find("MAINT")};
    assert_int_equal(give("MAINT"), REPLACE_TAKEN);
    assert_int_equal(replace_begin(r.session, &r, false), 0);
    for (unsigned i = 0; i < 10000 && !is_being_written(); i++)
        work_run();
    assert_true(replace_holds());
}

UNUSED static void some_turns(void)
{
    for (unsigned i = 0; i < 500; i++) {
        fake_clock_advance(100000);
        user_poll();
    }
}

UNUSED static void end_replacing(void)
{
    unsigned code = 0;
    fake_disk_done_all(&scene_disk);
    assert_true(replace_step(session_find("MAINT"), &(struct response){.session = session_find("MAINT")}, &code));
    assert_int_equal(code, 0);
    turn();
}
