/* Stages that are programs: what their commands do, and pipelines that they call and add. */
#include "tests/unit/cms_pipe_scene.h"

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

/* The script between records, with + between them, and the console. */
static void gives(const char *records, const char *script, const char *expected)
{
    char line[900];
    snprintf(line, sizeof line, "PIPE strliteral ~%s~ | split at + | rexx script %s| console", records, script);
    shows(line, 0, expected);
}

static void records_go_through_a_program(void **state)
{
    (void)state;
    gives("a+b+c", "READTO X;OUTPUT <&X>", "<a>\n<b>\n<c>\n");
    gives("a+b+c", "READTO X;READTO Y;OUTPUT &Y&X", "ba\n");
    gives("a+b", "PEEKTO X;OUTPUT &X;OUTPUT &X;READTO", "a\na\nb\nb\n");
    gives("a+b", "PEEKTO X;PEEKTO X;READTO X;OUTPUT &X", "a\nb\n");
    gives("a+b+c", "READTO X;OUTPUT 1&X;SHORT;READTO Y", "1a\nb\nc\n");
    gives("a+b", "OUTPUT only;EXIT 0", "only\n");
    shows("PIPE rexx script OUTPUT 1;OUTPUT 2;EXIT 0| console", 0, "1\n2\n");
    shows("PIPE rexx script OUTPUT x| take 3 | console", 0, "x\nx\nx\n"); /* 12 when nobody wants more */
    shows("PIPE literal x | rexx script EXIT 7| console", 7,
          "DMSPIP003I ... Issued from stage 2 of pipeline 1\nDMSPIP001I ... Running \"rexx script EXIT 7\"\n");
}

static void a_record_is_through_before_the_next_is_read(void **state)
{
    (void)state;
    fake_cms_type("one\rtwo\r\r");
    shows("PIPE console | rexx script PEEKTO X;OUTPUT <&X>;READTO| console", 0, "one\n<one>\ntwo\n<two>\n\n");
}

static void a_program_has_several_streams(void **state)
{
    (void)state;
    shows("PIPE (end ?) strliteral ~a+b~ | split at + | x: rexx script READTO X;OUTPUT 0&X;SELECT OUTPUT 1;OUTPUT 1&X;"
          "SELECT OUTPUT 0| y: faninany | console ? x: | y:",
          0, "0a\n1a\n0b\n1b\n");
    shows("PIPE (end ?) literal a| x: rexx script SELECT INPUT 1;READTO X;OUTPUT &X;SELECT INPUT 0;READTO Y;OUTPUT &Y"
          "| console ? literal b| x:",
          0, "b\na\n");
    shows("PIPE literal a| rexx script SELECT 3| console", 0, "");
    assert_string_equal(fake_cms_variable("RC"), "4");
    shows("PIPE (end ?) literal a| x: rexx script MAXSTREAM| hole ? x: | hole", 0, "");
    assert_string_equal(fake_cms_variable("RC"), "1");
    shows("PIPE literal a| rexx script STAGENUM| console", 0, "");
    assert_string_equal(fake_cms_variable("RC"), "2");
    shows("PIPE literal a| rexx script DANCE| console", 0, "");
    assert_string_equal(fake_cms_variable("RC"), "-7");
    gives("a+b", "READTO X;SEVER OUTPUT;OUTPUT &X", "");
    gives("a+b", "READTO X;OUTPUT &X;SEVER INPUT", "a\n");
    shows("PIPE literal a| rexx script MESSAGE told;EXIT 0| console", 0, "told\n");
}

static void a_pipeline_is_called(void **state)
{
    (void)state;
    gives("a+b+c", "CALLPIPE *: || specs /</ 1 1-* next || *:;EXIT 0", "<a\n<b\n<c\n");
    gives("a+b+c", "CALLPIPE *: || take 1 || *:;READTO X;OUTPUT then &X;EXIT 0", "a\nthen b\n");
    gives("b+a", "CALLPIPE *.input: || sort || *.output:;OUTPUT end;EXIT 0", "a\nb\nend\n");
    gives("a", "CALLPIPE literal x|| *:;CALLPIPE literal y|| *.output.0:;SHORT;READTO", "x\ny\na\n");
    gives("a+b", "CALLPIPE *: || stem Z.;EXIT 0", "");
    assert_string_equal(fake_cms_variable("Z.0"), "2");
    shows("PIPE literal a| rexx script CALLPIPE *: || nosuch || *:;READTO| console", 0,
          "DMSPIP027E Entry point NOSUCH not found\nDMSPIP003I ... Issued from stage 2 of pipeline 1\n"
          "DMSPIP001I ... Running \"nosuch \"\n");
    assert_string_equal(fake_cms_variable("RC"), "-27");
    shows("PIPE literal a| rexx script CALLPIPE *.input.4: || *:| console", 0,
          "DMSPIP101E Connector *.input.4: can be specified with ADDPIPE or CALLPIPE\n");
    shows("PIPE literal a| rexx script CALLPIPE *: || *.input:| console", 0,
          "DMSPIP101E Connector *.input: can be specified with ADDPIPE or CALLPIPE\n");
}

static void a_pipeline_is_added(void **state)
{
    (void)state;
    gives("c+a+b", "ADDPIPE *.input: || sort || *.input:;SHORT;READTO", "a\nb\nc\n");
    gives("a+b", "ADDPIPE *.output: || specs /</ 1 1-* next || *.output:;READTO X;OUTPUT &X;READTO X;OUTPUT &X;EXIT 0",
          "<a\n<b\n");
    gives("a+b", "ADDPIPE literal x|| *.input:;READTO X;OUTPUT &X;EXIT 0", "x\n");
    gives("a+b", "ADDPIPE *: || *:;READTO X;OUTPUT never", "a\nb\n");
    gives("a+b", "ADDPIPE *.output: || > SAVED DATA A;OUTPUT one;OUTPUT two;EXIT 0", "");
    shows("TYPE SAVED DATA A", 0, "\none\ntwo\n\n");
}

static void commit_finds_that_none_has_failed(void **state)
{
    (void)state;
    gives("a+b", "COMMIT 0;READTO X;OUTPUT &X;COMMIT -1", "a\nb\n");
    shows("PIPE literal a| rexx script COMMIT x| console", 0,
          "DMSPIP058E Decimal number expected, but \"X\" was found\n");
    assert_string_equal(fake_cms_variable("RC"), "-58");
    shows("PIPE literal a| rexx script COMMIT| console", 0, "DMSPIP058E Decimal number expected, but \"\" was found\n");
}

/* The program waits for a record of a stream on which none comes: a loop with another program. */
#define WAITS(stream) "READTO X;OUTPUT &X;SELECT INPUT " stream ";READTO Y| take 1| hole "
#define LOOP  "? x: | rexx script READTO Z;OUTPUT &Z| x:"

static void a_program_hears_of_streams_that_have_gone(void **state)
{
    (void)state;
    assert_int_equal(obey("PIPE (end ?) literal a| x: rexx script EOFREPORT ANY;" WAITS("2") LOOP), 0);
    assert_string_equal(fake_cms_variable("RC"), "8");
    fake_cms_variable_set("RC", "");
    assert_int_equal(obey("PIPE (end ?) literal a| x: rexx script EOFREPORT CURRENT;" WAITS("2") LOOP), -4095);
    assert_int_equal(obey("PIPE (end ?) literal a| x: rexx script EOFREPORT ALL;" WAITS("2") LOOP), -4095);
    assert_string_equal(fake_cms_variable("RC"), "");
    obey("PIPE (end ?) literal a| x: rexx script EOFREPORT ALL;" WAITS("1")
         "? y: rexx script SELECT INPUT 2;READTO Z;OUTPUT &Z| x: ? y: | rexx script READTO W;OUTPUT &W| y:");
    assert_string_equal(fake_cms_variable("RC"), "8");
    shows("PIPE literal a| rexx script EOFREPORT| console", 0, "DMSPIP113E Required operand missing\n");
    assert_string_equal(fake_cms_variable("RC"), "-113");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_go_through_a_program),   TEST(a_record_is_through_before_the_next_is_read),
        TEST(a_program_has_several_streams), TEST(a_pipeline_is_called),
        TEST(a_pipeline_is_added),           TEST(commit_finds_that_none_has_failed),
        TEST(a_program_hears_of_streams_that_have_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
