/* cms/process: which signals wait, which is first, what is due when, and what a vector area means. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cms/kernel/heap.h"
#include "cms/kernel/random.h"
#include "cms/process/deadline.h"
#include "cms/process/extended.h"
#include "cms/process/signal_queue.h"

static _Alignas(16) char heap[1 << 20];
static struct signal_queue queue;

uint64_t cms_entropy(void) { return 0x0123456789abcdef; }

static int begin(void **state)
{
    (void)state;
    cms_heap_start(heap, sizeof heap);
    queue = (struct signal_queue){0};
    deadline_forget_all();
    return 0;
}

static bool add(int number, uint64_t value)
{
    return signal_queue_add(&queue, &(struct signal_info){.number = number, .value = value});
}

static uint64_t take(int number)
{
    struct signal_info info;
    signal_queue_take(&queue, number, &info);
    assert_int_equal(info.number, number);
    return info.value;
}

static void a_signal_waits_once_and_a_real_time_one_as_often_as_it_is_sent(void **state)
{
    (void)state;
    assert_true(add(SIGNAL_USR1, 1) && add(SIGNAL_USR1, 2) && add(40, 3) && add(40, 4));
    assert_int_equal(take(SIGNAL_USR1), 1);
    assert_false(signal_is_in(queue.pending, SIGNAL_USR1));
    assert_int_equal(take(40), 3);
    assert_true(signal_is_in(queue.pending, 40));
    assert_int_equal(take(40), 4);
    assert_int_equal(queue.pending, 0);
    assert_int_equal(cms_heap_in_use(), 0);
}

static void faults_come_first_and_then_the_lowest_number(void **state)
{
    (void)state;
    add(SIGNAL_INT, 0);
    add(SIGNAL_SEGV, 0);
    add(SIGNAL_HUP, 0);
    add(50, 0);
    assert_int_equal(signal_queue_first(&queue, ~0ull), SIGNAL_SEGV);
    take(SIGNAL_SEGV);
    assert_int_equal(signal_queue_first(&queue, ~0ull), SIGNAL_HUP);
    assert_int_equal(signal_queue_first(&queue, ~signal_bit(SIGNAL_HUP)), SIGNAL_INT);
    assert_int_equal(signal_queue_first(&queue, signal_bit(50) | signal_bit(51)), 50);
    assert_int_equal(signal_queue_first(&queue, signal_bit(51)), 0);
    signal_queue_drop(&queue, ~0ull);
    assert_int_equal(cms_heap_in_use(), 0);
}

static void a_queue_that_is_full_refuses_only_real_time_signals(void **state)
{
    (void)state;
    int sent = 0;
    while (add(SIGNAL_LAST, 0))
        sent++;
    assert_int_equal(sent, SIGNALS_QUEUED_MAX);
    assert_true(add(SIGNAL_TERM, 7));
    assert_int_equal(take(SIGNAL_TERM), 0); /* it came, but not its facts */
    signal_queue_drop(&queue, signal_bit(SIGNAL_LAST));
    assert_int_equal(queue.count, 0);
    assert_int_equal(queue.pending, 0);
    assert_int_equal(cms_heap_in_use(), 0);
}

static void defaults_are_those_of_the_manual(void **state)
{
    static const struct {
        int number;
        enum signal_default what;
    } rows[] = {
        {SIGNAL_HUP, DEFAULT_END}, {SIGNAL_KILL, DEFAULT_END}, {SIGNAL_SEGV, DEFAULT_CORE},
        {SIGNAL_CHLD, DEFAULT_IGNORE},
        {SIGNAL_TSTP, DEFAULT_STOP}, {SIGNAL_CONT, DEFAULT_CONTINUE}, {SIGNAL_WINCH, DEFAULT_IGNORE}, {32, DEFAULT_END},
        {64, DEFAULT_END}, {SIGNAL_SYS, DEFAULT_CORE}, {SIGNAL_PIPE, DEFAULT_END},
    };
    struct signal_action ignores = {.handler = SIGNAL_IGNORE}, handles = {.handler = 0x400000}, none = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(signal_default(rows[i].number), rows[i].what);
    assert_true(signal_is_ignored(SIGNAL_TERM, &ignores) && signal_is_ignored(SIGNAL_CHLD, &none));
    assert_false(signal_is_ignored(SIGNAL_TERM, &none) || signal_is_ignored(SIGNAL_CHLD, &handles));
}

/* ---- deadlines --------------------------------------------------------------------------------------------------- */

static struct deadline one, two, three;
static char order[8];
static void note(struct deadline *d) { strcat(order, d == &one ? "1" : d == &two ? "2" : "3"); }
static void again(struct deadline *d)
{
    note(d);
    if (strlen(order) < 3)
        deadline_set(d, 15 + strlen(order));
}

static void deadlines_are_met_in_order(void **state)
{
    (void)state;
    order[0] = 0;
    one.due = two.due = three.due = note;
    deadline_set(&one, 30);
    deadline_set(&two, 10);
    deadline_set(&three, 20);
    deadline_set(&one, 15);
    assert_int_equal(deadline_first(), 10);
    deadline_run(9);
    assert_string_equal(order, "");
    deadline_cancel(&three);
    deadline_cancel(&three);
    deadline_run(100);
    assert_string_equal(order, "21");
    assert_int_equal(deadline_first(), 0);
}

static void a_deadline_may_set_itself_anew(void **state)
{
    (void)state;
    order[0] = 0;
    one.due = again;
    deadline_set(&one, 10);
    deadline_run(20);
    assert_string_equal(order, "111");
    assert_int_equal(deadline_first(), 0);
}

/* ---- extended state ---------------------------------------------------------------------------------------------- */

static void only_a_whole_area_counts_as_one(void **state)
{
    enum { SIZE = 832 };
    static _Alignas(64) char area[SIZE];
    (void)state;
    memset(area, 0xff, sizeof area);
    assert_false(extended_is_whole(area, SIZE));
    extended_mark(area, SIZE, 7);
    assert_true(extended_is_whole(area, SIZE));
    assert_false(extended_is_whole(area, SIZE + 64));
    area[464] ^= 1;
    assert_false(extended_is_whole(area, SIZE));
    extended_legacy_only(area, SIZE);
    assert_int_equal(area[512], 3);
    for (size_t i = 513; i < SIZE; i++)
        assert_int_equal(area[i], 0);
    memset(area, 0xff, sizeof area);
    extended_mark(area, EXTENDED_LEGACY, 0);
    assert_false(extended_is_whole(area, EXTENDED_LEGACY));
}

static void a_floating_point_fault_says_which(void **state)
{
    static const struct {
        uint16_t control, status;
        uint32_t mxcsr;
        bool sse;
        int code;
    } rows[] = {
        {0x37f & ~4, 4, 0x1f80, false, CODE_FPE_DIVIDE_FLOAT}, {0x37f & ~1, 1, 0x1f80, false, CODE_FPE_INVALID},
        {0x37f, 4, 0x1f80, false, 0}, {0x37f & ~8, 8, 0, false, CODE_FPE_OVERFLOW},
        {0x37f, 0, (0x1f80 & ~0x200) | 4, true, CODE_FPE_DIVIDE_FLOAT},
        {0x37f, 0, (0x1f80 & ~0x1000) | 32, true, CODE_FPE_INEXACT},
        {0x37f, 0, (0x1f80 & ~0x100) | 2, true, CODE_FPE_UNDERFLOW}, {0x37f & ~4, 4, 0x1f80 | 4, true, 0},
    };
    char area[EXTENDED_LEGACY] = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        memcpy(area, &rows[i].control, 2);
        memcpy(area + 2, &rows[i].status, 2);
        memcpy(area + 24, &rows[i].mxcsr, 4);
        assert_int_equal(extended_float_code(area, rows[i].sse), rows[i].code);
    }
}

/* ---- random numbers ---------------------------------------------------------------------------------------------- */

/* Not that they are random, which no test can say: that none comes twice, whatever the lengths, and no bit stands
 * still. */
static void random_numbers_do_not_repeat(void **state)
{
    static uint8_t bytes[4096];
    uint64_t ones = 0, zeros = 0, seen[64];
    (void)state;
    for (int i = 0; i < 64; i++) {
        seen[i] = cms_random();
        ones |= seen[i];
        zeros |= ~seen[i];
        for (int j = 0; j < i; j++)
            assert_int_not_equal(seen[i], seen[j]);
    }
    assert_true(!~ones && !~zeros);
    for (size_t n = 1; n < 300; n += 13) {
        memset(bytes, 0, sizeof bytes);
        cms_random_fill(bytes, n);
        assert_int_equal(bytes[n], 0);
    }
    cms_random_fill(bytes, sizeof bytes);
    for (size_t i = 16; i < sizeof bytes; i += 16)
        assert_memory_not_equal(bytes, bytes + i, 16);
}

/* As in two machines that go on from one saved CMS, whose processor gives no numbers and has counted as far: each is a
 * process here. */
static void random_numbers_of_two_that_were_one_differ_when_they_are_stirred(void **state)
{
    static const struct {
        const char *one, *other;
        bool differ;
    } stirred[] = {{"ALICE", "BOB", true}, {"ALICE", "ALICE", false}, {"same length, 32 bytes and more.A",
                   "same length, 32 bytes and more.B", true}, {"", "A", true}, {"A", "AA", true}};
    uint64_t numbers[2];
    int result[2];
    (void)state;
    for (size_t i = 0; i < sizeof stirred / sizeof *stirred; i++) {
        assert_false(pipe(result));
        for (unsigned n = 0; n < 2; n++) {
            const char *what = n ? stirred[i].other : stirred[i].one;
            pid_t child = fork();
            if (!child) {
                cms_random_stir(what, strlen(what));
                uint64_t number = cms_random();
                _exit(write(result[1], &number, sizeof number) != sizeof number);
            }
            assert_int_equal(waitpid(child, NULL, 0), child);
            assert_int_equal(read(result[0], &numbers[n], sizeof numbers[n]), sizeof numbers[n]);
        }
        assert_int_equal(numbers[0] != numbers[1], stirred[i].differ);
        close(result[0]), close(result[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_signal_waits_once_and_a_real_time_one_as_often_as_it_is_sent, begin),
        cmocka_unit_test_setup(faults_come_first_and_then_the_lowest_number, begin),
        cmocka_unit_test_setup(a_queue_that_is_full_refuses_only_real_time_signals, begin),
        cmocka_unit_test(defaults_are_those_of_the_manual),
        cmocka_unit_test_setup(deadlines_are_met_in_order, begin),
        cmocka_unit_test_setup(a_deadline_may_set_itself_anew, begin),
        cmocka_unit_test(only_a_whole_area_counts_as_one),
        cmocka_unit_test(a_floating_point_fault_says_which),
        cmocka_unit_test(random_numbers_do_not_repeat),
        cmocka_unit_test(random_numbers_of_two_that_were_one_differ_when_they_are_stirred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
