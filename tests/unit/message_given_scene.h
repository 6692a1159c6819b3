/* The circumstances in which CP gives its rarer messages: what is to be lacking, full or broken before a command. */
#pragma once
#include "tests/unit/command_scene.h"

#include "cp/minidisk/area.h"
#include "cp/minidisk/link.h"
#include "cp/session/spool_tell.h"
#include "cp/spool/unit.h"

static struct disk *volume;
static struct session *extra[SESSIONS];
static unsigned extras;

static void take_volume(void) { volume = link_volume, link_volume = NULL; }
static void put_volume(void) { link_volume = volume; }
static void lack_storage(void) { fake_no_storage = 1; }
static void lack_machine(void) { fake_no_machines = 1; }

static void fill_sessions(void)
{
    while ((extra[extras] = session_create()))
        extras++;
}

static void free_sessions(void)
{
    while (extras)
        session_free(extra[--extras]);
}

static void lack_room(void)
{
    free_sessions();
    lack_machine();
}

static void add_class_d(void) { session_find("OPERATOR")->own.classes |= CLASS('D'); }
static void add_class_e(void) { session_find("OPERATOR")->own.classes |= CLASS('E'); }
static void limit_nesting(void) { session_find("BOB")->own.machine.nesting = NEST_TRAP; }

static void fill_devices(void)
{
    char line[32];
    for (unsigned i = 0; i < MACHINE_DISKS - 2; i++) { /* 190 and 191 are there */
        snprintf(line, sizeof line, "LINK MAINT 190 %X RR", 0x300 + i);
        assert_int_equal(run("BOB", line), 0);
    }
}

static void empty_devices(void)
{
    char line[32];
    for (unsigned i = 0; i < MACHINE_DISKS - 2; i++) {
        snprintf(line, sizeof line, "DETACH %X", 0x300 + i);
        assert_int_equal(run("BOB", line), 0);
    }
}

static struct spool_user *bob(void) { return &session_find("BOB")->spool; }
static void close_maint(void) { ((struct user *)directory_find(&directory, "MAINT"))->group = "STAFF"; }
static void take_spool(void) { spool_start(NULL, spool_tell_news, spool_tell_arrival); }
static void put_spool(void) { spool_start(area_open(AREA_SPOOL), spool_tell_news, spool_tell_arrival), turn(); }
static void break_volume(void) { scene_disk.fail = true; }
static void mend_volume(void) { scene_disk.fail = false, turn(), shown(2); /* what the operator was told */ }

/* In BOB's own reader. */
static void send_file(void)
{
    unsigned bytes = 3;
    assert_int_equal(spool_write(bob(), SPOOL_PUN, "\1\0x", &bytes), SPOOL_OK);
    assert_int_equal(run("BOB", "CLOSE PUN TO BOB"), 0);
    turn();
}

static void open_file(void)
{
    char record[8];
    assert_int_equal(spool_read(bob(), &(struct spool_reading){.bytes = sizeof record}, record), SPOOL_BUSY);
}

static void wait_long(void)
{
    fake_clock_advance(100ull * 1000000000);
    turn();
}

static void take_calls(void)
{
    vm_of("BOB")->config.uarts = 2;
    vm_of("BOB")->machine.uart[1].modem_control = UART_MCR_DTR;
}
