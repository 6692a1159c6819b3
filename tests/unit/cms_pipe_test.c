/* PIPE stage by stage, as typed, and what it says when something is wrong. */
#include "tests/unit/cms_pipe_scene.h"

#include "cms/command/builtin.h"
#include "cms/pipe/pipe.h"
#include "tests/unit/sources.h"

/* `stages` between four records and the console */
static void gives(const char *stages, const char *expected)
{
    char line[300];
    snprintf(line, sizeof line, "PIPE < FRUIT LIST A | %s | console", stages);
    shows(line, 0, expected);
}

/* What a wrong stage number `stage` says. */
static void refuses(const char *pipe, int rc, const char *message, int stage, const char *running)
{
    char line[300], expected[600];
    snprintf(line, sizeof line, "PIPE %s", pipe);
    snprintf(expected, sizeof expected,
             "%s\nDMSPIP003I ... Issued from stage %d of pipeline 1\nDMSPIP001I ... Running \"%s\"\n", message, stage,
             running);
    shows(line, rc, expected);
}

static void literal_comes_before_what_it_is_given(void **state)
{
    (void)state;
    shows("PIPE literal one| literal two| literal  three| console", 0, " three\ntwo\none\n");
    shows("PIPE literal a || b| console", 0, "a | b\n");
    shows("PIPE (stagesep !) literal a | b! console", 0, "a | b\n");
}

static void a_pipeline_has_as_many_words_as_a_line_has_room_for(void **state)
{
    char line[COMMAND_LINE_MAX + 1] = "PIPE literal";
    static const char end[] = "| count words | console";
    size_t length = strlen(line), words = 0;
    (void)state;
    for (; length + strlen(" x") + strlen(end) < sizeof line; words++)
        length += (size_t)sprintf(line + length, " x");
    strcpy(line + length, end);
    char counted[16];
    snprintf(counted, sizeof counted, "%zu\n", words);
    assert_true(words > 2000);
    shows(line, 0, counted);
}

static void console_reads_until_a_null_line(void **state)
{
    (void)state;
    fake_cms_type("first\rsecond\r\r");
    assert_int_equal(obey("PIPE console | > TYPED DATA A"), 0);
    assert_true(fake_cms_typed_all());
    shows("PIPE < TYPED DATA | console", 0, "first\nsecond\n");
}

static void starmsg_has_the_special_messages_that_wait_and_takes_no_more_than_are_wanted(void **state)
{
    (void)state;
    shows("PIPE starmsg | console", 0, "");
    fake_cms_special[0] = "ALICE   start  job 7";
    fake_cms_special[1] = "BOB     stop";
    fake_cms_special[2] = "BOB     ";
    shows("PIPE starmsg | take 1 | console", 0, "00000004ALICE   start  job 7\n");
    shows("PIPE starmsg | specs 9-16 1 17-* nextword | console", 0, "BOB      stop\nBOB      \n");
    shows("PIPE starmsg | console", 0, "");
    refuses("literal x | starmsg", -87, "DMSPIP087E This stage must be the first stage of a pipeline", 2, "starmsg");
}

static void files_are_replaced_and_appended_to(void **state)
{
    (void)state;
    shows("PIPE literal one| > A B A | console", 0, "one\n");
    shows("PIPE literal two| >> A B A", 0, "");
    shows("PIPE < A B A | console", 0, "one\ntwo\n");
    shows("PIPE < A B A | sort d | > A B A", 0, ""); /* a file may replace itself */
    shows("PIPE < A B A | console", 0, "two\none\n");
    shows("PIPE literal abc| > FIXED DATA A F 5", 0, "");
    shows("PIPE literal de| >> FIXED DATA A", 0, "");
    shows("PIPE < FIXED DATA A | specs 1-* 1 /./ next | console", 0, "abc  .\nde   .\n");
    refuses("literal abcdef| >> FIXED DATA A", -134,
            "DMSPIP134E Record is 6 bytes, but format F file record length is 5", 2, ">> FIXED DATA A");
    shows("PIPE < FIXED DATA A | count lines | console", 0, "2\n"); /* the old file stands */
    shows("PIPE < FRUIT LIST | take 1 | > ONE A | hole", 0, "");
}

static void without_a_record_a_replaced_file_is_empty_and_an_appended_one_as_it_was(void **state)
{
    (void)state;
    shows("PIPE < FRUIT LIST | locate /quince/ | > NONE DATA A", 0, "");
    shows("PIPE < NONE DATA | count lines | console", 0, "0\n");
    shows("PIPE < NONE DATA | > AGAIN DATA A", 0, "");
    shows("PIPE < AGAIN DATA | literal x| console", 0, "x\n");
    shows("PIPE < NONE DATA | >> FRUIT LIST A", 0, "");
    shows("PIPE < FRUIT LIST | count lines | console", 0, "4\n");
    shows("PIPE literal first| >> NONE DATA A | hole", 0, "");
    shows("PIPE < NONE DATA | console", 0, "first\n");
    shows("PIPE < AGAIN DATA | > FRUIT LIST A", 0, "");
    shows("PIPE < FRUIT LIST | count lines | console", 0, "0\n");
}

static void locate_and_nlocate_choose(void **state)
{
    (void)state;
    gives("locate /red/", "apple red 12\ncherry red 100\n");
    gives("nlocate /red/", "pear green 5\nbanana yellow 7\n");
    gives("locate 1-1 /b/", "banana yellow 7\n");
    gives("locate w2 /e/", "apple red 12\npear green 5\ncherry red 100\nbanana yellow 7\n");
    gives("locate anycase /RED/", "apple red 12\ncherry red 100\n");
    gives("locate 15", "banana yellow 7\n");
    gives("locate x7265 | locate /1/", "apple red 12\ncherry red 100\n");
}

static void between_take_and_drop(void **state)
{
    (void)state;
    gives("between /pear/ /cherry/", "pear green 5\ncherry red 100\n");
    gives("between /apple/ 2", "apple red 12\npear green 5\n");
    gives("take", "apple red 12\n");
    gives("take 2", "apple red 12\npear green 5\n");
    gives("take last 2", "cherry red 100\nbanana yellow 7\n");
    gives("take 0", "");
    gives("drop 3", "banana yellow 7\n");
    gives("drop last 3", "apple red 12\n");
    gives("drop *", "");
    gives("take *", "apple red 12\npear green 5\ncherry red 100\nbanana yellow 7\n");
}

static void change_changes(void **state)
{
    (void)state;
    gives("take 1 | change /p/P/", "aPPle red 12\n");
    gives("take 1 | change /p/P/ 1", "aPple red 12\n");
    gives("take 1 | change /p//", "ale red 12\n");
    gives("take 1 | change //> /", "> apple red 12\n");
    gives("take 1 | change 3-* /p/P/", "apPle red 12\n");
    gives("take 1 | change anycase /RED/blue/", "apple blue 12\n");
    gives("take 1 | change w2 /red/x/", "apple x 12\n");
    gives("take 1 | change x20 x2D", "apple-red-12\n");
    gives("take 1 | change /e/ee/", "applee reed 12\n");
    gives("take 1 | xlate upper", "APPLE RED 12\n");
}

static void specs_builds_records(void **state)
{
    (void)state;
    gives("specs w3 1 w1 nextword", "12 apple\n5 pear\n100 cherry\n7 banana\n");
    gives("specs w3 1-5 right w1 7.4", "   12 appl\n    5 pear\n  100 cher\n    7 bana\n");
    gives("take 1 | specs /[/ 1 w2 next /]/ next", "[red]\n");
    gives("take 2 | specs number 1 w1 nextword", "         1 apple\n         2 pear\n");
    gives("take 1 | specs w1 1.9 center /|| / next", "  apple  | \n");
    gives("take 1 | specs w1 c2x 1", "6170706C65\n");
    gives("take 1 | specs 6-9 strip 1 /./ next", "red.\n");
    gives("take 1 | specs w1 5 w2 1", "red apple\n");
    gives("take 1 | specs w1 next.3 w2 nw.2", "app re\n");
}

static void sort_and_unique_order_and_reduce(void **state)
{
    (void)state;
    gives("sort", "apple red 12\nbanana yellow 7\ncherry red 100\npear green 5\n");
    gives("sort d", "pear green 5\ncherry red 100\nbanana yellow 7\napple red 12\n");
    gives("sort w2 w1 d", "pear green 5\ncherry red 100\napple red 12\nbanana yellow 7\n");
    /* equal ones keep their order */
    gives("sort w2 a", "pear green 5\napple red 12\ncherry red 100\nbanana yellow 7\n");
    gives("specs w2 1 | sort unique", "green\nred\nyellow\n");
    gives("specs w2 1 | sort count", "         1green\n         2red\n         1yellow\n");
    gives("sort w2 | unique w2", "pear green 5\ncherry red 100\nbanana yellow 7\n");
    gives("sort w2 | unique w2 first", "pear green 5\napple red 12\nbanana yellow 7\n");
    gives("sort w2 | unique w2 singles", "pear green 5\nbanana yellow 7\n");
    gives("sort w2 | unique w2 multiples", "apple red 12\ncherry red 100\n");
    gives("specs w2 1 | sort | unique count", "         1green\n         2red\n         1yellow\n");
}

static void sort_agrees_with_counting_on_many_records(void **state)
{
    (void)state;
    assert_int_equal(obey("PIPE literal x| > MANY DATA A"), 0);
    for (int i = 0; i < 9; i++)
        assert_int_equal(obey("PIPE < MANY DATA A | specs number 8 number 1 | sort 9-10 d 1-7 | literal zz"
                              "| >> MANY DATA A"),
                         0);
    shows("PIPE < MANY DATA A | sort | drop 1 | sort d | count lines | console", 0, "1022\n");
}

static void count_join_and_split(void **state)
{
    (void)state;
    gives("count lines", "4\n");
    gives("count chars words lines minline maxline", "53 12 4 12 15\n");
    gives("specs w1 1 | join", "applepear\ncherrybanana\n");
    gives("specs w1 1 | join 2 /, /", "apple, pear, cherry\nbanana\n");
    gives("specs w1 1 | join * /+/", "apple+pear+cherry+banana\n");
    gives("specs w1 1 | join * / / 12", "apple pear\ncherry\nbanana\n");
    gives("take 1 | split", "apple\nred\n12\n");
    gives("take 1 | split before string /r/", "apple \nred 12\n");
    gives("take 1 | split after anyof /pd/", "ap\np\nle red\n 12\n");
    gives("locate /none/ | count words", "0\n");
}

static void commands_feed_pipelines(void **state)
{
    (void)state;
    shows("PIPE cms LISTFILE * * A | console", 0, "FRUIT    LIST     A1\n");
    shows("PIPE literal LISTFILE FRUIT LIST A (LABEL| cms | drop 1 | specs w4-5 1 | console", 0, "V         15\n");
    shows("PIPE cms PIPE literal inner|| console| change /i/I/ | console", 0, "Inner\n");
    fake_cms_cp("USERID TESTER\n", 0);
    shows("PIPE cp QUERY USERID | change /TESTER/=/ | console", 0, "USERID =\n");
}

static void a_disk_released_beneath_a_pipeline_only_ends_it(void **state)
{
    struct mode_problem problem;
    (void)state;
    assert_int_equal(obey("PIPE literal 123| change /123/RELEASE A/ | > BIG DATA A F 3000| specs 1-9 1 | cms"), 100);
    assert_true(cms_mode_access(0x191, 'A', 'A', false, &problem));
    shows("STATE BIG DATA A", 28, "DMSSTT002E File BIG DATA A not found\n");
    shows("PIPE < FRUIT LIST A | specs /RELEASE A/ 1 | cms", 0, "");
    shows("STATE FRUIT LIST A", 36, "DMSSTT069E Filemode A not accessed\n");
    assert_true(cms_mode_access(0x191, 'A', 'A', false, &problem));
    assert_int_equal(obey("PIPE literal RELEASE A| cms | literal x| > LATE DATA A"), 100);
    obey("PIPE < FRUIT LIST A | specs /RELEASE A/ 1 | cms | > LATE DATA A");
    assert_true(cms_mode_access(0x191, 'A', 'A', false, &problem));
}

static void what_is_wrong_is_said_with_the_stage(void **state)
{
    (void)state;
    shows("PIPE", -256, "DMSPIP256E No pipeline specified on PIPE command\n");
    shows("PIPE literal a | | console", -17, "DMSPIP017E Null stage found\n");
    shows("PIPE literal a |", -17, "DMSPIP017E Null stage found\n");
    refuses("literal a| nosuch", -27, "DMSPIP027E Entry point NOSUCH not found", 2, "nosuch");
    refuses("take 1", -127, "DMSPIP127E This stage cannot be first in a pipeline", 1, "take 1");
    refuses("literal a| < A B", -87, "DMSPIP087E This stage must be the first stage of a pipeline", 2, "< A B");
    refuses("< NO FILE | console", -146, "DMSPIP146E File \"NO FILE *\" does not exist", 1, "< NO FILE ");
    refuses("literal a| take x", -58, "DMSPIP058E Decimal number expected, but \"x\" was found", 2, "take x");
    refuses("literal a| take 1 2", -112, "DMSPIP112E Excessive options \"2\"", 2, "take 1 2");
    refuses("literal a| locate /x", -60, "DMSPIP060E Delimiter missing after string \"/x\"", 2, "locate /x");
    refuses("literal a| locate 5-3 /x/", -54, "DMSPIP054E Range \"5-3\" not valid", 2, "locate 5-3 /x/");
    refuses("literal a| locate xABC", -335, "DMSPIP335E Odd number of characters in hex data: xABC", 2,
            "locate xABC");
    refuses("literal a| change", -113, "DMSPIP113E Required operand missing", 2, "change");
    refuses("literal a| change /a", -60, "DMSPIP060E Delimiter missing after string \"/a\"", 2, "change /a");
    refuses("literal a| change /a/b", -60, "DMSPIP060E Delimiter missing after string \"/b\"", 2, "change /a/b");
    refuses("literal a| count things", -111, "DMSPIP111E Operand THINGS is not valid", 2, "count things");
    refuses("literal a| specs w1", -61, "DMSPIP061E Output specification missing", 2, "specs w1");
    refuses("literal a| > X", -113, "DMSPIP113E Required operand missing", 2, "> X");
    refuses("literal abc| split at b| > X Y A F 1| > Z Y A| > Z Y A", 28, "DMSPIP030E File Z Y A already active", 5,
            "> Z Y A");
    refuses("< FRUIT LIST A| > X Y A F 2| hole", -134,
            "DMSPIP134E Record is 12 bytes, but format F file record length is 2", 2, "> X Y A F 2");
    refuses("literal a| > X* Y A", 20, "DMSPIP062E Invalid character in fileid X* Y A", 2, "> X* Y A");
    shows("STATE X* Y A", 28, "DMSSTT002E File X* Y A not found\n");
}

static void hx_ends_a_pipeline_and_leaves_no_file(void **state)
{
    (void)state;
    fake_cms_type("HX\r");
    fake_cms_forget();
    cms_console_command_begins();
    assert_int_equal(cms_obey("PIPE console | > NEW DATA A"), COMMAND_HALTED);
    cms_console_command_ends();
    cms_heap_free_commands();
    shows("STATE NEW DATA A", 28, "DMSSTT002E File NEW DATA A not found\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, pipe_scene_begin, scene_end)

static void the_fuzzer_knows_every_command_and_stage(void **state)
{
    (void)state;
    sources_read("tests/fuzz/cms_command_fuzz.c");
    for (size_t i = 0; cms_command_at(i); i++)
        if (!sources_quote(cms_command_at(i)->name))
            fail_msg("no word is %s", cms_command_at(i)->name);
    sources_forget(state);
    sources_read("tests/fuzz/pipe_fuzz.c");
    for (size_t i = 0; cms_pipe_stages[i]; i++)
        if (!sources_quote(cms_pipe_stages[i]->name))
            fail_msg("no word is the stage %s", cms_pipe_stages[i]->name);
    sources_forget(state);
}

static void the_help_of_pipe_names_every_stage(void **state)
{
    const char *help = NULL;
    (void)state;
    for (size_t i = 0; cms_command_at(i); i++)
        if (!strcmp(cms_command_at(i)->name, "PIPE"))
            help = cms_command_at(i)->help;
    assert_non_null(help);
    for (size_t i = 0; cms_pipe_stages[i]; i++) {
        char word[24];
        const char *at = help;
        snprintf(word, sizeof word, " %s", cms_pipe_stages[i]->name);
        while ((at = strstr(at, word)) && sources_in_word(at[strlen(word)]))
            at++;
        if (!at)
            fail_msg("HELP PIPE does not name %s", word + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(literal_comes_before_what_it_is_given),
        TEST(a_pipeline_has_as_many_words_as_a_line_has_room_for),
        TEST(console_reads_until_a_null_line),
        TEST(starmsg_has_the_special_messages_that_wait_and_takes_no_more_than_are_wanted),
        TEST(files_are_replaced_and_appended_to),
        TEST(without_a_record_a_replaced_file_is_empty_and_an_appended_one_as_it_was),
        TEST(locate_and_nlocate_choose),
        TEST(between_take_and_drop),
        TEST(change_changes),
        TEST(specs_builds_records),
        TEST(sort_and_unique_order_and_reduce),
        TEST(sort_agrees_with_counting_on_many_records),
        TEST(count_join_and_split),
        TEST(commands_feed_pipelines),
        TEST(a_disk_released_beneath_a_pipeline_only_ends_it),
        TEST(what_is_wrong_is_said_with_the_stage),
        TEST(the_fuzzer_knows_every_command_and_stage),
        TEST(the_help_of_pipe_names_every_stage),
        TEST(hx_ends_a_pipeline_and_leaves_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
