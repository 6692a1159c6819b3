/* A running CP for tests: a volume with OPERATOR (ABCEG), MAINT (BCEG), ALICE and BOB (G), password "vmn", three
 * terminals, a system TEST to IPL. What is typed is obeyed by `turn`, what is shown is read with `shown`. */
#pragma once
#include "tests/unit/session_fake_vm.h"

#include <crypt.h>
#include <libfdt.h>

#include "cp/directory/load.h"
#include "cp/directory/volume.h"
#include "cp/ipl/system.h"
#include "cp/session/session.h"
#include "cp/session/shutdown.h"
#include "cp/session/user.h"
#include "cp/time/work.h"
#include "tests/unit/fake/disk.h"
#include "tests/unit/work_all.h"

#define UNUSED __attribute__((unused)) /* not every test needs all of it */

enum { SCENE_BLOCKS = 1000, SCENE_AUDIT = 6 /* blocks */ };

static struct fake_disk scene_disk;
static _Alignas(8) uint8_t scene_blob[16384];

static int scene_node(int parent, const char *name)
{
    int node = fdt_add_subnode(scene_blob, parent, name);
    assert_true(node >= 0);
    return node;
}

static bool scene_snapshots; /* BOB's minidisk has an area for them */

static bool scene_nics; /* there are LANs, and users who may have NICs on them */

/* `lans`: so many characters, NULs included. */
static void scene_nic(const char *user, const char *nic, const char *mac, const char *lans, int length)
{
    char path[32];
    snprintf(path, sizeof path, "/users/%s", user);
    int node = scene_node(fdt_path_offset(scene_blob, path), nic);
    fdt_setprop(scene_blob, node, "lan", lans, length);
    if (mac)
        fdt_setprop_string(scene_blob, node, "mac", mac);
}

static void scene_lans(void)
{
    static const char first[] = "SYSTEM NET1\0ALICE PLAY", second[] = "SYSTEM NET2\0SYSTEM NET1",
                      mac[] = "02-00-00-00-00-01";
    scene_node(0, "lans");
    scene_node(fdt_path_offset(scene_blob, "/lans"), "NET1");
    scene_node(fdt_path_offset(scene_blob, "/lans"), "NET2");
    fdt_setprop_u32(scene_blob, fdt_path_offset(scene_blob, "/users/ALICE"), "lans", 1);
    scene_nic("ALICE", "nic@600", mac, "SYSTEM NET1", sizeof "SYSTEM NET1");
    scene_nic("BOB", "nic@601", mac, second, sizeof second);
    scene_nic("BOB", "nic@600", NULL, first, sizeof first);
}

static void scene_user(const char *name, const char *classes, const char *ipl, uint32_t start, const char *friend)
{
    int user = scene_node(fdt_path_offset(scene_blob, "/users"), name);
    fdt32_t extent[2] = {cpu_to_fdt32(start), cpu_to_fdt32(100)};
    fdt_setprop_string(scene_blob, user, "password", crypt("vmn", "$6$rounds=1000$salt$"));
    fdt_setprop_string(scene_blob, user, "classes", classes);
    fdt_setprop_u32(scene_blob, user, "storage", 2);
    fdt_setprop_u32(scene_blob, user, "maximum", 4);
    if (ipl)
        fdt_setprop_string(scene_blob, user, "ipl", ipl);
    if (friend)
        fdt_setprop_string(scene_blob, user, "xautolog", friend);
    int disk = scene_node(user, "mdisk@191");
    fdt_setprop(scene_blob, disk, "extent", extent, sizeof extent);
    fdt32_t snapshots[2] = {cpu_to_fdt32(60), cpu_to_fdt32(20)};
    if (scene_snapshots && !strcmp(name, "BOB"))
        fdt_setprop(scene_blob, disk, "snapshots", snapshots, sizeof snapshots);
}

static void scene_link(const char *user)
{
    char path[32];
    snprintf(path, sizeof path, "/users/%s", user);
    int link = scene_node(fdt_path_offset(scene_blob, path), "link@190");
    fdt_setprop_string(scene_blob, link, "user", "MAINT");
    fdt_setprop_u32(scene_blob, link, "vdev", 0x190);
}

static void scene_directory(void)
{
    fdt32_t extent[2] = {cpu_to_fdt32(700), cpu_to_fdt32(100)};
    char passwords[256];
    fdt_create_empty_tree(scene_blob, sizeof scene_blob);
    fdt_setprop_string(scene_blob, 0, "compatible", "vmn,directory");
    scene_node(0, "users");
    scene_node(0, "areas");
    fdt32_t audit[2] = {cpu_to_fdt32(900), cpu_to_fdt32(SCENE_AUDIT)};
    fdt_setprop(scene_blob, scene_node(fdt_path_offset(scene_blob, "/areas"), "audit"), "extent", audit, sizeof audit);
    fdt32_t spool[2] = {cpu_to_fdt32(800), cpu_to_fdt32(100)};
    fdt_setprop(scene_blob, scene_node(fdt_path_offset(scene_blob, "/areas"), "spool"), "extent", spool, sizeof spool);
    scene_user("BOB", "G", NULL, 300, "ALICE");
    scene_user("ALICE", "G", "TEST", 200, NULL);
    scene_user("MAINT", "BCEG", NULL, 400, NULL);
    scene_user("OPERATOR", "ABCEG", NULL, 500, NULL);
    int disk = scene_node(fdt_path_offset(scene_blob, "/users/MAINT"), "mdisk@190");
    int length = snprintf(passwords, sizeof passwords, "ALL%c%s", 0, crypt("secret", "$6$rounds=1000$salt$")) + 1;
    fdt_setprop(scene_blob, disk, "extent", extent, sizeof extent);
    fdt_setprop(scene_blob, disk, "passwords", passwords, length);
    scene_link("ALICE");
    scene_link("BOB");
    if (scene_nics)
        scene_lans();
}

/* Some turns of the event loop: disks answer, time that is due passes. */
UNUSED static void turn(void)
{
    for (int i = 0; i < 200; i++) {
        do
            fake_disk_done_all(&scene_disk);
        while (work_all() && scene_disk.first);
        fake_clock_advance(1000);
        work_run();
        user_poll();
    }
}

UNUSED static void type(unsigned line, const char *text)
{
    fake_type(line, text);
    turn();
}

UNUSED static const char *shown(unsigned line) { return fake_shown(line); }

UNUSED static void assert_shows(unsigned line, const char *expected)
{
    const char *text = shown(line);
    if (!strstr(text, expected))
        fail_msg("terminal %u: expected \"%s\", it shows:\n%s", line, expected, text);
}

/* A multiboot image with address fields: loaded at 1 MiB, where it halts. */
UNUSED static const void *scene_system(size_t *bytes)
{
    static const uint32_t image[] = {0x1BADB002, 0x10000,  -(0x1BADB002 + 0x10000),
                                     0x100000,   0x100000, 0x100024,
                                     0x100024,   0x100020, 0xFEEBF4FA /* cli; hlt; jmp */};
    *bytes = sizeof image;
    return image;
}

UNUSED static void scene_begin(void)
{
    static struct line *lines[FAKE_LINES] = {&fake_line[0].line, &fake_line[1].line, &fake_line[2].line};
    size_t bytes;
    const void *image = scene_system(&bytes);
    fake_clock_reset(1000000000);
    fake_unix_us = 1795269931000000; /* Saturday 2026-11-21 14:05:31 UTC */
    fake_frames();
    scene_directory();
    fake_disk_init(&scene_disk, SCENE_BLOCKS * 8, false);
    volume_label_make(scene_disk.medium, "VMN001", SCENE_BLOCKS);
    volume_slot_make(scene_disk.medium + VOLUME_SLOT_A * VOLUME_BLOCK, scene_blob, fdt_totalsize(scene_blob), 1);
    system_register("TEST", image, bytes);
    user_start(&scene_disk.disk, lines, FAKE_LINES);
    turn();
}

UNUSED static struct vm *vm_of(const char *userid)
{
    struct session *s = session_find(userid);
    return s ? s->vm : NULL;
}

UNUSED static void logon(unsigned line, const char *userid)
{
    char text[32];
    snprintf(text, sizeof text, "LOGON %s\r", userid);
    type(line, text);
    type(line, "vmn\r");
}

/* Everybody off, so that the next test begins at three logon prompts. */
UNUSED static int scene_reset(void **state)
{
    (void)state;
    turn(); /* what is noted, an XAUTOLOG for one */
    for (struct session *s = NULL; (s = session_next(s));)
        if (s->user)
            deed_note(s, DEED_LOGOFF);
    for (unsigned i = 0; i < FAKE_LINES; i++)
        fake_line[i].stuck = false;
    turn();
    fake_clock_advance(100ull * 1000000000);
    turn();
    for (unsigned i = 0; i < FAKE_LINES; i++) {
        type(i, "\r\r\r");
        shown(i);
        assert_int_equal(fake_line[i].line.owner ? ((struct terminal *)fake_line[i].line.owner)->session->state : 99,
                         SESSION_LOGON);
    }
    assert_int_equal(session_users(), 0);
    return 0;
}
