/* cms/process: one system call that is long hears what ends it; the kernel never preempts it. */
#include "tests/unit/process_scene.h"

enum { SYS_READV = 19, SYS_MINCORE = 27, SYS_SENDFILE = 40, SYS_OPEN = 2, SYS_MMAP = 9, SYS_MLOCK = 149,
       SYS_GETRANDOM = 318, PIECES = 1024, PIECE = 32768, BEFORE_HALT = 3, SOON = 10, MS = 1000000, ALARM = 14 };
static const uint64_t ROOM = 0x404000, FAR = 1ull << 44, WHOLE = (uint64_t)PIECES * PIECE;

static unsigned passed;
static int64_t got;

static void halts(void)
{
    if (++passed == BEFORE_HALT)
        process_halt();
}

static int64_t open_by(const char *path)
{
    put(DATA, path, strlen(path) + 1);
    return call(SYS_OPEN, DATA, ABI_O_RDWR);
}

/* Into the same place again and again. */
static int64_t read_much(const char *path)
{
    int64_t file = open_by(path);
    for (unsigned i = 0; i < 255; i++)
        put(DATA + i * 16, (const uint64_t[2]){ROOM, PIECE}, 16);
    for (unsigned i = 0; i < 5 && file >= 0; i++)
        if ((got = call(SYS_READV, (uint64_t)file, DATA, 255)) != 255 * PIECE)
            break;
    return got;
}

static void reads_zeroes(uint64_t a) { (void)a, read_much("/dev/zero"); }
static void reads_chance(uint64_t a) { (void)a, read_much("/dev/urandom"); }
static void asks_for_chance(uint64_t a)
{
    (void)a;
    for (unsigned i = 0; i < 1000; i++)
        call(SYS_GETRANDOM, ROOM, PIECE, 0);
}
static void sends(uint64_t a)
{
    (void)a;
    int64_t from = open_by("/dev/zero"), to = open_by("/dev/null");
    call(SYS_SENDFILE, (uint64_t)to, (uint64_t)from, 0, WHOLE);
}
static void asks_what_is_resident(uint64_t a)
{
    enum { PRIVATE_ANONYMOUS_FIXED_NO_RESERVE = 0x4032 };
    (void)a;
    call(SYS_MMAP, FAR, 1ull << 40, 0, PRIVATE_ANONYMOUS_FIXED_NO_RESERVE, ~0ull, 0);
    call(SYS_MINCORE, FAR, 1ull << 40, ROOM);
}
static void wants_all_in_storage(uint64_t a)
{
    enum { PRIVATE_ANONYMOUS_FIXED = 0x32, READ_WRITE = 3 };
    (void)a;
    call(SYS_MMAP, FAR, 4 << 20, READ_WRITE, PRIVATE_ANONYMOUS_FIXED, ~0ull, 0);
    call(SYS_MLOCK, FAR, 4 << 20);
}
static void walks(uint64_t a)
{
    enum { STEPS = 1500 };
    char path[2 * STEPS + 1] = "/";
    (void)a;
    for (unsigned i = 0; i < STEPS; i++)
        memcpy(path + 2 * i, "./", 3);
    path[0] = '/';
    open_by(path);
}

static void keys_are_heard_in_every_long_call(void **state)
{
    static void (*const programs[])(uint64_t) = {reads_zeroes, reads_chance, asks_for_chance, sends,
                                                 asks_what_is_resident, wants_all_in_storage, walks};
    (void)state;
    for (unsigned i = 0; i < sizeof programs / sizeof *programs; i++) {
        passed = 0;
        passes = MS;
        on_pass = halts;
        assert_int_equal(run_program(programs[i]), 0);
        assert_int_equal(end.status, SIGNAL_KILL);
        assert_in_range(passed, BEFORE_HALT, SOON);
    }
}

static void counts(void) { passed++; }

static void reads_under_an_alarm(uint64_t a)
{
    (void)a;
    call(SYS_ALARM, 1);
    read_much("/dev/zero");
}

static void a_signal_that_ends_it_ends_the_call(void **state)
{
    (void)state;
    passed = 0;
    passes = MS;
    on_pass = counts;
    assert_int_equal(run_program(reads_under_an_alarm), 0);
    assert_int_equal(end.status, ALARM);
    assert_in_range(passed, 1000 / 5 - SOON, 1000 / 5 + SOON);
}

static void nothing(uint64_t a) { (void)a; }
static void reads_and_handles(uint64_t a)
{
    handle_by(ALARM, nothing, 0);
    reads_under_an_alarm(a);
    call(SYS_EXIT, got > 0 && got < 255 * PIECE && got % 4096 == 0 ? 5 : 6);
}

static void what_was_read_before_a_handler_ran_is_told(void **state)
{
    (void)state;
    passes = MS;
    assert_int_equal(exit_of(reads_and_handles), 5);
}

static unsigned alarms;
static void counts_alarms(uint64_t a) { (void)a, alarms++; }
static void has_a_timer_of_a_microsecond(uint64_t a)
{
    enum { SYS_SETITIMER = 38, NAPS = 100 };
    (void)a;
    handle_by(ALARM, counts_alarms, 0);
    put(DATA, (const uint64_t[4]){0, 1, 0, 1}, 32);
    call(SYS_SETITIMER, 0, DATA, 0);
    put(DATA, (const uint64_t[2]){0, 10 * MS}, 16);
    for (unsigned i = 0; i < NAPS; i++)
        call(SYS_NANOSLEEP, DATA, 0);
}

static void a_timer_of_a_microsecond_comes_each_millisecond(void **state)
{
    uint64_t before = ns;
    (void)state;
    alarms = 0;
    assert_int_equal(exit_of(has_a_timer_of_a_microsecond), 0);
    assert_in_range(alarms, 50, 200);
    assert_true(ns - before >= (alarms - 2) * (uint64_t)MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(keys_are_heard_in_every_long_call), T(a_signal_that_ends_it_ends_the_call),
        T(what_was_read_before_a_handler_ran_is_told), T(a_timer_of_a_microsecond_comes_each_millisecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
