/* Paths: what they lead to, and what is wrong with those that lead nowhere. */
#include "tests/unit/vfs_scene.h"

static int setup(void **state)
{
    (void)state;
    scene_begin();
    return 0;
}

static void dots_and_slashes_lead_where_they_say(void **state)
{
    (void)state;
    assert_int_equal(vfs_make_directory(&here, "/tmp/d", 0777), 0);
    assert_int_equal(vfs_make_directory(&here, "/tmp/d/e/", 0777), 0);
    write_file("/tmp/d/e/f", "x");
    assert_file("/tmp/d/e/f", "x");
    assert_file("//tmp/./d//e/../e/f", "x");
    assert_file("/../../tmp/d/e/f", "x");
    assert_file("/tmp/../tmp/d/../d/e/./f", "x");
    assert_int_equal(try_open("/tmp/d/e/f/", ABI_O_RDONLY), -ENOTDIR);
    assert_int_equal(try_open("/tmp/d/e/f/.", ABI_O_RDONLY), -ENOTDIR);
    assert_int_equal(try_open("/tmp/d/e/f/..", ABI_O_RDONLY), -ENOTDIR);
    assert_int_equal(try_open("/tmp/none/../d/e/f", ABI_O_RDONLY), -ENOENT);
    assert_int_equal(try_open("", ABI_O_RDONLY), -ENOENT);
    assert_int_equal(try_open("/tmp/none/x", ABI_O_WRONLY | ABI_O_CREAT), -ENOENT);
    assert_int_equal(try_open("/tmp/new/", ABI_O_WRONLY | ABI_O_CREAT), -EISDIR);
}

static void symbolic_links_are_followed_to_an_end(void **state)
{
    char target[64];
    (void)state;
    write_file("/tmp/f", "file");
    assert_int_equal(vfs_make_directory(&here, "/tmp/d", 0777), 0);
    assert_int_equal(vfs_symlink("f", &here, "/tmp/relative"), 0);
    assert_int_equal(vfs_symlink("/tmp/relative", &here, "/tmp/d/absolute"), 0);
    assert_int_equal(vfs_symlink("../tmp/d", &here, "/tmp/dir"), 0);
    assert_int_equal(vfs_symlink("loop", &here, "/tmp/loop"), 0);
    assert_int_equal(vfs_symlink("nowhere", &here, "/tmp/dangling"), 0);
    assert_file("/tmp/relative", "file");
    assert_file("/tmp/d/absolute", "file");
    assert_file("/tmp/dir/absolute", "file");
    assert_file("/tmp/dir/../f", "file");
    assert_int_equal(try_open("/tmp/loop", ABI_O_RDONLY), -ELOOP);
    assert_int_equal(try_open("/tmp/loop/x", ABI_O_RDONLY), -ELOOP);
    assert_int_equal(try_open("/tmp/relative", ABI_O_RDONLY | ABI_O_NOFOLLOW), -ELOOP);
    assert_int_equal(try_open("/tmp/relative/", ABI_O_RDONLY), -ENOTDIR);
    assert_int_equal(try_open("/tmp/dir", ABI_O_RDONLY | ABI_O_DIRECTORY), 0);
    assert_int_equal(try_open("/tmp/dangling", ABI_O_RDONLY), -ENOENT);
    assert_int_equal(try_open("/tmp/dangling", ABI_O_WRONLY | ABI_O_CREAT | ABI_O_EXCL), -EEXIST);
    write_file("/tmp/dangling", "made through the link");
    assert_file("/tmp/nowhere", "made through the link");
    assert_int_equal(vfs_readlink(&here, "/tmp/dir", target, sizeof target), 8);
    assert_memory_equal(target, "../tmp/d", 8);
    assert_int_equal(vfs_readlink(&here, "/tmp/dir", target, 3), 3);
    assert_int_equal(vfs_readlink(&here, "/tmp/f", target, 3), -EINVAL);
    assert_int_equal(stat_of("/tmp/dir").mode & ABI_S_IFMT, ABI_S_IFLNK);
    assert_int_equal(stat_of("/tmp/dir/").mode & ABI_S_IFMT, ABI_S_IFDIR);
}

static void names_and_paths_have_a_greatest_length(void **state)
{
    char path[VFS_PATH_MAX + 10];
    (void)state;
    memset(path, 'x', sizeof path);
    memcpy(path, "/tmp/", 5);
    path[5 + VFS_NAME_MAX] = 0;
    write_file(path, "longest");
    assert_file(path, "longest");
    path[5 + VFS_NAME_MAX] = 'x';
    path[6 + VFS_NAME_MAX] = 0;
    assert_int_equal(try_open(path, ABI_O_WRONLY | ABI_O_CREAT), -ENAMETOOLONG);
    for (size_t i = 0; i < sizeof path; i++)
        path[i] = '/';
    path[VFS_PATH_MAX - 1] = 0;
    assert_int_equal(try_open(path, ABI_O_RDONLY), 0);
    path[VFS_PATH_MAX - 1] = '/';
    path[VFS_PATH_MAX] = 0;
    assert_int_equal(try_open(path, ABI_O_RDONLY), -ENAMETOOLONG);
}

static void paths_are_relative_to_the_working_directory_or_a_descriptor(void **state)
{
    char path[64];
    struct vfs_from at = here;
    struct file *f;
    (void)state;
    vfs_make_directory(&here, "/tmp/d", 0777);
    vfs_make_directory(&here, "/tmp/d/e", 0777);
    assert_int_equal(place_path(here.place, path, sizeof path), 0);
    assert_string_equal(path, "/");
    assert_int_equal(place_change(here.place, here.files, ABI_AT_FDCWD, "tmp/d/e"), 0);
    assert_int_equal(place_path(here.place, path, sizeof path), 0);
    assert_string_equal(path, "/tmp/d/e");
    assert_int_equal(place_path(here.place, path, 9), 0);
    assert_int_equal(place_path(here.place, path, 8), -ERANGE);
    write_file("f", "here");
    assert_file("/tmp/d/e/f", "here");
    assert_int_equal(place_change(here.place, here.files, ABI_AT_FDCWD, "f"), -ENOTDIR);
    assert_int_equal(place_change(here.place, here.files, ABI_AT_FDCWD, "g"), -ENOENT);
    at.at = files_add(here.files, open_file("/tmp/d", ABI_O_RDONLY), 3, false);
    assert_int_equal(at.at, 3);
    assert_int_equal(vfs_open(&at, "e/f", ABI_O_RDONLY, 0, &f), 0);
    file_let_go(f);
    assert_int_equal(place_change(here.place, here.files, 3, NULL), 0);
    assert_int_equal(place_path(here.place, path, sizeof path), 0);
    assert_string_equal(path, "/tmp/d");
    at.at = files_add(here.files, open_file("/tmp/d/e/f", ABI_O_RDONLY), 3, false);
    assert_int_equal(vfs_open(&at, "x", ABI_O_RDONLY, 0, &f), -ENOTDIR);
    at.at = 77;
    assert_int_equal(vfs_open(&at, "x", ABI_O_RDONLY, 0, &f), -EBADF);
    assert_int_equal(vfs_open(&at, "/tmp", ABI_O_RDONLY, 0, &f), 0);
    file_let_go(f);
}

static void a_working_directory_that_was_removed_has_no_path(void **state)
{
    char path[64];
    (void)state;
    vfs_make_directory(&here, "/tmp/d", 0777);
    place_change(here.place, here.files, ABI_AT_FDCWD, "/tmp/d");
    assert_int_equal(vfs_unlink(&here, "/tmp/d", true), 0);
    assert_int_equal(place_path(here.place, path, sizeof path), -ENOENT);
    assert_int_equal(try_open("f", ABI_O_WRONLY | ABI_O_CREAT), -ENOENT);
}

static void open_flags_mean_what_the_manual_says(void **state)
{
    (void)state;
    write_file("/tmp/f", "0123456789");
    assert_int_equal(try_open("/tmp/f", ABI_O_WRONLY | ABI_O_CREAT | ABI_O_EXCL), -EEXIST);
    assert_int_equal(try_open("/tmp/f", ABI_O_RDONLY | ABI_O_DIRECTORY), -ENOTDIR);
    assert_int_equal(try_open("/tmp", ABI_O_RDWR), -EISDIR);
    assert_int_equal(try_open("/tmp", ABI_O_RDONLY | ABI_O_CREAT), -EISDIR);
    assert_int_equal(try_open("/tmp/f", ABI_O_ACCMODE), -EINVAL);
    struct file *f = open_file("/tmp/f", ABI_O_RDONLY);
    assert_int_equal(put_text(f, "x"), -EBADF);
    file_let_go(f);
    f = open_file("/tmp/f", ABI_O_WRONLY | ABI_O_APPEND);
    char c;
    assert_int_equal(get_bytes(f, &c, 1), -EBADF);
    put_text(f, "ab");
    file_let_go(f);
    assert_file("/tmp/f", "0123456789ab");
    f = open_file("/tmp/f", ABI_O_RDWR);
    put_text(f, "X");
    file_let_go(f);
    assert_file("/tmp/f", "X123456789ab");
    f = open_file("/tmp/f", ABI_O_RDWR | ABI_O_TRUNC);
    assert_int_equal(stat_of("/tmp/f").size, 0);
    file_let_go(f);
    f = open_file("/tmp/f", ABI_O_PATH);
    assert_int_equal(get_bytes(f, &c, 1), -EBADF);
    file_let_go(f);
    f = open_file("/tmp", ABI_O_RDONLY);
    assert_int_equal(get_bytes(f, &c, 1), -EISDIR);
    file_let_go(f);
    f = open_file("/tmp", ABI_O_RDWR | ABI_O_TMPFILE | ABI_O_DIRECTORY);
    put_text(f, "nameless");
    assert_string_equal(names_of("/tmp"), ". .. f");
    file_let_go(f);
    assert_int_equal(try_open("/tmp/g/../f", ABI_O_RDONLY), -ENOENT);
}

static void the_root_shows_what_is_mounted(void **state)
{
    (void)state;
    assert_string_equal(names_of("/"), ". .. dev tmp run var home root");
    assert_string_equal(names_of("/dev"), ". .. null zero full random urandom fd stdin stdout stderr shm");
    write_file("/dev/shm/x", "shared");
    assert_file("/dev/shm/../shm/x", "shared");
    assert_int_equal(vfs_unlink(&here, "/tmp", true), -EBUSY);
    assert_int_equal(vfs_unlink(&here, "/", true), -EBUSY);
    assert_int_equal(try_open("/x", ABI_O_WRONLY | ABI_O_CREAT), -EACCES);
    assert_int_equal(vfs_unlink(&here, "/dev/null", false), -EROFS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(dots_and_slashes_lead_where_they_say, setup),
        cmocka_unit_test_setup(symbolic_links_are_followed_to_an_end, setup),
        cmocka_unit_test_setup(names_and_paths_have_a_greatest_length, setup),
        cmocka_unit_test_setup(paths_are_relative_to_the_working_directory_or_a_descriptor, setup),
        cmocka_unit_test_setup(a_working_directory_that_was_removed_has_no_path, setup),
        cmocka_unit_test_setup(open_flags_mean_what_the_manual_says, setup),
        cmocka_unit_test_setup(the_root_shows_what_is_mounted, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
