/* What tests of the spool share: ALICE and BOB, an area on a disk, and steps until nothing is left to do. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/spool/unit.h"
#include "tests/unit/fake/clock.h"
#include "tests/unit/fake/disk_work.h"

#define UNUSED __attribute__((unused))

enum { AREA_DATA = 40, AREA_BLOCKS = SPOOL_FIRST_DATA + AREA_DATA };

static struct fake_disk area;
static struct spool_user users[2], *const alice = &users[0], *const bob = &users[1];
static char arrivals[512];
static unsigned news;

static void note_news(void) { news++; }

static void note_arrival(const struct spool_file *f, const struct spool_journey *j)
{
    size_t at = strlen(arrivals);
    snprintf(arrivals + at, sizeof arrivals - at, "%s %u from %s %u\n", f->owner, f->spoolid, j->from, j->was);
}

static void settle(void) { fake_disk_settle(&area); }

/* As after power on. */
static void restart(void)
{
    arrivals[0] = 0;
    spool_units_reset(alice, "ALICE");
    spool_units_reset(bob, "BOB");
    spool_start(&area.disk, note_news, note_arrival);
    settle();
    assert_null(spool_obstacle());
}

UNUSED static int begin(void **state)
{
    static void *pool;
    (void)state;
    if (!pool) {
        enum { FRAMES = 64 };
        pool = aligned_alloc(PAGE_SIZE, FRAMES * PAGE_SIZE);
        frame_add(frame_address(pool), FRAMES * PAGE_SIZE);
    }
    fake_clock_reset(1000000000);
    fake_disk_init(&area, AREA_BLOCKS * 8, false);
    restart();
    return 0;
}

UNUSED static int end(void **state)
{
    (void)state;
    spool_units_close(alice);
    spool_units_close(bob);
    area.fail = false;
    settle();
    assert_true(spool_units_idle());
    assert_int_equal(spool_account.frames, 0);
    fake_disk_free(&area);
    return 0;
}

/* `count` records of `length` bytes of `fill`; what the last write answered. */
static enum spool_io punch(struct spool_user *user, unsigned count, unsigned length, char fill)
{
    uint8_t record[SPOOL_LENGTH + SPOOL_RECORD_MAX];
    enum spool_io io = SPOOL_OK;
    memcpy(record, &(uint16_t){(uint16_t)length}, SPOOL_LENGTH);
    memset(record + SPOOL_LENGTH, fill, length);
    while (count && (io == SPOOL_OK || io == SPOOL_BUSY)) {
        unsigned bytes = SPOOL_LENGTH + length;
        io = spool_write(user, SPOOL_PUN, record, &bytes);
        count -= io == SPOOL_OK;
        if (io == SPOOL_BUSY)
            settle();
    }
    return io;
}

static bool close_punch(struct spool_user *user, const char *name, const char *to)
{
    return spool_close(user, SPOOL_PUN, &(struct spool_close){.name = name, .type = "TEXT", .to = to, .hold = -1});
}

/* A file of ALICE or BOB in somebody's reader, kept. */
UNUSED static void send_file(struct spool_user *from, const char *to, const char *name, unsigned count, unsigned length)
{
    assert_int_equal(punch(from, count, length, *name), SPOOL_OK);
    assert_true(close_punch(from, name, to));
    settle();
    assert_int_equal(spool_closed(from, SPOOL_PUN), SPOOL_DONE);
}

UNUSED static struct spool_file *first(struct spool_user *user, enum spool_queue queue)
{
    return spool_next(user->id, NULL, queue, INT64_MIN);
}
