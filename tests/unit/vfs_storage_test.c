/* Files in storage: directories, names, contents, and what happens when there is no more room. */
#include <stdio.h>

#include "cms/kernel/frame.h"
#include "cms/kernel/heap.h"
#include "cms/tmpfs/node.h"
#include "cms/vfs/pages.h"
#include "tests/unit/vfs_scene.h"

static int setup(void **state)
{
    (void)state;
    scene_begin();
    return 0;
}

static void what_is_written_is_read_wherever_it_lies(void **state)
{
    static char big[300000], back[300000];
    (void)state;
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 7 + i / 4096);
    struct file *f = open_file("/tmp/big", ABI_O_RDWR | ABI_O_CREAT);
    assert_int_equal(put_bytes(f, big, sizeof big), sizeof big);
    f->position = 0;
    assert_int_equal(get_bytes(f, back, sizeof back), sizeof back);
    assert_memory_equal(big, back, sizeof big);
    f->position = 4095;
    assert_int_equal(get_bytes(f, back, 2), 2);
    assert_memory_equal(big + 4095, back, 2);
    assert_int_equal(f->operations->truncate(f, 100), 0);
    assert_int_equal(f->operations->truncate(f, 8192), 0);
    f->position = 0;
    assert_int_equal(get_bytes(f, back, sizeof back), 8192);
    assert_memory_equal(big, back, 100);
    for (size_t i = 100; i < 8192; i++)
        assert_int_equal(back[i], 0);
    file_let_go(f);
    size_t before = cms_frames_in_use();
    assert_int_equal(vfs_unlink(&here, "/tmp/big", false), 0);
    assert_true(cms_frames_in_use() < before);
}

static void holes_take_no_room(void **state)
{
    char c = 'x';
    (void)state;
    write_file("/tmp/other", ""); /* which stays, and so the frame of their names */
    struct file *f = open_file("/tmp/sparse", ABI_O_RDWR | ABI_O_CREAT);
    f->position = 500 << 20;
    assert_int_equal(put_text(f, "end"), 3);
    assert_true(stat_of("/tmp/sparse").blocks < 100);
    f->position = 12345678;
    assert_int_equal(get_bytes(f, &c, 1), 1);
    assert_int_equal(c, 0);
    f->position = PAGES_SIZE_MAX;
    assert_int_equal(put_text(f, "no"), -EFBIG);
    file_let_go(f);
    size_t held = cms_frames_in_use();
    vfs_unlink(&here, "/tmp/sparse", false);
    assert_int_equal(held - cms_frames_in_use(), 3);
}

static void a_file_that_is_open_outlives_its_name(void **state)
{
    char back[8];
    (void)state;
    write_file("/tmp/f", "kept");
    struct file *f = open_file("/tmp/f", ABI_O_RDONLY);
    assert_int_equal(vfs_unlink(&here, "/tmp/f", false), 0);
    assert_int_equal(try_open("/tmp/f", ABI_O_RDONLY), -ENOENT);
    assert_int_equal(get_bytes(f, back, 8), 4);
    file_let_go(f);
    assert_int_equal(vfs_unlink(&here, "/tmp/f", false), -ENOENT);
}

static void links_are_names_of_one_file(void **state)
{
    (void)state;
    write_file("/tmp/f", "one");
    assert_int_equal(vfs_link(&here, "/tmp/f", &here, "/tmp/g", 0), 0);
    assert_int_equal(vfs_link(&here, "/tmp/f", &here, "/tmp/g", 0), -EEXIST);
    assert_int_equal(vfs_link(&here, "/tmp", &here, "/tmp/h", 0), -EPERM);
    assert_int_equal(vfs_link(&here, "/dev/null", &here, "/tmp/h", 0), -EXDEV);
    assert_int_equal(stat_of("/tmp/f").links, 2);
    assert_int_equal(stat_of("/tmp/f").number, stat_of("/tmp/g").number);
    assert_int_equal(vfs_rename(&here, "/tmp/f", &here, "/tmp/g", 0), 0);
    assert_int_equal(stat_of("/tmp/f").links, 2);
    vfs_unlink(&here, "/tmp/f", false);
    assert_file("/tmp/g", "one");
    assert_int_equal(stat_of("/tmp/g").links, 1);
}

static void rename_replaces_what_may_be_replaced(void **state)
{
    (void)state;
    write_file("/tmp/a", "A");
    write_file("/tmp/b", "B");
    vfs_make_directory(&here, "/tmp/d", 0755);
    vfs_make_directory(&here, "/tmp/e", 0755);
    vfs_make_directory(&here, "/tmp/d/in", 0755);
    assert_int_equal(vfs_rename(&here, "/tmp/a", &here, "/tmp/b", ABI_RENAME_NOREPLACE), -EEXIST);
    assert_int_equal(vfs_rename(&here, "/tmp/a", &here, "/tmp/none", ABI_RENAME_EXCHANGE), -ENOENT);
    assert_int_equal(vfs_rename(&here, "/tmp/d", &here, "/tmp/d/in", ABI_RENAME_EXCHANGE), -EINVAL);
    assert_int_equal(vfs_rename(&here, "/tmp/d/in", &here, "/tmp/d", ABI_RENAME_EXCHANGE), -EINVAL);
    assert_int_equal(vfs_rename(&here, "/tmp/a", &here, "/tmp/b", ABI_RENAME_EXCHANGE), 0);
    assert_file("/tmp/a", "B");
    assert_int_equal(vfs_rename(&here, "/tmp/a", &here, "/tmp/b", ABI_RENAME_EXCHANGE | ABI_RENAME_NOREPLACE), -EINVAL);
    assert_int_equal(vfs_rename(&here, "/tmp/b", &here, "/tmp/a", ABI_RENAME_EXCHANGE), 0);
    assert_int_equal(vfs_rename(&here, "/tmp/a", &here, "/tmp/b", 0), 0);
    assert_file("/tmp/b", "A");
    assert_int_equal(try_open("/tmp/a", ABI_O_RDONLY), -ENOENT);
    assert_int_equal(vfs_rename(&here, "/tmp/b", &here, "/tmp/d", 0), -EISDIR);
    assert_int_equal(vfs_rename(&here, "/tmp/d", &here, "/tmp/b", 0), -ENOTDIR);
    assert_int_equal(vfs_rename(&here, "/tmp/b", &here, "/tmp/x/", 0), -ENOTDIR);
    assert_int_equal(vfs_rename(&here, "/tmp/e", &here, "/tmp/d", 0), -ENOTEMPTY);
    assert_int_equal(vfs_rename(&here, "/tmp/d", &here, "/tmp/d/in/d", 0), -EINVAL);
    assert_int_equal(vfs_rename(&here, "/tmp/d", &here, "/tmp/e/", 0), 0);
    assert_string_equal(names_of("/tmp"), ". .. b e");
    assert_string_equal(names_of("/tmp/e/in/.."), ". .. in");
    assert_int_equal(vfs_rename(&here, "/tmp/e/in", &here, "/run/in", 0), 0);
    assert_string_equal(names_of("/run/in/.."), ". .. in");
    assert_int_equal(vfs_rename(&here, "/tmp/b", &here, "/dev/b", 0), -EXDEV);
    assert_int_equal(vfs_rename(&here, "/tmp/b", &here, "/tmp/b", 0), 0);
    assert_int_equal(vfs_rename(&here, "/tmp/e", &here, "/tmp", 0), -EBUSY);
}

static void a_directory_is_removed_when_it_is_empty(void **state)
{
    (void)state;
    vfs_make_directory(&here, "/tmp/d", 0755);
    write_file("/tmp/d/f", "");
    assert_int_equal(vfs_unlink(&here, "/tmp/d", true), -ENOTEMPTY);
    assert_int_equal(vfs_unlink(&here, "/tmp/d", false), -EISDIR);
    assert_int_equal(vfs_unlink(&here, "/tmp/d/f", true), -ENOTDIR);
    assert_int_equal(vfs_unlink(&here, "/tmp/d/.", true), -EINVAL);
    assert_int_equal(vfs_unlink(&here, "/tmp/d/f", false), 0);
    assert_int_equal(vfs_unlink(&here, "/tmp/d/", true), 0);
    assert_int_equal(vfs_make_directory(&here, "/tmp", 0755), -EEXIST);
}

static void a_listing_stays_true_while_names_go(void **state)
{
    char name[16] = "/tmp/a";
    struct vfs_entry e;
    unsigned seen = 0;
    (void)state;
    for (char c = 'a'; c <= 'z'; c++) {
        name[5] = c;
        write_file(name, "");
    }
    struct file *f = open_file("/tmp", ABI_O_RDONLY);
    while (f->operations->next_entry(f, &e) > 0) {
        if (e.name[0] == '.')
            continue;
        name[5] = e.name[0];
        assert_int_equal(vfs_unlink(&here, name, false), 0);
        seen++;
    }
    assert_int_equal(seen, 26);
    file_let_go(f);
    assert_string_equal(names_of("/tmp"), ". ..");
}

static void a_full_storage_says_so_and_stands(void **state)
{
    static char block[65536];
    int64_t n, all = 0;
    (void)state;
    write_file("/tmp/small", "still here");
    struct file *f = open_file("/tmp/big", ABI_O_WRONLY | ABI_O_CREAT);
    while ((n = put_bytes(f, block, sizeof block)) > 0)
        all += n;
    assert_int_equal(n, -ENOSPC);
    struct vfs_statfs s;
    assert_int_equal(vfs_statfs(&here, "/tmp", &s), 0);
    assert_int_equal(s.free, 0);
    assert_true(cms_frames_left() > 0); /* half of it is for programs */
    file_let_go(f);
    assert_int_equal(stat_of("/tmp/big").size, all);
    assert_file("/tmp/small", "still here");
    vfs_unlink(&here, "/tmp/big", false);
    write_file("/tmp/new", "room again");
    assert_file("/tmp/new", "room again");
}

/* Of the heap they may take no more than contents of frames: it is CMS' own, and they outlive the program. */
static void names_without_contents_leave_room_too(void **state)
{
    char path[220];
    unsigned made = 0, again = 0;
    (void)state;
    vfs_make_directory(&here, "/tmp/d", 0755);
    size_t at_first = cms_frames_left(), heap_at_first = cms_heap_in_use();
    for (int status = 0; !status; made += !status) {
        snprintf(path, sizeof path, "/tmp/d/%0200u", made);
        status = vfs_make_directory(&here, path, 0755);
        assert_true(!status || status == -ENOSPC);
    }
    assert_true(cms_frames_left() > at_first * 2 / 5);
    assert_int_equal(stat_of("/tmp/d").links, 2);
    assert_int_equal(vfs_link(&here, "/dev/null", &here, "/tmp/d/link", 0), -EXDEV);
    assert_int_equal(vfs_symlink("x", &here, "/tmp/link"), -ENOSPC);
    while (made--) {
        snprintf(path, sizeof path, "/tmp/d/%0200u", made);
        assert_int_equal(vfs_unlink(&here, path, true), 0);
        again++;
    }
    assert_true(again > 100);
    assert_true(cms_heap_in_use() <= heap_at_first); /* the heap is as it was, so that no name holds up its end */
    assert_true(cms_frames_left() >= at_first);
    assert_int_equal(write_file("/tmp/d/f", "room again"), 0);
}

static void a_mapping_shows_the_file_and_keeps_it(void **state)
{
    struct space_object *object;
    void *frame;
    char back[8];
    (void)state;
    write_file("/tmp/f", "mapped");
    struct file *f = open_file("/tmp/f", ABI_O_RDWR);
    assert_int_equal(f->operations->map(f, &object), 0);
    assert_int_equal(object->operations->page(object, 0, true, &frame), 0);
    memcpy(frame, "MAP", 3);
    assert_int_equal(get_bytes(f, back, 8), 6);
    assert_memory_equal(back, "MAPped", 6);
    void *beyond;
    assert_int_equal(object->operations->page(object, 4096, false, &beyond), -ENXIO);
    file_let_go(f);
    vfs_unlink(&here, "/tmp/f", false);
    assert_memory_equal(frame, "MAP", 3);
    assert_int_equal(cms_frame_users(frame), 2);
    cms_frame_give(frame);
    object->operations->let_go(object);
}

static void devices_do_what_they_are_for(void **state)
{
    char bytes[100];
    (void)state;
    struct file *f = open_file("/dev/null", ABI_O_RDWR);
    assert_int_equal(put_text(f, "gone"), 4);
    assert_int_equal(get_bytes(f, bytes, 4), 0);
    file_let_go(f);
    memset(bytes, 1, sizeof bytes);
    f = open_file("/dev/zero", ABI_O_RDWR);
    assert_int_equal(get_bytes(f, bytes, sizeof bytes), sizeof bytes);
    assert_int_equal(bytes[99], 0);
    file_let_go(f);
    f = open_file("/dev/full", ABI_O_RDWR);
    assert_int_equal(put_text(f, "x"), -ENOSPC);
    file_let_go(f);
    f = open_file("/dev/urandom", ABI_O_RDONLY);
    assert_int_equal(get_bytes(f, bytes, 11), 11);
    file_let_go(f);
    assert_int_equal(stat_of("/dev/zero").device_number, 0x105);
    assert_int_equal(stat_of("/dev/zero").mode, ABI_S_IFCHR | 0666);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_written_is_read_wherever_it_lies, setup),
        cmocka_unit_test_setup(holes_take_no_room, setup),
        cmocka_unit_test_setup(a_file_that_is_open_outlives_its_name, setup),
        cmocka_unit_test_setup(links_are_names_of_one_file, setup),
        cmocka_unit_test_setup(rename_replaces_what_may_be_replaced, setup),
        cmocka_unit_test_setup(a_directory_is_removed_when_it_is_empty, setup),
        cmocka_unit_test_setup(a_listing_stays_true_while_names_go, setup),
        cmocka_unit_test_setup(a_full_storage_says_so_and_stands, setup),
        cmocka_unit_test_setup(names_without_contents_leave_room_too, setup),
        cmocka_unit_test_setup(a_mapping_shows_the_file_and_keeps_it, setup),
        cmocka_unit_test_setup(devices_do_what_they_are_for, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
