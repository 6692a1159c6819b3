/* Pipelines of several streams: in which order records go, what waits for what, and what it costs. */
#include "tests/unit/cms_pipe_scene.h"

/* With ? between rows of stages. */
static void gives(const char *pipelines, const char *expected)
{
    char line[900];
    snprintf(line, sizeof line, "PIPE (endchar ?) %s", pipelines);
    shows(line, 0, expected);
}

#define LETTERS "literal a b c d| split | "

static void records_that_take_different_ways_keep_their_order(void **state)
{
    (void)state;
    gives("< FRUIT LIST | a: locate /red/ | specs /R/ 1 w1 2 | b: faninany | console"
          "? a: | specs /other/ 1 w1 nextword | b:",
          "Rapple\nother pear\nRcherry\nother banana\n");
    gives(LETTERS "a: locate /b/ | b: locate /x/ | hole ? a: | c: faninany | console ? b: | c:", "a\nb\nc\nd\n");
}

static void each_copy_has_gone_its_way_before_the_next_is_made(void **state)
{
    (void)state;
    gives(LETTERS "a: fanout | specs 1 1 /0/ next | b: faninany | console"
          "? a: | specs 1 1 /1/ next | b: ? a: | specs 1 1 /2/ next | b:",
          "a0\na1\na2\nb0\nb1\nb2\nc0\nc1\nc2\nd0\nd1\nd2\n");
}

static void a_console_beside_another_shows_a_record_before_the_next_is_read(void **state)
{
    (void)state;
    fake_cms_type("one\rtwo\r\r");
    gives("console | a: fanout | specs /first/ 1 1-* nextword | console ? a: | specs /second/ 1 1-* nextword | console",
          "one\nfirst one\nsecond one\ntwo\nfirst two\nsecond two\n\n");
}

static void fanin_takes_one_stream_after_the_other(void **state)
{
    (void)state;
    gives("literal a| f: fanin | console ? literal b| f: ? literal c| f:", "a\nb\nc\n");
    gives("literal a| f: fanin 2 0 | console ? literal b| f: ? literal c| f:", "c\na\n");
    gives("f: faninany | console ? literal b| f:", "b\n");
}

static void what_is_not_chosen_goes_to_stream_1(void **state)
{
    (void)state;
    gives(LETTERS "x: take 1 | specs /1/ 1 1 next | f: fanin | console ? x: | f:", "1a\nb\nc\nd\n");
    gives(LETTERS "x: take last 1 | f: faninany | console ? x: | specs 1-* 1 /./ next | f:", "a.\nb.\nc.\nd\n");
    gives(LETTERS "x: drop 1 | f: faninany | console ? x: | f:", "a\nb\nc\nd\n");
    gives(LETTERS "x: drop last 3 | f: fanin | console ? x: | f:", "a\nb\nc\nd\n");
    gives(LETTERS "x: between /b/ /c/ | hole ? x: | console", "a\nd\n");
    gives(LETTERS "x: inside /a/ /d/ | hole ? x: | console", "a\nd\n");
    gives(LETTERS "x: find c| hole ? x: | console", "a\nb\nd\n");
    gives(LETTERS "x: frlabel c| hole ? x: | console", "a\nb\n");
    gives(LETTERS "x: tolabel c| hole ? x: | console", "c\nd\n");
    gives(LETTERS "x: change /b/B/ | console ? x: | join * | console", "B\nacd\n");
    gives("literal a a b c c| split | x: unique | join * | console ? x: | join * | console", "abc\nac\n");
    gives("literal a a b c c| split | x: unique singles | join * | console ? x: | join * | console", "b\naacc\n");
    gives("literal a a b c c| split | x: unique multiples | join * | console ? x: | join * | console", "aacc\nb\n");
}

static void not_exchanges_the_streams(void **state)
{
    (void)state;
    gives(LETTERS "not take 2 | console", "c\nd\n");
    gives(LETTERS "not not take 2 | console", "a\nb\n");
    gives(LETTERS "x: not locate /b/ | join * | console ? x: | console", "b\nacd\n");
    gives("literal abcdef| not chop 2 | console", "cdef\n");
}

static void lookup_knows_what_was_found(void **state)
{
    static const char *const masters = "? literal a=1 c=3 x=9 a=2| split | l:";
    char line[400];
    (void)state;
    snprintf(line, sizeof line, LETTERS "l: lookup 1 master | console %s", masters);
    gives(line, "a=1\nc=3\n");
    snprintf(line, sizeof line, LETTERS "l: lookup 1 1 detail master | console %s", masters);
    gives(line, "a\na=1\nc\nc=3\n");
    snprintf(line, sizeof line, LETTERS "l: lookup 1 | join * | console %s | join * | console ? l: "
             "| join * /,/ | console", masters);
    gives(line, "ac\nbd\na=2,x=9\n");
    snprintf(line, sizeof line, LETTERS "append literal a| l: lookup count 1 1 | hole %s ? l: | drop 1 "
             "| console", masters);
    gives(line, "         2a=1\n         1c=3\n         0x=9\n");
    gives("literal a b a| split | l: lookup autoadd | console ? hole | l: | console", "a\nb\na\n");
    gives("literal A a| split | l: lookup anycase | console ? literal a| l:", "A\na\n");
}

static void lookup_finds_among_many(void **state)
{
    (void)state;
    gives("literal x| dup 999 | specs number 1.6 | l: lookup | count lines | console"
          "? literal x| dup 1999 | specs number by 2 1.6 | l:", "500\n");
}

static void sorted_streams_are_merged_and_collated(void **state)
{
    (void)state;
    gives("literal a c e| split | m: merge | join * | console ? literal b d f| split | m: ? literal c| m:",
          "abccdef\n");
    gives("literal e c a| split | m: merge 1 d | join * | console ? literal f d b| split | m:", "fedcba\n");
    gives("literal a b d| split | c: collate 1 | console ? literal b1 b2 c1 d1| split | c: "
          "| specs /no detail:/ 1 1-* next | console ? c: | specs /no master:/ 1 1-* next | console",
          "no detail:a\nb\nb1\nb2\nno master:c1\nd\nd1\n");
    gives("literal a b d| split | c: collate 1 detail | console ? literal b1 b2 c1 d1| split | c:", "b1\nb2\nd1\n");
    gives("literal a b d| split | c: collate 1 master | console ? literal b1 b2 c1 d1| split | c:", "b\nd\n");
}

static void records_are_laid_over_and_beside_each_other(void **state)
{
    (void)state;
    gives("literal abc| o: overlay | console ? literal  x y| o:", "axcy\n");
    gives("literal a  | o: overlay . | console ? literal ...z| o:", "a  z\n");
    gives("literal 1 a b 2 c| split | d: locate anyof /12/ | j: juxtapose | console ? d: | j:", "1a\n1b\n2c\n");
}

static void a_gate_closes_all_streams(void **state)
{
    (void)state;
    gives(LETTERS "f: fanout | locate /c/ | g: gate strict ? f: | g: | console", "a\nb\n");
}

static void what_is_fed_back_goes_before_what_comes(void **state)
{
    (void)state;
    gives("literal 3 2| split | f: fanintwo | x: nlocate /1/ | o: fanout | console"
          "? o: | xlate 1-* 3 2 2 1 | elastic | f:"
          "? x: | specs /end/ 1 1 nextword | console",
          "3\n2\nend 1\n2\nend 1\n");
}

static void nobody_waits_for_records_nobody_wants(void **state)
{
    (void)state;
    fake_cms_type("one\r");
    gives("console | specs 1-* 1 | take 1 | console", "one\none\n");
    assert_true(fake_cms_typed_all());
    gives("literal x| dup * | take 3 | count lines | console", "3\n");
    gives("literal x| dup * | f: fanout | take 2 | console ? f: | take 3 | count lines | console", "x\nx\n3\n");
    gives("literal x| dup * | f: fanout stop anyeof | take 2 | count lines | console ? f: | count lines | console",
          "2\n2\n");
}

static void a_stall_is_seen_and_told(void **state)
{
    (void)state;
    shows("PIPE (endchar ?) literal a| f: fanout | g: fanin 1 0 | console ? f: | g:", -4095,
          "DMSPIP029E Pipelines stalled\n"
          "DMSPIP030I Stage is in state wait.out\n"
          "DMSPIP003I ... Issued from stage 1 of pipeline 1\nDMSPIP001I ... Running \"literal a\"\n"
          "DMSPIP030I Stage is in state wait.out\n"
          "DMSPIP003I ... Issued from stage 2 of pipeline 1\nDMSPIP001I ... Running \"fanout \"\n"
          "DMSPIP030I Stage is in state wait.in\n"
          "DMSPIP003I ... Issued from stage 3 of pipeline 1\nDMSPIP001I ... Running \"fanin 1 0 \"\n"
          "DMSPIP030I Stage is in state wait.in\n"
          "DMSPIP003I ... Issued from stage 4 of pipeline 1\nDMSPIP001I ... Running \"console \"\n");
    gives("literal a| f: fanout | elastic | g: fanin 1 0 | console ? f: | g:", "a\na\n");
    gives(LETTERS "f: fanout | copy | o: overlay | join * | console ? f: | o:", "abcd\n");
    assert_int_equal(obey("PIPE (endchar ?) " LETTERS "f: fanout | copy | g: fanin 1 0 | hole ? f: | g:"), -4095);
    assert_int_equal(obey("PIPE (endchar ?) literal a b| split | f: fanout | buffer | o: overlay | hole ? f: | o: ? "
                          "f: | buffer | o:"), -4095);
}

static void a_file_is_written_only_if_all_pipelines_end_well(void **state)
{
    (void)state;
    assert_int_equal(obey("PIPE (endchar ?) literal x| > NEW DATA A ? literal zz | specs 1-2 x2c 1 | hole"), -392);
    shows("STATE NEW DATA A", 28, "DMSSTT002E File NEW DATA A not found\n");
    assert_int_equal(obey("PIPE (endchar ?) literal x| > NEW DATA A | f: fanin 1 0 | hole ? literal y | "
                          "g: gate ? g: | f:"), 0);
    shows("STATE NEW DATA A", 0, "");
}

static void options_and_labels_as_typed(void **state)
{
    (void)state;
    shows("PIPE (sep ! end 3b) literal a! console; literal b! console", 0, "a\nb\n");
    shows("PIPE (escape _) literal a _| __| console", 0, "a | _\n");
    shows("PIPE (end ?) literal a ??| console ? literal b| console", 0, "a ?\nb\n");
    shows("PIPE (end ?) literal a b| split | x.one:locate /a/| console ? x.two: | specs /2/ 1 1 next | console", 0,
          "a\n2b\n");
    shows("PIPE (trace) literal a| hole", 0,
          "DMSPIP035I Output 1 bytes\nDMSPIP039I ... Data: \"a\"\n"
          "DMSPIP003I ... Issued from stage 1 of pipeline 1\nDMSPIP001I ... Running \"literal a\"\n");
    shows("PIPE (end ? name test) hole ? literal a| nosuch", -27,
          "DMSPIP027E Entry point NOSUCH not found\nDMSPIP004I ... Issued from stage 2 of pipeline 2 name \"TEST\"\n"
          "DMSPIP001I ... Running \"nosuch\"\n");
}

/* ---- what it costs ----------------------------------------------------------------------------------------------- */

static void a_line_full_of_stages_runs(void **state)
{
    static char line[COMMAND_LINE_MAX + 1];
    size_t n = (size_t)sprintf(line, "PIPE literal x");
    unsigned stages = 0;
    (void)state;
    for (; n + 20 < sizeof line; stages++)
        n += (size_t)sprintf(line + n, "|copy");
    strcpy(line + n, "|console");
    assert_true(stages > 800);
    shows(line, 0, "x\n");
    for (n = 5; n + 6 < sizeof line;)
        n += (size_t)sprintf(line + n, "cp|");
    line[n - 1] = 0;
    obey(line);
}

static void a_pipeline_without_an_end_ends_by_hx(void **state)
{
    (void)state;
    fake_cms_patience = 1000;
    fake_cms_forget();
    cms_console_command_begins();
    assert_int_equal(cms_obey("PIPE literal x| dup * | > NEW DATA A | hole"), COMMAND_HALTED);
    cms_console_command_ends();
    fake_cms_patience = 0;
    assert_int_equal(obey("STATE NEW DATA A"), 28);
}

static void a_record_without_an_end_ends_with_a_message(void **state)
{
    (void)state;
    assert_int_equal(obey("PIPE literal x| pad 1048577 | hole"), -78);
    assert_int_equal(obey("PIPE literal 0123456789| dup * | join * | hole"), 104);
    assert_int_equal(obey("PIPE literal 0123456789| dup * | buffer | hole"), 104);
    assert_int_equal(obey("PIPE literal 0123456789| dup * | sort | hole"), 104);
}

/* A hundred million bytes through filters, with a heap that is all but full. */
static void what_streams_takes_no_storage(void **state)
{
    void *hoard[64];
    size_t taken = 0, left = 0;
    (void)state;
    obey("PIPE literal 0123456789| dup 99 | join * | > LONG DATA A");
    while (taken < 63 && (hoard[taken] = cms_heap_allocate_system(64 * 1024)))
        taken++;
    left = taken > 1 ? 1 : 0;
    for (size_t i = 0; i < left; i++)
        cms_heap_free(hoard[--taken]);
    gives("< LONG DATA | dup 99999 | a: locate /9/ | change 1-10 /0/x/ | specs 1-500 1 501-* next | f: faninany"
          "| count chars | console ? a: | f:",
          "100000000\n");
    while (taken)
        cms_heap_free(hoard[--taken]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, pipe_scene_begin, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_that_take_different_ways_keep_their_order),
        TEST(each_copy_has_gone_its_way_before_the_next_is_made),
        TEST(a_console_beside_another_shows_a_record_before_the_next_is_read),
        TEST(fanin_takes_one_stream_after_the_other),
        TEST(what_is_not_chosen_goes_to_stream_1),
        TEST(not_exchanges_the_streams),
        TEST(lookup_knows_what_was_found),
        TEST(lookup_finds_among_many),
        TEST(sorted_streams_are_merged_and_collated),
        TEST(records_are_laid_over_and_beside_each_other),
        TEST(a_gate_closes_all_streams),
        TEST(what_is_fed_back_goes_before_what_comes),
        TEST(nobody_waits_for_records_nobody_wants),
        TEST(a_stall_is_seen_and_told),
        TEST(a_file_is_written_only_if_all_pipelines_end_well),
        TEST(options_and_labels_as_typed),
        TEST(a_line_full_of_stages_runs),
        TEST(a_pipeline_without_an_end_ends_by_hx),
        TEST(a_record_without_an_end_ends_with_a_message),
        TEST(what_streams_takes_no_storage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
