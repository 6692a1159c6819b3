/* HELP reads files: the system's, those of a user before them, and what it says where there are none. */
#include "tests/unit/cms_scene.h"

#include "cms/command/settings.h"
#include "cms/help/help.h"
#include "tests/unit/cms_help_scene.h"

static int begin(void **state)
{
    (void)state;
    scene_begin();
    memset(&cms_settings, 0, sizeof cms_settings);
    attach(0x191, 'A', "ALI191");
    return 0;
}

static void without_files_it_is_said_that_they_are_not_accessed(void **state)
{
    static const char *const lines[] = {
        "HELP",    "HELP MENU",    "HELP QUERY", "HELP NONSENSE",    "HELP DMSACP113S",
        "HELP 37", "HELP CMS SET", "HELP MSG 2", "HELP PIPE LOCATE", "PIPE HELP LOCATE",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(obey(lines[i]), 28);
        assert_non_null(strstr(fake_cms_shown(), "DMSHLP9075E There are no HELP files"));
    }
    help_attach();
    assert_int_equal(obey("HELP QUERY"), 0);
    obey("RELEASE S");
    assert_int_equal(obey("HELP QUERY"), 28);
}

static void the_root_images_files_come_after_those_of_disks(void **state)
{
    (void)state;
    fake_cms_root_help = "CMS.HELPMENU";
    fake_cms_root_text = "what there is  \n\nand more";
    shows("HELP", 0, "what there is\n\nand more\n");
    assert_int_equal(obey("HELP NONSENSE"), 28);
    assert_null(strstr(fake_cms_shown(), "9075"));
    fake_cms_root_help = "DMS012E.HELPMSG";
    fake_cms_root_text = "DMSABC012E one\nof one\nDMSmmm012E all\nof all\nDMSABD012E other\n";
    shows("HELP DMSABC012E", 0, "DMSABC012E one\nof one\nDMSmmm012E all\nof all\n");
    fake_cms_root_help = "RELEASE.HELPCMS";
    fake_cms_root_text = "";
    assert_int_equal(obey("HELP RELEASE"), 28);
    fake_cms_root_text = "the system's\n";
    shows("HELP RELEASE", 0, "the system's\n");
    obey("PIPE literal mine| > RELEASE HELPCMS A");
    shows("HELP RELEASE", 0, "mine\n");
    fake_cms_root_help = NULL;
}

static void what_is_cps_is_still_asked_of_cp(void **state)
{
    (void)state;
    fake_cms_cp("LINK TO\n", 0);
    shows("HELP LINK", 0, "LINK TO\n");
    shows("HELP HCPLNM104E", 0, "LINK TO\n");
    fake_cms_cp_asked[0] = 0;
    assert_int_equal(obey("HELP QUERY"), 28); /* CP has one too, which is another */
    assert_string_equal(fake_cms_cp_asked, "");
}

static void files_of_a_user_go_before_the_systems(void **state)
{
    (void)state;
    help_attach();
    obey("PIPE literal mine| > RELEASE HELPCMS A");
    obey("PIPE literal of a program of mine| > MINE HELPCMS A");
    obey("PIPE literal of a stage of mine| > OWN HELPPIPE A");
    obey("PIPE literal my message| > XYZ012E HELPMSG A");
    obey("PIPE literal my menu| > SHOP HELPMENU A");
    obey("PIPE literal what is in the shop| > APPLE HELPSHOP A");
    shows("HELP REL", 0, "mine\n");
    shows("HELP mine", 0, "of a program of mine\n");
    shows("HELP CMS MINE", 0, "of a program of mine\n");
    shows("PIPE HELP OWN", 0, "of a stage of mine\n");
    shows("HELP PIPE OWN", 0, "of a stage of mine\n");
    shows("HELP XYZABC012E", 0, "my message\n");
    shows("HELP MSG XYZ012E", 0, "my message\n");
    shows("HELP SHOP MENU", 0, "my menu\n");
    shows("HELP SHOP APPLE", 0, "what is in the shop\n");
    obey("ERASE RELEASE HELPCMS A");
    assert_int_equal(obey("HELP REL"), 0);
    assert_non_null(strstr(fake_cms_shown(), "Ends the access to a disk."));
    assert_non_null(strstr(fake_cms_shown(), "\r\nMay be abbreviated to REL.\r\n"));
}

static void a_message_is_shown_as_the_module_gives_it(void **state)
{
    (void)state;
    help_attach();
    assert_int_equal(obey("HELP DMSPIP027E"), 0);
    assert_null(strstr(fake_cms_shown(), "DMSFLD027E"));
    assert_int_equal(obey("HELP 27"), 0);
    assert_non_null(strstr(fake_cms_shown(), "DMSFLD027E Invalid device ...\r\n"));
    assert_non_null(strstr(fake_cms_shown(), "DMSPIP027E Entry point ... not found\r\n"));
    assert_int_equal(obey("HELP DMSQQQ009E"), 28); /* only SORT gives that */
}

static void what_no_name_of_a_file_may_hold_is_spelled(void **state)
{
    (void)state;
    help_attach();
    assert_int_equal(obey("HELP *"), 0);
    assert_non_null(strstr(fake_cms_shown(), "A comment"));
    assert_int_equal(obey("PIPE HELP >>"), 0);
    assert_non_null(strstr(fake_cms_shown(), ">> fn ft fm [FIXED [n]|VARIABLE]\r\n\r\nAdds to a file"));
    assert_int_equal(obey("PIPE HELP TRANSLATE"), 0); /* nine letters */
    assert_int_equal(obey("HELP %"), 28);
    assert_int_equal(obey("HELP ((("), 0); /* no operand at all: the menu */
}

static void a_hostile_file_is_shown_without_harm(void **state)
{
    (void)state;
    help_attach();
    obey("PIPE literal x | specs x1b5b326a 1 | pad 5000 | > BAD HELPCMS A");
    obey("PIPE literal x | specs x1b5b326a 1 | > WORSE HELPCMS A");
    assert_int_equal(obey("HELP BAD"), 0);
    assert_null(strchr(fake_cms_shown(), 0x1b));
    shows("HELP WORSE", 0, ".[2j\n");
    obey("PIPE literal DMS| > DMS7777E HELPMSG A");
    shows("HELP 7777", 0, "DMS\n");
}

static void a_disk_that_fails_is_said(void **state)
{
    (void)state;
    help_attach();
    fake_cms_disks_fail = true;
    assert_int_equal(obey("HELP SNAPSHOT"), 100);
    assert_non_null(strstr(fake_cms_shown(), "DMSHLP125S"));
    fake_cms_disks_fail = false;
    assert_int_equal(obey("HELP SNAPSHOT"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, scene_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_files_it_is_said_that_they_are_not_accessed),
        TEST(what_is_cps_is_still_asked_of_cp),
        TEST(the_root_images_files_come_after_those_of_disks),
        TEST(files_of_a_user_go_before_the_systems),
        TEST(a_message_is_shown_as_the_module_gives_it),
        TEST(what_no_name_of_a_file_may_hold_is_spelled),
        TEST(a_hostile_file_is_shown_without_harm),
        TEST(a_disk_that_fails_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
