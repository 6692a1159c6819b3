/* The root image: files, links and directories of it, its frames, and disks that hold none. */
#include <stdio.h>

#include "cms/erofs/erofs.h"
#include "cms/erofs/layout.h"
#include "cms/kernel/disk.h"
#include "cms/kernel/frame.h"
#include "tests/unit/fake/erofs_image.h"
#include "tests/unit/vfs_scene.h"

static uint8_t image[EROFS_IMAGE_BLOCKS * 4096];

static void put_disk(void)
{
    struct disk *disk = cms_disk_find(EROFS_DISK);
    assert_int_equal(cms_disk_write(disk, 0, image, sizeof image / 512), 0);
}

static int setup(void **state)
{
    (void)state;
    vfs_set_root(NULL);
    scene_begin();
    erofs_reset();
    fake_cms_attach(EROFS_DISK, false);
    erofs_image_make(image);
    put_disk();
    vfs_set_root(erofs_top);
    here.place = place_make();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    place_let_go(here.place);
    return 0;
}

static void check_bytes(const char *path, size_t size)
{
    static uint8_t got[20000];
    struct file *f = open_file(path, ABI_O_RDONLY);
    assert_int_equal(get_bytes(f, got, sizeof got), size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(got[i], erofs_image_byte(i));
    f->position = 4090;
    assert_int_equal(get_bytes(f, got, 10), 10);
    assert_int_equal(got[9], erofs_image_byte(4099));
    f->position = size - 1;
    assert_int_equal(get_bytes(f, got, 10), 1);
    file_let_go(f);
}

static void files_hold_what_was_put_in(void **state)
{
    (void)state;
    assert_null(erofs_problem());
    assert_file("/hello", "hello, world\n");
    assert_file("/dir/inner", "inner\n");
    assert_file("/link", "inner\n");
    assert_file("/dir/../dir/./inner", "inner\n");
    assert_file("/many/n299", "hello, world\n");
    check_bytes("/big", 3 * 4096 + 100);
    check_bytes("/plain", 2 * 4096 + 50);
    assert_int_equal(try_open("/many/n300", ABI_O_RDONLY), -ENOENT);
    assert_int_equal(try_open("/hello/x", ABI_O_RDONLY), -ENOTDIR);
}

/* The names of /many go over two blocks. */
static void each_name_is_found_and_no_other(void **state)
{
    static const char *const absent[] = {"n", "n0", "n00", "n0000", "n000x", "m999", "o", "zz", "!", "n29", "n2990"};
    char path[16];
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        snprintf(path, sizeof path, "/many/n%03u", i);
        file_let_go(open_file(path, ABI_O_RDONLY));
    }
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        snprintf(path, sizeof path, "/many/%s", absent[i]);
        assert_int_equal(try_open(path, ABI_O_RDONLY), -ENOENT);
    }
}

static void directories_are_listed_with_what_is_mounted(void **state)
{
    unsigned count = 0;
    (void)state;
    assert_string_equal(names_of("/"), ". .. big dir hello link many plain dev tmp run var home root");
    assert_string_equal(names_of("/dir"), ". .. inner");
    for (const char *c = names_of("/many"); *c; c++)
        count += *c == ' ';
    assert_int_equal(count, 301);
    char path[64];
    place_change(here.place, here.files, ABI_AT_FDCWD, "/dir");
    assert_int_equal(place_path(here.place, path, sizeof path), 0);
    assert_string_equal(path, "/dir");
}

static void nothing_in_it_can_be_changed(void **state)
{
    (void)state;
    assert_int_equal(try_open("/hello", ABI_O_WRONLY), -EROFS);
    assert_int_equal(try_open("/hello", ABI_O_RDONLY | ABI_O_TRUNC), -EROFS);
    assert_int_equal(try_open("/new", ABI_O_WRONLY | ABI_O_CREAT), -EROFS);
    assert_int_equal(vfs_unlink(&here, "/hello", false), -EROFS);
    assert_int_equal(vfs_make_directory(&here, "/d", 0777), -EROFS);
    assert_int_equal(vfs_rename(&here, "/hello", &here, "/h", 0), -EROFS);
    assert_int_equal(vfs_change_mode(&here, "/hello", 0777), -EROFS);
    assert_int_equal(vfs_access(&here, "/hello", ABI_W_OK, 0), -EROFS);
    assert_int_equal(vfs_access(&here, "/hello", ABI_X_OK, 0), -EACCES);
    assert_int_equal(vfs_access(&here, "/plain", ABI_X_OK, 0), 0);
    struct vfs_stat s = stat_of("/plain");
    assert_int_equal(s.size, 8242);
    assert_int_equal(s.mode, 0100755);
    assert_int_equal(s.change_s, 1700000000);
}

static void mappings_show_the_frames_that_are_kept(void **state)
{
    struct space_object *o;
    void *first, *again, *tail;
    (void)state;
    struct file *f = open_file("/big", ABI_O_RDONLY);
    assert_int_equal(f->operations->map(f, &o), 0);
    file_let_go(f);
    assert_int_equal(o->operations->page(o, 4096, false, &first), 0);
    assert_int_equal(o->operations->page(o, 4096, false, &again), 0);
    assert_ptr_equal(first, again);
    assert_int_equal(((uint8_t *)first)[1], erofs_image_byte(4097));
    assert_int_equal(o->operations->page(o, 3 * 4096, false, &tail), 0);
    assert_int_equal(((uint8_t *)tail)[99], erofs_image_byte(3 * 4096 + 99));
    assert_int_equal(((uint8_t *)tail)[100], 0);
    assert_int_equal(o->operations->page(o, 4 * 4096, false, &again), -ENXIO);
    cms_frame_give(first);
    cms_frame_give(first);
    cms_frame_give(tail);
    o->operations->let_go(o);
}

static void blocks_are_given_up_when_storage_is_short(void **state)
{
    void *frames[300], *more;
    unsigned taken = 0;
    (void)state;
    check_bytes("/big", 3 * 4096 + 100);
    fake_cms_disks_fail = true; /* what is in storage needs no disk */
    check_bytes("/big", 3 * 4096 + 100);
    fake_cms_disks_fail = false;
    size_t left = cms_frames_left();
    while (taken < 300 && (more = cms_frame_take()))
        frames[taken++] = more;
    assert_true(taken > left);
    while (taken)
        cms_frame_give(frames[--taken]);
    check_bytes("/big", 3 * 4096 + 100);
}

static void a_disk_that_fails_is_an_error_and_one_that_goes_too(void **state)
{
    static char got[20000];
    (void)state;
    fake_cms_disks_fail = true;
    struct file *f = open_file("/", ABI_O_RDONLY);
    file_let_go(f);
    assert_int_equal(try_open("/many/n000", ABI_O_RDONLY), -EIO);
    fake_cms_disks_fail = false;
    f = open_file("/big", ABI_O_RDONLY);
    fake_cms_detach(EROFS_DISK);
    assert_int_equal(get_bytes(f, got, sizeof got), -EIO);
    file_let_go(f);
}

static void another_image_takes_the_place_of_one_that_went(void **state)
{
    (void)state;
    struct file *f = open_file("/hello", ABI_O_RDONLY);
    assert_file("/hello", "hello, world\n");
    fake_cms_detach(EROFS_DISK);
    fake_cms_attach(EROFS_DISK, false);
    memcpy(image + 4096 + 45 * 32, "HELLO", 5); /* behind its inode, of slot 44 */
    put_disk();
    struct place *again = place_make();
    assert_file("/hello", "HELLO, world\n");
    file_let_go(f);
    place_let_go(again);
}

static void disks_that_hold_no_image_are_told_of(void **state)
{
    static const struct {
        unsigned at;
        uint8_t value;
        const char *problem;
    } rows[] = {
        {1024, 0, "no EROFS image"},
        {1024 + 12, 9, "its blocks are not of 4096 bytes"},
        {1024 + 80, 4, "it uses what this reader does not know, as compression"},
        {1024 + 39, 9, "it is longer than its disk"},
        {1024 + 42, 9, "its inodes are beyond its end"},
        {1024 + 14, 44, "its root is no directory"},
        {1024 + 14, 3, "its root cannot be read"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        vfs_set_root(NULL);
        fake_cms_detach(EROFS_DISK);
        fake_cms_attach(EROFS_DISK, false);
        erofs_image_make(image);
        image[rows[i].at] = rows[i].value;
        put_disk();
        assert_null(erofs_top());
        assert_string_equal(erofs_problem(), rows[i].problem);
    }
    fake_cms_detach(EROFS_DISK);
    assert_null(erofs_top());
    assert_null(erofs_problem());
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(files_hold_what_was_put_in),
        T(each_name_is_found_and_no_other),
        T(directories_are_listed_with_what_is_mounted),
        T(nothing_in_it_can_be_changed),
        T(mappings_show_the_frames_that_are_kept),
        T(blocks_are_given_up_when_storage_is_short),
        T(a_disk_that_fails_is_an_error_and_one_that_goes_too),
        T(another_image_takes_the_place_of_one_that_went),
        T(disks_that_hold_no_image_are_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
