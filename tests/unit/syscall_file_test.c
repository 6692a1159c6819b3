/* The calls about files, as a program makes them. */
#include "tests/unit/syscall_scene.h"

static const uint64_t HERE = (uint64_t)ABI_AT_FDCWD;

static int setup(void **state)
{
    (void)state;
    scene_begin();
    return 0;
}

static int64_t open_to_write(const char *path)
{
    return DO(open, A(path), ABI_O_RDWR | ABI_O_CREAT | ABI_O_TRUNC, 0666);
}

static void bytes_are_written_read_and_sought(void **state)
{
    char back[16] = "";
    (void)state;
    assert_int_equal(open_to_write("/tmp/f"), 0);
    assert_int_equal(DO(write, 0, A("hello world"), 11), 11);
    assert_int_equal(DO(lseek, 0, 0, ABI_SEEK_SET), 0);
    assert_int_equal(DO(read, 0, A(back), 5), 5);
    assert_string_equal(back, "hello");
    assert_int_equal(DO(lseek, 0, 1, ABI_SEEK_CUR), 6);
    assert_int_equal(DO(pread64, 0, A(back), 4, 7), 4);
    assert_memory_equal(back, "orld", 4);
    assert_int_equal(DO(pwrite64, 0, A("X"), 1, 0), 1);
    assert_int_equal(DO(lseek, 0, 0, ABI_SEEK_CUR), 6);
    assert_int_equal(DO(lseek, 0, (uint64_t)-2, ABI_SEEK_END), 9);
    assert_int_equal(DO(lseek, 0, (uint64_t)-20, ABI_SEEK_END), -EINVAL);
    assert_int_equal(DO(lseek, 0, 3, ABI_SEEK_DATA), 3);
    assert_int_equal(DO(lseek, 0, 3, ABI_SEEK_HOLE), 11);
    assert_int_equal(DO(lseek, 0, 11, ABI_SEEK_DATA), -ENXIO);
    assert_int_equal(DO(lseek, 0, 0, 9), -EINVAL);
    assert_int_equal(DO(pread64, 0, A(back), 4, (uint64_t)-1), -EINVAL);
    assert_int_equal(DO(read, 7, A(back), 4), -EBADF);
    assert_int_equal(DO(read, 0, A(back), 4), 0);
    assert_int_equal(DO(close, 0), 0);
    assert_int_equal(DO(close, 0), -EBADF);
    assert_file("/tmp/f", "Xello world");
}

static void addresses_that_nobody_has_are_refused(void **state)
{
    char back[8];
    (void)state;
    open_to_write("/tmp/f");
    assert_int_equal(DO(write, 0, BAD, 5), -EFAULT);
    assert_int_equal(DO(write, 0, A("12345"), 5), 5);
    assert_int_equal(DO(pread64, 0, BAD, 5, 0), -EFAULT);
    assert_int_equal(DO(open, BAD, 0, 0), -EFAULT);
    assert_int_equal(DO(stat, A("/tmp/f"), BAD), -EFAULT);
    assert_int_equal(DO(fstat, 0, BAD), -EFAULT);
    assert_int_equal(DO(pipe, BAD), -EFAULT);
    assert_null(files_get(here.files, 1));
    assert_int_equal(DO(getcwd, BAD, 100), -EFAULT);
    assert_int_equal(DO(readv, 0, BAD, 1), -EFAULT);
    assert_int_equal(DO(poll, BAD, 1, 0), -EFAULT);
    assert_int_equal(DO(select, 1, BAD, 0, 0, 0), -EFAULT);
    assert_int_equal(DO(utimensat, HERE, A("/tmp/f"), BAD, 0), -EFAULT);
    assert_int_equal(DO(rename, A("/tmp/f"), BAD), -EFAULT);
    assert_int_equal(DO(statx, HERE, A("/tmp/f"), 0, 0x7ff, BAD), -EFAULT);
    assert_int_equal(DO(pread64, 0, A(back), 5, 0), 5);
}

static void lists_of_ranges_are_one_transfer(void **state)
{
    char a[4] = "", b[4] = "";
    struct {
        uint64_t at, bytes;
    } out[] = {{A("one"), 3}, {BAD, 0}, {A("two"), 3}}, in[] = {{A(a), 3}, {A(b), 3}},
      big[] = {{BAD, 1ull << 62}, {BAD, 1ull << 62}};
    (void)state;
    open_to_write("/tmp/f");
    assert_int_equal(DO(writev, 0, A(out), 3), 6);
    assert_int_equal(DO(preadv, 0, A(in), 2, 0), 6);
    assert_string_equal(a, "one");
    assert_string_equal(b, "two");
    assert_int_equal(DO(writev, 0, A(big), 2), -EINVAL);
    assert_int_equal(DO(writev, 0, A(out), 1025), -EINVAL);
    assert_int_equal(DO(writev, 0, A(out), 0), 0);
    assert_int_equal(DO(preadv2, 0, A(in), 2, (uint64_t)-1, 0, 0), 0);
    assert_int_equal(DO(preadv2, 0, A(in), 2, 0, 0, 0x100), -EOPNOTSUPP);
}

static void descriptors_are_duplicated_and_closed_by_range(void **state)
{
    (void)state;
    open_to_write("/tmp/f");
    assert_int_equal(DO(dup, 0), 1);
    assert_int_equal(DO(dup2, 0, 5), 5);
    assert_int_equal(DO(dup2, 0, 0), 0);
    assert_int_equal(DO(dup2, 9, 9), -EBADF);
    assert_int_equal(DO(dup3, 0, 0, 0), -EINVAL);
    assert_int_equal(DO(dup3, 0, 6, ABI_O_CLOEXEC), 6);
    assert_int_equal(DO(fcntl, 6, 1), 1);
    assert_int_equal(DO(fcntl, 6, 2, 0), 0);
    assert_int_equal(DO(fcntl, 6, 1), 0);
    assert_int_equal(DO(fcntl, 0, 0, 3), 3);
    assert_int_equal(DO(fcntl, 0, 1030, 3), 4);
    assert_int_equal(DO(fcntl, 0, 0, 5000), -EINVAL);
    assert_int_equal(DO(fcntl, 0, 3), ABI_O_RDWR);
    assert_int_equal(DO(fcntl, 0, 4, ABI_O_APPEND | ABI_O_NONBLOCK | ABI_O_CREAT), 0);
    assert_int_equal(DO(fcntl, 1, 3), ABI_O_RDWR | ABI_O_APPEND | ABI_O_NONBLOCK);
    assert_int_equal(DO(fcntl, 0, 777), -EINVAL);
    assert_int_equal(DO(close_range, 3, UINT32_MAX, 0), 0);
    assert_int_equal(DO(dup, 0), 2);
    assert_int_equal(DO(dup, 0), 3);
    assert_int_equal(DO(close_range, 3, 1, 0), -EINVAL);
}

static void facts_of_files_come_in_linux_structures(void **state)
{
    struct vfs_stat s;
    uint32_t x[64];
    (void)state;
    open_to_write("/tmp/f");
    DO(write, 0, A("12345"), 5);
    assert_int_equal(DO(fstat, 0, A(&s)), 0);
    assert_int_equal(s.size, 5);
    assert_int_equal(s.mode, ABI_S_IFREG | 0644);
    DO(symlink, A("f"), A("/tmp/l"));
    assert_int_equal(DO(lstat, A("/tmp/l"), A(&s)), 0);
    assert_int_equal(s.mode & ABI_S_IFMT, ABI_S_IFLNK);
    assert_int_equal(DO(stat, A("/tmp/l"), A(&s)), 0);
    assert_int_equal(s.size, 5);
    assert_int_equal(DO(newfstatat, 0, A(""), A(&s), ABI_AT_EMPTY_PATH), 0);
    assert_int_equal(DO(newfstatat, 0, A(""), A(&s), 0), -ENOENT);
    assert_int_equal(DO(newfstatat, HERE, A(""), A(&s), ABI_AT_EMPTY_PATH), 0);
    assert_int_equal(s.mode & ABI_S_IFMT, ABI_S_IFDIR);
    assert_int_equal(DO(statx, HERE, A("/tmp/f"), 0, 0x7ff, A(x)), 0);
    assert_int_equal(x[0], 0x7ff);
    assert_int_equal(x[10], 5);
    assert_int_equal(DO(chmod, A("/tmp/f"), 0755), 0);
    assert_int_equal(DO(access, A("/tmp/f"), ABI_X_OK), 0);
    assert_int_equal(DO(fchmod, 0, 0600), 0);
    assert_int_equal(DO(access, A("/tmp/f"), ABI_X_OK), -EACCES);
    assert_int_equal(DO(access, A("/tmp/f"), 8), -EINVAL);
    int64_t t[4] = {1000, 5, 2000, 6};
    assert_int_equal(DO(utimensat, HERE, A("/tmp/f"), A(t), 0), 0);
    DO(fstat, 0, A(&s));
    assert_int_equal(s.access_s, 1000);
    assert_int_equal(s.change_ns, 6);
    t[1] = 0x3ffffffe, t[2] = 3000, t[3] = 7;
    assert_int_equal(DO(utimensat, 0, 0, A(t), 0), 0);
    DO(fstat, 0, A(&s));
    assert_int_equal(s.access_s, 1000);
    assert_int_equal(s.change_s, 3000);
    assert_int_equal(DO(chown, A("/tmp/none"), 1, 1), -ENOENT);
    assert_int_equal(DO(ftruncate, 0, 3), 0);
    assert_int_equal(DO(truncate, A("/tmp/f"), (uint64_t)-1), -EINVAL);
    assert_int_equal(DO(fallocate, 0, 0, 0, 100), 0);
    assert_int_equal(DO(fallocate, 0, 0, 0, 0), -EINVAL);
    DO(fstat, 0, A(&s));
    assert_int_equal(s.size, 100);
}

static void directories_are_listed_piece_by_piece(void **state)
{
    static struct {
        uint64_t number, next;
        uint16_t length;
        char rest[60];
    } * e;
    char room[64];
    char names[256] = "";
    int64_t n;
    (void)state;
    DO(mkdir, A("/tmp/d"), 0777);
    write_file("/tmp/d/first", "");
    write_file("/tmp/d/second-name-is-longer", "");
    int64_t d = DO(open, A("/tmp/d"), ABI_O_RDONLY, 0);
    assert_int_equal(DO(getdents64, (uint64_t)d, A(room), 10), -EINVAL);
    while ((n = DO(getdents64, (uint64_t)d, A(room), sizeof room)) > 0)
        for (int64_t at = 0; at < n; at += e->length) {
            e = (void *)(room + at);
            strcat(names, (char *)e + 19);
            strcat(names, ((char *)e)[18] == 4 ? "/ " : " ");
        }
    assert_int_equal(n, 0);
    assert_string_equal(names, "./ ../ first second-name-is-longer ");
    assert_int_equal(DO(lseek, (uint64_t)d, 0, 0), 0);
    assert_true(DO(getdents, (uint64_t)d, A(room), sizeof room) > 0);
    assert_int_equal(room[((uint8_t *)room)[16] - 1], 4);
    int64_t f = DO(open, A("/tmp/d/first"), 0, 0);
    assert_int_equal(DO(getdents64, (uint64_t)f, A(room), sizeof room), -ENOTDIR);
}

static void paths_are_changed_by_calls(void **state)
{
    char path[64];
    (void)state;
    assert_int_equal(DO(mkdir, A("/tmp/d"), 0777), 0);
    assert_int_equal(DO(chdir, A("/tmp/d")), 0);
    assert_int_equal(DO(getcwd, A(path), sizeof path), 7);
    assert_string_equal(path, "/tmp/d");
    assert_int_equal(DO(getcwd, A(path), 6), -ERANGE);
    assert_int_equal(DO(close, (uint64_t)open_to_write("f")), 0);
    assert_int_equal(DO(link, A("f"), A("g")), 0);
    assert_int_equal(DO(rename, A("g"), A("h")), 0);
    assert_int_equal(DO(renameat2, HERE, A("f"), HERE, A("h"), ABI_RENAME_NOREPLACE), -EEXIST);
    assert_int_equal(DO(symlink, A("h"), A("l")), 0);
    assert_int_equal(DO(readlink, A("l"), A(path), sizeof path), 1);
    assert_int_equal(DO(readlink, A("h"), A(path), sizeof path), -EINVAL);
    assert_int_equal(DO(unlink, A("h")), 0);
    assert_int_equal(DO(unlinkat, HERE, A("../d"), ABI_AT_REMOVEDIR), -ENOTEMPTY);
    assert_int_equal(DO(mknod, A("n"), ABI_S_IFREG | 0600), 0);
    assert_int_equal(DO(mknod, A("c"), ABI_S_IFCHR | 0600), -EPERM);
    assert_int_equal(DO(umask, 077), 022);
    assert_int_equal(DO(umask, 022), 077);
    assert_int_equal(DO(chroot, A("/")), -EPERM);
}

static void files_are_copied_within_the_kernel(void **state)
{
    uint64_t offset = 2;
    int32_t p[2];
    char back[16];
    (void)state;
    write_file("/tmp/from", "0123456789");
    int64_t from = DO(open, A("/tmp/from"), 0, 0), to = open_to_write("/tmp/to");
    assert_int_equal(DO(sendfile, (uint64_t)to, (uint64_t)from, A(&offset), 5), 5);
    assert_int_equal(offset, 7);
    assert_int_equal(DO(copy_file_range, (uint64_t)from, 0, (uint64_t)to, 0, 100, 0), 10);
    assert_file("/tmp/to", "234560123456789");
    assert_int_equal(DO(pipe2, A(p), ABI_O_NONBLOCK), 0);
    DO(lseek, (uint64_t)from, 0, 0);
    assert_int_equal(DO(sendfile, (uint64_t)p[1], (uint64_t)from, 0, 4), 4);
    assert_int_equal(DO(read, (uint64_t)p[0], A(back), 16), 4);
    assert_int_equal(DO(lseek, (uint64_t)p[0], 0, 0), -ESPIPE);
    assert_int_equal(DO(pread64, (uint64_t)p[0], A(back), 1, 0), -ESPIPE);
    assert_int_equal(DO(copy_file_range, (uint64_t)p[0], 0, (uint64_t)to, 0, 100, 0), -EINVAL);
    assert_int_equal(DO(fcntl, (uint64_t)p[0], 1032), 65536);
    assert_int_equal(DO(fcntl, (uint64_t)p[0], 1031, 4096), 65536);
    assert_int_equal(DO(fcntl, (uint64_t)p[0], 1031, 1 << 20), -EPERM);
    assert_int_equal(DO(socket, 1, 1, 0), -EAFNOSUPPORT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bytes_are_written_read_and_sought, setup),
        cmocka_unit_test_setup(addresses_that_nobody_has_are_refused, setup),
        cmocka_unit_test_setup(lists_of_ranges_are_one_transfer, setup),
        cmocka_unit_test_setup(descriptors_are_duplicated_and_closed_by_range, setup),
        cmocka_unit_test_setup(facts_of_files_come_in_linux_structures, setup),
        cmocka_unit_test_setup(directories_are_listed_piece_by_piece, setup),
        cmocka_unit_test_setup(paths_are_changed_by_calls, setup),
        cmocka_unit_test_setup(files_are_copied_within_the_kernel, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
