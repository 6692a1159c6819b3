/* DIRECTXA: what is written as a directory becomes one that CP takes, what CP has becomes what can be written, and what
 * is neither is told by its line. */
#include "tests/unit/cms_scene.h"

#include <libfdt.h>
#include <stdlib.h>

#include "cms/directory/source.h"
#include "cp/directory/directory.h"

static int start(void **state)
{
    (void)state;
    scene_begin();
    fake_cms_cp("DIRECTORY REPLACED: 1 USERS, 0 MINIDISKS, 0 LINKS\n", 0);
    attach(0x191, 'A', "ALI191");
    return 0;
}

/* ---- the source -------------------------------------------------------------------------------------------------- */

static _Alignas(8) uint8_t blob[400000], scratch[sizeof blob], again[sizeof blob];
static struct source_fault fault;

static bool compile_to(void *to, const char *text, size_t length)
{
    return source_compile(text, length, to, source_room(length), scratch, &fault);
}

static struct written {
    char text[60000];
    size_t length;
} written;

static int collect(void *context, const char *line, size_t length)
{
    struct written *w = context;
    w->length += (size_t)snprintf(w->text + w->length, sizeof w->text - w->length, "%.*s\n", (int)length, line);
    return 0;
}

static const char *write_out(const void *tree)
{
    static char line[65000];
    memset(&written, 0, sizeof written);
    assert_int_equal(source_write(tree, collect, &written, line, sizeof line), 0);
    return written.text;
}

static void no_fault(void *context, const char *path, const char *reason)
{
    (void)context;
    fail_msg("%s %s", path, reason);
}

struct user *directory_block(void) { return calloc(DIRECTORY_BLOCK, sizeof(struct user)); }

static void the_sample_becomes_a_good_directory_and_its_own_text_again(void **state)
{
    static struct directory_rows rows;
    static char text[20000];
    struct directory d = DIRECTORY_IN(rows);
    FILE *f = fopen("images/directory.dts", "r");
    (void)state;
    assert_non_null(f);
    size_t length = fread(text, 1, sizeof text, f);
    fclose(f);
    if (!compile_to(blob, text, length))
        fail_msg("line %u: %s", fault.line, fault.reason);
    assert_int_equal(directory_parse(&d, blob, source_bytes(blob), 33, 24576, no_fault, NULL), 0);
    assert_int_equal(d.users, 4);
    assert_int_equal(d.disks, 6);
    assert_non_null(directory_find_disk(&d, directory_find(&d, "BOB"), 0x191));
    write_out(blob);
    assert_non_null(strstr(written.text, "            mdisk@191 {\n                extent = <2081 2048>;\n"));
    assert_non_null(strstr(written.text, "            xautolog = \"OPERATOR\", \"MAINT\";\n"));
    assert_true(compile_to(again, written.text, written.length));
    assert_int_equal(source_bytes(again), source_bytes(blob));
    assert_memory_equal(again, blob, source_bytes(blob));
}

static void every_form_of_a_value_is_read_and_written(void **state)
{
    static const char text[] = "// a comment\n/dts-v1/ ; /* another\n*/ / { flag; one=<0x10>;two = <1 4294967295>;\n"
                               "s = \"a \\\"b\\\\\"; list = \"\",\"ALL\", \"x\"; n@1F { }; };\n";
    (void)state;
    assert_true(compile_to(blob, text, sizeof text - 1));
    assert_string_equal(write_out(blob), "/dts-v1/;\n/ {\n    flag;\n    one = <16>;\n    two = <1 4294967295>;\n"
                                         "    s = \"a \\\"b\\\\\";\n"
                                         "    list = \"\", \"ALL\", \"x\";\n    n@1F {\n    };\n};\n");
    assert_true(compile_to(again, written.text, written.length));
    assert_memory_equal(again, blob, source_bytes(blob));
}

static void a_long_list_has_a_line_for_each_text(void **state)
{
    char text[400] = "/dts-v1/;/{l=";
    (void)state;
    for (int i = 0; i < 30; i++)
        strcat(text, i ? ",\"USER\"" : "\"USER\"");
    strcat(text, ";};");
    assert_true(compile_to(blob, text, strlen(text)));
    write_out(blob);
    assert_non_null(strstr(written.text, "    l = \"USER\",\n        \"USER\",\n"));
    assert_true(compile_to(again, written.text, written.length));
    assert_memory_equal(again, blob, source_bytes(blob));
}

static void a_fault_is_told_by_its_line(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *reason;
    } bad[] = {
        {"", 1, "/dts-v1/; was expected"},
        {"/dts-v1/\n/ {};", 2, "a ; was expected"},
        {"/dts-v1/;\n{};", 2, "/ { was expected"},
        {"/dts-v1/; / {\n a = 1;\n};", 2, "a text or a < was expected"},
        {"/dts-v1/; / {\n a = <x>;\n};", 2, "a number was expected, or >"},
        {"/dts-v1/; / {\n a = <0x>;\n};", 2, "a number was expected, or >"},
        {"/dts-v1/; / {\n a = <1", 2, "a number was expected, or >"},
        {"/dts-v1/; / {\n a = <4294967296>;\n};", 2, "the number does not fit 32 bits"},
        {"/dts-v1/; / {\n a = \"x\n\";\n};", 2, "the text has no \" at its end"},
        {"/dts-v1/; / {\n a = \"x\\", 2, "the text has no \" at its end"},
        {"/dts-v1/; / {\n a\n b;\n};", 3, "a ; was expected"},
        {"/dts-v1/; / {\n n { }\n };", 3, "a ; was expected behind the }"},
        {"/dts-v1/; / {\n n { };\n", 3, "a name was expected, or }"},
        {"/dts-v1/; / {\n &x = <1>;\n};", 2, "a name was expected, or }"},
        {"/dts-v1/; / {\n /* x\n", 3, "the comment has no end"},
        {"/dts-v1/; / { };\n};", 2, "something stands behind the end"},
        {"/dts-v1/; / {a{b{c{d{e{f{g{h{i{", 1, "nodes are nested too deep"},
        {"/dts-v1/; / {\n aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;", 2,
         "the name is too long"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t length = strlen(bad[i].text);
        char *text = malloc(length + 1); /* so that a byte beyond is seen */
        memcpy(text, bad[i].text, length);
        if (compile_to(blob, text, length) || fault.line != bad[i].line || strcmp(fault.reason, bad[i].reason))
            fail_msg("%s: %u %s", bad[i].text, fault.line, fault.reason ? fault.reason : "good");
        free(text);
    }
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static void make(const char *id, const char *records)
{
    char line[400];
    snprintf(line, sizeof line, "PIPE literal %s| split !| > %s", records, id);
    assert_int_equal(obey(line), 0);
}

static void a_file_is_given_to_cp_and_cp_is_told_what_for(void **state)
{
    (void)state;
    make("USER DIRECT A", "/dts-v1/;!/ {!  a = <5>;!};");
    shows("DIRECTXA", 0, "DIRECTORY REPLACED: 1 USERS, 0 MINIDISKS, 0 LINKS\n");
    assert_string_equal(fake_cms_cp_asked, "DIRECTORY REPLACE");
    assert_string_equal(write_out(fake_cms_directory), "/dts-v1/;\n/ {\n    a = <5>;\n};\n");
    make("NEXT TRY A", "/dts-v1/;!/ {!  a = <6>;!};");
    obey("DIRECTXA NEXT TRY A (EDIT");
    assert_string_equal(fake_cms_cp_asked, "DIRECTORY CHECK");
    assert_non_null(strstr(write_out(fake_cms_directory), "a = <6>;"));
    make("NEXT TRY A", "/dts-v1/;!/ {!  a = 6;!};");
    shows("DIRECTXA NEXT TRY", 32, "DMSDIR9030E Line 3: a text or a < was expected\n");
    shows("DIRECTXA NONE", 28, "DMSDIR002E File NONE DIRECT A not found\n");
    shows("DIRECTXA A B C D", 24, "DMSDIR070E Invalid parameter D\n");
    shows("DIRECTXA (REPLACE", 24, "DMSDIR003E Invalid option: REPLACE\n");
}

static void cps_directory_becomes_a_file_that_can_be_given_back(void **state)
{
    static uint8_t before[1000];
    (void)state;
    shows("DIRECTXA (GET", 88, "DMSDIR9031E CP is not there, or gives and takes no directory\n");
    make("USER DIRECT A", "/dts-v1/;!/ {!  a = <5>;!};");
    obey("DIRECTXA");
    size_t bytes = fake_cms_directory_bytes;
    memcpy(before, fake_cms_directory, bytes);
    shows("DIRECTXA (GET", 28, "DMSDIR024E File USER DIRECT A already exists; specify REPLACE option\n");
    shows("DIRECTXA (GET REPLACE", 0, "");
    shows("TYPE USER DIRECT", 0, "\n/dts-v1/;\n/ {\n    a = <5>;\n};\n\n");
    obey("DIRECTXA");
    assert_int_equal(fake_cms_directory_bytes, bytes);
    assert_memory_equal(fake_cms_directory, before, bytes);
}

static void what_cp_answers_is_told(void **state)
{
    (void)state;
    make("USER DIRECT A", "/dts-v1/;!/ {!  a = <5>;!};");
    fake_cms_directory_status = CMS_DIRECTORY_DENIED;
    shows("DIRECTXA", 76, "DMSDIR9032E You are not of privilege class B\n");
    fake_cms_directory_status = CMS_DIRECTORY_LONG;
    shows("DIRECTXA", 100, "DMSDIR9033E The directory is longer than CP or this machine can hold\n");
    fake_cms_directory_status = CMS_DIRECTORY_CROSSED;
    shows("DIRECTXA", 100, "DMSDIR9034E Somebody else has given CP another directory meanwhile\n");
    fake_cms_directory_status = CMS_DIRECTORY_ABSENT;
    shows("DIRECTXA A B A (GET", 88, "DMSDIR9031E CP is not there, or gives and takes no directory\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_sample_becomes_a_good_directory_and_its_own_text_again),
        TEST(every_form_of_a_value_is_read_and_written),
        TEST(a_long_list_has_a_line_for_each_text),
        TEST(a_fault_is_told_by_its_line),
        TEST(a_file_is_given_to_cp_and_cp_is_told_what_for),
        TEST(cps_directory_becomes_a_file_that_can_be_given_back),
        TEST(what_cp_answers_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
