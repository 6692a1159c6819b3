/* Who gets page frames when they run out: what is kept back, what is promised, and who gives for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cp/storage/frame.h"

enum { FRAMES = 16384, PROMISE = 96, CP_PART = 255, OPERATORS_PART = 2 * 96, MACHINES = 12, STEPS = 400000 };

static struct machine {
    struct frame_account account;
    bool open;
    void *frame[FRAMES];
} machine[MACHINES];

static unsigned asked; /* times somebody was asked to give */

static void give(struct machine *m, uint64_t down_to)
{
    while (m->account.frames > down_to)
        frame_free(&m->account, m->frame[m->account.frames - 1]);
}

static bool take(struct machine *m)
{
    void *frame = frame_alloc_dirty(&m->account);
    if (frame)
        m->frame[m->account.frames - 1] = frame;
    return frame;
}

static void grow(struct machine *m, uint64_t to)
{
    while (m->account.frames < to)
        assert_true(take(m));
}

/* The machine that holds most of what is beyond its share gives all but a few. */
static bool who_holds_most_gives(const struct frame_account *asker)
{
    struct machine *most = NULL;
    asked++;
    for (struct machine *m = machine; m < machine + MACHINES; m++)
        if (m->open && &m->account != asker && m->account.frames > frame_share() &&
            (!most || m->account.frames > most->account.frames))
            most = m;
    if (most)
        give(most, 4);
    return most;
}

static bool nobody_gives(const struct frame_account *asker)
{
    (void)asker;
    asked++;
    return false;
}

static bool open_as(struct machine *m, enum frame_rank rank)
{
    return m->open = frame_account_open(&m->account, 0, rank);
}

static void close(struct machine *m)
{
    give(m, 0);
    frame_account_close(&m->account);
    m->open = false;
}

static int start(void **state)
{
    static void *pool;
    (void)state;
    if (!pool) {
        pool = aligned_alloc(PAGE_SIZE, FRAMES * PAGE_SIZE);
        frame_add(frame_address(pool), FRAMES * PAGE_SIZE);
        frame_keep();
    }
    frame_short = nobody_gives;
    asked = 0;
    assert_int_equal(frame_available(), frame_total());
    return 0;
}

static int stop(void **state)
{
    (void)state;
    for (struct machine *m = machine; m < machine + MACHINES; m++)
        if (m->open)
            close(m);
    return frame_available() != frame_total();
}

static unsigned fill(struct machine *m)
{
    unsigned frames = 0;
    while (take(m))
        frames++;
    return frames;
}

static void what_is_kept_back_is_for_cp_and_operators(void **state)
{
    struct machine *bob = &machine[0], *op = &machine[1];
    (void)state;
    assert_true(open_as(bob, FRAME_USER));
    fill(bob);
    assert_in_range(frame_available(), CP_PART + OPERATORS_PART, CP_PART + 2 * PROMISE);
    uint64_t left = frame_available();
    assert_true(open_as(op, FRAME_OPERATOR));
    grow(op, PROMISE);
    fill(op);
    assert_in_range(frame_available(), CP_PART, CP_PART + 1);
    assert_true(op->account.frames >= left - CP_PART - 1);
    void *cp = frame_alloc_run(&frame_cp_account, CP_PART);
    assert_non_null(cp);
    frame_free_run(&frame_cp_account, cp, CP_PART);
}

static void two_operators_can_log_on_whatever_is_taken(void **state)
{
    (void)state;
    assert_true(open_as(&machine[0], FRAME_USER));
    fill(&machine[0]);
    for (unsigned i = 1; i <= 2; i++) {
        assert_true(open_as(&machine[i], FRAME_OPERATOR));
        grow(&machine[i], machine[i].account.promise);
    }
    assert_false(open_as(&machine[3], FRAME_USER));
}

static void what_is_promised_is_there_whatever_others_hold(void **state)
{
    struct machine *alice = &machine[0], *bob = &machine[1];
    (void)state;
    assert_true(open_as(alice, FRAME_USER));
    grow(alice, 60);
    assert_true(open_as(bob, FRAME_USER));
    fill(bob);
    grow(alice, alice->account.promise);
    assert_false(take(alice));
    give(alice, 50); /* and is again, when it was given back */
    assert_int_equal(fill(bob), 0);
    grow(alice, alice->account.promise);
}

static void who_holds_most_is_not_helped(void **state)
{
    struct machine *alice = &machine[0], *bob = &machine[1];
    (void)state;
    frame_short = who_holds_most_gives;
    assert_true(open_as(alice, FRAME_USER));
    grow(alice, 1000);
    assert_true(open_as(bob, FRAME_USER));
    fill(bob);
    assert_int_equal(asked, 0);
    assert_int_equal(alice->account.frames, 1000);
}

static void who_holds_little_is_given_from_who_holds_most(void **state)
{
    struct machine *alice = &machine[0], *bob = &machine[1], *carol = &machine[2];
    (void)state;
    assert_true(open_as(alice, FRAME_USER) && open_as(carol, FRAME_USER));
    grow(alice, 600);
    grow(carol, 2000);
    assert_true(open_as(bob, FRAME_USER));
    fill(bob);
    frame_short = who_holds_most_gives;
    assert_true(take(alice));
    assert_int_equal(asked, 1);
    assert_int_equal(carol->account.frames, 2000);
    assert_int_equal(bob->account.frames, 4);
}

/* A record of a machine is eight frames in a row; what a session queues 32. */
static void who_holds_frames_here_and_there_keeps_nobody_from_runs(void **state)
{
    enum { RECORD = 8, QUEUE = 32 };
    struct machine *alice = &machine[0], *bob = &machine[1], *carol = &machine[2];
    (void)state;
    assert_true(open_as(alice, FRAME_USER) && open_as(bob, FRAME_USER));
    while (take(alice))
        for (unsigned i = 1; i < RECORD - 1 && take(bob); i++) {}
    fill(bob);
    close(bob);
    assert_true(frame_available() > FRAMES / 2);
    assert_true(open_as(carol, FRAME_USER));
    void *record = frame_alloc_run(&carol->account, RECORD), *queue = frame_alloc_run(&frame_cp_account, QUEUE);
    assert_non_null(record);
    assert_non_null(queue);
    frame_free_run(&carol->account, record, RECORD);
    frame_free_run(&frame_cp_account, queue, QUEUE);
}

/* Those who give need some time: until then operators' part serves. */
static bool gives_later(const struct frame_account *asker)
{
    (void)asker;
    return true;
}

static void until_it_is_given_the_next_part_serves(void **state)
{
    struct machine *alice = &machine[0], *bob = &machine[1];
    (void)state;
    assert_true(open_as(alice, FRAME_USER));
    grow(alice, PROMISE);
    assert_true(open_as(bob, FRAME_USER));
    fill(bob);
    frame_short = gives_later;
    assert_in_range(fill(alice), OPERATORS_PART - 2, 2 * PROMISE);
    assert_in_range(frame_available(), CP_PART, CP_PART + 1); /* and no more than that */
}

static void logon_also_has_who_holds_most_give(void **state)
{
    (void)state;
    assert_true(open_as(&machine[0], FRAME_USER));
    fill(&machine[0]);
    assert_false(open_as(&machine[1], FRAME_USER));
    frame_short = who_holds_most_gives;
    assert_true(open_as(&machine[1], FRAME_USER));
}

static void a_refused_account_changes_nothing(void **state)
{
    (void)state;
    assert_true(open_as(&machine[0], FRAME_USER));
    uint64_t share = frame_share();
    fill(&machine[0]);
    assert_false(open_as(&machine[1], FRAME_USER));
    assert_int_equal(frame_share(), share);
}

static void a_small_limit_makes_a_small_promise(void **state)
{
    (void)state;
    machine[0].open = frame_account_open(&machine[0].account, 16, FRAME_USER);
    assert_true(machine[0].open);
    assert_int_equal(machine[0].account.promise, 16);
}

/* The promise of docs/machine.md, with anybody doing anything: who holds no more than its share is never refused a
 * frame, and who holds none is let in. */
static void nobody_within_its_share_is_ever_refused(void **state)
{
    unsigned refused = 0;
    (void)state;
    frame_short = who_holds_most_gives;
    srand(5);
    for (unsigned step = 0; step < STEPS; step++) {
        struct machine *m = &machine[rand() % MACHINES];
        if (!m->open) {
            assert_true(open_as(m, rand() % 8 ? FRAME_USER : FRAME_OPERATOR));
            continue;
        }
        switch (rand() % 500) {
        case 0: close(m); break;
        case 1: give(m, m->account.frames / 2); break;
        case 2: refused += !fill(m); break;
        default: {
            bool within = m->account.frames < frame_share();
            assert_true(take(m) || !within);
        }
        }
    }
    assert_true(asked > 10 && refused < STEPS / 500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_kept_back_is_for_cp_and_operators),
        TEST(two_operators_can_log_on_whatever_is_taken),
        TEST(what_is_promised_is_there_whatever_others_hold),
        TEST(who_holds_most_is_not_helped),
        TEST(who_holds_little_is_given_from_who_holds_most),
        TEST(who_holds_frames_here_and_there_keeps_nobody_from_runs),
        TEST(until_it_is_given_the_next_part_serves),
        TEST(logon_also_has_who_holds_most_give),
        TEST(a_refused_account_changes_nothing),
        TEST(a_small_limit_makes_a_small_promise),
        TEST(nobody_within_its_share_is_ever_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
