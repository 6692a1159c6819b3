/* EEL: what runs which file, who is asked, and what a program's words are. */
#include "tests/unit/cms_scene.h"

#include <stdint.h>
#include <stdlib.h>

#include "cms/eel/eel.h"
#include "cms/exec/exec.h"

static int begin(void **state)
{
    (void)state;
    scene_begin();
    attach(0x191, 'A', "ALICE");
    cms_eel_reset();
    obey("EEL RESET");
    *fake_cms_started = *fake_cms_interpreted = 0;
    return 0;
}

static void put(const char *fileid, const char *bytes, uint32_t length)
{
    struct edf_writer *writer;
    char name[9], type[9];
    assert_int_equal(sscanf(fileid, "%8s %8s", name, type), 2);
    assert_int_equal(edf_create(cms_mode_find('A')->disk, name, type, '1', 'V', 0, EDF_REPLACE, &writer), EDF_OK);
    assert_int_equal(edf_write(writer, bytes, length), EDF_OK);
    assert_int_equal(edf_commit(writer), EDF_OK);
}

static int run(const char *name, const char *argument)
{
    struct file_found found;
    fake_cms_forget();
    *fake_cms_started = 0;
    assert_true(cms_eel_find_file(name, &found));
    cms_console_command_begins();
    int rc = cms_eel_run(&found, argument);
    cms_console_command_ends();
    cms_heap_free_commands();
    return rc;
}

static const char elf[20] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\x3e";
static const char elf_68k[20] = "\177ELF\1\2\1\0\0\0\0\0\0\0\0\0\0\2\0\4";

static const char *magic(const char *bytes, size_t n)
{
    const char *name = cms_eel_magic(bytes, n);
    return name ? name : "";
}

static void files_are_known_by_their_first_bytes(void **state)
{
    static char kernel[EEL_MAGIC_BYTES];
    (void)state;
    assert_string_equal(magic(elf, 20), "ELF");
    assert_string_equal(magic(elf_68k, 20), "ELF68K");
    assert_string_equal(magic(elf, 18), "");
    assert_string_equal(magic("#!/bin/sh", 9), "SCRIPT");
    assert_string_equal(magic("\xff\xd8\xff\xe0", 4), "JPEG");
    assert_string_equal(magic("\x89PNG\r\n\x1a\n", 8), "PNG");
    assert_string_equal(magic("\x89PNG\r\n\x1a", 7), "");
    assert_string_equal(magic("GIF89a", 6), "GIF");
    assert_string_equal(magic("", 0), "");
    uint32_t header[3] = {0x1badb002, 3, 0u - 0x1badb002 - 3};
    memcpy(kernel, elf, sizeof elf);
    memcpy(kernel + sizeof kernel - 12, header, 12);
    assert_string_equal(magic(kernel, sizeof kernel), "MBOOT");
    assert_string_equal(magic(kernel, sizeof kernel - 1), "ELF");
    kernel[sizeof kernel - 1]++;
    assert_string_equal(magic(kernel, sizeof kernel), "ELF");
    memset(kernel, 0, sizeof kernel);
    memcpy(kernel + 0x1fe, "\x55\xaa\0\0HdrS", 8);
    assert_string_equal(magic(kernel, 0x206), "BZIMAGE");
    assert_string_equal(magic(kernel, 0x205), "");
}

static void a_name_alone_finds_what_runs(void **state)
{
    (void)state;
    put("SUNSET JPEG", "\xff\xd8\xff\xe0", 4);
    put("HELLO MODULE", elf, sizeof elf);
    put("OLD M68K", elf_68k, sizeof elf_68k);
    put("MINE KERNEL", "anything", 8);
    assert_int_equal(run("SUNSET", ""), 5);
    assert_string_equal(fake_cms_started, "/usr/bin/catimg: [/usr/bin/catimg] [/a/sunset.jpeg]");
    assert_int_equal(run("HELLO", "a 'b c'"), 5);
    assert_string_equal(fake_cms_started, "/a/hello.module: [/a/hello.module] [a] [b c]");
    assert_int_equal(run("OLD", "-x"), 5);
    assert_string_equal(fake_cms_started, "/usr/bin/qemu-m68k-static: [/usr/bin/qemu-m68k-static] [/a/old.m68k] [-x]");
    assert_int_equal(run("MINE", "console"), 6);
    assert_string_equal(fake_cms_started, "machine MINE KERNEL A1: console");
    struct file_found found;
    put("ONLY EXEC", "/**/", 4);
    assert_false(cms_eel_find_file("ONLY", &found));
    assert_false(cms_eel_find_file("NOTHING", &found));
    assert_false(cms_eel_find_file("*", &found));
}

static void the_query_says_which_and_why(void **state)
{
    (void)state;
    put("SUNSET JPEG", "\xff\xd8\xff\xe0", 4);
    put("LIAR JPEG", elf, sizeof elf);
    put("WHAT EVER", "x", 1);
    put("GO EXEC", "/* */", 5);
    shows("EEL QUERY SUNSET JPEG", 0, "SUNSET JPEG A1: PICTURE (/usr/bin/catimg), by its first bytes, JPEG\n");
    shows("EEL QUERY LIAR JPEG A", 0, "LIAR JPEG A1: LINUX (a program itself), by its first bytes, ELF\n"
                                      "PICTURE by its filetype, JPEG\n");
    shows("EEL QUERY GO EXEC", 0, "GO EXEC A1: REXX (REXX, in CMS), by its filetype, EXEC\n");
    shows("EEL QUERY WHAT EVER", 28, "DMSEEL9053E Nothing is known that runs WHAT EVER A1\n");
    shows("EEL QUERY NO FILE", 28, "DMSEEL002E File NO FILE * not found\n");
    fake_program_unreadable = true;
    shows("EEL QUERY GO EXEC", 100, "DMSEEL9055E GO EXEC A1 cannot be read: error 5\n");
    fake_program_unreadable = false;
}

#define QUESTION                                                                                                       \
    "DMSEEL9050R LIAR JPEG A1 is run by PICTURE as its filetype says, but by LINUX as its first bytes say (ELF). "    \
    "Do you wish to have LINUX run it?\r\nEnter 1 (YES) or 0 (NO).\r\n"

static void a_file_that_is_not_what_it_says_asks_first(void **state)
{
    (void)state;
    put("LIAR JPEG", elf, sizeof elf);
    fake_cms_type("no\r");
    assert_int_equal(run("LIAR", ""), 4);
    assert_non_null(strstr(fake_cms_shown(), QUESTION));
    assert_non_null(strstr(fake_cms_shown(), "DMSEEL9051W LIAR JPEG A1 was not run"));
    assert_string_equal(fake_cms_started, "");
    fake_cms_type("YES\r");
    assert_int_equal(run("LIAR", ""), 5);
    fake_cms_type("hx\r");
    assert_int_equal(run("LIAR", ""), COMMAND_HALTED);
    obey("EEL SET POLICY SILENT");
    assert_int_equal(run("LIAR", ""), 5);
    assert_string_equal(fake_cms_shown(), "");
    obey("EEL SET POLICY TELL");
    assert_int_equal(run("LIAR", ""), 5);
    assert_string_equal(fake_cms_shown(), "DMSEEL9052I LIAR JPEG A1 is run by LINUX, for its first bytes\r\n");
}

static void the_tables_are_the_users_to_change(void **state)
{
    (void)state;
    put("NOTES TEXT", "hello", 5);
    shows("EEL DEFINE PAGER /usr/bin/less -R %f --", 0, "");
    shows("EEL SET TYPE TEXT PAGER", 0, "");
    assert_int_equal(run("NOTES", "more"), 5);
    assert_string_equal(fake_cms_started, "/usr/bin/less: [/usr/bin/less] [-R] [/a/notes.text] [--] [more]");
    shows("EEL DEFINE PAGER /bin/cat", 0, "");
    assert_int_equal(run("NOTES", ""), 5);
    assert_string_equal(fake_cms_started, "/bin/cat: [/bin/cat] [/a/notes.text]");
    put("SUNSET JPEG", "\xff\xd8\xff\xe0", 4);
    shows("EEL SET MAGIC JPEG PAGER", 0, "");
    fake_cms_type("1\r");
    assert_int_equal(run("SUNSET", ""), 5);
    assert_string_equal(fake_cms_started, "/bin/cat: [/bin/cat] [/a/sunset.jpeg]");
    shows("EEL QUERY", 0,
          "POLICY     = ASK\n"
          "ENVIRON  REXX     REXX, in CMS\n"
          "ENVIRON  LINUX    a program itself\n"
          "ENVIRON  M68K     /usr/bin/qemu-m68k-static %f\n"
          "ENVIRON  PICTURE  /usr/bin/catimg %f\n"
          "ENVIRON  MACHINE  a machine of its own\n"
          "ENVIRON  PAGER    /bin/cat (own)\n"
          "MAGIC    MBOOT    MACHINE\nMAGIC    BZIMAGE  MACHINE\nMAGIC    ELF      LINUX\nMAGIC    ELF68K   M68K\n"
          "MAGIC    SCRIPT   LINUX\nMAGIC    JPEG     PAGER (own)\nMAGIC    PNG      PICTURE\n"
          "MAGIC    GIF      PICTURE\n"
          "TYPE     EXEC     REXX\nTYPE     MODULE   LINUX\nTYPE     JPEG     PICTURE\nTYPE     JPG      PICTURE\n"
          "TYPE     PNG      PICTURE\nTYPE     GIF      PICTURE\nTYPE     M68K     M68K\nTYPE     KERNEL   MACHINE\n"
          "TYPE     TEXT     PAGER (own)\n");
    shows("EEL RESET", 0, "");
    assert_null(cms_eel_find("PAGER"));
}

static void one_rule_or_environment_is_taken_back(void **state)
{
    (void)state;
    put("SUNSET JPEG", "\xff\xd8\xff\xe0", 4);
    put("NOTES TEXT", "hello", 5);
    obey("EEL DEFINE PAGER /bin/less %f");
    obey("EEL DEFINE PICTURE /bin/cat %f");
    obey("EEL DEFINE OTHER /bin/other %f");
    obey("EEL SET TYPE TEXT PAGER");
    obey("EEL SET TYPE DATA OTHER");
    obey("EEL SET MAGIC JPEG PAGER");
    shows("EEL RESET MAGIC JPEG", 0, "");
    shows("EEL RESET MAGIC JPEG", 28, "DMSEEL9058E MAGIC JPEG is not one that you have set\n");
    shows("EEL QUERY SUNSET JPEG", 0, "SUNSET JPEG A1: PICTURE (/bin/cat), by its first bytes, JPEG\n");
    shows("EEL RESET ENVIRON PICTURE", 0, "");
    shows("EEL QUERY SUNSET JPEG", 0, "SUNSET JPEG A1: PICTURE (/usr/bin/catimg), by its first bytes, JPEG\n");
    shows("EEL RESET ENV PICTURE", 28, "DMSEEL9058E ENVIRON PICTURE is not one that you have set\n");
    shows("EEL RESET ENVIRON PAGER", 0, ""); /* and its rule */
    assert_null(cms_eel_find("PAGER"));
    assert_string_equal(cms_eel_find("OTHER")->path, "/bin/other");
    shows("EEL QUERY NOTES TEXT", 28, "DMSEEL9053E Nothing is known that runs NOTES TEXT A1\n");
    shows("EEL RESET TYPE TEXT", 28, "DMSEEL9058E TYPE TEXT is not one that you have set\n");
    shows("EEL RESET TYPE DATA", 0, "");
    shows("EEL RESET TYPE", 24, "DMSEEL050E Parameter missing after TYPE\n");
    shows("EEL RESET TYPE VERYLONGNAME", 28, "DMSEEL9058E TYPE VERYLONGNAME is not one that you have set\n");
}

static void what_the_directory_forbids_cannot_be_defined_anew(void **state)
{
    (void)state;
    put("SUNSET JPEG", "\xff\xd8\xff\xe0", 4);
    assert_true(cms_eel_forbids("AMIGA"));
    assert_false(cms_eel_forbids("LINUX"));
    obey("EEL DEFINE AMIGA /bin/uae");
    obey("EEL SET MAGIC JPEG AMIGA");
    assert_int_equal(run("SUNSET", ""), 76);
    shows("EEL QUERY SUNSET JPEG", 0,
          "SUNSET JPEG A1: AMIGA (/bin/uae), by its first bytes, JPEG; forbidden\nPICTURE by its filetype, JPEG\n");
    assert_string_equal(fake_cms_started, "");
}

static void what_is_forbidden_stays_so(void **state)
{
    (void)state;
    put("SUNSET JPEG", "\xff\xd8\xff\xe0", 4);
    cms_eel_forbid("PICTURE");
    cms_eel_forbid("MINE");
    assert_int_equal(run("SUNSET", ""), 76);
    assert_non_null(strstr(fake_cms_shown(), "DMSEEL9054E Environment PICTURE is forbidden here"));
    shows("EEL QUERY SUNSET JPEG", 0,
          "SUNSET JPEG A1: PICTURE (/usr/bin/catimg), by its first bytes, JPEG; forbidden\n");
    obey("EEL DEFINE PICTURE /bin/cat");
    obey("EEL RESET");
    assert_int_equal(run("SUNSET", ""), 76);
    obey("EEL DEFINE MINE /bin/cat");
    obey("EEL SET MAGIC JPEG MINE");
    assert_int_equal(run("SUNSET", ""), 76);
    obey("EEL DEFINE HIDDEN /usr/bin/catimg -c %f"); /* it is what runs there, whatever it is called */
    obey("EEL SET MAGIC JPEG HIDDEN");
    assert_int_equal(run("SUNSET", ""), 76);
    assert_string_equal(fake_cms_started, "");
    cms_eel_forbid("LINUX"); /* so are programs that the user names, or types */
    obey("EEL DEFINE YOURS /bin/cat");
    obey("EEL SET MAGIC JPEG YOURS");
    assert_int_equal(run("SUNSET", ""), 76);
    shows("program", 76, "DMSEEL9054E Environment LINUX is forbidden here\n");
    assert_string_equal(fake_cms_started, "");
}

static void wrong_commands_are_told(void **state)
{
    (void)state;
    shows("EEL DANCE", 24, "DMSEEL014E Invalid keyword: DANCE\n");
    shows("EEL SET", 24, "DMSEEL050E Parameter missing after SET\n");
    shows("EEL SET POLICY MAYBE", 24, "DMSEEL014E Invalid keyword: MAYBE\n");
    shows("EEL SET POLICY ASK X", 24, "DMSEEL070E Invalid parameter X\n");
    shows("EEL SET MAGIC NONE REXX", 24, "DMSEEL014E Invalid keyword: NONE\n");
    shows("EEL SET TYPE DATA", 24, "DMSEEL050E Parameter missing after DATA\n");
    shows("EEL SET TYPE DATA NONE", 24, "DMSEEL014E Invalid keyword: NONE\n");
    shows("EEL SET TYPE FARTOOLONG REXX", 24, "DMSEEL014E Invalid keyword: FARTOOLONG\n");
    shows("EEL DEFINE X", 24, "DMSEEL050E Parameter missing after X\n");
    shows("EEL DEFINE X bin/cat", 24, "DMSEEL014E Invalid keyword: BIN/CAT\n");
    shows("EEL RESET X", 24, "DMSEEL014E Invalid keyword: X\n");
    shows("EEL QUERY A B C D", 24, "DMSEEL070E Invalid parameter D\n");
    char line[40];
    int rc = 0;
    for (int i = 0; i < 100 && !rc; i++) {
        snprintf(line, sizeof line, "EEL SET TYPE T%d REXX", i);
        rc = obey(line);
    }
    assert_int_equal(rc, 104);
    rc = 0;
    for (int i = 0; i < 100 && !rc; i++) {
        snprintf(line, sizeof line, "EEL DEFINE E%d /bin/x", i);
        rc = obey(line);
    }
    assert_int_equal(rc, 104);
}

static void words_are_kept_together_by_quotation(void **state)
{
    static struct eel_line line;
    static char many[EEL_TEXT + 10];
    (void)state;
    assert_true(cms_eel_add_words(&line, "  a  'b  c'\td\"e 'f\"g h\\ i '\\' \"\\\"\" ''"));
    assert_int_equal(line.count, 7);
    const char *expected[] = {"a", "b  c", "de 'fg", "h i", "\\", "\"", "", NULL};
    for (int i = 0; expected[i]; i++)
        assert_string_equal(line.word[i], expected[i]);
    assert_null(line.word[7]);
    line = (struct eel_line){0};
    assert_false(cms_eel_add_words(&line, "it's"));
    line = (struct eel_line){0};
    memset(many, 'x', EEL_TEXT);
    assert_false(cms_eel_add_words(&line, many));
    line = (struct eel_line){0};
    many[EEL_TEXT - 1] = 0;
    assert_true(cms_eel_add_words(&line, many));
    line = (struct eel_line){0};
    for (size_t i = 0; i < 2 * EEL_WORDS + 2; i += 2)
        memcpy(many + i, "x ", 3);
    assert_false(cms_eel_add_words(&line, many));
    put("HELLO MODULE", elf, sizeof elf);
    assert_int_equal(run("HELLO", "it's"), 24);
}

int main(void)
{
    fake_cms_forbidden = "AMIGA BEOS";
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, scene_end)
    const struct CMUnitTest tests[] = {
        TEST(files_are_known_by_their_first_bytes), TEST(a_name_alone_finds_what_runs),
        TEST(the_query_says_which_and_why), TEST(a_file_that_is_not_what_it_says_asks_first),
        TEST(the_tables_are_the_users_to_change), TEST(wrong_commands_are_told),
        TEST(one_rule_or_environment_is_taken_back),
        TEST(words_are_kept_together_by_quotation), TEST(what_the_directory_forbids_cannot_be_defined_anew),
        TEST(what_is_forbidden_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
