/* Tab in a command's line: commands, fileids, options, keywords and stages, on disks with known files. */
#include "cms/command/builtin.h"
#include "cms/command/complete.h"
#include "cms/kernel/disk.h"
#include "tests/unit/cms_scene.h"

static int start(void **state)
{
    (void)state;
    scene_begin();
    attach(0x191, 'A', "ALI191");
    attach(0x192, 'B', "ALI192");
    obey("PIPE literal one| > ALPHA DATA A");
    obey("PIPE literal one| > ALPHA EXEC A2");
    obey("PIPE literal one| > ALTO SCRIPT B");
    obey("PIPE literal one| > BETA DATA B");
    cms_console_start(cms_command_complete);
    return 0;
}

/* `typed`, with Tabs in it, becomes `line`. */
static void becomes(const char *typed, const char *line)
{
    char read[LINE_TEXT_MAX + 1];
    fake_cms_forget();
    fake_cms_type(typed);
    fake_cms_type("\r");
    assert_true(cms_console_read(read, sizeof read, CONSOLE_COMMAND) >= 0);
    assert_string_equal(read, line);
}

/* Tab twice behind `typed` lists these. */
static void lists(const char *typed, const char *words)
{
    char shown[500];
    snprintf(shown, sizeof shown, "\r\n%s \r\n", words);
    fake_cms_type(typed);
    becomes("\t\t", typed);
    if (!strstr(fake_cms_shown(), shown))
        fail_msg("%s: %s", typed, fake_cms_shown());
}

static void commands_are_completed_at_the_start_and_behind_a_line_end(void **state)
{
    char read[LINE_TEXT_MAX + 1];
    (void)state;
    becomes("listf\t", "listfile ");
    becomes("  REN\t", "  RENAME ");
    becomes("st\t", "state");
    lists("state", "STATE STATEW");
    becomes("#listf\t", "");
    assert_true(cms_console_read(read, sizeof read, CONSOLE_COMMAND) >= 0);
    assert_string_equal(read, "listfile ");
}

static void the_line_end_is_the_one_that_is_set(void **state)
{
    (void)state;
    cms_console_set_line_end(';');
    becomes("type a#listf\t", "type a#listf");
    becomes("type x\";listf\t", "type x;listf"); /* it is escaped */
    cms_console_set_line_end('#');
    becomes("type x\"#listf\t", "type x#listf");
}

static void fileids_are_those_of_the_accessed_disks(void **state)
{
    (void)state;
    lists("type al", "ALPHA ALTO");
    lists("type ", "ALPHA ALTO BETA");
    becomes("type alp\t", "type alpha ");
    lists("type alpha ", "DATA EXEC");
    becomes("TYPE ALPHA E\t", "TYPE ALPHA EXEC ");
    becomes("type alto \t", "type alto script ");
    becomes("type beta data \t", "type beta data b ");
    becomes("copyfile alpha exec a be\t", "copyfile alpha exec a beta ");
    becomes("type alpha data a x\t", "type alpha data a x");
    becomes("type nosuch \t", "type nosuch ");
}

/* Some files of others are named so that what was completed would be two commands. */
static void a_line_end_in_a_name_is_escaped(void **state)
{
    (void)state;
    obey("PIPE literal one| > X#LOGOFF DATA B");
    becomes("type x\t", "type x#logoff ");
    becomes("TYPE X\"#L\t", "TYPE X#LOGOFF ");
    becomes("type x\"#logoff d\t", "type x#logoff data ");
    obey("PIPE literal one| > X#LOGON DATA B");
    becomes("type x\t", "type x#logo");
    becomes("type x\"#logo\t\t", "type x#logo");
    assert_non_null(strstr(fake_cms_shown(), "\r\nX#LOGOFF X#LOGON \r\n"));
    cms_console_set_line_end(';');
    becomes("type x\t", "type x#logo");
    cms_console_set_line_end('X');
    becomes("TYPE \"X\t", "TYPE X#LOGO");
    cms_console_set_line_end(0);
    becomes("type x\t", "type x#logo");
    cms_console_set_line_end('#');
    obey("ERASE X#LOGOFF DATA B");
    obey("ERASE X#LOGON DATA B");
}

static void options_and_keywords_come_from_the_tables(void **state)
{
    (void)state;
    becomes("listfile * * a (shortd\t", "listfile * * a (shortdate ");
    becomes("copyfile alpha data a (date recfm \t", "copyfile alpha data a (date recfm "); /* a value */
    lists("copyfile alpha data a (t", "TOLABEL TRANS TRUNC TYPE");
    becomes("query cms\t", "query cmslevel ");
    becomes("query disk \t", "query disk "); /* bell: A, B, R/W */
    becomes("query disk r\t", "query disk r/w ");
    becomes("set rdym\t", "set rdymsg ");
    lists("set rdymsg ", "LMSG SMSG");
    becomes("set lin\t", "set linend ");
    lists("release ", "191 192 A B");
    becomes("release b (\t", "release b (det ");
    becomes("help copyf\t", "help copyfile ");
    becomes("format 193 c (\t1\t", "format 193 c (blksize 1k ");
    becomes("xedit be\tda\t", "xedit beta data ");
    becomes("xedit beta data (prof\t", "xedit beta data (profile ");
    becomes("eel set pol\tt\t", "eel set policy tell ");
    becomes("eel res\tty\texe\t", "eel reset type exec ");
    becomes("eel reset env\trex\t", "eel reset environ rexx ");
    becomes("eel set type mod\tli\t", "eel set type module linux ");
    becomes("execio 1 diskr be\t", "execio 1 diskr beta ");
    becomes("execio 1 diskr x y (fini\t", "execio 1 diskr x y (finis ");
    becomes("globalv select x grpl\t", "globalv select x grplist ");
    becomes("exec al\t", "exec alpha ");
    becomes("cp que\t", "cp que");
}

/* But CP, whose operands only CP knows, and a comment. */
static void every_command_that_takes_something_has_its_row(void **state)
{
    const struct command *command;
    (void)state;
    for (size_t i = 0; (command = cms_command_at(i)); i++)
        if (strcmp(command->synopsis, command->name) && strcmp(command->name, "CP") && strcmp(command->name, "*") &&
            !cms_completion_find(command->name))
            fail_msg("%s has no row in a complete.c", command->name);
}

static void stages_and_what_they_take_are_completed_in_a_pipeline(void **state)
{
    (void)state;
    becomes("pipe < be\t", "pipe < beta ");
    becomes("pipe < beta data b|cou\t", "pipe < beta data b|count ");
    becomes("pipe < beta data | co\tn\t", "pipe < beta data | console ");
    becomes("PIPE CMS LISTF\t", "PIPE CMS LISTFILE ");
    becomes("pipe cms type alt\t| cons\t", "pipe cms type alto | console ");
    becomes("pipe literal x | > alpha e\t", "pipe literal x | > alpha exec ");
    becomes("pipe (end ?) literal x ? a: loc\t", "pipe (end ?) literal x ? a: locate ");
    becomes("pipe (stagesep !) literal x ! lo\to\t", "pipe (stagesep !) literal x ! lookup ");
    becomes("pipe literal x | lookup auto\t", "pipe literal x | lookup autoadd ");
    becomes("pipe literal x | specs number fr\t", "pipe literal x | specs number from ");
    becomes("pipe literal x | append < be\t", "pipe literal x | append < beta ");
    becomes("pipe literal x | not unique sin\t", "pipe literal x | not unique singles ");
    becomes("pipe help jux\t", "pipe help juxtapose ");
    becomes("pipe state be\t", "pipe state beta ");
}

/* ESC is 27 in EBCDIC. */
static void a_name_that_would_command_the_terminal_is_never_offered(void **state)
{
    static const uint8_t alto[] = {0xc1, 0xd3, 0xe3, 0xd6, 0x40};
    struct mode_problem problem;
    uint8_t sector[DISK_SECTOR];
    bool found = false;
    (void)state;
    cms_mode_release('B');
    struct disk *disk = cms_disk_find(0x192);
    for (uint64_t n = 0; n < disk->sectors; n++) {
        assert_int_equal(cms_disk_read(disk, n, sector, 1), 0);
        for (size_t i = 0; i + sizeof alto <= sizeof sector; i++)
            if (!memcmp(sector + i, alto, sizeof alto)) {
                sector[i + 2] = 0x27;
                found = true;
                assert_int_equal(cms_disk_write(disk, n, sector, 1), 0);
            }
    }
    assert_true(found);
    assert_true(cms_mode_access(0x192, 'B', 'B', false, &problem));
    lists("type ", "ALPHA BETA");
    lists("type * ", "DATA EXEC"); /* nor its type */
    obey("LISTFILE * * B");
    assert_non_null(strstr(fake_cms_shown(), "AL?O     SCRIPT   B1"));
}

/* Whatever is typed, a line comes out that begins as it was typed. */
static void tabs_anywhere_only_add_to_the_line(void **state)
{
    static const char *const words[] = {"pipe", " ",     " ",   "\t",    "\t",  "\t\t",    "(",    "|", "<",
                                        ">>",   ")",     "al",  "type",  "cms", "copyf",   "*",    "d", "e",
                                        "A",    "query", "set", "recfm", "%",   "release", "x\"#y"};
    enum { WORDS = sizeof words / sizeof *words };
    char typed[LINE_TEXT_MAX + 1], read[LINE_TEXT_MAX + 1];
    uint32_t seed = 1;
    (void)state;
    for (int i = 0; i < 4000; i++) {
        size_t n = 0;
        for (unsigned left = seed >> 8 & 15; left; left--) {
            seed = seed * 1664525 + 1013904223;
            n += (size_t)snprintf(typed + n, sizeof typed - n, "%s", words[(seed >> 16) % WORDS]);
        }
        seed = seed * 1664525 + 1013904223;
        snprintf(typed + n, sizeof typed - n, "\r");
        typed[0] = typed[0] == '\t' ? 'x' : typed[0];
        fake_cms_forget();
        fake_cms_type(typed);
        do
            assert_true(cms_console_read(read, sizeof read, CONSOLE_COMMAND) >= 0);
        while (!fake_cms_typed_all());
        size_t first = strcspn(typed, "\t\"\r");
        assert_true(!strncmp(read, typed, first));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, scene_end)
        TEST(commands_are_completed_at_the_start_and_behind_a_line_end),
        TEST(the_line_end_is_the_one_that_is_set),
        TEST(fileids_are_those_of_the_accessed_disks),
        TEST(a_line_end_in_a_name_is_escaped),
        TEST(options_and_keywords_come_from_the_tables),
        TEST(every_command_that_takes_something_has_its_row),
        TEST(stages_and_what_they_take_are_completed_in_a_pipeline),
        TEST(tabs_anywhere_only_add_to_the_line),
        TEST(a_name_that_would_command_the_terminal_is_never_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
