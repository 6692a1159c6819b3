/* Locks on files: ranges against a model of single bytes, and the calls that ask for them. */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include "cms/vfs/lock.h"
#include "tests/unit/syscall_scene.h"

static int setup(void **state)
{
    (void)state;
    lock_forget_all();
    scene_begin();
    return 0;
}

/* ---- ranges ------------------------------------------------------------------------------------------------------ */

enum { BYTES = 24, OWNERS = 4 }; /* two processes, two open files */

static const char names[OWNERS];
static enum lock_type model[OWNERS][BYTES]; /* the last byte stands for all to the end */

static bool model_conflicts(unsigned owner, enum lock_type type, unsigned first, unsigned last)
{
    for (unsigned other = 0; other < OWNERS; other++)
        for (unsigned b = first; b <= last && other != owner; b++)
            if (model[other][b] == LOCK_EXCLUSIVE || (model[other][b] == LOCK_SHARED && type == LOCK_EXCLUSIVE))
                return true;
    return false;
}

static enum lock_type type_in(const struct lock *list, unsigned owner, uint64_t byte)
{
    enum lock_type type = LOCK_NONE;
    unsigned found = 0;
    for (; list; list = list->next)
        if (list->owner == &names[owner] && list->first <= byte && byte <= list->last) {
            type = list->type;
            found++;
        }
    assert_in_range(found, 0, 1);
    return type;
}

/* Ranges of one owner and type neither overlap nor touch, and the list is in order. */
static void assert_tidy(const struct lock *list)
{
    for (const struct lock *a = list; a; a = a->next) {
        assert_true(a->first <= a->last && (!a->next || a->first <= a->next->first));
        for (const struct lock *b = a->next; b; b = b->next)
            if (a->owner == b->owner && a->type == b->type)
                assert_true(a->last + 1 < b->first);
    }
}

static void ranges_are_what_a_model_of_bytes_says(void **state)
{
    struct lock *list = NULL;
    (void)state;
    srand(7);
    for (unsigned i = 0; i < OWNERS * BYTES; i++)
        model[i / BYTES][i % BYTES] = LOCK_NONE;
    for (unsigned step = 0; step < 30000; step++) {
        unsigned owner = (unsigned)rand() % OWNERS, first = (unsigned)rand() % BYTES;
        unsigned last = first + (unsigned)rand() % (BYTES - first);
        struct lock want = {.kind = owner < 2 ? LOCK_OF_PROCESS : LOCK_OF_OPENING, .owner = &names[owner],
                            .type = (enum lock_type)(rand() % 3), .first = first,
                            .last = last == BYTES - 1 ? LOCK_TO_END : last};
        bool conflicts = want.type != LOCK_NONE && model_conflicts(owner, want.type, first, last);
        assert_int_equal(lock_list_conflict(list, &want) != NULL, conflicts);
        if (conflicts)
            continue;
        if (step % 500 == 499) {
            lock_list_drop(&list, want.kind, want.owner);
            want.type = LOCK_NONE, first = 0, last = BYTES - 1;
        } else {
            assert_int_equal(lock_list_set(&list, &want), 0);
        }
        for (unsigned b = first; b <= last; b++)
            model[owner][b] = want.type;
        for (unsigned o = 0; o < OWNERS; o++)
            for (unsigned b = 0; b < BYTES; b++)
                assert_int_equal(type_in(list, o, b == BYTES - 1 ? LOCK_TO_END : b), model[o][b]);
        assert_tidy(list);
    }
    for (unsigned o = 0; o < OWNERS; o++)
        lock_list_drop(&list, o < 2 ? LOCK_OF_PROCESS : LOCK_OF_OPENING, &names[o]);
    assert_null(list);
    assert_int_equal(lock_list_count(), 0);
}

static void too_many_are_refused_and_nothing_is_changed(void **state)
{
    struct lock *list = NULL, want = {.type = LOCK_SHARED, .owner = &names[0]};
    (void)state;
    for (unsigned i = 0; i < LOCKS_MAX; i++) {
        want.first = want.last = (LOCKS_MAX - i) * 4;
        want.last++;
        assert_int_equal(lock_list_set(&list, &want), 0);
    }
    want.first = want.last = 1;
    assert_int_equal(lock_list_set(&list, &want), -ENOLCK);
    lock_list_drop(&list, want.kind, want.owner);
    want.last = 100;
    assert_int_equal(lock_list_set(&list, &want), 0);
    assert_int_equal(lock_list_count(), 1);
    lock_list_drop(&list, want.kind, want.owner);
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static struct files *first, *second; /* of two processes */

static void become(struct files *files)
{
    here.files = files;
    fake_caller_process = files == first ? 1 : 2;
}

static void two_processes(void)
{
    first = here.files;
    second = files_make();
    for (int i = 0; i < 2; i++) {
        become(i ? second : first);
        assert_int_equal(DO(open, A("/tmp/f"), ABI_O_RDWR | ABI_O_CREAT, 0666), 0);
    }
    become(first);
}

static int64_t control(unsigned command, int16_t type, int64_t start, int64_t length)
{
    struct flock l = {.l_type = type, .l_start = start, .l_len = length};
    return DO(fcntl, 0, command, A(&l));
}

static void a_process_keeps_another_out(void **state)
{
    struct flock l = {.l_type = F_RDLCK, .l_start = 5};
    (void)state;
    two_processes();
    assert_int_equal(control(F_SETLK, F_WRLCK, 10, 10), 0);
    assert_int_equal(control(F_SETLK, F_WRLCK, 30, 0), 0);
    become(second);
    assert_int_equal(control(F_SETLK, F_RDLCK, 19, 1), -EAGAIN);
    assert_int_equal(control(F_SETLK, F_RDLCK, 20, 10), 0);
    assert_int_equal(DO(fcntl, 0, F_GETLK, A(&l)), 0);
    assert_true(l.l_type == F_WRLCK && l.l_start == 10 && l.l_len == 10 && l.l_pid == 1);
    l = (struct flock){.l_type = F_RDLCK, .l_start = 40};
    assert_int_equal(DO(fcntl, 0, F_GETLK, A(&l)), 0);
    assert_true(l.l_type == F_WRLCK && l.l_start == 30 && l.l_len == 0);
    l = (struct flock){.l_type = F_WRLCK, .l_start = 20, .l_len = 2};
    assert_int_equal(DO(fcntl, 0, F_GETLK, A(&l)), 0);
    assert_true(l.l_type == F_UNLCK && l.l_start == 20 && l.l_len == 2);
    become(first);
    assert_int_equal(DO(dup, 0), 1);
    assert_int_equal(DO(close, 1), 0); /* any of its descriptors */
    become(second);
    assert_int_equal(control(F_SETLK, F_WRLCK, 0, 0), 0);
    files_let_go(second); /* its end */
    become(first);
    assert_int_equal(control(F_SETLK, F_WRLCK, 0, 0), 0);
    assert_int_equal(DO(close, 0), 0);
    assert_int_equal(lock_list_count(), 0);
}

static void what_is_asked_is_judged(void **state)
{
    struct flock l = {.l_type = F_WRLCK};
    (void)state;
    two_processes();
    assert_int_equal(DO(fcntl, 0, F_SETLK, BAD), -EFAULT);
    assert_int_equal(DO(fcntl, 0, F_GETLK, BAD), -EFAULT);
    assert_int_equal(control(F_SETLK, 3, 0, 0), -EINVAL);
    assert_int_equal(control(F_SETLK, -1, 0, 0), -EINVAL);
    assert_int_equal(control(F_GETLK, F_UNLCK, 0, 0), -EINVAL);
    assert_int_equal(control(F_SETLK, F_WRLCK, -1, 0), -EINVAL);
    assert_int_equal(control(F_SETLK, F_WRLCK, 5, -6), -EINVAL);
    assert_int_equal(control(F_SETLK, F_WRLCK, 5, INT64_MIN), -EINVAL);
    assert_int_equal(control(F_SETLK, F_WRLCK, 2, INT64_MAX), -EOVERFLOW);
    l.l_whence = 3;
    assert_int_equal(DO(fcntl, 0, F_SETLK, A(&l)), -EINVAL);
    l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = INT64_MAX};
    assert_int_equal(DO(write, 0, A("1234567"), 7), 7);
    assert_int_equal(DO(fcntl, 0, F_SETLK, A(&l)), -EOVERFLOW);
    l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = -2, .l_len = -3};
    assert_int_equal(DO(fcntl, 0, F_SETLK, A(&l)), 0);
    become(second);
    l = (struct flock){.l_type = F_WRLCK};
    assert_int_equal(DO(fcntl, 0, F_GETLK, A(&l)), 0);
    assert_true(l.l_start == 2 && l.l_len == 3);
    l.l_pid = 1;
    assert_int_equal(DO(fcntl, 0, F_OFD_SETLK, A(&l)), -EINVAL);
    assert_int_equal(DO(open, A("/tmp/f"), ABI_O_RDONLY), 1);
    l = (struct flock){.l_type = F_WRLCK};
    assert_int_equal(DO(fcntl, 1, F_SETLK, A(&l)), -EBADF);
    assert_int_equal(DO(open, A("/tmp/f"), ABI_O_PATH), 2);
    assert_int_equal(DO(fcntl, 2, F_SETLK, A(&l)), -EBADF);
    assert_int_equal(DO(flock, 2, LOCK_SH), -EBADF);
    assert_int_equal(DO(flock, 0, 3), -EINVAL);
    assert_int_equal(DO(flock, 9, LOCK_SH), -EBADF);
}

static int other_unlocks(void)
{
    become(second);
    assert_int_equal(control(F_SETLK, F_UNLCK, 0, 0), 0);
    become(first);
    return 0;
}

/* The other process waits for what this one has while this one waits for what it has. */
static int other_wants_too(void)
{
    fake_wait = NULL;
    become(second);
    assert_int_equal(control(F_SETLKW, F_WRLCK, 0, 1), -EDEADLK);
    assert_int_equal(control(F_SETLK, F_WRLCK, 0, 1), -EAGAIN);
    become(first);
    return -EINTR;
}

static void who_must_wait_waits(void **state)
{
    (void)state;
    two_processes();
    assert_int_equal(control(F_SETLK, F_WRLCK, 0, 1), 0);
    become(second);
    assert_int_equal(control(F_SETLK, F_WRLCK, 1, 1), 0);
    become(first);
    fake_wait = other_wants_too;
    assert_int_equal(control(F_SETLKW, F_WRLCK, 1, 1), -EINTR);
    fake_wait = other_unlocks;
    fake_waits = 0;
    assert_int_equal(control(F_SETLKW, F_WRLCK, 1, 1), 0);
    assert_int_equal(fake_waits, 1);
    assert_true(fake_wakes > 0);
}

static int descriptor_goes(void)
{
    other_unlocks();
    assert_int_equal(DO(close, 0), 0);
    return 0;
}

static void a_lock_got_behind_a_close_is_given_back(void **state)
{
    (void)state;
    two_processes();
    become(second);
    assert_int_equal(control(F_SETLK, F_WRLCK, 0, 0), 0);
    become(first);
    fake_wait = descriptor_goes;
    assert_int_equal(control(F_SETLKW, F_WRLCK, 0, 0), -EBADF);
    assert_int_equal(lock_list_count(), 0);
}

static void open_files_have_locks_of_their_own(void **state)
{
    struct flock l = {.l_type = F_WRLCK};
    (void)state;
    two_processes();
    assert_int_equal(DO(open, A("/tmp/f"), ABI_O_RDWR), 1);
    assert_int_equal(control(F_OFD_SETLK, F_WRLCK, 0, 5), 0);
    assert_int_equal(DO(fcntl, 1, F_OFD_SETLK, A(&l)), -EAGAIN);
    assert_int_equal(DO(fcntl, 1, F_SETLK, A(&l)), -EAGAIN); /* and in the way of processes', their own too */
    assert_int_equal(DO(fcntl, 1, F_OFD_GETLK, A(&l)), 0);
    assert_true(l.l_pid == -1 && l.l_len == 5);
    assert_int_equal(DO(flock, 1, LOCK_EX | LOCK_NB), 0); /* which sees only its like */
    assert_int_equal(DO(flock, 0, LOCK_SH | LOCK_NB), -EAGAIN);
    assert_int_equal(DO(dup, 1), 2);
    assert_int_equal(DO(close, 1), 0);
    assert_int_equal(DO(flock, 0, LOCK_SH | LOCK_NB), -EAGAIN); /* it is still open */
    assert_int_equal(DO(flock, 2, LOCK_SH | LOCK_NB), 0);
    assert_int_equal(DO(flock, 0, LOCK_SH | LOCK_NB), 0);
    assert_int_equal(DO(flock, 2, LOCK_EX | LOCK_NB), -EAGAIN); /* and has lost what it had */
    assert_int_equal(DO(flock, 0, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(DO(flock, 0, LOCK_UN), 0);
    assert_int_equal(lock_list_count(), 1);
    assert_int_equal(DO(close, 0), 0);
    assert_int_equal(lock_list_count(), 0);
    l = (struct flock){.l_type = F_WRLCK};
    assert_int_equal(DO(fcntl, 2, F_OFD_SETLKW, A(&l)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ranges_are_what_a_model_of_bytes_says, setup),
        cmocka_unit_test_setup(too_many_are_refused_and_nothing_is_changed, setup),
        cmocka_unit_test_setup(a_process_keeps_another_out, setup),
        cmocka_unit_test_setup(what_is_asked_is_judged, setup),
        cmocka_unit_test_setup(who_must_wait_waits, setup),
        cmocka_unit_test_setup(a_lock_got_behind_a_close_is_given_back, setup),
        cmocka_unit_test_setup(open_files_have_locks_of_their_own, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
