/* What programs write to minidisks, and what they read there. */
#include "tests/unit/minidisk_scene.h"

static int setup(void **state)
{
    (void)state;
    minidisk_scene_begin();
    return 0;
}

static void check_comes_back(const char *path, const void *bytes, size_t count)
{
    static char got[70000];
    struct file *f = open_file(path, ABI_O_WRONLY | ABI_O_CREAT | ABI_O_TRUNC);
    assert_int_equal(put_bytes(f, bytes, count), count);
    assert_int_equal(file_let_go(f), 0);
    access_again(false);
    assert_int_equal(stat_of(path).size, count);
    f = open_file(path, ABI_O_RDONLY);
    assert_int_equal(get_bytes(f, got, sizeof got), count);
    assert_memory_equal(got, bytes, count);
    file_let_go(f);
}

static void records_are_lines(void **state)
{
    (void)state;
    put_records("PROFILE", "EXEC", 'V', 0, 4, RECORDS("/* hello */", " ", "  ", "say 1"));
    assert_file("/a/profile.exec", "/* hello */\n\n \nsay 1\n");
    assert_int_equal(stat_of("/a/profile.exec").size, 21);
    assert_int_equal(stat_of("/a/profile.exec").mode, ABI_S_IFREG | 0755);
    put_records("FIXED", "DATA", 'F', 4, 2, RECORDS("abcd", "efgh"));
    assert_file("/a/fixed.data", "abcdefgh");
    put_records("EMPTY", "DATA", 'V', 0, 0, NULL);
    assert_file("/a/empty.data", "");
}

static void lines_become_records(void **state)
{
    (void)state;
    assert_int_equal(write_file("/a/notes.text", "one\n\n  \nlast line\n"), 0);
    assert_string_equal(records_of("NOTES", "TEXT"), "V|one| |   |last line|");
    assert_file("/a/notes.text", "one\n\n  \nlast line\n");
    access_again(false);
    assert_file("/a/notes.text", "one\n\n  \nlast line\n");
    assert_int_equal(write_file("/a/notes.text", ""), 0);
    assert_string_equal(records_of("NOTES", "TEXT"), "V|");
}

static void whatever_is_written_comes_back_byte_for_byte(void **state)
{
    static char bytes[70000];
    (void)state;
    check_comes_back("/a/x.y", "no newline", 10);
    assert_string_equal(records_of("X", "Y"), "F10|no newline|");
    check_comes_back("/a/x.y", "nul\0here\n", 9);
    check_comes_back("/a/x.y", "\n", 1);
    assert_string_equal(records_of("X", "Y"), "V| |");
    check_comes_back("/a/x.y", "a\nb", 3);
    check_comes_back("/a/x.y", "\n\n \n  \n", 7);
    check_comes_back("/a/x.y", "a\r\nb\r\n", 6);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 13 + i / 251);
    check_comes_back("/a/x.y", bytes, sizeof bytes);
    assert_memory_equal(records_of("X", "Y"), "F1|", 3);
    check_comes_back("/a/x.y", bytes, 65535);
    memset(bytes, 'x', sizeof bytes);
    bytes[65535] = '\n';
    check_comes_back("/a/x.y", bytes, 65536);
    assert_memory_equal(records_of("X", "Y"), "V|", 2);
    bytes[65535] = 'x';
    bytes[65536] = '\n';
    check_comes_back("/a/x.y", bytes, 65537);
    assert_memory_equal(records_of("X", "Y"), "F1|", 3);
    memset(bytes, ' ', 65535);
    bytes[65535] = '\n';
    check_comes_back("/a/x.y", bytes, 65536);
    bytes[65534] = '\n';
    check_comes_back("/a/x.y", bytes, 65535);
    assert_memory_equal(records_of("X", "Y"), "V|", 2);
}

static void fixed_records_stay_while_they_fit(void **state)
{
    (void)state;
    put_records("FIXED", "DATA", 'F', 4, 2, RECORDS("abcd", "efgh"));
    struct file *f = open_file("/a/fixed.data", ABI_O_RDWR);
    f->position = 2;
    put_text(f, "XY");
    assert_int_equal(file_let_go(f), 0);
    assert_string_equal(records_of("FIXED", "DATA"), "F4|abXY|efgh|");
    f = open_file("/a/fixed.data", ABI_O_WRONLY | ABI_O_APPEND);
    put_text(f, "ijkl");
    assert_int_equal(file_let_go(f), 0);
    assert_string_equal(records_of("FIXED", "DATA"), "F4|abXY|efgh|ijkl|");
    f = open_file("/a/fixed.data", ABI_O_WRONLY | ABI_O_APPEND);
    put_text(f, "mn");
    assert_int_equal(file_let_go(f), 0);
    assert_string_equal(records_of("FIXED", "DATA"), "F14|abXYefghijklmn|");
    write_file("/a/fixed.data", "now it is\nlines\n");
    assert_string_equal(records_of("FIXED", "DATA"), "V|now it is|lines|");
}

static void files_are_changed_in_place_and_by_size(void **state)
{
    (void)state;
    write_file("/a/x.y", "line one\nline two\n");
    struct file *f = open_file("/a/x.y", ABI_O_RDWR);
    f->position = 5;
    put_text(f, "ONE");
    assert_string_equal(records_of("X", "Y"), "V|line one|line two|"); /* not before it is closed */
    assert_int_equal(f->operations->sync(f), 0);
    assert_string_equal(records_of("X", "Y"), "V|line ONE|line two|");
    assert_int_equal(f->operations->truncate(f, 9), 0);
    file_let_go(f);
    assert_string_equal(records_of("X", "Y"), "V|line ONE|");
    assert_int_equal(vfs_truncate(&here, "/a/x.y", 4), 0);
    assert_string_equal(records_of("X", "Y"), "F4|line|");
    assert_int_equal(vfs_truncate(&here, "/a/x.y", 6), 0);
    assert_int_equal(stat_of("/a/x.y").size, 6);
    f = open_file("/a/x.y", ABI_O_WRONLY | ABI_O_APPEND);
    put_text(f, "!");
    put_text(f, "?");
    file_let_go(f);
    assert_int_equal(stat_of("/a/x.y").size, 8);
}

static void names_are_found_in_any_case_and_shown_small(void **state)
{
    (void)state;
    put_records("PROFILE", "EXEC", 'V', 0, 1, RECORDS("x"));
    put_records("Mixed", "Case", 'V', 0, 1, RECORDS("y"));
    put_records("TOOL", "MODULE", 'V', 0, 1, RECORDS("z"));
    write_file("/a/Makefile", "all:\n");
    assert_string_equal(names_of("/a"), ". .. profile.exec Mixed.Case tool makefile");
    assert_string_equal(records_of("MAKEFILE", "FILE"), "V|all:|");
    assert_file("/a/PROFILE.EXEC", "x\n");
    assert_file("/a/Profile.Exec", "x\n");
    assert_file("/a/Mixed.Case", "y\n");
    assert_file("/a/tool", "z\n");
    assert_file("/a/tool.module", "z\n");
    assert_file("/a/makefile.file", "all:\n");
    write_file("/a/tool", "other\n"); /* writes the MODULE that has that name */
    assert_string_equal(records_of("TOOL", "MODULE"), "V|other|");
    put_records("TOOL", "FILE", 'V', 0, 1, RECORDS("f"));
    assert_string_equal(names_of("/a"), ". .. profile.exec Mixed.Case tool.module makefile tool");
    assert_file("/a/tool", "f\n");
}

static void names_that_cms_does_not_allow_are_refused_or_kept_in_storage(void **state)
{
    (void)state;
    uint32_t new = ABI_O_WRONLY | ABI_O_CREAT;
    assert_int_equal(try_open("/a/ninechars.x", new), -ENAMETOOLONG);
    assert_int_equal(try_open("/a/x.ninechars", new), -ENAMETOOLONG);
    assert_int_equal(try_open("/a/a.b.c", new), -EINVAL);
    assert_int_equal(try_open("/a/a b", new), -EINVAL);
    assert_int_equal(try_open("/a/a.", new), -EINVAL);
    assert_int_equal(try_open("/a/\303\244.x", new), -EINVAL);
    assert_int_equal(try_open("/a/ninechars.x", ABI_O_RDONLY), -ENOENT);
    assert_int_equal(vfs_make_directory(&here, "/a/dir", 0777), -EPERM);
    assert_int_equal(vfs_symlink("x", &here, "/a/link"), -EPERM);
    write_file("/a/.profile.exec.swp", "swap");
    write_file("/a/x~", "backup");
    assert_string_equal(names_of("/a"), ". .. .profile.exec.swp x~");
    assert_file("/a/.profile.exec.swp", "swap");
    assert_int_equal(edf_find(disk_a(), "X", "FILE", &(struct edf_file_facts){0}), EDF_NOT_FOUND);
    write_file("/a/.new", "saved\nsafely\n");
    assert_int_equal(vfs_rename(&here, "/a/.new", &here, "/a/x.y", 0), 0);
    assert_string_equal(records_of("X", "Y"), "V|saved|safely|");
    write_file("/a/.new", "again\n");
    assert_int_equal(vfs_rename(&here, "/a/.new", &here, "/a/x.y", 0), 0);
    assert_string_equal(records_of("X", "Y"), "V|again|");
    assert_int_equal(vfs_rename(&here, "/a/x.y", &here, "/a/x.y~", 0), -EXDEV);
    assert_int_equal(vfs_rename(&here, "/a/x~", &here, "/a/.z", 0), 0);
    assert_int_equal(vfs_unlink(&here, "/a/.z", false), 0);
    assert_string_equal(names_of("/a"), ". .. x.y .profile.exec.swp");
}

static void rename_replaces_at_once(void **state)
{
    static char got[64];
    (void)state;
    write_file("/a/old.text", "old\n");
    write_file("/a/new.text", "new\n");
    struct file *f = open_file("/a/old.text", ABI_O_RDONLY);
    assert_int_equal(vfs_rename(&here, "/a/new.text", &here, "/a/old.text", 0), 0);
    assert_string_equal(records_of("OLD", "TEXT"), "V|new|");
    assert_string_equal(records_of("NEW", "TEXT"), "none");
    assert_int_equal(get_bytes(f, got, sizeof got), 4);
    assert_memory_equal(got, "old\n", 4);
    file_let_go(f);
    assert_int_equal(vfs_rename(&here, "/a/old.text", &here, "/a/other.text", 0), 0);
    assert_string_equal(names_of("/a"), ". .. other.text");
    assert_int_equal(vfs_rename(&here, "/a/other.text", &here, "/a/OTHER.TEXT", 0), 0);
    assert_file("/a/other.text", "new\n");
    assert_int_equal(vfs_rename(&here, "/a/other.text", &here, "/a/much-too-long.x", 0), -ENAMETOOLONG);
    assert_int_equal(vfs_rename(&here, "/a/other.text", &here, "/tmp/x", 0), -EXDEV);
    f = open_file("/a/fresh.x", ABI_O_WRONLY | ABI_O_CREAT);
    put_text(f, "written\n");
    assert_int_equal(vfs_rename(&here, "/a/fresh.x", &here, "/a/moved.x", 0), 0);
    put_text(f, "more\n");
    assert_int_equal(file_let_go(f), 0);
    assert_string_equal(records_of("MOVED", "X"), "V|written|more|");
}

static void a_removed_file_is_read_by_who_has_it(void **state)
{
    char got[64];
    (void)state;
    write_file("/a/lines.x", "one\ntwo\n");
    write_file("/a/bytes.x", "no newline");
    struct file *lines = open_file("/a/lines.x", ABI_O_RDWR), *bytes = open_file("/a/bytes.x", ABI_O_RDONLY);
    assert_int_equal(vfs_unlink(&here, "/a/lines.x", false), 0);
    assert_int_equal(vfs_unlink(&here, "/a/bytes.x", false), 0);
    assert_string_equal(names_of("/a"), ". ..");
    assert_int_equal(get_bytes(lines, got, sizeof got), 8);
    assert_int_equal(get_bytes(bytes, got, sizeof got), 10);
    put_text(lines, "nobody sees this\n");
    assert_int_equal(file_let_go(lines), 0);
    assert_int_equal(file_let_go(bytes), 0);
    assert_string_equal(records_of("LINES", "X"), "none");
    struct file *f = open_file("/a/never.x", ABI_O_WRONLY | ABI_O_CREAT);
    assert_string_equal(names_of("/a"), ". .. never.x");
    assert_int_equal(try_open("/a/never.x", ABI_O_RDONLY), 0);
    assert_int_equal(vfs_unlink(&here, "/a/never.x", false), 0);
    file_let_go(f);
    assert_string_equal(records_of("NEVER", "X"), "none");
}

/* Everything that fits, in pieces of so many bytes; how much that was. */
static size_t fill(struct file *f, const char *piece, size_t bytes)
{
    size_t all = 0;
    for (int64_t n; (n = put_bytes(f, piece, bytes)) > 0; all += (size_t)n)
        ;
    for (int64_t n; (n = put_bytes(f, piece, 1)) != -ENOSPC; all += (size_t)n)
        assert_int_equal(n, 1);
    return all;
}

static void what_a_full_disk_accepted_is_kept(void **state)
{
    static char piece[1000];
    static const char *const patterns[] = {"x", "\n", "line\n", "x\n"};
    (void)state;
    for (unsigned i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        minidisk_scene_begin();
        for (size_t at = 0; at < sizeof piece; at++)
            piece[at] = patterns[i][at % strlen(patterns[i])];
        struct file *f = open_file("/a/big.x", ABI_O_WRONLY | ABI_O_CREAT);
        size_t all = fill(f, piece, sizeof piece);
        assert_true(all > (i == 1 ? 60000 : 100000));
        assert_int_equal(file_let_go(f), 0);
        access_again(false);
        assert_int_equal(stat_of("/a/big.x").size, all);
        assert_int_equal(vfs_unlink(&here, "/a/big.x", false), 0);
        assert_int_equal(write_file("/a/big.x", "there is room again\n"), 0);
    }
}

static void files_that_are_open_do_not_take_each_others_room(void **state)
{
    static char piece[1000];
    (void)state;
    memset(piece, 'x', sizeof piece);
    struct file *a = open_file("/a/one.x", ABI_O_WRONLY | ABI_O_CREAT);
    struct file *b = open_file("/a/two.x", ABI_O_WRONLY | ABI_O_CREAT);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(put_bytes(a, piece, sizeof piece), sizeof piece);
    size_t all = fill(b, piece, sizeof piece);
    assert_int_equal(put_bytes(a, piece, 1), 1); /* in a page that it has */
    assert_int_equal(try_open("/a/three.x", ABI_O_WRONLY | ABI_O_CREAT), -ENOSPC);
    struct edf_writer *w;
    assert_int_equal(edf_create(disk_a(), "CMS", "OWN", '1', 'F', 1000, EDF_NEW, &w), EDF_OK);
    enum edf_status status = EDF_OK;
    for (unsigned i = 0; i < 20 && !status; i++)
        status = edf_write(w, piece, sizeof piece);
    assert_int_equal(status, EDF_FULL); /* CMS' commands neither */
    edf_abort(w);
    struct vfs_statfs s;
    assert_int_equal(vfs_statfs(&here, "/a", &s), 0);
    assert_true(s.free < 10);
    assert_int_equal(file_let_go(b), 0);
    assert_int_equal(file_let_go(a), 0);
    access_again(false);
    assert_int_equal(stat_of("/a/one.x").size, 50001);
    assert_int_equal(stat_of("/a/two.x").size, all);
}

static void a_full_disk_keeps_the_old_file_until_the_new_one_is_whole(void **state)
{
    static char big[300000];
    (void)state;
    memset(big, 'x', sizeof big);
    write_file("/a/keep.x", "old\n");
    struct file *f = open_file("/a/big.x", ABI_O_WRONLY | ABI_O_CREAT);
    int64_t most = put_bytes(f, big, sizeof big);
    assert_true(most > 100000 && most < (int64_t)sizeof big); /* a short count, as of any disk */
    f->operations->truncate(f, 150000);
    assert_int_equal(file_let_go(f), 0);
    f = open_file("/a/keep.x", ABI_O_RDWR);
    assert_int_equal(put_bytes(f, "new", 3), 3);
    most = put_bytes(f, big, sizeof big);
    assert_true(most > 10000 && most < 110000);
    assert_string_equal(records_of("KEEP", "X"), "V|old|");
    assert_int_equal(f->operations->sync(f), 0);
    assert_memory_equal(records_of("KEEP", "X"), "F", 1);
    assert_int_equal(stat_of("/a/keep.x").size, most + 3);
    assert_int_equal(put_bytes(f, big, sizeof big), -ENOSPC); /* beside itself */
    assert_int_equal(file_let_go(f), 0);
    assert_int_equal(stat_of("/a/keep.x").size, most + 3);
    struct vfs_statfs s;
    assert_int_equal(vfs_statfs(&here, "/a", &s), 0);
    assert_int_equal(s.block_size, 1024);
    assert_true(s.free < 100 && s.blocks == 256);
}

static void a_disk_that_is_read_only_says_so(void **state)
{
    (void)state;
    write_file("/a/x.y", "text\n");
    access_again(true);
    assert_file("/a/x.y", "text\n");
    assert_int_equal(try_open("/a/x.y", ABI_O_WRONLY), -EROFS);
    assert_int_equal(try_open("/a/new.x", ABI_O_WRONLY | ABI_O_CREAT), -EROFS);
    assert_int_equal(try_open("/a/.new", ABI_O_WRONLY | ABI_O_CREAT), -EROFS);
    assert_int_equal(vfs_unlink(&here, "/a/x.y", false), -EROFS);
    assert_int_equal(vfs_rename(&here, "/a/x.y", &here, "/a/z", 0), -EROFS);
    assert_int_equal(vfs_access(&here, "/a/x.y", ABI_W_OK, 0), -EROFS);
}

static void a_disk_that_is_released_has_what_was_written_and_is_an_error_from_then_on(void **state)
{
    char got[8];
    (void)state;
    write_file("/a/x.y", "text\n");
    struct file *r = open_file("/a/x.y", ABI_O_RDONLY), *w = open_file("/a/x.y", ABI_O_WRONLY);
    put_text(w, "TEXT");
    assert_int_equal(cms_mode_open_files(cms_mode_find('A')), 1);
    access_again(false);
    assert_int_equal(cms_mode_open_files(cms_mode_find('A')), 0);
    assert_int_equal(put_text(w, "more"), -EIO);
    assert_int_equal(get_bytes(r, got, 8), -EIO);
    assert_int_equal(w->operations->truncate(w, 0), -EIO);
    assert_int_equal(file_let_go(w), 0);
    file_let_go(r);
    assert_null(minidisk_next_loss());
    assert_file("/a/x.y", "TEXT\n");
    r = open_file("/a/x.y", ABI_O_RDONLY);
    w = open_file("/a/new.y", ABI_O_WRONLY | ABI_O_CREAT);
    put_text(w, "kept\n");
    cms_mode_release('A');
    assert_int_equal(get_bytes(r, got, 8), -EIO);
    file_let_go(r);
    file_let_go(w);
    assert_int_equal(try_open("/a/x.y", ABI_O_RDONLY), -ENOENT);
    assert_string_equal(names_of("/"), ". .. dev tmp run var home root");
    access_again(false);
    assert_file("/a/new.y", "kept\n");
}

static void a_disk_that_is_taken_away_is_an_error_at_once_and_losses_are_told(void **state)
{
    char got[8];
    (void)state;
    write_file("/a/x.y", "text\n");
    struct file *r = open_file("/a/x.y", ABI_O_RDONLY), *w = open_file("/a/lost.y", ABI_O_WRONLY | ABI_O_CREAT);
    assert_int_equal(get_bytes(r, got, 2), 2);
    put_text(w, "accepted\n");
    fake_cms_detach(0x191);
    assert_int_equal(put_text(w, "not any more\n"), -EIO);
    assert_int_equal(get_bytes(r, got, 2), -EIO);
    assert_int_equal(w->operations->sync(w), -EIO);
    assert_int_equal(w->operations->sync(w), -EIO);
    assert_null(minidisk_next_loss());
    assert_int_equal(file_let_go(w), -EIO);
    file_let_go(r);
    const struct minidisk_loss *l = minidisk_next_loss();
    assert_non_null(l);
    assert_string_equal(l->name, "LOST");
    assert_string_equal(l->type, "Y");
    assert_int_equal(l->letter, 'A');
    assert_int_equal(l->error, EIO);
    assert_null(minidisk_next_loss());
}

static void modes_and_times_are_kept_on_the_disk(void **state)
{
    struct edf_file_facts facts;
    int64_t ns[2] = {0, 1000000000ll * 1000000000};
    (void)state;
    write_file("/a/script.sh", "#!/bin/sh\n");
    assert_int_equal(vfs_access(&here, "/a/script.sh", ABI_X_OK, 0), -EACCES);
    assert_int_equal(vfs_change_mode(&here, "/a/script.sh", 0755), 0);
    assert_int_equal(vfs_set_times(&here, "/a/script.sh", ns, 0), 0);
    access_again(false);
    assert_int_equal(edf_find(disk_a(), "SCRIPT", "SH", &facts), EDF_OK);
    assert_int_equal(facts.mode_number, '2');
    assert_int_equal(facts.date.year, 2001);
    assert_int_equal(stat_of("/a/script.sh").mode & 0777, 0755);
    assert_int_equal(stat_of("/a/script.sh").change_s, 1000000000);
    write_file("/a/script.sh", "changed\n");
    edf_find(disk_a(), "SCRIPT", "SH", &facts);
    assert_int_equal(facts.mode_number, '2');
    struct file *f;
    assert_int_equal(vfs_open(&here, "/a/hello", ABI_O_WRONLY | ABI_O_CREAT, 0777, &f), 0);
    put_text(f, "\177ELF");
    assert_int_equal(f->operations->stat != NULL, true);
    file_let_go(f);
    assert_string_equal(records_of("HELLO", "MODULE"), "F4|\177ELF|");
    assert_string_equal(names_of("/a"), ". .. script.sh hello");
    assert_int_equal(vfs_access(&here, "/a/hello", ABI_X_OK, 0), 0);
}

static void sizes_once_read_are_known(void **state)
{
    (void)state;
    put_records("LINES", "X", 'V', 0, 3, RECORDS("one", "two", "three"));
    assert_int_equal(stat_of("/a/lines.x").size, 14);
    fake_cms_disks_fail = true;
    assert_int_equal(stat_of("/a/lines.x").size, 14);
    fake_cms_disks_fail = false;
    put_records("LINES", "X", 'V', 0, 2, RECORDS("one", "two"));
    assert_int_equal(stat_of("/a/lines.x").size, 8);
}

static void who_opens_twice_sees_one_file(void **state)
{
    char got[32];
    (void)state;
    write_file("/a/x.y", "one\n");
    struct file *w = open_file("/a/x.y", ABI_O_WRONLY | ABI_O_APPEND), *r = open_file("/a/x.y", ABI_O_RDONLY);
    put_text(w, "two\n");
    assert_int_equal(get_bytes(r, got, 32), 8);
    file_let_go(w);
    put_records("X", "Y", 'V', 0, 1, RECORDS("by CMS"));
    file_let_go(r);
    assert_file("/a/x.y", "by CMS\n");
    w = open_file("/a/x.y", ABI_O_WRONLY);
    put_text(w, "BY");
    assert_int_equal(vfs_sync(), 0);
    assert_string_equal(records_of("X", "Y"), "V|BY CMS|");
    file_let_go(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(records_are_lines, setup),
        cmocka_unit_test_setup(lines_become_records, setup),
        cmocka_unit_test_setup(whatever_is_written_comes_back_byte_for_byte, setup),
        cmocka_unit_test_setup(fixed_records_stay_while_they_fit, setup),
        cmocka_unit_test_setup(files_are_changed_in_place_and_by_size, setup),
        cmocka_unit_test_setup(names_are_found_in_any_case_and_shown_small, setup),
        cmocka_unit_test_setup(names_that_cms_does_not_allow_are_refused_or_kept_in_storage, setup),
        cmocka_unit_test_setup(rename_replaces_at_once, setup),
        cmocka_unit_test_setup(a_removed_file_is_read_by_who_has_it, setup),
        cmocka_unit_test_setup(what_a_full_disk_accepted_is_kept, setup),
        cmocka_unit_test_setup(files_that_are_open_do_not_take_each_others_room, setup),
        cmocka_unit_test_setup(a_full_disk_keeps_the_old_file_until_the_new_one_is_whole, setup),
        cmocka_unit_test_setup(a_disk_that_is_read_only_says_so, setup),
        cmocka_unit_test_setup(a_disk_that_is_released_has_what_was_written_and_is_an_error_from_then_on, setup),
        cmocka_unit_test_setup(a_disk_that_is_taken_away_is_an_error_at_once_and_losses_are_told, setup),
        cmocka_unit_test_setup(modes_and_times_are_kept_on_the_disk, setup),
        cmocka_unit_test_setup(sizes_once_read_are_known, setup),
        cmocka_unit_test_setup(who_opens_twice_sees_one_file, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
