/* EXECIO, GLOBALV and the program stack, with a REXX program whose variables are a table. */
#include "tests/unit/cms_scene.h"

#include <stdlib.h>

#include "cms/console/stack.h"
#include "cms/kernel/variables.h"

enum { VARIABLES = 64 };

static struct {
    char name[64], value[512];
} table[VARIABLES];
static unsigned used;

static char *value_of(const char *name)
{
    for (unsigned i = 0; i < used; i++)
        if (!strcmp(table[i].name, name))
            return table[i].value;
    return NULL;
}

static enum cms_variable_status get(void *context, const char *name, char *value, size_t size, size_t *length)
{
    const char *is = value_of(name);
    (void)context;
    if (!is)
        return VARIABLE_UNSET;
    *length = strlen(is);
    memcpy(value, is, *length < size ? *length : size);
    return VARIABLE_OK;
}

static enum cms_variable_status set(void *context, const char *name, const char *value, size_t length)
{
    (void)context;
    if (*name >= '0' && *name <= '9')
        return VARIABLE_BAD_NAME;
    if (!value_of(name)) {
        assert_true(used < VARIABLES);
        snprintf(table[used].value, sizeof table->value, "?");
        snprintf(table[used++].name, sizeof table->name, "%s", name);
    }
    snprintf(value_of(name), sizeof table->value, "%.*s", (int)length, value);
    return VARIABLE_OK;
}

static const struct cms_variables program = {get, set, NULL};

static int begin(void **state)
{
    (void)state;
    scene_begin();
    attach(0x191, 'A', "ALICE");
    attach(0x192, 'B', "OTHER");
    used = 0;
    cms_variables_lend(&program);
    obey("PIPE literal one two three four five | split | > NUMBERS DATA A");
    return 0;
}

static int end(void **state)
{
    cms_variables_lend(NULL);
    return scene_end(state);
}

static void has(const char *name, const char *value)
{
    if (!value_of(name))
        fail_msg("%s has no value", name);
    assert_string_equal(value_of(name), value);
}

static void stacked(const char *line)
{
    char text[512];
    int length = cms_stack_pull(text, sizeof text - 1);
    assert_true(length >= 0);
    text[length] = 0;
    assert_string_equal(text, line);
}

static void nothing_stacked(void)
{
    assert_int_equal(cms_stack_lines(), 0);
}

/* ---- EXECIO ---------------------------------------------------------------------------------------------------- */

static void a_whole_file_comes_into_a_stem(void **state)
{
    (void)state;
    shows("EXECIO * DISKR NUMBERS DATA A (STEM L. FINIS", 0, "");
    has("L.0", "5");
    has("L.1", "one");
    has("L.5", "five");
}

static void reading_goes_on_where_it_ended_until_finis(void **state)
{
    (void)state;
    shows("EXECIO 2 DISKR NUMBERS DATA", 0, "");
    stacked("one");
    stacked("two");
    shows("EXECIO 1 DISKR NUMBERS DATA * (VAR X", 0, "");
    has("X", "three");
    shows("EXECIO 3 DISKR NUMBERS DATA A (LIFO", 2, "");
    stacked("five");
    stacked("four");
    nothing_stacked();
    shows("EXECIO 1 DISKR NUMBERS DATA (FINIS", 2, "");
    shows("EXECIO 1 DISKR NUMBERS DATA A 2 (FINIS", 0, "");
    stacked("two");
    shows("EXECIO 1 DISKR NUMBERS DATA A 9 (FINIS", 2, "");
    shows("EXECIO 1 DISKR NUMBERS DATA (FINIS", 0, "");
    stacked("one");
}

static void the_line_typed_ends_what_is_open(void **state)
{
    (void)state;
    shows("EXECIO 3 DISKR NUMBERS DATA (SKIP", 0, "");
    cms_exec_line_ends();
    shows("EXECIO 1 DISKR NUMBERS DATA (FINIS", 0, "");
    stacked("one");
    nothing_stacked();
}

static void searching_gives_two_numbers_and_the_record(void **state)
{
    (void)state;
    shows("EXECIO * DISKR NUMBERS DATA A 2 (LOCATE /iv/ FINIS", 0, "");
    stacked("4 5");
    stacked("five");
    shows("EXECIO * DISKR NUMBERS DATA (FIND +t+ STEM F. FINIS", 0, "");
    has("F.0", "2");
    has("F.1", "2 2");
    has("F.2", "two");
    shows("EXECIO * DISKR NUMBERS DATA (AVOID /o/ FINIS", 0, "");
    stacked("3 3");
    stacked("three");
    shows("EXECIO 2 DISKR NUMBERS DATA (LOCATE /iv/ FINIS", 3, "");
    shows("EXECIO * DISKR NUMBERS DATA (LOCATE /zz/ FINIS", 2, "");
    shows("EXECIO * DISKR NUMBERS DATA (ZONE 2 2 FIND /n/ LIFO FINIS", 0, "");
    stacked("1 1");
    stacked("one");
    nothing_stacked();
}

static void records_are_cut_stripped_and_folded(void **state)
{
    (void)state;
    obey("PIPE literal abcdef | append literal gh   | pad 10 | > PADDED DATA A");
    obey("PIPE literal abcdef    | > PADDED DATA A");
    shows("EXECIO 1 DISKR PADDED DATA (VAR X MARGINS 3 8 STRIP CASE U FINIS", 0, "");
    has("X", "CDEF");
    shows("EXECIO 1 DISKR PADDED DATA (VAR X MARGINS 20 * FINIS", 0, "");
    has("X", "");
}

static void lines_are_written_from_everywhere(void **state)
{
    (void)state;
    set(NULL, "L.0", "2", 1);
    set(NULL, "L.1", "first", 5);
    set(NULL, "L.2", "second", 6);
    set(NULL, "X", "third", 5);
    cms_stack_push("fourth", 6, false);
    cms_stack_push("fifth", 5, false);
    shows("EXECIO * DISKW NEW DATA A (STEM L.", 0, "");
    shows("EXECIO 1 DISKW NEW DATA A (VAR X", 0, "");
    shows("EXECIO 2 DISKW NEW DATA A", 0, "");
    shows("EXECIO 1 DISKW NEW DATA A 6 (FINIS STRING  as typed  ", 0, "");
    shows("EXECIO * DISKR NEW DATA (FINIS", 0, "");
    stacked("first");
    stacked("second");
    stacked("third");
    stacked("fourth");
    stacked("fifth");
    stacked("as typed  ");
    nothing_stacked();
}

static void what_was_written_is_read_without_finis(void **state)
{
    (void)state;
    shows("EXECIO 1 DISKW NEW DATA A (STRING hello", 0, "");
    shows("EXECIO 1 DISKR NEW DATA A (VAR X", 0, "");
    has("X", "hello");
    shows("EXECIO 1 DISKW NEW DATA A (STRING again", 0, "");
    cms_exec_line_ends();
    shows("EXECIO * DISKR NEW DATA A (STEM X. FINIS", 0, "");
    has("X.0", "2");
}

static void fixed_records_are_filled_and_cut(void **state)
{
    (void)state;
    shows("EXECIO 1 DISKW FIXED DATA A 1 F 4 (STRING ab", 0, "");
    shows("EXECIO 1 DISKW FIXED DATA A 2 F 4 (FINIS STRING abcdef", 1, "");
    shows("EXECIO * DISKR FIXED DATA A (STEM X. FINIS", 0, "");
    has("X.1", "ab  ");
    has("X.2", "abcd");
    shows("EXECIO 1 DISKW FIXED DATA A 3 V (STRING x", 32, "DMSEIO011E Conflicting file formats\n");
}

static void records_in_the_midst_are_replaced_and_those_behind_follow(void **state)
{
    (void)state;
    set(NULL, "L.0", "4", 1);
    set(NULL, "L.1", "one", 3);
    set(NULL, "L.2", "two", 3);
    set(NULL, "L.3", "three", 5);
    set(NULL, "L.4", "four", 4);
    shows("EXECIO * DISKW MIDST DATA A (STEM L. FINIS", 0, "");
    shows("EXECIO 1 DISKW MIDST DATA A 2 (STRING TWO", 0, "");
    shows("EXECIO 1 DISKW MIDST DATA A 3 (STRING THREE", 0, ""); /* the next one of those */
    shows("EXECIO 1 DISKW MIDST DATA A 1 (STRING ONE", 0, "");   /* from the beginning again */
    shows("EXECIO * DISKR MIDST DATA A (STEM X. FINIS", 0, "");  /* what was written is there without FINIS */
    has("X.0", "4");
    has("X.1", "ONE");
    has("X.2", "TWO");
    has("X.3", "THREE");
    has("X.4", "four");
    shows("EXECIO 1 DISKW MIDST DATA A 4 (STRING 4444", 0, "");
    shows("EXECIO 1 DISKW MIDST DATA A (FINIS STRING five", 0, ""); /* beyond the end of the old ones */
    shows("EXECIO * DISKR MIDST DATA A (STEM X. FINIS", 0, "");
    has("X.0", "5");
    has("X.4", "4444");
    has("X.5", "five");
    shows("EXECIO 1 DISKW MIDST DATA A 3 (FINIS STRING longer than three", 0, "");
    shows("EXECIO * DISKR MIDST DATA A (STEM X. FINIS", 0, "");
    has("X.0", "3"); /* a variable one of another length is the last */
    has("X.3", "longer than three");
    shows("EXECIO 1 DISKW MIDST DATA A 5 (STRING x", 24,
          "DMSEIO621E Bad Plist: there is no such line, and none before it\n");
    shows("EXECIO 1 DISKW MIDST DATA A 4 (FINIS STRING x", 0, "");
    shows("EXECIO 3 DISKW FIXED DATA A 1 F 4 (STEM L. FINIS", 1, ""); /* "three" is cut */
    shows("EXECIO 1 DISKW FIXED DATA A 2 (STRING B", 0, "");
    cms_exec_line_ends();
    shows("EXECIO * DISKR FIXED DATA A (STEM X. FINIS", 0, "");
    has("X.0", "3");
    has("X.1", "one ");
    has("X.2", "B   ");
    has("X.3", "thre");
}

static void cp_answers_in_lines(void **state)
{
    (void)state;
    fake_cms_cp("TIME IS NOW\nAND THEN\n", 0);
    shows("EXECIO * CP (STEM T. FIFO STRING QUERY TIME", 24, "DMSEIO621E Bad Plist: conflicting options\n");
    shows("EXECIO * CP (STEM T. STRING QUERY TIME", 0, "");
    has("T.0", "2");
    has("T.2", "AND THEN");
    shows("EXECIO * CP (STRING QUERY TIME", 0, "");
    assert_string_equal(fake_cms_cp_asked, "QUERY TIME");
    stacked("TIME IS NOW");
    stacked("AND THEN");
    cms_stack_push("QUERY USERID", 12, false);
    shows("EXECIO 1 CP (STEM T.", 0, "");
    assert_string_equal(fake_cms_cp_asked, "QUERY USERID");
    has("T.0", "1");
    has("T.1", "TIME IS NOW");
    fake_cms_cp("", 45);
    shows("EXECIO 0 CP (STRING WRONG", 45, "");
    shows("EXECIO * CP (STRING WRONG", 45, "");
}

static void cards_and_lines_go_to_devices(void **state)
{
    (void)state;
    fake_cms_cp("", 0);
    shows("EXECIO 1 PUNCH (STRING a card", 0, "");
    assert_int_equal(fake_cms_punched_bytes, 82);
    assert_int_equal(fake_cms_punched[0], 80);
    fake_cms_deliver("X", "Y");
    shows("EXECIO 2 CARD (STRIP", 2, "");
    stacked("a card");
    shows("EXECIO 1 EMSG (STRING told", 0, "told\n");
}

static void what_is_wrong_is_told(void **state)
{
    (void)state;
    shows("EXECIO", 24, "DMSEIO621E Bad Plist: number of lines is not valid\n");
    shows("EXECIO 1", 24, "DMSEIO621E Bad Plist: operation missing\n");
    shows("EXECIO 1 DISKX A B", 24, "DMSEIO621E Bad Plist: operation not known\n");
    shows("EXECIO 1 DISKR A B (WHAT", 24, "DMSEIO621E Bad Plist: option not known\n");
    shows("EXECIO 1 DISKR * B", 24, "DMSEIO621E Bad Plist: the fileid must be that of one file\n");
    shows("EXECIO 1 DISKR A B A x", 24, "DMSEIO621E Bad Plist: line number is not valid\n");
    shows("EXECIO 1 DISKR A B (LOCATE /x", 24, "DMSEIO621E Bad Plist: search string is not delimited\n");
    shows("EXECIO 1 DISKR A B (ZONE 3 2 FIND /x/", 24, "DMSEIO621E Bad Plist: column numbers are not valid\n");
    shows("EXECIO 2 DISKR A B (VAR X", 24, "DMSEIO621E Bad Plist: VAR takes one line\n");
    shows("EXECIO 1 DISKR A B (STRING x", 24, "DMSEIO621E Bad Plist: STRING gives what is written\n");
    shows("EXECIO 1 DISKR NOSUCH FILE A", 28, "DMSEIO002E File NOSUCH FILE A not found\n");
    shows("EXECIO 1 DISKR NOSUCH FILE A (NOTYPE", 28, "");
    shows("EXECIO 1 DISKR NUMBERS DATA A (VAR 1X FINIS", 24, "DMSEIO9046E No REXX variable can be called 1X\n");
    shows("EXECIO * DISKW X Y A (STEM NONE.", 24,
          "DMSEIO621E Bad Plist: the stem's number of lines is not valid\n");
    obey("ACCESS 192 B (FORCERO");
    shows("EXECIO 1 DISKW X Y B (STRING x", 36, "DMSEIO037E Filemode B is accessed as read/only\n");
    cms_variables_lend(NULL);
    shows("EXECIO 1 DISKR NUMBERS DATA A (VAR X FINIS", 24, "DMSEIO631E Only a REXX program can ask for this\n");
}

static void a_disk_that_fills_keeps_the_old_file(void **state)
{
    (void)state;
    char line[400];
    int rc = 0;
    memset(line, 'x', sizeof line);
    cms_stack_clear();
    shows("EXECIO 1 DISKW GROWS DATA A (FINIS STRING the beginning", 0, "");
    while (!rc) {
        for (int i = 0; i < 50; i++)
            assert_true(cms_stack_push(line, sizeof line, false));
        rc = obey("EXECIO 50 DISKW GROWS DATA A");
    }
    cms_stack_clear();
    assert_int_equal(rc, 100);
    shows("EXECIO 1 DISKR GROWS DATA A 1 (VAR X FINIS", 0, "");
    has("X", "the beginning");
    shows("STATE GROWS DATA A", 0, "");
}

/* ---- the stack ------------------------------------------------------------------------------------------------- */

static void stacked_lines_are_typed_before_the_terminal(void **state)
{
    (void)state;
    char line[LINE_TEXT_MAX + 1];
    assert_true(cms_stack_push("second # line", 13, false));
    assert_true(cms_stack_push("first", 5, true));
    fake_cms_type("typed\r");
    assert_int_equal(cms_console_read(line, sizeof line, CONSOLE_COMMAND), 5);
    assert_string_equal(line, "first");
    assert_int_equal(cms_console_read(line, sizeof line, CONSOLE_ANSWER), 13);
    assert_string_equal(line, "second # line");
    assert_int_equal(cms_console_read(line, sizeof line, CONSOLE_COMMAND), 5);
    assert_string_equal(line, "typed");
}

static void hx_empties_the_stack(void **state)
{
    (void)state;
    assert_true(cms_stack_push("never", 5, false));
    cms_console_command_begins();
    fake_cms_type("hx\r");
    assert_true(cms_console_halted());
    cms_console_command_ends();
    nothing_stacked();
}

/* ---- GLOBALV --------------------------------------------------------------------------------------------------- */

static void variables_live_in_groups(void **state)
{
    (void)state;
    shows("GLOBALV SET COLOUR red SIZE 12", 0, "");
    shows("GLOBALV SELECT OTHER SETL COLOUR  deep blue ", 0, "");
    shows("GLOBALV LIST", 0, "SELECTED TABLE IS: UNNAMED\n COLOUR=red\n SIZE=12\n");
    shows("GLOBALV SELECT OTHER", 0, "");
    shows("GLOBALV LIST COLOUR NONE", 0, "SELECTED TABLE IS: OTHER\n COLOUR=deep blue \n NONE=\n");
    shows("GLOBALV GRPLIST", 0, "GLOBAL GROUPS DEFINED ARE:\n UNNAMED\n OTHER\n");
    shows("GLOBALV GET COLOUR", 0, "");
    has("COLOUR", "deep blue ");
    set(NULL, "MINE", "of the program", 14);
    shows("GLOBALV PUT MINE UNSET", 0, "");
    shows("GLOBALV LIST MINE UNSET", 0, "SELECTED TABLE IS: OTHER\n MINE=of the program\n UNSET=UNSET\n");
    shows("GLOBALV STACK MINE", 0, "");
    stacked("of the program");
    shows("GLOBALV PURGE", 0, "");
    shows("GLOBALV SELECT", 0, "");
    shows("GLOBALV GRPLIST", 0, "GLOBAL GROUPS DEFINED ARE:\n UNNAMED\n");
}

static void lasting_ones_are_on_the_disk(void **state)
{
    (void)state;
    shows("GLOBALV SETP NAME alice KIND user", 0, "");
    shows("GLOBALV SETP NAME again", 0, "");
    shows("GLOBALV SELECT S SETLS NOTE  for today", 0, "");
    shows("GLOBALV INIT", 0, "");
    shows("GLOBALV LIST", 0, "SELECTED TABLE IS: UNNAMED\n NAME=again\n KIND=user\n");
    shows("GLOBALV SELECT S LIST", 0, "SELECTED TABLE IS: S\n NOTE=for today\n");
    shows("TYPE LASTING GLOBALV", 0, "\nUNNAMED 004NAMEalice\nUNNAMED 004KINDuser\nUNNAMED 004NAMEagain\n\n");
    shows("GLOBALV SELECT S PURGE", 0, "");
}

static void a_file_that_holds_anything_is_read(void **state)
{
    (void)state;
    obey("PIPE literal short,UNNAMED 0xxNAMEv,UNNAMED 999N,        004NAMEv,UNNAMED 000v,UNNAMED 001Xgood,"
         " | split , | > LASTING GLOBALV A");
    shows("GLOBALV INIT", 0, "");
    shows("GLOBALV LIST", 0, "SELECTED TABLE IS: UNNAMED\n X=good\n");
}

static void globalv_says_what_is_wrong(void **state)
{
    (void)state;
    shows("GLOBALV", 24, "DMSGLB047E No function specified\n");
    shows("GLOBALV DANCE", 24, "DMSGLB014E Invalid keyword: DANCE\n");
    shows("GLOBALV SETL", 24, "DMSGLB050E Parameter missing after SETL\n");
    shows("GLOBALV SELECT FARTOOLONG LIST", 24, "DMSGLB070E Invalid parameter FARTOOLONG\n");
    shows("GLOBALV GET 1X", 24, "DMSGLB9046E No REXX variable can be called 1X\n");
    cms_variables_lend(NULL);
    shows("GLOBALV GET X", 24, "DMSGLB631E Only a REXX program can ask for this\n");
    shows("GLOBALV PUT X", 24, "DMSGLB631E Only a REXX program can ask for this\n");
    obey("ACCESS 191 A (FORCERO");
    shows("GLOBALV SETP X 1", 36, "DMSGLB037E Filemode A is accessed as read/only\n");
}

/* ---- EXEC ------------------------------------------------------------------------------------------------------ */

static void an_exec_gets_its_argument_as_typed(void **state)
{
    (void)state;
    obey("PIPE literal /* */ | > HELLO EXEC A");
    shows("EXEC hello  Some (Words)", 0, "");
    assert_string_equal(fake_cms_interpreted, "HELLO EXEC A1:  Some (Words)");
    shows("EXEC HELLO", 0, "");
    assert_string_equal(fake_cms_interpreted, "HELLO EXEC A1: ");
    shows("EXEC", 24, "DMSEXC050E Parameter missing after EXEC\n");
    shows("EXEC NOSUCH", 28, "DMSEXC002E File NOSUCH EXEC * not found\n");
    shows("EXEC ../../x", 28, "DMSEXC002E File ../../X EXEC * not found\n");
}

static void an_exec_comes_before_a_command_and_a_program_behind(void **state)
{
    (void)state;
    obey("PIPE literal /* */ | > STATE EXEC A");
    obey("PIPE literal /* */ | > PROGRAM EXEC B");
    shows("state NUMBERS DATA A", 0, "");
    assert_string_equal(fake_cms_interpreted, "STATE EXEC A1: NUMBERS DATA A");
    *fake_cms_interpreted = 0;
    shows("program", 0, "");
    assert_string_equal(fake_cms_interpreted, "PROGRAM EXEC B1: ");
    *fake_cms_interpreted = 0;
    obey("SET IMPEX OFF");
    shows("STATE NOSUCH FILE A", 28, "DMSSTT002E File NOSUCH FILE A not found\n");
    shows("PROGRAM x 'y z'", 5, "");
    assert_string_equal(fake_cms_started, "/bin/program: [PROGRAM] [x] [y z]");
    obey("SET IMPEX ON");
    assert_int_equal(cms_obey_command("STATE NUMBERS DATA A"), 0);
    assert_int_equal(cms_obey_command("PROGRAM"), 5);
    assert_int_equal(cms_obey_command("L NUMBERS DATA A"), -3);
    assert_int_equal(cms_obey_command("QUERYING"), -3);
    assert_string_equal(fake_cms_interpreted, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_file_comes_into_a_stem), TEST(reading_goes_on_where_it_ended_until_finis),
        TEST(the_line_typed_ends_what_is_open), TEST(searching_gives_two_numbers_and_the_record),
        TEST(records_are_cut_stripped_and_folded), TEST(lines_are_written_from_everywhere),
        TEST(what_was_written_is_read_without_finis), TEST(fixed_records_are_filled_and_cut),
        TEST(records_in_the_midst_are_replaced_and_those_behind_follow),
        TEST(cp_answers_in_lines), TEST(cards_and_lines_go_to_devices), TEST(what_is_wrong_is_told),
        TEST(a_disk_that_fills_keeps_the_old_file), TEST(stacked_lines_are_typed_before_the_terminal),
        TEST(hx_empties_the_stack), TEST(variables_live_in_groups), TEST(lasting_ones_are_on_the_disk),
        TEST(a_file_that_holds_anything_is_read), TEST(globalv_says_what_is_wrong),
        TEST(an_exec_gets_its_argument_as_typed),
        TEST(an_exec_comes_before_a_command_and_a_program_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
