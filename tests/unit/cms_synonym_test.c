/* The user's own names of commands, and answers that go onto the program stack. */
#include "tests/unit/cms_scene.h"

#include "cms/command/settings.h"
#include "cms/command/synonym.h"

/* A SYNONYM file of these lines, / between them. */
static void file(const char *name, const char *lines)
{
    char line[300];
    snprintf(line, sizeof line, "PIPE literal %s | split . | > %s SYNONYM A", lines, name);
    assert_int_equal(obey(line), 0);
}

static void a_synonym_stands_for_its_command(void **state)
{
    (void)state;
    file("MINE", "LISTFILE FILES 4.* a comment. .STATE THERE.copyfile doublet 0");
    shows("SYNONYM MINE", 0, "");
    shows("FILES MINE", 0, "MINE     SYNONYM  A1\n");
    shows("file mine synonym a (ftype", 0, "MINE     SYNONYM\n");
    shows("FIS MINE", -3, "Unknown CP/CMS command\n");
    shows("THERE MINE SYNONYM", 0, "");
    shows("THER MINE SYNONYM", -3, "Unknown CP/CMS command\n");
    shows("DOUBLET MINE SYNONYM A OTHER = =", 0, "");
    shows("PIPE CMS FILES OTHER * A | CONSOLE", 0, "OTHER    SYNONYM  A1\n");
}

static void synonyms_are_listed(void **state)
{
    static const char list[] = "SYSTEM   USER     SHORTEST\n"
                               "COMMAND  SYNONYM  FORM (IF ANY)\n"
                               "-------------------------------\n"
                               "LISTFILE FILES    FILE\n"
                               "STATE    THERE    \n";
    (void)state;
    shows("SYNONYM", 0, "DMSSYN9069I No user synonyms in effect\n");
    shows("QUERY SYNONYM", 0, "DMSQRY9069I No user synonyms in effect\n");
    file("MINE", "LISTFILE FILES 4.STATE THERE");
    obey("SYNONYM MINE");
    shows("SYNONYM", 0, list);
    shows("QUERY SYNONYM USER", 0, list);
    assert_int_equal(obey("QUERY SYN SYSTEM"), 0);
    assert_non_null(strstr(fake_cms_shown(), "\nCOPYFILE COPY\r\n"));
    assert_null(strstr(fake_cms_shown(), "FILES"));
    assert_int_equal(obey("QUERY SYNONYM ALL"), 0);
    assert_non_null(strstr(fake_cms_shown(), "\nCOPYFILE COPY\r\n"));
    assert_non_null(strstr(fake_cms_shown(), "\nSTATE    THERE"));
    shows("QUERY SYNONYM SOME", 24, "DMSQRY014E Invalid keyword: SOME\n");
}

static void the_last_file_counts_and_clear_forgets(void **state)
{
    (void)state;
    file("ONE", "LISTFILE FILES");
    file("TWO", "LISTFILE DATEIEN");
    obey("SYNONYM ONE");
    obey("SYNONYM TWO SYNONYM A");
    shows("FILES ONE", -3, "Unknown CP/CMS command\n");
    shows("DATEIEN ONE", 0, "ONE      SYNONYM  A1\n");
    obey("SYNONYM (CLEAR");
    shows("DATEIEN ONE", -3, "Unknown CP/CMS command\n");
}

static void a_faulty_file_leaves_what_was(void **state)
{
    static const char *const faulty[] = {"LISTFILE", "LISTFILE FILES 6", "LISTFILE FILES 1 2", "LISTFILE FILES x",
                                         "LISTFILE FILES (X", "LISTFILE TOOLONGNAME", "TOOLONGNAME FILES"};
    (void)state;
    file("ONE", "LISTFILE FILES");
    obey("SYNONYM ONE");
    for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++) {
        char line[100];
        snprintf(line, sizeof line, "STATE OTHERS.%s", faulty[i]);
        file("BAD", line);
        shows("SYNONYM BAD", 32, "DMSSYN056E File BAD SYNONYM A1 contains invalid record formats\n");
        shows("FILES ONE", 0, "ONE      SYNONYM  A1\n");
    }
    shows("SYNONYM NONE", 28, "DMSSYN002E File NONE SYNONYM A not found\n");
    shows("SYNONYM A B C D", 24, "DMSSYN070E Invalid parameter D\n");
    shows("SYNONYM * SYNONYM A", 20, "DMSSYN062E Invalid character in fileid * SYNONYM A\n");
    shows("SYNONYM ONE (STD NOSTD", 24, "DMSSYN066E STD and NOSTD are conflicting options\n");
    shows("FILES ONE", 0, "ONE      SYNONYM  A1\n");
}

static void abbreviations_end_with_nostd(void **state)
{
    (void)state;
    file("MINE", "LISTFILE FILES 2");
    obey("SYNONYM MINE (NOSTD");
    shows("FI MINE", -3, "Unknown CP/CMS command\n");
    shows("FILES MINE", 0, "MINE     SYNONYM  A1\n");
    shows("LISTF MINE", -3, "Unknown CP/CMS command\n");
    obey("SYNONYM (STD");
    shows("FI MINE", 0, "MINE     SYNONYM  A1\n");
    shows("LISTF MINE", 0, "MINE     SYNONYM  A1\n");
}

static void an_exec_goes_before_and_may_be_meant(void **state)
{
    (void)state;
    file("MINE", "ROUND FILES.LISTFILE HELLO");
    obey("SYNONYM MINE");
    obey("PIPE literal say | > HELLO EXEC A");
    obey("COPYFILE HELLO EXEC A ROUND = =");
    *fake_cms_interpreted = 0;
    obey("hello there");
    assert_string_equal(fake_cms_interpreted, "HELLO EXEC A1: there");
    obey("files (x");
    assert_string_equal(fake_cms_interpreted, "ROUND EXEC A1: (x");
    assert_int_equal(cms_obey_command("FILES"), -3);
}

/* ---- onto the stack ---------------------------------------------------------------------------------------------- */

static void stacked(const char *const *line)
{
    char text[200];
    for (; *line; line++) {
        int n = cms_stack_pull(text, sizeof text - 1);
        assert_in_range(n, 0, (int)sizeof text - 1);
        text[n] = 0;
        assert_string_equal(text, *line);
    }
    assert_int_equal(cms_stack_lines(), 0);
}

#define STACKED(...) stacked((const char *const[]){__VA_ARGS__, NULL})

static void listfile_stacks(void **state)
{
    (void)state;
    obey("PIPE literal x| > A DATA A | > B DATA A");
    shows("LISTFILE * DATA A (STACK", 0, "");
    STACKED("A        DATA     A1", "B        DATA     A1");
    shows("LISTFILE * DATA A (LIFO FNAME", 0, "");
    STACKED("B", "A");
    shows("LISTFILE * DATA A (STACK LIFO FNAME", 0, "");
    STACKED("B", "A");
    shows("LISTFILE A DATA A (FORMAT FIFO", 0, "");
    STACKED("A        DATA     A1 V          1");
    shows("LISTFILE A DATA A (HEADER FNAME FIFO", 0, "");
    STACKED("FILENAME", "A");
    shows("LISTFILE NO DATA A (STACK", 28, "DMSLST002E File NO DATA A not found\n");
    shows("LISTFILE * DATA A (FIFO LIFO", 24, "DMSLST066E FIFO and LIFO are conflicting options\n");
    shows("LISTFILE * DATA A (STACK EXEC", 24, "DMSLST066E STACK and EXEC are conflicting options\n");
    shows("LISTFILE * DATA A (LIFO APPEND", 24, "DMSLST066E APPEND and LIFO are conflicting options\n");
    shows("LISTFILE * DATA A (ARGS", 24, "DMSLST003E Invalid option: ARGS\n");
    assert_int_equal(cms_stack_lines(), 0);
    shows("LISTFILE A DATA A (EXEC ARGS", 0, "");
    shows("PIPE < CMS EXEC A | STRIP | CONSOLE", 0,
          "&1 &2 A        DATA     A1 &3 &4 &5 &6 &7 &8 &9 &10 &11 &12 &13 &14 &15\n");
}

static void query_stacks(void **state)
{
    (void)state;
    shows("QUERY IMPCP (STACK", 0, "");
    STACKED("IMPCP    = ON");
    obey("QUERY SEARCH (FIFO");
    obey("QUERY IMPEX (LIFO");
    STACKED("IMPEX    = ON", "ALI191  191  A    R/W");
    fake_cms_cp("CP SAYS SO\n", 0);
    shows("QUERY USERID (STACK LIFO", 0, "");
    assert_string_equal(fake_cms_cp_asked, "QUERY USERID ");
    STACKED("CP SAYS SO");
    shows("QUERY NAMES (STACK", 0, "CP SAYS SO\n");
    assert_string_equal(fake_cms_cp_asked, "QUERY NAMES (STACK");
    shows("QUERY SEARCH (STICK", 24, "DMSQRY003E Invalid option: STICK\n");
    shows("QUERY SEARCH (FIFO LIFO", 24, "DMSQRY003E Invalid option: LIFO\n");
    shows("QUERY DISK X (STACK", 36, "DMSQRY069E Filemode X not accessed\n");
    assert_int_equal(cms_stack_lines(), 0);
}

static void identify_tells_who_and_where(void **state)
{
    static const char *const forms[] = {"IDENTIFY", "ID (SHORTDATE", "IDENTIFY (FULLDATE", "IDENTIFY (ISODATE"};
    char user[9], node[9], via[9], date[12], time[12], zone[9], day[12];
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        assert_int_equal(obey(forms[i]), 0);
        int words = sscanf(fake_cms_shown(), "%8s AT %8s VIA %8s %11s %11s %8s %11s", user, node, via, date, time, zone,
                           day);
        assert_int_equal(words, 7);
        assert_string_equal(node, "VMN");
        assert_string_equal(via, "*");
        assert_int_equal(strlen(date), i < 2 ? 8 : 10);
        assert_non_null(strstr(day, "DAY"));
    }
    assert_int_equal(date[4], '-');
    shows("IDENTIFY (STACK", 0, "");
    assert_int_equal(cms_stack_lines(), 1);
    shows("IDENTIFY (ISODATE LIFO", 0, "");
    assert_int_equal(cms_stack_lines(), 2);
    shows("IDENTIFY ME", 24, "DMSIDE070E Invalid parameter ME\n");
    shows("IDENTIFY (LATER", 24, "DMSIDE003E Invalid option: LATER\n");
}

static int begin(void **state)
{
    (void)state;
    scene_begin();
    memset(&cms_settings, 0, sizeof cms_settings);
    attach(0x191, 'A', "ALI191");
    return 0;
}

static int end(void **state)
{
    cms_synonym_clear();
    return scene_end(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_synonym_stands_for_its_command),
        TEST(synonyms_are_listed),
        TEST(the_last_file_counts_and_clear_forgets),
        TEST(a_faulty_file_leaves_what_was),
        TEST(abbreviations_end_with_nostd),
        TEST(an_exec_goes_before_and_may_be_meant),
        TEST(listfile_stacks),
        TEST(query_stacks),
        TEST(identify_tells_who_and_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
