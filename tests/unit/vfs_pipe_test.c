/* Pipes and tables of descriptors. */
#include "cms/kernel/frame.h"
#include "tests/unit/vfs_scene.h"

static struct file *end[2];

static int setup(void **state)
{
    (void)state;
    scene_begin();
    assert_int_equal(vfs_pipe(end, 0), 0);
    return 0;
}

static void bytes_come_out_as_they_went_in(void **state)
{
    static char in[50000], out[50000];
    (void)state;
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (char)(i * 31);
    size_t before = cms_frames_in_use();
    for (int round = 0; round < 20; round++) {
        size_t n = 49999 - (size_t)round * 997;
        assert_int_equal(put_bytes(end[1], in, n), n);
        assert_int_equal(get_bytes(end[0], out, 10), 10);
        assert_int_equal(get_bytes(end[0], out + 10, sizeof out), n - 10);
        assert_memory_equal(in, out, n);
    }
    assert_int_equal(cms_frames_in_use(), before);
    file_let_go(end[0]);
    file_let_go(end[1]);
}

static int read_some(void)
{
    char out[5000];
    assert_true(get_bytes(end[0], out, sizeof out) > 0);
    return 0;
}

static void who_writes_too_much_waits_for_who_reads(void **state)
{
    static char in[200000];
    (void)state;
    fake_wait = read_some;
    assert_int_equal(put_bytes(end[1], in, sizeof in), sizeof in);
    assert_true(fake_waits > 10);
}

static void up_to_4096_bytes_go_in_together(void **state)
{
    static char in[65536];
    char out[10];
    (void)state;
    end[1]->flags |= ABI_O_NONBLOCK;
    int64_t n = put_bytes(end[1], in, 65536);
    assert_int_equal(n, 65536);
    assert_int_equal(put_bytes(end[1], in, 1), -EAGAIN);
    get_bytes(end[0], out, 10);
    assert_int_equal(put_bytes(end[1], in, 4096), -EAGAIN);
    assert_int_equal(put_bytes(end[1], in, 60000) < 60000, true);
}

static void a_pipe_that_says_65536_holds_them_a_page_at_a_time(void **state)
{
    static char page[4096];
    struct wait_queue *queue;
    (void)state;
    for (int i = 0; i < 16; i++) {
        assert_true(end[1]->operations->poll(end[1], &queue) & ABI_POLLOUT);
        assert_int_equal(put_bytes(end[1], page, sizeof page), sizeof page);
    }
    assert_false(end[1]->operations->poll(end[1], &queue) & ABI_POLLOUT);
    end[1]->flags |= ABI_O_NONBLOCK;
    assert_int_equal(get_bytes(end[0], page, 4095), 4095);
    assert_int_equal(put_bytes(end[1], page, 1), -EAGAIN);
    assert_int_equal(get_bytes(end[0], page, 1), 1);
    assert_int_equal(put_bytes(end[1], page, sizeof page), sizeof page);
    assert_int_equal(put_bytes(end[1], page, 1), -EAGAIN);
}

static void no_writer_is_the_end_and_no_reader_a_signal(void **state)
{
    char c;
    (void)state;
    put_text(end[1], "last");
    file_let_go(end[1]);
    assert_int_equal(get_bytes(end[0], &c, 1), 1);
    char rest[8];
    assert_int_equal(get_bytes(end[0], rest, 8), 3);
    assert_int_equal(get_bytes(end[0], rest, 8), 0);
    file_let_go(end[0]);
    vfs_pipe(end, 0);
    file_let_go(end[0]);
    assert_int_equal(put_text(end[1], "x"), -EPIPE);
    assert_int_equal(fake_caller_signals[ABI_SIGPIPE], 1);
}

static void an_empty_pipe_makes_wait_or_says_again(void **state)
{
    char c;
    struct wait_queue *queue;
    (void)state;
    assert_int_equal(get_bytes(end[0], &c, 1), -EINTR);
    assert_int_equal(get_bytes(end[0], &c, 0), 0);
    end[0]->flags |= ABI_O_NONBLOCK;
    assert_int_equal(get_bytes(end[0], &c, 1), -EAGAIN);
    assert_int_equal(end[0]->operations->poll(end[0], &queue), 0);
    assert_true(end[1]->operations->poll(end[1], &queue) & ABI_POLLOUT);
    put_text(end[1], "x");
    assert_true(end[0]->operations->poll(end[0], &queue) & ABI_POLLIN);
    file_let_go(end[1]);
    assert_true(end[0]->operations->poll(end[0], &queue) & ABI_POLLHUP);
}

static void descriptors_are_the_lowest_that_are_free(void **state)
{
    (void)state;
    struct files *t = here.files;
    assert_int_equal(files_add(t, end[0], 0, false), 0);
    assert_int_equal(files_add(t, end[1], 0, true), 1);
    file_hold(end[1]);
    assert_int_equal(files_add(t, end[1], 10, false), 10);
    file_hold(end[1]);
    assert_int_equal(files_add(t, end[1], 0, false), 2);
    assert_int_equal(files_close(t, 1), 0);
    assert_int_equal(files_close(t, 1), -EBADF);
    file_hold(end[0]);
    assert_int_equal(files_put(t, 10, end[0], true), 10);
    assert_int_equal(end[1]->users, 1);
    file_hold(end[0]);
    assert_int_equal(files_put(t, FILES_MAX, end[0], true), -EBADF);
    struct files *copy = files_copy(t);
    files_close_on_exec(t);
    assert_null(files_get(t, 10));
    assert_non_null(files_get(copy, 10));
    assert_true(files_closes_on_exec(copy, 10));
    files_let_go(copy);
    for (int i = 0; i < FILES_MAX - 2; i++) {
        file_hold(end[0]);
        assert_true(files_add(t, end[0], 0, false) > 0);
    }
    file_hold(end[0]);
    assert_int_equal(files_add(t, end[0], 0, false), -EMFILE);
    files_let_go(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bytes_come_out_as_they_went_in, setup),
        cmocka_unit_test_setup(who_writes_too_much_waits_for_who_reads, setup),
        cmocka_unit_test_setup(up_to_4096_bytes_go_in_together, setup),
        cmocka_unit_test_setup(a_pipe_that_says_65536_holds_them_a_page_at_a_time, setup),
        cmocka_unit_test_setup(no_writer_is_the_end_and_no_reader_a_signal, setup),
        cmocka_unit_test_setup(an_empty_pipe_makes_wait_or_says_again, setup),
        cmocka_unit_test_setup(descriptors_are_the_lowest_that_are_free, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
