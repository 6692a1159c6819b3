/* Waiting for files: poll, select, epoll, eventfd. */
#include "tests/unit/syscall_scene.h"

static int32_t p[2];

struct entry {
    int32_t descriptor;
    int16_t wanted, got;
};
struct event {
    uint32_t events;
    uint64_t data;
} __attribute__((packed));

static int setup(void **state)
{
    (void)state;
    scene_begin();
    DO(pipe, A(p));
    return 0;
}

static int something_is_written(void)
{
    DO(write, (uint64_t)p[1], A("x"), 1);
    return 0;
}

static int time_runs_out(void) { return fake_wait_now += 10000000, -ETIMEDOUT; }

static void poll_tells_what_is_ready_and_waits_for_it(void **state)
{
    struct entry e[] = {{p[0], ABI_POLLIN, -1}, {p[1], ABI_POLLOUT, 0}, {-1, ABI_POLLIN, -1}, {99, ABI_POLLIN, 0}};
    (void)state;
    assert_int_equal(DO(poll, A(e), 3, (uint64_t)-1), 1);
    assert_int_equal(e[0].got, 0);
    assert_int_equal(e[1].got, ABI_POLLOUT);
    assert_int_equal(e[2].got, 0);
    assert_int_equal(DO(poll, A(e), 4, 0), 2);
    assert_int_equal(e[3].got, ABI_POLLNVAL);
    assert_int_equal(DO(poll, A(e), 1, (uint64_t)-1), -EINTR);
    assert_int_equal(self_thread.interrupted, INTERRUPTED_NO_HANDLER);
    fake_wait = time_runs_out;
    assert_int_equal(DO(poll, A(e), 1, 5), 0);
    fake_wait = something_is_written;
    assert_int_equal(DO(poll, A(e), 1, (uint64_t)-1), 1);
    assert_int_equal(e[0].got, ABI_POLLIN);
    assert_int_equal(DO(poll, A(e), 5000, 0), -EINVAL);
    int64_t time[2] = {0, 1000000000}, mask = 0x55;
    assert_int_equal(DO(ppoll, A(e), 1, A(time), A(&mask), 8), -EINVAL);
    time[1] = 7;
    assert_int_equal(DO(ppoll, A(e), 1, A(time), A(&mask), 8), 1);
    assert_int_equal(blocked_meanwhile, 0x55);
    assert_int_equal(DO(ppoll, A(e), 1, A(time), A(&mask), 4), -EINVAL);
}

static void select_does_the_same_with_sets(void **state)
{
    uint64_t in[16] = {1u << p[0]}, out[16] = {1u << p[1]};
    int64_t time[2] = {0, 0};
    (void)state;
    assert_int_equal(DO(select, 8, A(in), A(out), 0, 0), 1);
    assert_int_equal(in[0], 0);
    assert_int_equal(out[0], 1u << p[1]);
    in[0] = 1u << p[0];
    assert_int_equal(DO(select, 8, A(in), 0, 0, A(time)), 0);
    in[0] = 1u << 30;
    assert_int_equal(DO(select, 32, A(in), 0, 0, A(time)), -EBADF);
    in[0] = 1u << p[0];
    something_is_written();
    assert_int_equal(DO(pselect6, 8, A(in), 0, 0, 0, 0), 1);
    assert_int_equal(in[0], 1u << p[0]);
    assert_int_equal(DO(select, (uint64_t)-1, 0, 0, 0, 0), -EINVAL);
    time[0] = -1;
    assert_int_equal(DO(select, 0, 0, 0, 0, A(time)), -EINVAL);
}

static void epoll_keeps_a_list_of_files(void **state)
{
    struct event e = {ABI_POLLIN, 77}, got[4];
    uint64_t in = (uint64_t)p[0];
    (void)state;
    uint64_t ep = (uint64_t)DO(epoll_create1, ABI_O_CLOEXEC);
    assert_int_equal(DO(epoll_ctl, ep, 1, in, A(&e)), 0);
    assert_int_equal(DO(epoll_ctl, ep, 1, in, A(&e)), -EEXIST);
    assert_int_equal(DO(epoll_ctl, ep, 1, ep, A(&e)), -EINVAL);
    assert_int_equal(DO(epoll_ctl, ep, 2, 55, A(&e)), -EBADF);
    assert_int_equal(DO(epoll_wait, ep, A(got), 4, 0), 0);
    fake_wait = something_is_written;
    assert_int_equal(DO(epoll_wait, ep, A(got), 4, (uint64_t)-1), 1);
    assert_int_equal(got[0].events, ABI_POLLIN);
    assert_int_equal(got[0].data, 77);
    assert_int_equal(DO(epoll_wait, ep, A(got), 4, 0), 1); /* level-triggered: again */
    e.events = ABI_POLLIN | 1u << 31;
    assert_int_equal(DO(epoll_ctl, ep, 3, in, A(&e)), 0);
    assert_int_equal(DO(epoll_wait, ep, A(got), 4, 0), 1);
    assert_int_equal(DO(epoll_wait, ep, A(got), 4, 0), 0); /* edge-triggered: once */
    e.events = ABI_POLLIN | 1u << 30;
    assert_int_equal(DO(epoll_ctl, ep, 3, in, A(&e)), 0);
    assert_int_equal(DO(epoll_wait, ep, A(got), 4, 0), 1);
    assert_int_equal(DO(epoll_wait, ep, A(got), 4, 0), 0); /* one shot */
    assert_int_equal(DO(epoll_ctl, ep, 2, in, 0), 0);
    assert_int_equal(DO(epoll_ctl, ep, 2, in, 0), -ENOENT);
    assert_int_equal(DO(epoll_wait, ep, A(got), 0, 0), -EINVAL);
    e.events = ABI_POLLIN;
    DO(epoll_ctl, ep, 1, in, A(&e));
    DO(close, in); /* and so the pipe has no reader, although the list had it */
    assert_int_equal(DO(write, (uint64_t)p[1], A("x"), 1), -EPIPE);
    assert_int_equal(DO(epoll_wait, ep, A(got), 4, 0), 0);
    int64_t f = DO(open, A("/tmp/f"), ABI_O_CREAT | ABI_O_RDWR, 0600);
    assert_int_equal(DO(epoll_ctl, ep, 1, (uint64_t)f, A(&e)), -EPERM);
    assert_int_equal(DO(close, ep), 0);
}

static void an_epoll_may_watch_another_but_not_for_ever(void **state)
{
    struct event e = {ABI_POLLIN, 1}, got[1];
    (void)state;
    uint64_t a = (uint64_t)DO(epoll_create, 1), b = (uint64_t)DO(epoll_create, 1);
    assert_int_equal(DO(epoll_ctl, a, 1, b, A(&e)), 0);
    assert_int_equal(DO(epoll_ctl, b, 1, a, A(&e)), -ELOOP); /* or neither would ever be closed */
    assert_int_equal(DO(epoll_ctl, b, 1, a, A(&e)), -ELOOP);
    assert_int_equal(DO(epoll_wait, a, A(got), 1, 0), 0);
    assert_int_equal(DO(epoll_ctl, b, 1, (uint64_t)p[0], A(&e)), 0);
    something_is_written();
    assert_int_equal(DO(epoll_wait, a, A(got), 1, 0), 1);
}

static void a_chain_of_epolls_ends(void **state)
{
    struct event e = {ABI_POLLIN, 1};
    int64_t status = 0;
    unsigned depth = 0;
    (void)state;
    uint64_t at = (uint64_t)DO(epoll_create, 1);
    for (; !status && depth < 9; depth++) {
        uint64_t below = (uint64_t)DO(epoll_create, 1);
        status = DO(epoll_ctl, at, 1, below, A(&e));
        at = below;
    }
    assert_int_equal(status, -ELOOP);
    assert_int_equal(depth, 5);
}

/* Five levels, each of which has the one below by a hundred descriptors. */
static void epolls_of_many_of_the_same_are_looked_at_once(void **state)
{
    enum { WIDE = 100 };
    struct event e = {ABI_POLLIN, 1}, got[1];
    uint64_t below = (uint64_t)p[0];
    (void)state;
    for (unsigned level = 0; level < 5; level++) {
        uint64_t at = (uint64_t)DO(epoll_create, 1);
        for (unsigned i = 0; i < WIDE; i++)
            assert_int_equal(DO(epoll_ctl, at, 1, (uint64_t)DO(dup, below), A(&e)), 0);
        below = at;
    }
    assert_int_equal(DO(epoll_wait, below, A(got), 1, 0), 0);
    something_is_written();
    assert_int_equal(DO(epoll_wait, below, A(got), 1, 0), 1);
}

static void an_eventfd_counts(void **state)
{
    uint64_t n = 3;
    (void)state;
    uint64_t f = (uint64_t)DO(eventfd2, 2, ABI_O_NONBLOCK), s = (uint64_t)DO(eventfd2, 2, 1);
    assert_int_equal(DO(write, f, A(&n), 8), 8);
    assert_int_equal(DO(read, f, A(&n), 8), 8);
    assert_int_equal(n, 5);
    assert_int_equal(DO(read, f, A(&n), 8), -EAGAIN);
    assert_int_equal(DO(read, f, A(&n), 4), -EINVAL);
    assert_int_equal(DO(read, s, A(&n), 8), 8);
    assert_int_equal(n, 1);
    n = UINT64_MAX;
    assert_int_equal(DO(write, f, A(&n), 8), -EINVAL);
    n = UINT64_MAX - 1;
    assert_int_equal(DO(write, f, A(&n), 8), 8);
    n = 1;
    assert_int_equal(DO(write, f, A(&n), 8), -EAGAIN);
    assert_int_equal(DO(eventfd2, 0, 2), -EINVAL);
}

static void a_memfd_is_a_file_without_a_name(void **state)
{
    char back[8];
    (void)state;
    uint64_t f = (uint64_t)DO(memfd_create, A("any"), 1);
    assert_int_equal(DO(fcntl, f, 1), 1);
    assert_int_equal(DO(write, f, A("abc"), 3), 3);
    assert_int_equal(DO(pread64, f, A(back), 8, 0), 3);
    assert_int_equal(DO(memfd_create, A("any"), 64), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(poll_tells_what_is_ready_and_waits_for_it, setup),
        cmocka_unit_test_setup(select_does_the_same_with_sets, setup),
        cmocka_unit_test_setup(epoll_keeps_a_list_of_files, setup),
        cmocka_unit_test_setup(an_epoll_may_watch_another_but_not_for_ever, setup),
        cmocka_unit_test_setup(a_chain_of_epolls_ends, setup),
        cmocka_unit_test_setup(epolls_of_many_of_the_same_are_looked_at_once, setup),
        cmocka_unit_test_setup(an_eventfd_counts, setup),
        cmocka_unit_test_setup(a_memfd_is_a_file_without_a_name, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
