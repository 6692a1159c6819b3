/* The audit log on a disk whose power may go at any write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/audit/log.h"
#include "cp/time/timer.h"
#include "tests/unit/fake/clock.h"
#include "tests/unit/fake/disk_work.h"

enum { BLOCKS = 7, PLACES = BLOCKS - 2, BYTES = BLOCKS * AUDIT_PAGE };

static struct fake_disk disk;
static int troubles[2];

static void told(enum audit_trouble trouble) { troubles[trouble]++; }

/* All that goes on by itself. */
static void settle(void) { fake_disk_settle(&disk); }

static void restart(void)
{
    audit_begin(&disk.disk, told);
    settle();
}

static int begin(void **state)
{
    (void)state;
    fake_clock_reset(1000000000);
    fake_unix_us = 1795269931000000; /* 2026-11-21 14:05:31 UTC */
    fake_disk_init(&disk, BLOCKS * 8, false);
    memset(troubles, 0, sizeof troubles);
    restart();
    return 0;
}

static int end(void **state)
{
    (void)state;
    settle();
    audit_begin(NULL, NULL);
    fake_disk_free(&disk);
    return 0;
}

static const struct audit_page *block(unsigned number) { return (void *)(disk.medium + number * AUDIT_PAGE); }

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static struct found {
    uint64_t first, last; /* records */
    unsigned records, breaks;
    char text[AUDIT_LINE + 1]; /* of the last */
} found;

static const struct audit_page *page_of(uint64_t number)
{
    bool failed;
    const struct audit_page *p = audit_last();
    if (number == p->number)
        return p;
    assert_null(audit_read(number, &failed));
    settle();
    p = audit_read(number, &failed);
    assert_false(failed);
    return p && audit_page_sound(p) ? p : NULL;
}

static void walk(void)
{
    struct audit_walk w = {.page = audit_oldest()};
    found = (struct found){0};
    while (w.page <= audit_last()->number) {
        const struct audit_page *p = page_of(w.page);
        const char *line;
        size_t length;
        enum audit_step step = AUDIT_BROKEN;
        if (!p)
            audit_walk_over(&w);
        while (p && (step = audit_walk_on(&w, p, &line, &length)) == AUDIT_RECORD) {
            found.last = w.record - 1;
            found.first = found.first ? found.first : found.last;
            found.records++;
            snprintf(found.text, sizeof found.text, "%.*s", (int)length, line);
        }
        found.breaks += step == AUDIT_BROKEN;
    }
}

static void note(unsigned number)
{
    audit_note("L0001", "ALICE", "DEED %u %s", number, "0123456789 0123456789 0123456789");
}

static void notes(unsigned from, unsigned count)
{
    for (unsigned i = from; i < from + count; i++) {
        note(i);
        settle();
    }
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

static void a_record_says_when_where_who_and_what(void **state)
{
    (void)state;
    audit_note("L0002", "BOB", "LINK %s\n\033[2J", "MAINT 190");
    settle();
    walk();
    assert_string_equal(found.text, "0000000001 11/21/26 14:05:31 L0002 BOB      LINK MAINT 190??[2J");
    assert_true(audit_settled());
}

static void records_stay_over_a_restart(void **state)
{
    (void)state;
    notes(1, 300);
    restart();
    notes(301, 1);
    walk();
    assert_int_equal(found.breaks, 0);
    assert_int_equal(found.last, 301);
    assert_non_null(strstr(found.text, "DEED 301"));
}

static void the_oldest_pages_give_way(void **state)
{
    (void)state;
    notes(1, 1000);
    walk();
    assert_int_equal(found.breaks, 0);
    assert_int_equal(found.last, 1000);
    assert_in_range(found.first, 2, 900);
    assert_int_equal(found.records, found.last - found.first + 1);
    assert_true(audit_last()->number > PLACES);
}

/* The medium as power leaves it after so many of the requests that a record takes; `torn`: and half of the next write.
 * False: it does not take so many. */
static bool cut(unsigned record, unsigned requests, bool torn)
{
    uint8_t *left = malloc(BYTES);
    note(record);
    work_all();
    while (requests && disk.waiting)
        requests--, fake_disk_done_first(&disk), work_all();
    const struct disk_request *r = disk.first;
    bool was_cut = r != NULL;
    memcpy(left, disk.medium, BYTES);
    if (torn && r && r->op == DISK_WRITE)
        memcpy(left + r->sector * DISK_SECTOR_BYTES, r->segment->data, r->segment->bytes / 2);
    settle();
    memcpy(disk.medium, left, BYTES);
    free(left);
    restart();
    return was_cut;
}

static void what_was_kept_stays_wherever_power_goes(void **state)
{
    static uint8_t before[BYTES];
    (void)state;
    for (unsigned record = 1; record <= 400; record++) {
        memcpy(before, disk.medium, BYTES);
        for (unsigned requests = 0, torn = 0; record % 7 == 0 || record % 46 < 4; requests += torn, torn ^= 1) {
            bool was_cut = cut(record, requests, torn);
            walk();
            assert_int_equal(found.breaks, 0);
            assert_int_equal(troubles[AUDIT_DAMAGED], 0);
            assert_in_range(found.last, was_cut ? record - 1 : record, record);
            note(record + 1); /* it goes on from there */
            settle();
            uint64_t last = found.last;
            walk();
            assert_int_equal(found.breaks, 0);
            assert_int_equal(found.last, last + 1);
            memcpy(disk.medium, before, BYTES);
            restart();
            if (!was_cut)
                break;
        }
        notes(record, 1);
    }
}

static void an_altered_record_shows(void **state)
{
    (void)state;
    notes(1, 120);
    walk();
    assert_int_equal(found.breaks, 0);
    struct audit_page *p = (struct audit_page *)(uintptr_t)block(3);
    p->text[p->bytes / 2] ^= 1;
    audit_page_seal(p); /* who can alter it can do that */
    walk();
    assert_int_equal(found.breaks, 1);
}

static void so_does_one_that_is_taken_out(void **state)
{
    (void)state;
    notes(1, 120);
    struct audit_page *p = (struct audit_page *)(uintptr_t)block(3);
    uint32_t length = (uint32_t)(strchr(p->text, '\n') + 1 - p->text);
    memmove(p->text, p->text + length, p->bytes -= length);
    p->records--;
    audit_page_seal(p);
    walk();
    assert_int_equal(found.breaks, 1);
}

static void so_does_a_page_that_is_another(void **state)
{
    (void)state;
    notes(1, 120);
    memset((void *)(uintptr_t)block(3), 0, AUDIT_PAGE);
    walk();
    assert_int_equal(found.breaks, 1);
    assert_int_equal(found.last, 120);
}

static void a_page_made_anew_does_not_fit_those_behind_it(void **state)
{
    struct audit_page forged;
    (void)state;
    notes(1, 120);
    const struct audit_page *real = block(3);
    forged = *real;
    forged.records = forged.bytes = 0;
    memcpy(forged.after, forged.before, AUDIT_CHAIN);
    while (forged.records < real->records)
        assert_true(audit_page_add(&forged, "NOTHING HAPPENED", 16));
    audit_page_seal(&forged);
    *(struct audit_page *)(uintptr_t)real = forged;
    walk();
    assert_int_equal(found.breaks, 1);
}

static void damage_of_both_writings_begins_a_new_log_and_is_told(void **state)
{
    (void)state;
    notes(1, 5);
    disk.medium[100] ^= 1;
    disk.medium[AUDIT_PAGE + 100] ^= 1;
    restart();
    assert_int_equal(troubles[AUDIT_DAMAGED], 1);
    notes(1, 1);
    walk();
    assert_int_equal(found.records, 1);
}

static void so_it_is_when_all_of_the_last_page_is_gone(void **state)
{
    (void)state;
    notes(1, 60);
    memset(disk.medium, 0, 2 * AUDIT_PAGE);
    restart();
    assert_int_equal(troubles[AUDIT_DAMAGED], 1);
}

static void what_a_failing_medium_did_not_take_is_written_when_it_does(void **state)
{
    (void)state;
    notes(1, 3);
    disk.fail = true;
    notes(4, 100);
    assert_int_equal(troubles[AUDIT_FAILING], 1);
    assert_true(audit_settled()); /* nobody waits for it */
    disk.fail = false;
    notes(104, 1);
    restart();
    walk();
    assert_int_equal(found.breaks, 0);
    assert_int_equal(found.last, 104);
}

static void what_has_no_room_is_counted(void **state)
{
    (void)state;
    disk.fail = true;
    notes(1, 1000);
    disk.fail = false;
    notes(1001, 1);
    walk();
    assert_int_equal(found.breaks, 0);
    assert_in_range(found.last, 100, 900);
    char *said = strstr(found.text, " RECORDS HAD NO ROOM");
    assert_non_null(said);
    *said = 0;
    assert_int_equal(strtoul(strrchr(found.text, ' '), NULL, 10) + found.last - 1, 1001);
}

static void a_medium_that_cannot_be_read_is_not_written(void **state)
{
    (void)state;
    notes(1, 3);
    disk.fail = true;
    restart();
    assert_int_equal(troubles[AUDIT_FAILING], 1);
    disk.fail = false;
    unsigned writes = disk.writes;
    notes(4, 3);
    assert_int_equal(disk.writes, writes);
    assert_false(audit_kept());
    restart();
    walk();
    assert_int_equal(found.last, 3);
}

/* Or who walks to the last page would never be there. */
static void numbers_without_end_are_none(void **state)
{
    static const uint64_t ends[] = {UINT64_MAX, UINT64_MAX - 1, 1ull << 63, 1ull << 50};
    (void)state;
    notes(1, 5);
    for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++)
        for (unsigned n = 0; n < 2; n++) {
            struct audit_page p = *audit_last();
            *(n ? &p.first : &p.number) = ends[i];
            audit_page_seal(&p);
            assert_false(audit_page_sound(&p));
        }
}

static void hostile_pages_are_refused_or_broken_never_believed(void **state)
{
    (void)state;
    srand(1);
    notes(1, 120);
    for (unsigned i = 0; i < 3000; i++) {
        struct audit_page p = *block(3);
        struct audit_walk w = {.page = p.number};
        const char *line;
        size_t length;
        unsigned byte = (unsigned)rand() % offsetof(struct audit_page, text);
        ((uint8_t *)&p)[byte] ^= (uint8_t)(1 + rand() % 255);
        if (p.bytes <= sizeof p.text)
            audit_page_seal(&p);
        if (!audit_page_sound(&p))
            continue;
        enum audit_step step;
        while ((step = audit_walk_on(&w, &p, &line, &length)) == AUDIT_RECORD)
            assert_true(line >= p.text && line + length <= p.text + sizeof p.text);
        bool uncounted = (byte >= offsetof(struct audit_page, crc) && byte < offsetof(struct audit_page, number)) ||
                         (byte >= offsetof(struct audit_page, revision) && byte < offsetof(struct audit_page, first));
        assert_int_equal(step, uncounted ? AUDIT_TURN : AUDIT_BROKEN);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_says_when_where_who_and_what),
        TEST(records_stay_over_a_restart),
        TEST(the_oldest_pages_give_way),
        TEST(what_was_kept_stays_wherever_power_goes),
        TEST(an_altered_record_shows),
        TEST(so_does_one_that_is_taken_out),
        TEST(so_does_a_page_that_is_another),
        TEST(a_page_made_anew_does_not_fit_those_behind_it),
        TEST(damage_of_both_writings_begins_a_new_log_and_is_told),
        TEST(so_it_is_when_all_of_the_last_page_is_gone),
        TEST(what_a_failing_medium_did_not_take_is_written_when_it_does),
        TEST(what_has_no_room_is_counted),
        TEST(a_medium_that_cannot_be_read_is_not_written),
        TEST(numbers_without_end_are_none),
        TEST(hostile_pages_are_refused_or_broken_never_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
