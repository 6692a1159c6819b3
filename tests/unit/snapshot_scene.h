/* A minidisk with an area for snapshots on a disk in memory, orders and requests to it, and what it should hold. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/snapshot/snapshot.h"
#include "cp/storage/frame.h"
#include "tests/unit/fake/clock.h"
#include "tests/unit/fake/disk.h"
#include "tests/unit/work_all.h"

#define UNUSED __attribute__((unused))

enum { DISK_START = 2, DISK_BLOCKS = 20, AREA_START = 40, AREA_BLOCKS_MOST = 600, VOLUME_BLOCKS = 700 };
enum { BLOCK = SNAPSHOT_BLOCK, BYTES = DISK_BLOCKS * BLOCK };

static struct fake_disk volume;
static struct directory_disk disk = {.vdev = 0x191, .start = DISK_START, .blocks = DISK_BLOCKS,
                                     .snapshots = {AREA_START, 24}};
static struct snapshot_set *live; /* as whoever has the minidisk has it */
static unsigned requests_done, fail_at; /* the request that fails, from 1; 0: none */
static char lost[256];

static void note_lost(const char *owner, unsigned vdev, const struct snapshot *s, bool failed)
{
    size_t at = strlen(lost);
    snprintf(lost + at, sizeof lost - at, "%s %X %u%s\n", owner, vdev, s->number, failed ? " failed" : "");
}

/* Every step and every request, till nothing is left of either. */
static void settle(void)
{
    while (volume.first || work_waits()) {
        work_all();
        if (volume.first) {
            volume.fail = ++requests_done == fail_at;
            fake_disk_done_first(&volume);
            volume.fail = false;
        }
    }
}

static void open_live(void) { assert_non_null(live = snapshot_open(&volume.disk, &disk, "ALICE", SNAPSHOT_LIVE)); }

static void close_live(void)
{
    if (live)
        snapshot_close(live, SNAPSHOT_LIVE);
    live = NULL;
    settle();
}

/* From here on only what is on the medium counts. */
UNUSED static void restart(void)
{
    close_live();
    assert_true(snapshot_idle());
    assert_int_equal(frame_cp_account.frames, 0);
    open_live();
    settle();
}

UNUSED static int begin(void **state)
{
    static void *pool;
    enum { FRAMES = 400 };
    (void)state;
    if (!pool) {
        pool = aligned_alloc(BLOCK, (size_t)FRAMES * BLOCK);
        frame_add(frame_address(pool), (uint64_t)FRAMES * BLOCK);
    }
    fake_clock_reset(1000000000);
    fake_disk_init(&volume, VOLUME_BLOCKS * 8, false);
    disk.snapshots.blocks = 24;
    snapshot_lost = note_lost;
    lost[0] = 0;
    fail_at = requests_done = 0;
    open_live();
    settle();
    return 0;
}

UNUSED static int end(void **state)
{
    (void)state;
    fail_at = 0;
    close_live();
    assert_true(snapshot_idle());
    assert_int_equal(frame_cp_account.frames, 0);
    fake_disk_free(&volume);
    return 0;
}

/* ---- requests ----------------------------------------------------------------------------------------------------
 * */

static int ended;
static void request_ended(struct disk_request *r, int status) { (void)r, ended = status; }

static int transfer(struct snapshot_set *set, uint32_t view, enum disk_op op, uint64_t sector, void *data,
                    uint32_t sectors)
{
    uint32_t half = sectors / 2;
    struct disk_segment segment[2] = {{data, half * 512},
                                      {(uint8_t *)data + (size_t)half * 512, (sectors - half) * 512}};
    struct disk_request r = {.op = op, .sector = sector, .sectors = sectors, .done = request_ended,
                             .segment = half ? segment : segment + 1, .segments = op == DISK_FLUSH ? 0 : half ? 2 : 1};
    ended = 1;
    int refused = snapshot_submit(set, view, &r);
    if (refused)
        return refused;
    settle();
    assert_int_not_equal(ended, 1);
    return ended;
}

UNUSED static int write_live(uint64_t sector, uint32_t sectors, const uint8_t *data)
{
    return transfer(live, SNAPSHOT_LIVE, DISK_WRITE, sector, (void *)(uintptr_t)data, sectors);
}

UNUSED static int fill(uint32_t block, uint32_t blocks, int value)
{
    static uint8_t data[BYTES];
    memset(data, value, (size_t)blocks * BLOCK);
    return write_live((uint64_t)block * 8, blocks * 8, data);
}

/* All of a view, in pieces. */
UNUSED static int read_view(uint32_t view, uint8_t *data)
{
    struct snapshot_set *set = snapshot_open(&volume.disk, &disk, "ALICE", view);
    int status = 0;
    assert_non_null(set);
    for (uint32_t at = 0, piece; at < DISK_BLOCKS * 8 && !status; at += piece) {
        piece = at % 3 ? 13 : 57;
        if (piece > DISK_BLOCKS * 8 - at)
            piece = DISK_BLOCKS * 8 - at;
        status = transfer(set, view, DISK_READ, at, data + (size_t)at * 512, piece);
    }
    snapshot_close(set, view);
    settle();
    return status;
}

/* ---- orders ------------------------------------------------------------------------------------------------------
 * */

static struct snapshot_answer answer;

static enum snapshot_result ask(const struct snapshot_order *order)
{
    struct snapshot_set *set = snapshot_open(&volume.disk, &disk, "ALICE", SNAPSHOT_ASKED);
    uint64_t id = snapshot_ask(set, order);
    assert_true(id);
    snapshot_close(set, SNAPSHOT_ASKED);
    settle();
    const struct snapshot_answer *given = snapshot_answered(id);
    assert_non_null(given);
    answer = *given;
    return given->result;
}

UNUSED static enum snapshot_result deed(enum snapshot_deed what, uint32_t number)
{
    return ask(&(struct snapshot_order){.deed = what, .number = number, .now = 1000 + number});
}

UNUSED static uint32_t take(void)
{
    assert_int_equal(deed(SNAPSHOT_TAKE, 0), SNAPSHOT_OK);
    return answer.view;
}

/* RESTORE and ADOPT want that nobody has it. */
UNUSED static enum snapshot_result become(enum snapshot_deed what, uint32_t number)
{
    close_live();
    enum snapshot_result result = deed(what, number);
    open_live();
    settle();
    return result;
}
