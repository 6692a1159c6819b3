/* Each stage of PIPE alone, by what comes out of it. */
#include "tests/unit/cms_pipe_scene.h"

#include "tests/unit/cms_help_scene.h"
#include "tests/unit/fake/cms_variables.h"

static int start(void **state)
{
    fake_cms_variables_begin();
    return pipe_scene_begin(state);
}

static int end(void **state)
{
    fake_cms_variables_end();
    return scene_end(state);
}

/* `stages` between records, given with + between them, and the console. */
static void gives(const char *records, const char *stages, const char *expected)
{
    char line[600];
    snprintf(line, sizeof line, "PIPE (end ?) strliteral ~%s~ | split at + | %s| console", records, stages);
    shows(line, 0, expected);
}

static void find_takes_blanks_for_anything_and_underscores_for_blanks(void **state)
{
    (void)state;
    gives("abc+axc+ab+a c", "find a c", "abc\naxc\na c\n");
    gives("abc+axc+ab+a c", "find a_c", "a c\n");
    gives("abc+axc+ab+a c", "nfind a c", "ab\n");
    gives("abc+abd", "find ab", "abc\nabd\n");
}

static void groups_of_records(void **state)
{
    static const char records[] = "x+begin 1+y+end 1+z+begin 2+end 2+w";
    (void)state;
    gives(records, "between /begin/ /end/", "begin 1\ny\nend 1\nbegin 2\nend 2\n");
    gives(records, "outside /begin/ /end/", "x\nz\nw\n");
    gives(records, "inside /begin/ /end/", "y\n");
    gives(records, "notinside /begin/ /end/", "x\nbegin 1\nend 1\nz\nbegin 2\nend 2\nw\n");
    gives(records, "inside /begin/ 1", "y\nend 2\n");
    gives(records, "inside anycase /BEGIN/ 2", "y\nend 1\nend 2\nw\n");
    gives(records, "frlabel begin 2", "begin 2\nend 2\nw\n");
    gives(records, "tolabel end", "x\nbegin 1\ny\n");
}

static void ranges_of_every_kind(void **state)
{
    (void)state;
    gives("abcdef", "specs 2;-2 1", "bcde\n");
    gives("abcdef", "specs -3;-1 1", "def\n");
    gives("abcdef", "specs -9;-5 1", "ab\n");
    gives("abcdef", "specs *-3 1", "abc\n");
    gives("a bb ccc", "specs words -1 1", "ccc\n");
    gives("a bb ccc", "specs w-2;-1 1", "bb ccc\n");
    gives("a,bb,,ccc", "specs ws , w3 1", "ccc\n");
    gives("a,bb,,ccc", "specs fs , f3 1", "\n");
    gives("a,bb,,ccc", "specs fieldseparator , fields 2;4 1", "bb,,ccc\n");
    gives("abc+xbz", "locate (1 3) /z/", "xbz\n");
    gives("abc+xbz", "locate (1 3) anyof /az/", "abc\nxbz\n");
    gives("aXaXa", "change (1 5) /a/b/", "bXaXb\n");
    gives("a b c a", "change (w1 w4) /a/b/ 1", "b b c a\n");
    gives("abcd", "locate 4.1 /d/", "abcd\n");
    gives("abcd", "locate 5", "");
}

static void chop_pad_strip(void **state)
{
    (void)state;
    gives("abcdef", "chop 3", "abc\n");
    gives("abc", "chop", "abc\n");
    gives("a=b=c", "chop before string /=/", "a\n");
    gives("a=b=c", "chop after /=/", "a=\n");
    gives("a=b;c", "chop anyof /;=/", "a\n");
    gives("aXb", "chop anycase /x/", "a\n");
    shows("PIPE (end ?) literal abcdef| c: chop 2 | console ? c: | console", 0, "ab\ncdef\n");
    gives("ab", "pad 4 .", "ab..\n");
    gives("ab", "pad left 4 .", "..ab\n");
    gives("abcde", "pad 4 .", "abcde\n");
    gives("abcde", "pad modulo 4 2e", "abcde...\n");
    gives("  ab  ", "strip | specs /[/ 1 1-* next /]/ next", "[ab]\n");
    gives("  ab  ", "strip leading | specs /[/ 1 1-* next /]/ next", "[ab  ]\n");
    gives("  ab  ", "strip trailing | specs /[/ 1 1-* next /]/ next", "[  ab]\n");
    gives("xxabxx", "strip /x/ 1", "xabx\n");
    gives("xyxab", "strip leading anyof /xy/", "ab\n");
    gives("ababc", "strip leading string /ab/", "c\n");
    gives("a/b", "strip leading not x2f", "/b\n");
    gives("xxx", "strip leading /x/ | count chars", "0\n");
    gives("", "pad 2 .", "..\n");
}

static void records_are_turned_and_doubled_and_stamped(void **state)
{
    (void)state;
    gives("abc", "reverse", "cba\n");
    gives("a+b", "duplicate", "a\na\nb\nb\n");
    gives("a", "dup 2", "a\na\na\n");
    gives("a", "dup 0", "a\n");
    gives("a", "dup -1", "");
    gives("abC", "xlate lower", "abc\n");
    gives("abc", "xlate 2", "aBc\n");
    gives("abc", "xlate a-c A-C", "ABC\n");
    gives("abc", "translate a b b a", "bac\n");
    gives("abc", "xlate 1-* 61-63 -", "---\n");
    gives("x", "timestamp | specs 17-* 1", "x\n");
    gives("x", "timestamp iso | chop 4 | locate /20/ | count lines", "1\n");
    gives("x", "timestamp shortdate | count chars", "19\n");
    gives("x", "timestamp fulldate | count chars", "21\n");
}

static void text_is_put_into_records(void **state)
{
    (void)state;
    gives("abc+x y", "insert /-/", "-abc\n-x y\n");
    gives("abc+x y", "insert /-/ after", "abc-\nx y-\n");
    gives("abc+x", "insert /-/ before 2", "a-bc\nx-\n");
    shows("PIPE strliteral // | insert /-/ before 2 | console", 0, "-\n");
    gives("abc+x y", "insert X2D2D after word 1", "abc--\nx-- y\n");
    gives("abc+x y", "insert // before w2", "abc\nx y\n");
    gives("abc+x y", "insert /,/ before w2", "abc,\nx ,y\n");
    gives("abc", "insert /,/ after -2;-1", "abc,\n");
}

static void records_are_cut_and_joined(void **state)
{
    (void)state;
    gives("a b,c", "tokenise /,/", "a\nb\n,\nc\n");
    gives("a b", "tokenise // /end/", "a\nb\nend\n");
    gives("abcabc", "split after c", "abc\nabc\n");
    gives("a b c d", "split minimum 3 at blank", "a b\nc d\n");
    gives("one two three four", "spill 9", "one two\nthree\nfour\n");
    gives("one two three four", "spill 9 offset 2", "one two\n  three\n  four\n");
    gives("abcdefgh", "spill 3", "abc\ndef\ngh\n");
    gives("1+2+3+4+5", "snake 2", "14\n25\n3\n");
    gives("1+2+3+4+5", "snake 2 2", "13\n24\n5\n");
    gives("1+2+3+4+5+6+7", "snake 3 2", "135\n246\n7\n");
    gives("a+b+c", "join 1 /-/", "a-b\nc\n");
    gives("aa+bb+cc", "join * /, / 6", "aa, bb\ncc\n");
    gives("a+b", "buffer", "a\nb\n");
}

static void blocks_are_made_and_taken_apart(void **state)
{
    (void)state;
    gives("abc+de+f", "fblock 2", "ab\ncd\nef\n");
    gives("abc", "fblock 2 .", "ab\nc.\n");
    gives("ab+cd+ef", "block 5", "abcd\nef\n");
    gives("ab+cd+ef", "block 4 linend ;", "ab;c\nd;ef\n;\n");
    gives("ab+cd", "block 80 string /--/", "ab--cd--\n");
    gives("ab+cd", "block 80 cms | specs 1-* c2x 1", "0002616200026364\n");
    gives("ab+cd", "block 3 cms | deblock cms", "ab\ncd\n");
    gives("ab;c+d;e", "deblock linend ;", "ab\ncd\ne\n");
    gives("a-+-b", "deblock string /--/", "a\nb\n");
    gives("abcdefg", "deblock fixed 3", "abc\ndef\ng\n");
    gives("abcdefg", "deblock 3", "abc\ndef\ng\n");
    gives("a+b", "block 80 crlf | deblock crlf", "a\nb\n");
    gives("a+b", "block 80 textfile | deblock textfile", "a\nb\n");
}

static void specs_converts(void **state)
{
    (void)state;
    gives("4142", "specs 1-* x2c 1", "AB\n");
    gives("AB", "specs 1-* c2x 1", "4142\n");
    gives("A", "specs 1-* c2b 1", "01000001\n");
    gives("01000001 01000010", "specs 1-* b2c 1", "AB\n");
    gives("AB", "specs 1-* c2d 1", "      16706\n");
    gives("16706", "specs 1-* d2c 1 | specs 1-* c2x 1", "00004142\n");
    gives("-2", "specs 1-* d2c 1 | specs 1-* c2d 1 | strip", "-2\n");
    gives("AB", "specs 1-* c2v 1 | specs 1-* c2x 1", "00024142\n");
    gives("0002414243", "specs 1-* x2c 1 | specs 1-* v2c 1", "AB\n");
    assert_int_equal(obey("PIPE literal 4| specs 1-* x2c 1 | hole"), -392);
    assert_int_equal(obey("PIPE literal 4294967296| specs 1-* d2c 1 | hole"), -392);
    assert_int_equal(obey("PIPE literal 12345| specs 1-* c2d 1 | hole"), -392);
    assert_int_equal(obey("PIPE literal a| specs 1-* v2c 1 | hole"), -392);
}

static void specs_reads_writes_and_counts(void **state)
{
    (void)state;
    gives("a+b+c", "specs 1 1 read 1 nextword", "a b\nc \n");
    gives("a+b+c", "specs 1 1 readstop 1 nextword /./ next", "a b.\nc\n");
    gives("ab", "specs 1 1 write 2 1", "a\nb\n");
    gives("a+b", "specs number from 10 by -5 strip 1 1 nextword", "10 a\n5 b\n");
    gives("a", "specs pad . 1 4 pad / 1 7", "...a//a\n");
    gives("abc", "specs 1-3 1-5 center /!/ next", " abc !\n");
    gives("abc", "specs 1-* 3-* /x/ 1", "x abc\n");
    gives("a b", "specs w2 1 w1 nw.3 right", "b   a\n");
}

static void counts_may_go_beside_the_records(void **state)
{
    (void)state;
    shows("PIPE (end ?) literal a bc| c: count words chars | console ? c: | console", 0, "a bc\n4 2\n");
}

static void literals_before_and_behind(void **state)
{
    (void)state;
    gives("a", "strliteral /b/", "b\na\n");
    gives("a", "strliteral append /b/", "a\nb\n");
    gives("a", "append literal b", "a\nb\n");
    gives("a", "append literal b|| specs /c/ 1 1-* next", "a\ncb\n");
    gives("a", "preface literal b", "b\na\n");
    gives("a", "prefix < FRUIT LIST || take 1", "apple red 12\na\n");
    gives("a", "append append literal c", "a\nc\n");
    gives("a", "append literal b| append literal c", "a\nb\nc\n");
}

static void appended_console_reads_only_when_its_turn_comes(void **state)
{
    (void)state;
    fake_cms_type("typed\r\r");
    shows("PIPE literal first| console | append console | console", 0, "first\nfirst\ntyped\ntyped\n\n");
    assert_true(fake_cms_typed_all());
}

static void files_are_named_by_records(void **state)
{
    (void)state;
    gives("FRUIT LIST A+fruit list", "getfiles | take last 5 | specs w1 1", "banana\napple\npear\ncherry\nbanana\n");
    shows("PIPE state FRUIT LIST | console", 0, "FRUIT    LIST     A1 V         15          4\n");
    shows("PIPE (end ?) literal NO FILE| s: state | console ? s: | specs /none: / 1 1-* next | console", 0,
          "none: NO FILE\n");
    assert_int_equal(obey("PIPE literal NO FILE A| getfiles | hole"), -146);
}

static void what_messages_show_of_records_does_not_command_the_terminal(void **state)
{
    (void)state;
    obey("PIPE literal 1B5B324A c29b41| specs w1 x2c 1 w2 x2c nextword| > ESCAPES DATA A");
    shows("PIPE < ESCAPES DATA | specs 1-8 d2c 1 | hole", -392,
          "DMSPIP392E Conversion error in routine D2C, record 1: (reason code 2); data: \".[2J ..A\"\n"
          "DMSPIP003I ... Issued from stage 2 of pipeline 1\nDMSPIP001I ... Running \"specs 1-8 d2c 1 \"\n");
    obey("PIPE < ESCAPES DATA | getfiles | hole");
    assert_null(strchr(fake_cms_shown(), 0x1b));
    obey("PIPE (trace) < ESCAPES DATA | hole");
    assert_null(strchr(fake_cms_shown(), 0x1b));
    assert_non_null(strstr(fake_cms_shown(), "... Data: \".[2J ..A\""));
}

static void commands_come_from_records_and_pipelines_from_others(void **state)
{
    (void)state;
    gives("listfile * * a (noheader", "command", "FRUIT    LIST     A1\n");
    gives("literal x|| console+literal y|| console", "runpipe", "x\ny\n");
    shows("PIPE literal literal x (| runpipe | console", 0, "");
    gives("nosuch", "runpipe | take 1", "DMSPIP027E Entry point NOSUCH not found\n");
}

static void records_go_to_variables_and_come_from_them(void **state)
{
    (void)state;
    shows("PIPE < FRUIT LIST | stem fruit. | take 1 | console", 0, "apple red 12\n");
    assert_string_equal(fake_cms_variable("FRUIT.0"), "4");
    assert_string_equal(fake_cms_variable("FRUIT.4"), "banana yellow 7");
    shows("PIPE stem fruit. | count lines | var lines | console", 0, "4\n");
    assert_string_equal(fake_cms_variable("LINES"), "4");
    shows("PIPE literal more | stem fruit. append", 0, "");
    assert_string_equal(fake_cms_variable("FRUIT.0"), "5");
    shows("PIPE stem fruit. from 4 | console", 0, "banana yellow 7\nmore \n");
    shows("PIPE literal one | stem new. append", 0, "");
    assert_string_equal(fake_cms_variable("NEW.0"), "1");
    shows("PIPE var fruit.5 | console", 0, "more \n");
    shows("PIPE var unset | console", 0, "UNSET\n");
    shows("PIPE hole | stem none.", 0, "");
    assert_string_equal(fake_cms_variable("NONE.0"), "0");
}

static void programs_are_stages(void **state)
{
    (void)state;
    gives("a+b", "twice", "a\na\nb\nb\n");
    gives("a", "rexx twice | twice", "a\na\na\na\n");
    assert_int_equal(obey("PIPE literal a| rexx thrice"), -27);
}

static void devices_take_and_give_records(void **state)
{
    (void)state;
    fake_cms_cp("", 0);
    gives("a card+another", "punch", "a card\nanother\n");
    fake_cms_deliver("A", "B");
    shows("PIPE reader | strip | console", 0, "a card\nanother\n");
    assert_string_equal(fake_cms_cp_asked, "CLOSE RDR");
    gives("a card", "punch", "a card\n");
    fake_cms_deliver("A", "B");
    shows("PIPE reader keep | strip | take 1 | console", 0, "a card\n");
    assert_string_equal(fake_cms_cp_asked, "CLOSE RDR KEEP");
    gives("a line", "printer", "a line\n");
    obey("PIPE literal x| punch | specs 1 x2c 1 | hole");
    assert_string_equal(fake_cms_cp_asked, "CLOSE PUN PURGE");
    fake_cms_spool = CMS_SPOOL_ABSENT;
    assert_int_not_equal(obey("PIPE reader | hole"), 0);
}

static void help_shows_a_stage(void **state)
{
    (void)state;
    help_attach();
    obey("HELP PIPE LOC");
    assert_non_null(strstr(fake_cms_shown(), "LOCATE [ANYCASE]"));
    obey("PIPE help copy");
    assert_non_null(strstr(fake_cms_shown(), "Holds one record"));
    assert_int_equal(obey("HELP PIPE NOSUCH"), -27);
    shows("PIPE query level | console", 0, "CMS Pipelines of 1.0\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(find_takes_blanks_for_anything_and_underscores_for_blanks),
        TEST(groups_of_records),
        TEST(ranges_of_every_kind),
        TEST(chop_pad_strip),
        TEST(records_are_turned_and_doubled_and_stamped),
        TEST(text_is_put_into_records),
        TEST(records_are_cut_and_joined),
        TEST(blocks_are_made_and_taken_apart),
        TEST(specs_converts),
        TEST(specs_reads_writes_and_counts),
        TEST(counts_may_go_beside_the_records),
        TEST(literals_before_and_behind),
        TEST(appended_console_reads_only_when_its_turn_comes),
        TEST(files_are_named_by_records),
        TEST(what_messages_show_of_records_does_not_command_the_terminal),
        TEST(commands_come_from_records_and_pipelines_from_others),
        TEST(records_go_to_variables_and_come_from_them),
        TEST(programs_are_stages),
        TEST(devices_take_and_give_records),
        TEST(help_shows_a_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
