/* The command level from the first Ready on, as the user of a terminal sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cms/command/command.h"
#include "cms/command/messages.h"
#include "cms/command/query.h"
#include "cms/command/session.h"
#include "cms/command/settings.h"
#include "cms/console/console.h"
#include "cms/console/output.h"
#include "cms/kernel/heap.h"
#include "cms/kernel/mode.h"
#include "tests/unit/cms_help_scene.h"
#include "tests/unit/fake/cms_machine.h"

#define HEADING "LABEL  VDEV M  STAT   CYL TYPE BLKSZ   FILES  BLKS USED-(%) BLKS LEFT  BLK TOTAL\r\n"
#define READY_LINE "Ready; T=0.01/0.01 14:05:31\r\n"

static int begin(void **state)
{
    (void)state;
    fake_cms_reset();
    memset(&cms_settings, 0, sizeof cms_settings);
    cms_console_set_line_end('#');
    cms_console_recover();
    cms_session_start(false, true);
    fake_cms_forget();
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (char letter = 'A'; letter <= 'Z'; letter++)
        cms_mode_release(letter);
    assert_int_equal(cms_heap_in_use(), 0);
    return 0;
}

/* Types one line (or one with logical line ends) and lets CMS obey all of it. */
static void type(const char *line, int steps)
{
    fake_cms_forget();
    fake_cms_type(line);
    fake_cms_type("\r");
    while (steps--)
        cms_session_step();
}

static void expect(const char *line, const char *shown)
{
    type(line, 1);
    size_t echo = strlen(line);
    assert_memory_equal(fake_cms_shown(), line, echo);
    assert_string_equal(fake_cms_shown() + echo + 2, shown);
}

static void format_a(const char *volid)
{
    fake_cms_attach(0x191, false);
    fake_cms_type("format 191 a (blksize 1k\r1\r");
    fake_cms_type(volid);
    fake_cms_type("\r");
    cms_session_step();
    assert_non_null(strstr(fake_cms_shown(), "DMSFOR732I 512 FB-512 blocks formatted on A(191)\r\n"));
    assert_non_null(cms_mode_find('A'));
}

static void a_command_ends_with_ready_and_the_times(void **state)
{
    (void)state;
    expect("query cmslevel", "VM/N CMS Level 1, Service Level 000\r\n" "Ready; T=0.00/0.00 14:05:31\r\n");
}

static void the_first_ready_follows_banner_and_disks(void **state)
{
    (void)state;
    fake_cms_reset();
    cms_session_start(true, true);
    assert_string_equal(fake_cms_shown(), "VM/N CMS Version 1.0\r\n"
                                          "DMSACP113S S(190) not attached or invalid device address\r\n"
                                          "DMSACP113S A(191) not attached or invalid device address\r\n"
                                          "Ready(00100); T=0.00/0.00 14:05:31\r\n");
}

static void an_unknown_command_is_minus_three(void **state)
{
    (void)state;
    type("set rdymsg smsg", 1);
    expect("frobnicate", "Unknown CP/CMS command\r\nReady(-0003);\r\n");
    expect("listfiles", "Unknown CP/CMS command\r\nReady(-0003);\r\n"); /* not LISTFILE, cut to a token */
    expect("* frobnicate", "Ready;\r\n");
    expect("", "CMS\r\n");
}

static void logical_line_ends_separate_commands(void **state)
{
    (void)state;
    type("set rdymsg smsg", 1);
    type("query impcp#q impex# q abbrev", 3);
    assert_string_equal(fake_cms_shown(), "query impcp#q impex# q abbrev\r\nIMPCP    = ON\r\nReady;\r\n"
                                          "IMPEX    = ON\r\nReady;\r\nABBREV   = ON\r\nReady;\r\n");
    fake_cms_cp("", 0);
    type("cp msg op a\"#b", 1);
    assert_string_equal(fake_cms_cp_asked, "msg op a#b");
    type("set linend off", 1);
    type("cp msg a#b", 1);
    assert_string_equal(fake_cms_cp_asked, "msg a#b");
}

static void settings_are_set_and_queried(void **state)
{
    (void)state;
    type("set rdymsg smsg", 1);
    expect("q rdymsg", "RDYMSG   = SMSG\r\nReady;\r\n");
    expect("set abbrev off", "Ready;\r\n");
    expect("q impcp", "Unknown CP/CMS command\r\nReady(-0003);\r\n");
    expect("query abbrev", "ABBREV   = OFF\r\nReady;\r\n");
    expect("set impcp maybe", "DMSSET014E Invalid keyword: MAYBE\r\nReady(00024);\r\n");
    expect("set impcp", "DMSSET050E Parameter missing after IMPCP\r\nReady(00024);\r\n");
    expect("set emsg text", "Ready;\r\n");
    expect("query disk q", "Filemode Q not accessed\r\nReady(00036);\r\n");
    expect("set emsg code", "Ready;\r\n");
    expect("query disk q", "DMSQRY069E \r\nReady(00036);\r\n");
    expect("set emsg off", "Ready;\r\n");
    expect("query disk q", "Ready(00036);\r\n");
}

static void cp_answers_what_cms_does_not_know(void **state)
{
    (void)state;
    type("set rdymsg smsg", 1);
    fake_cms_cp("USER1   - DSC\nUSER2   -0009\n", 0);
    expect("query names", "USER1   - DSC\r\nUSER2   -0009\r\nReady;\r\n");
    assert_string_equal(fake_cms_cp_asked, "query names");
    expect("indicate", "USER1   - DSC\r\nUSER2   -0009\r\nReady;\r\n");
    expect("send bob query time", "USER1   - DSC\r\nUSER2   -0009\r\nReady;\r\n"); /* CP's, not SENDFILE */
    assert_string_equal(fake_cms_cp_asked, "send bob query time");
    fake_cms_cp("HCPCMD001E Unknown CP command: FOO\n", 1);
    expect("foo", "Unknown CP/CMS command\r\nReady(-0003);\r\n");
    expect("cp foo", "HCPCMD001E Unknown CP command: FOO\r\nReady(00001);\r\n");
    type("set impcp off", 1);
    fake_cms_cp_asked[0] = 0;
    expect("indicate", "Unknown CP/CMS command\r\nReady(-0003);\r\n");
    assert_string_equal(fake_cms_cp_asked, "");
    fake_cms_cp(NULL, 0);
    expect("cp q t", "DMSCPF9001E CP is not there: this machine runs without it\r\nReady(00088);\r\n");
}

static void format_asks_before_it_erases(void **state)
{
    (void)state;
    type("set rdymsg smsg", 1);
    fake_cms_attach(0x191, false);
    fake_cms_type("format 191 a\r0\r");
    fake_cms_forget();
    cms_session_step();
    assert_string_equal(fake_cms_shown(),
                        "format 191 a\r\n"
                        "DMSFOR603R FORMAT will erase all files on disk A(191). Do you wish to continue?\r\n"
                        "Enter 1 (YES) or 0 (NO).\r\n0\r\nReady;\r\n");
    assert_null(cms_mode_find('A'));
    fake_cms_type("format 191 a\r1\rtoolongname\r\rok\r");
    fake_cms_forget();
    cms_session_step();
    assert_non_null(strstr(fake_cms_shown(), "toolongname\r\nDMSFOR605R Enter disk label:\r\n\r\n"
                                             "DMSFOR605R Enter disk label:\r\nok\r\n"));
    assert_non_null(cms_mode_find('A'));
}

static void hx_ends_format_before_anything_is_written(void **state)
{
    (void)state;
    format_a("keep");
    type("set rdymsg smsg", 1);
    fake_cms_type("format 191 a\rhx\r");
    cms_session_step();
    assert_true(fake_cms_typed_all());
    assert_non_null(strstr(fake_cms_shown(), "format 191 a\r\nReady;\r\n"));
    expect("query search", "KEEP    191  A    R/W\r\nReady;\r\n");
}

static void answers_may_stand_in_the_commands_own_line(void **state)
{
    (void)state;
    fake_cms_attach(0x191, false);
    type("format 191 a (blksize 512#yes#mydisk", 1);
    struct edf_disk_facts facts;
    edf_disk_query(cms_mode_find('A')->disk, &facts);
    assert_string_equal(facts.volid, "MYDISK");
    assert_int_equal(facts.block_size, 512);
}

static void a_formatted_disk_is_shown_in_the_columns_of_its_heading(void **state)
{
    (void)state;
    format_a("abc191");
    type("set rdymsg smsg", 1);
    expect("query disk", HEADING
           "ABC191 191  A   R/W    FB 9336 1024        0          6-03        250        256\r\nReady;\r\n");
    expect("query disk r/w", HEADING
           "ABC191 191  A   R/W    FB 9336 1024        0          6-03        250        256\r\nReady;\r\n");
    expect("query search", "ABC191  191  A    R/W\r\nReady;\r\n");
    expect("query accessed", "Mode   Stat     Files  Vdev  Label/Directory\r\n"
                             "A      R/W           0  191   ABC191\r\nReady;\r\n");
}

static void the_disk_with_most_room_to_write_is_found(void **state)
{
    (void)state;
    format_a("one");
    type("set rdymsg smsg", 1);
    fake_cms_attach(0x192, false);
    type("format 192 b (blksize 2k#1#two", 1);
    expect("query disk max", HEADING
           "ONE    191  A   R/W    FB 9336 1024        0          6-03        250        256\r\nReady;\r\n");
    type("pipe literal x | > x y a F 8000", 1);
    expect("query disk max", HEADING
           "TWO    192  B   R/W    FB 9336 2048        0          6-05        122        128\r\nReady;\r\n");
    type("access 192 b (forcero", 1);
    expect("query disk max", HEADING
           "ONE    191  A   R/W    FB 9336 1024        1         15-06        241        256\r\nReady;\r\n");
}

static void the_disk_line_keeps_its_width_whatever_the_numbers(void **state)
{
    struct mode m = {.letter = 'Y', .parent = 'S', .read_only = true, .vdev = 0x19e};
    struct edf_disk_facts f = {.volid = "MNT19E", .block_size = 4096, .blocks = 31500, .used = 31500, .files = 4,
                               .cylinders = 175};
    char line[100];
    (void)state;
    cms_query_disk_line(&m, &f, line, sizeof line);
    assert_string_equal(line, "MNT19E 19E  Y/S R/O   175 3390 4096        4     31500-100          0      31500");
    m = (struct mode){.letter = 'A', .parent = 'A', .vdev = 0x191};
    strcpy(f.volid, "MNT191");
    f.used = 11;
    cms_query_disk_line(&m, &f, line, sizeof line);
    assert_string_equal(line, "MNT191 191  A   R/W   175 3390 4096        4         11-01      31489      31500");
    f.blocks = 0, f.used = 0;
    cms_query_disk_line(&m, &f, line, sizeof line);
    assert_non_null(strstr(line, " 0-00 "));
}

static void access_says_what_it_replaces_and_releases(void **state)
{
    (void)state;
    format_a("one");
    type("set rdymsg smsg", 1);
    fake_cms_attach(0x192, false);
    type("format 192 b (blksize 1k#1#two", 1);
    expect("access 192 c", "DMSACP726I 192 B released\r\nReady;\r\n");
    expect("access 191 c", "DMSACP726I 191 A released\r\nDMSACP724I 191 replaces C (192)\r\nReady;\r\n");
    expect("access 191 c (forcero", "DMSACP723I C (191) R/O\r\nReady;\r\n");
    expect("access 191 b/c", "DMSACP725I 191 also = C disk\r\nDMSACP723I B/C (191) R/O\r\nReady;\r\n");
    expect("access 191 d", "DMSACP726I 191 B released\r\nDMSACP726I 191 C released\r\nReady;\r\n");
    expect("access 191 c (forcero", "DMSACP726I 191 D released\r\nDMSACP723I C (191) R/O\r\nReady;\r\n");
    expect("access 192 d/c", "DMSACP723I D/C (192) R/O\r\nReady;\r\n");
    expect("access 192 e/x", "DMSACC069E Filemode X not accessed\r\nReady(00036);\r\n");
    expect("access 200 c", "DMSACP113S C(200) not attached or invalid device address\r\nReady(00100);\r\n");
    expect("query search", "ONE     191  C    R/O\r\nTWO     192  D/C  R/O\r\nReady;\r\n");
    expect("release d", "Ready;\r\n");
    expect("release 192", "DMSARE069E Filemode 192 not accessed\r\nReady(00036);\r\n");
    expect("release 191", "Ready;\r\n");
    expect("query search", "Ready;\r\n");
}

static void a_blank_disk_leaves_the_mode_as_it_was(void **state)
{
    (void)state;
    format_a("one");
    type("set rdymsg smsg", 1);
    fake_cms_attach(0x192, false);
    expect("access 192 a", "DMSACP112S A(192) device error: there is no CMS1 label\r\nReady(00100);\r\n");
    assert_int_equal(cms_mode_find('A')->vdev, 0x191);
}

static void a_device_that_becomes_another_is_not_written(void **state)
{
    struct edf_writer *writer = NULL;
    (void)state;
    format_a("one");
    struct edf_disk *disk = cms_mode_find('A')->disk;
    fake_cms_detach(0x191);
    fake_cms_attach(0x192, false); /* takes the same place */
    enum edf_status status = edf_create(disk, "A", "B", '1', 'V', 0, EDF_NEW, &writer);
    if (status == EDF_OK)
        status = edf_write(writer, "x", 1);
    if (status == EDF_OK)
        status = edf_commit(writer);
    else
        edf_abort(writer);
    assert_int_equal(status, EDF_IO);
}

static void bad_operands_are_refused_by_number(void **state)
{
    static const struct {
        const char *line, *shown;
    } cases[] = {
        {"access xyz", "DMSACC017E Invalid device address: XYZ\r\nReady(00024);\r\n"},
        {"access 12345", "DMSACC017E Invalid device address: 12345\r\nReady(00024);\r\n"},
        {"access 191 1", "DMSACC048E Invalid filemode 1\r\nReady(00024);\r\n"},
        {"access 191 a/ s", "DMSACC048E Invalid filemode A/\r\nReady(00024);\r\n"},
        {"access 191 a (what", "DMSACC003E Invalid option: WHAT\r\nReady(00024);\r\n"},
        {"release", "DMSARE028E No device specified\r\nReady(00024);\r\n"},
        {"format", "DMSFOR028E No device specified\r\nReady(00024);\r\n"},
        {"format 191", "DMSFOR005E No filemode specified\r\nReady(00024);\r\n"},
        {"format 191 a (blksize 777",
         "DMSFOR029E Invalid parameter 777 in the option BLKSIZE field\r\nReady(00024);\r\n"},
        {"format 191 a", "DMSFOR113S A(191) not attached or invalid device address\r\nReady(00100);\r\n"},
        {"query", "DMSQRY047E No function specified\r\nReady(00024);\r\n"},
        {"query search x", "DMSQRY070E Invalid parameter X\r\nReady(00024);\r\n"},
        {"query nonsense", "DMSQRY014E Invalid keyword: NONSENSE\r\nReady(00024);\r\n"},
    };
    (void)state;
    type("set rdymsg smsg", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(cases[i].line, cases[i].shown);
}

static void a_read_only_disk_is_not_formatted(void **state)
{
    (void)state;
    fake_cms_attach(0x190, true);
    type("set rdymsg smsg", 1);
    expect("format 190 s", "DMSFOR037E Filemode S(190) is accessed as read/only\r\nReady(00036);\r\n");
}

static void help_knows_commands_and_messages(void **state)
{
    (void)state;
    help_attach();
    type("help", 1);
    assert_non_null(strstr(fake_cms_shown(), "ACcess"));
    type("help q", 1);
    assert_non_null(strstr(fake_cms_shown(), "QUERY ACCESSED"));
    type("help dmsacp113s", 1);
    assert_non_null(strstr(fake_cms_shown(), "DMSmmm113S ... not attached or invalid device address\r\n"
                                             "Return code 100.\r\n"));
    type("help 37", 1);
    assert_non_null(strstr(fake_cms_shown(), "DMSmmm037E Filemode ... is accessed as read/only\r\n"));
    type("help 99999999999999999999", 1);
    assert_non_null(strstr(fake_cms_shown(), "DMSHLP254E"));
    type("help zzz", 1);
    assert_non_null(strstr(fake_cms_shown(), "Ready(00028);"));
}

static void help_for_what_is_cps_comes_from_cp(void **state)
{
    (void)state;
    help_attach();
    type("set rdymsg smsg", 1);
    fake_cms_cp("HCP...9009W CP entered; others\nIPL starts it anew.\n", 0);
    expect("help HCPGIR9009W", "HCP...9009W CP entered; others\r\nIPL starts it anew.\r\nReady;\r\n");
    assert_string_equal(fake_cms_cp_asked, "HELP HCPGIR9009W");
    fake_cms_cp_asked[0] = 0;
    type("help 37", 1);
    assert_string_equal(fake_cms_cp_asked, ""); /* CMS' own first */
    fake_cms_cp("HCPHLP9026E There is no help for ZZZ\n", 9026);
    expect("help zzz", "DMSHLP254E HELP cannot find the information you requested: ZZZ\r\nReady(00028);\r\n");
    assert_string_equal(fake_cms_cp_asked, "HELP zzz");
    fake_cms_cp("QUERY {CPLEVEL\n", 0);
    expect("help cp Query", "QUERY {CPLEVEL\r\nReady;\r\n");
    assert_string_equal(fake_cms_cp_asked, "HELP Query");
    expect("help longerthaneight", "QUERY {CPLEVEL\r\nReady;\r\n");
    assert_string_equal(fake_cms_cp_asked, "HELP longerthaneight");
    fake_cms_cp_asked[0] = 0;
    type("help cms query disk", 1);
    assert_non_null(strstr(fake_cms_shown(), "QUERY ACCESSED"));
    type("help cp menu", 1);
    assert_string_equal(fake_cms_cp_asked, "HELP");
    type("help msg 37", 1);
    assert_string_equal(fake_cms_cp_asked, "HELP"); /* CMS' own first */
    type("help message HCP003E", 1);
    assert_string_equal(fake_cms_cp_asked, "HELP HCP003E");
    fake_cms_cp_asked[0] = 0;
    type("help cms menu", 1);
    assert_non_null(strstr(fake_cms_shown(), "COPYfile"));
    type("help menu", 1);
    assert_non_null(strstr(fake_cms_shown(), "COPYfile"));
    expect("help cms zzz", "DMSHLP254E HELP cannot find the information you requested: ZZZ\r\nReady(00028);\r\n");
    assert_string_equal(fake_cms_cp_asked, "");
}

static void every_message_is_explained(void **state)
{
    (void)state;
    help_attach();
    for (const struct cms_message_row *m = cms_message_rows; m < cms_message_rows + MESSAGES; m++) {
        char line[32], code[32];
        snprintf(line, sizeof line, "help dms%s%03d%c", m->module ? m->module : "mmm", m->number, m->severity);
        snprintf(code, sizeof code, "\r\nReturn code %d.\r\n", m->return_code);
        fake_cms_forget();
        type(line, 1);
        assert_non_null(strstr(fake_cms_shown(), code));
        assert_non_null(strchr(m->help, '\n'));
    }
    type("help dmspip027e", 1);
    assert_non_null(strstr(fake_cms_shown(), "DMSPIP027E Entry point ... not found\r\nReturn code -27.\r\n"));
}

static void ht_silences_a_command_until_its_end(void **state)
{
    (void)state;
    cms_console_command_begins();
    fake_cms_type("ht\r");
    cms_line("one", 3);
    fake_cms_type("RT\r");
    cms_line("two", 3);
    cms_console_command_ends();
    assert_string_equal(fake_cms_shown(), "two\r\n");
    assert_false(cms_halted());
}

static size_t captured;

static void capture(void *context, const char *data, size_t length)
{
    (void)context, (void)data;
    captured += length;
}

static void captured_output_does_not_reach_the_terminal(void **state)
{
    (void)state;
    captured = 0;
    struct output_sink old = cms_redirect((struct output_sink){.line = capture});
    assert_int_equal(cms_obey("query impcp"), 0);
    cms_redirect(old);
    assert_int_equal(captured, strlen("IMPCP    = ON"));
    assert_string_equal(fake_cms_shown(), "");
}

static void an_abend_ends_in_ready_with_the_disks_accessed(void **state)
{
    (void)state;
    format_a("one");
    assert_non_null(cms_heap_allocate(1000));
    fake_cms_forget();
    cms_session_recover("Page fault", 0x1234);
    assert_string_equal(fake_cms_shown(), "DMSITP141T Page fault exception occurred at address 0000000000001234\r\n"
                                          "Ready(00256); T=0.00/0.00 14:05:31\r\n");
    assert_int_equal(cms_mode_find('A')->vdev, 0x191);
}

static void a_cms_that_goes_on_elsewhere_has_the_disks_of_there(void **state)
{
    (void)state;
    format_a("one");
    assert_non_null(cms_heap_allocate(1000));
    fake_cms_detach(0x191);
    fake_cms_forget();
    cms_session_elsewhere();
    assert_non_null(strstr(fake_cms_shown(), "DMSINI9007I This CMS was saved while it ran; "));
    assert_non_null(strstr(fake_cms_shown(), "Ready; "));
    assert_null(cms_mode_find('A'));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_command_ends_with_ready_and_the_times),
        TEST(the_first_ready_follows_banner_and_disks),
        TEST(an_unknown_command_is_minus_three),
        TEST(logical_line_ends_separate_commands),
        TEST(settings_are_set_and_queried),
        TEST(cp_answers_what_cms_does_not_know),
        TEST(format_asks_before_it_erases),
        TEST(hx_ends_format_before_anything_is_written),
        TEST(answers_may_stand_in_the_commands_own_line),
        TEST(a_formatted_disk_is_shown_in_the_columns_of_its_heading),
        TEST(the_disk_with_most_room_to_write_is_found),
        TEST(the_disk_line_keeps_its_width_whatever_the_numbers),
        TEST(access_says_what_it_replaces_and_releases),
        TEST(a_blank_disk_leaves_the_mode_as_it_was),
        TEST(a_device_that_becomes_another_is_not_written),
        TEST(bad_operands_are_refused_by_number),
        TEST(a_read_only_disk_is_not_formatted),
        TEST(help_knows_commands_and_messages),
        TEST(help_for_what_is_cps_comes_from_cp),
        TEST(every_message_is_explained),
        TEST(ht_silences_a_command_until_its_end),
        TEST(captured_output_does_not_reach_the_terminal),
        TEST(an_abend_ends_in_ready_with_the_disks_accessed),
        TEST(a_cms_that_goes_on_elsewhere_has_the_disks_of_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
