/* cms/process: how processes begin, wait for each other, are told, and end; whole, with the calls that lead there. */
#include "tests/unit/process_scene.h"

static int64_t seen[80];

/* ---- beginning and ending ---------------------------------------------------------------------------------------- */

static void leaves_seven(uint64_t a) { (void)a; call(SYS_EXIT, 7); }

static void a_program_ends_with_its_status(void **state)
{
    (void)state;
    assert_int_equal(exit_of(leaves_seven), 7);
}

static void what_cannot_be_run_is_refused_and_leaves_nothing(void **state)
{
    static const char *const words[] = {"x", NULL}, *const none[] = {NULL};
    struct file *f;
    (void)state;
    process_run("/tmp/none", words, none, NULL, &end); /* what is made once and stays */
    size_t heap = cms_heap_in_use(), frames = cms_frames_in_use();
    assert_int_equal(process_run("/tmp/none", words, none, NULL, &end), -ENOENT);
    assert_int_equal(process_run("/tmp", words, none, NULL, &end), -EACCES);
    assert_int_equal(cms_heap_in_use(), heap);
    assert_int_equal(cms_frames_in_use(), frames);
    f = open_file("/tmp/text", ABI_O_WRONLY | ABI_O_CREAT);
    put_text(f, "no program");
    file_let_go(f);
    assert_int_equal(process_run("/tmp/text", words, none, NULL, &end), -EACCES);
}

static void child_leaves_three(uint64_t a) { (void)a; call(SYS_EXIT_GROUP, 3); }
static void waits_for_child(uint64_t a)
{
    int status;
    (void)a;
    int64_t child = fork_to(child_leaves_three);
    seen[0] = wait_for(child, 0, &status) == child;
    seen[1] = status;
    seen[2] = wait_for(-1, 0, &status);
    call(SYS_EXIT_GROUP, 0);
}

static void parents_learn_how_children_end(void **state)
{
    (void)state;
    assert_int_equal(exit_of(waits_for_child), 0);
    assert_int_equal(seen[0], 1);
    assert_int_equal(seen[1], 3 << 8);
    assert_int_equal(seen[2], -ECHILD);
}

static void sleeps_for_ever(uint64_t a)
{
    (void)a;
    for (;;)
        call(SYS_PAUSE);
}
static void leaves_children_behind(uint64_t a)
{
    (void)a;
    for (int i = 0; i < 5; i++)
        fork_to(sleeps_for_ever);
    call(SYS_EXIT_GROUP, 1);
}

static void all_processes_of_a_command_end_with_it(void **state)
{
    (void)state;
    assert_int_equal(exit_of(leaves_children_behind), 1);
}

static void halt(void) { process_halt(); }

static void a_halt_ends_what_sleeps_for_ever(void **state)
{
    (void)state;
    on_nap = halt;
    assert_int_equal(run_program(sleeps_for_ever), 0);
    assert_int_equal(end.status, SIGNAL_KILL);
}

static void grandchild(uint64_t a)
{
    (void)a;
    while (call(SYS_GETPPID) != 1)
        call(SYS_YIELD);
    seen[0] = 1;
}
static void middle(uint64_t a) { (void)a; fork_to(grandchild); }
static void has_grandchild(uint64_t a)
{
    int status;
    (void)a;
    seen[0] = 0;
    fork_to(middle);
    wait_for(-1, 0, &status);
    while (!seen[0])
        call(SYS_YIELD);
}

static void orphans_become_the_systems(void **state)
{
    (void)state;
    assert_int_equal(exit_of(has_grandchild), 0);
    assert_int_equal(seen[0], 1);
}

static void forks_until_it_cannot(uint64_t a)
{
    int status;
    int64_t child;
    (void)a;
    seen[0] = 0;
    while (seen[0] < 40 && (child = fork_to(sleeps_for_ever)) > 0)
        seen[0]++;
    seen[1] = wait_for(-1, WAIT_NOHANG, &status);
}

static void many_children_are_no_trouble(void **state)
{
    (void)state;
    size_t frames = cms_frames_in_use();
    assert_int_equal(exit_of(forks_until_it_cannot), 0);
    assert_int_equal(seen[0], 40);
    assert_int_equal(seen[1], 0);
    assert_true(cms_frames_in_use() <= frames + 4); /* the program's file */
}

/* ---- signals ----------------------------------------------------------------------------------------------------- */

static void note(uint64_t number) { seen[number]++; }

static void signals_itself(uint64_t a)
{
    (void)a;
    memset(seen, 0, sizeof seen);
    handle_by(SIGNAL_USR1, note, 0);
    call(SYS_KILL, (uint64_t)call(SYS_GETPID), SIGNAL_USR1);
    call(SYS_KILL, (uint64_t)call(SYS_GETPID), SIGNAL_USR1);
}

static void handlers_run(void **state)
{
    (void)state;
    assert_int_equal(exit_of(signals_itself), 0);
    assert_int_equal(seen[SIGNAL_USR1], 2);
}

static void is_terminated(uint64_t a)
{
    (void)a;
    call(SYS_KILL, (uint64_t)call(SYS_GETPID), SIGNAL_TERM);
    seen[0] = 99;
}

static void a_signal_without_handler_ends_it(void **state)
{
    (void)state;
    seen[0] = 0;
    assert_int_equal(run_program(is_terminated), 0);
    assert_int_equal(end.status, SIGNAL_TERM);
    assert_int_equal(seen[0], 0);
}

static void sleeps_with_alarm(uint64_t a)
{
    (void)a;
    memset(seen, 0, sizeof seen);
    handle_by(SIGNAL_ALRM, note, 0);
    call(SYS_ALARM, 1);
    put_word(DATA + 512, 10);
    put_word(DATA + 520, 0);
    seen[0] = call(SYS_NANOSLEEP, DATA + 512, DATA + 528);
    seen[1] = (int64_t)word_at(DATA + 528);
}

static void a_signal_ends_a_sleep_and_the_rest_is_told(void **state)
{
    (void)state;
    assert_int_equal(exit_of(sleeps_with_alarm), 0);
    assert_int_equal(seen[0], -EINTR);
    assert_int_equal(seen[1], 8);
    assert_int_equal(seen[SIGNAL_ALRM], 1);
}

static void child_sleeps_a_second(uint64_t a)
{
    (void)a;
    put_word(DATA + 512, 1);
    put_word(DATA + 520, 0);
    call(SYS_NANOSLEEP, DATA + 512, 0);
}

static void waits_through_signals(uint64_t flags)
{
    int status;
    memset(seen, 0, sizeof seen);
    handle_by(SIGNAL_USR1, note, flags);
    handle_by(SIGNAL_CHLD, note, ACTION_RESTART);
    put_word(DATA + 600, (uint64_t)call(SYS_GETPID));
    int64_t child = fork_to(child_sleeps_a_second);
    seen[0] = wait_for(child, 0, &status) == child;
}
static void waits_and_restarts(uint64_t a) { (void)a; waits_through_signals(ACTION_RESTART); }

static void a_wait_goes_on_behind_a_handler_that_restarts(void **state)
{
    (void)state;
    assert_int_equal(exit_of(waits_and_restarts), 0);
    assert_int_equal(seen[0], 1);
    assert_int_equal(seen[SIGNAL_CHLD], 1);
}

static void stopped(uint64_t a)
{
    (void)a;
    for (;;)
        call(SYS_YIELD);
}
static void stops_a_child(uint64_t a)
{
    int status;
    (void)a;
    int64_t child = fork_to(stopped);
    call(SYS_KILL, (uint64_t)child, SIGNAL_STOP);
    seen[0] = wait_for(child, WAIT_STOPPED, &status) == child;
    seen[1] = status;
    seen[2] = wait_for(child, WAIT_NOHANG, &status);
    call(SYS_KILL, (uint64_t)child, SIGNAL_CONT);
    seen[3] = wait_for(child, WAIT_CONTINUED, &status) == child;
    seen[4] = status;
    call(SYS_KILL, (uint64_t)child, SIGNAL_STOP);
    wait_for(child, WAIT_STOPPED, &status);
    call(SYS_KILL, (uint64_t)child, SIGNAL_KILL);
    seen[5] = wait_for(child, 0, &status) == child;
    seen[6] = status;
}

static void stops_and_continuations_are_told(void **state)
{
    (void)state;
    assert_int_equal(exit_of(stops_a_child), 0);
    assert_int_equal(seen[0], 1);
    assert_int_equal(seen[1], SIGNAL_STOP << 8 | 0x7f);
    assert_int_equal(seen[2], 0);
    assert_int_equal(seen[3], 1);
    assert_int_equal(seen[4], 0xffff);
    assert_int_equal(seen[5], 1);
    assert_int_equal(seen[6], SIGNAL_KILL);
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

enum { THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD };

static void wakes_other(uint64_t a)
{
    (void)a;
    put_word(DATA + 1024, 1);
    seen[1] = call(SYS_FUTEX, DATA + 1024, 1, 1);
    call(SYS_EXIT, 0);
}

static void waits_for_thread(uint64_t a)
{
    (void)a;
    put_word(DATA + 1024, 0);
    seen[2] = call(SYS_FUTEX, DATA + 1024, 0, 5, 0) /* it is not 5 */;
    seen[3] = clone_to(THREAD, wakes_other);
    seen[0] = call(SYS_FUTEX, DATA + 1024, 0, 0, 0);
    call(SYS_EXIT, 5);
}

static void threads_wake_each_other(void **state)
{
    (void)state;
    assert_int_equal(exit_of(waits_for_thread), 5);
    assert_int_equal(seen[0], 0);
    assert_int_equal(seen[1], 1);
    assert_int_equal(seen[2], -EAGAIN);
    assert_true(seen[3] > 0);
}

static void ends_all(uint64_t a) { (void)a; call(SYS_EXIT_GROUP, 9); }
static void has_threads(uint64_t a)
{
    (void)a;
    for (int i = 0; i < 5; i++)
        clone_to(THREAD, sleeps_for_ever);
    clone_to(THREAD, ends_all);
    sleeps_for_ever(0);
}

static void one_thread_may_end_all(void **state)
{
    (void)state;
    assert_int_equal(exit_of(has_threads), 9);
}

static void thread_ends_first(uint64_t a)
{
    (void)a;
    put_word(DATA + 1024, 1);
    clone_to(THREAD, wakes_other);
    call(SYS_EXIT, 4);
}

static void the_first_threads_status_counts(void **state)
{
    (void)state;
    assert_int_equal(exit_of(thread_ends_first), 4);
}

static void execs(uint64_t a)
{
    static const char path[] = "/tmp/other";
    (void)a;
    put(DATA + 2048, path, sizeof path);
    put_word(DATA + 2100 - 4, DATA + 2048);
    put_word(DATA + 2104, 0);
    seen[0] = call(SYS_EXECVE, DATA + 2048, 0, 0);
}
static void execs_among_threads(uint64_t a)
{
    seen[0] = 0;
    for (int i = 0; i < 3; i++)
        clone_to(THREAD, sleeps_for_ever);
    execs(a);
}

static void nobody_comes_back_from_exec(void **state)
{
    (void)state;
    make_program("/tmp/other", leaves_seven);
    /* the fake goes on where exec left off: the new program's begin is that of its frame */
    assert_int_equal(exit_of(execs_among_threads), 7);
}

static void hostile(uint64_t a)
{
    (void)a;
    seen[0] = call(SYS_EXECVE, 8, 0, 0);
    put(DATA, "/tmp/program", sizeof "/tmp/program");
    seen[1] = call(SYS_EXECVE, DATA, UINT64_MAX, 0);
    seen[2] = clone_to(CLONE_THREAD, stopped);
    seen[3] = clone_to(1ull << 31 | CLONE_NEWNS, stopped);
    seen[4] = call(499);
    seen[5] = call(UINT64_MAX);
    seen[6] = call(SYS_KILL, 1 << 20, 0);
    seen[7] = call(SYS_RT_SIGACTION, SIGNAL_KILL, DATA, 0, 8);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    assert_int_equal(exit_of(hostile), 0);
    assert_int_equal(seen[0], -EFAULT);
    assert_int_equal(seen[1], -EFAULT);
    assert_int_equal(seen[2], -EINVAL);
    assert_int_equal(seen[3], -EINVAL);
    assert_int_equal(seen[4], -ENOSYS);
    assert_int_equal(seen[5], -ENOSYS);
    assert_int_equal(seen[6], -ESRCH);
    assert_int_equal(seen[7], -EINVAL);
}

/* ---- storage, and what an abend leaves -------------------------------------------------------------------------- */

static void forks_and_execs(uint64_t a)
{
    (void)a;
    for (int i = 0; i < 3; i++)
        fork_to(child_leaves_three);
    clone_to(THREAD, ends_all);
    call(SYS_WAIT4, UINT64_MAX, 0, 0);
    call(SYS_WAIT4, UINT64_MAX, 0, 0);
    call(SYS_EXIT_GROUP, 5);
}

/* With every amount of it: the program runs, or is refused or killed for the lack of it, and leaves nothing behind. */
static void too_little_storage_is_an_error_and_no_more(void **state)
{
    unsigned ran = 0, refused = 0;
    (void)state;
    make_program("/tmp/program", forks_and_execs);
    for (size_t bytes = 16 << 10; bytes < 1 << 20; bytes += 4096 + 48) {
        static const char *const words[] = {"program", NULL}, *const none[] = {NULL};
        void *hoard[600];
        unsigned hoards = 0;
        while (hoards < 600 && cms_frames_left() * FRAME_SIZE > bytes && (hoard[hoards] = cms_heap_allocate(32768)))
            hoards++;
        size_t heap = cms_heap_in_use(), frames = cms_frames_in_use();
        int error = process_run("/tmp/program", words, none, NULL, &end);
        ran += !error && !(end.status & 0x7f);
        refused += error != 0;
        if (error && error != -ENOMEM && error != -EIO)
            fail_msg("%zu bytes: %d", bytes, error);
        assert_int_equal(cms_heap_in_use(), heap);
        assert_true(cms_frames_in_use() <= frames);
        while (hoards)
            cms_heap_free(hoard[--hoards]);
        while (coroutine_count)
            free(coroutines[--coroutine_count]);
    }
    assert_true(ran && refused);
}

static struct wait_queue outside;
static int64_t wait_outside(const struct call *c) { (void)c; return cms_wait(&outside, WAIT_FOR_EVER); }
static void sleeps_outside(uint64_t a) { (void)a; seen[0] = wait_outside(NULL); }
static jmp_buf recovery;
static void abend(void)
{
    process_recover();
    cms_heap_free_commands();
    longjmp(recovery, 1);
}

/* The command level goes on as if nothing had run; queues of others are empty, and the next program runs. */
static void an_abend_forgets_all_that_ran(void **state)
{
    (void)state;
    if (!setjmp(recovery)) {
        on_nap = abend;
        run_program(sleeps_outside);
        fail_msg("it came back");
    }
    on_nap = NULL;
    assert_null(outside.first);
    assert_null(process_all);
    scene_storage();
    assert_int_equal(exit_of(leaves_seven), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_program_ends_with_its_status), T(what_cannot_be_run_is_refused_and_leaves_nothing),
        T(parents_learn_how_children_end), T(all_processes_of_a_command_end_with_it),
        T(a_halt_ends_what_sleeps_for_ever), T(orphans_become_the_systems), T(many_children_are_no_trouble),
        T(handlers_run), T(a_signal_without_handler_ends_it), T(a_signal_ends_a_sleep_and_the_rest_is_told),
        T(a_wait_goes_on_behind_a_handler_that_restarts), T(stops_and_continuations_are_told),
        T(threads_wake_each_other), T(one_thread_may_end_all), T(the_first_threads_status_counts),
        T(nobody_comes_back_from_exec), T(nonsense_is_refused),
        T(too_little_storage_is_an_error_and_no_more), T(an_abend_forgets_all_that_ran),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
