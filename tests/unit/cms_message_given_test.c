/* Every message of CMS is given by a command line here, but those that are named with the reason why none can; and what
 * HELP advertises is accepted. A new message, or another module that gives one, fails until it has its line. */
#include "tests/unit/cms_scene.h"

#include <regex.h>

#include "cms/command/builtin.h"
#include "cms/command/messages.h"
#include "cms/command/settings.h"
#include "tests/unit/cms_message_steps.h"
#include "tests/unit/sources.h"

static const char *const names[MESSAGES] = {
#define MESSAGE(name, module, number, severity, return_code, text, help) [MESSAGE_##name] = #name,
#include "cms/command/messages.def"
#undef MESSAGE
};

static struct {
    char module[4];
    enum cms_message message;
} given[640];
static unsigned givens;

/* What no command line of this scene gives. */
static const struct {
    enum cms_message message;
    const char *reason;
} others[] = {
    {MESSAGE_PROGRAM_NOT_RUN, "programs run on no host: test_programs"},
    {MESSAGE_PROGRAM_SIGNAL, "the same"},
    {MESSAGE_PROGRAM_KILLED, "the same"},
    {MESSAGE_PROGRAM_MACHINE, "the same"},
    {MESSAGE_PROGRAM_NOT_SAVED, "the same"},
    {MESSAGE_FILES_CUT_OFF, "the same: test_program_disks"},
    {MESSAGE_FORMAT_OPEN, "the same"},
    {MESSAGE_PROGRAM_NO_MACHINE, "test_machine_of_its_own"},
    {MESSAGE_OUTPUT_ERROR, "a record that EDF refuses, which no command hands it"},
    {MESSAGE_LINE_TOO_LONG, "a line as typed at the console: cms_console_test"},
    {MESSAGE_EXCEPTION, "a fault of a command: cms_command_test, an_abend_ends_in_ready_with_the_disks_accessed"},
    {MESSAGE_ELSEWHERE, "a CMS that was saved: cms_command_test, a_cms_that_goes_on_elsewhere_has_the_disks_of_there"},
    {MESSAGE_ABEND, "CMS itself has failed: cms/boot/main.c writes it without the message's row"},
};

/* ---- what was shown ---------------------------------------------------------------------------------------------- */

/* Whether `shown` begins with the text, whose %... stand for anything. */
static bool is_of(const char *text, const char *shown)
{
    for (; *text && *text != '%'; text++, shown++)
        if (*text != *shown && !(*text == '\n' && *shown == '\r' && shown++))
            return false;
    if (!*text)
        return *shown == '\r';
    const char *rest = text + strcspn(text, "cdsuxX") + 1;
    for (; *shown && *shown != '\r'; shown++)
        if (is_of(rest, shown))
            return true;
    return is_of(rest, shown);
}

static void note_line(const char *at)
{
    int number, end = 0;
    char module[4], severity;
    if (sscanf(at, "DMS%3[A-Z]%d%c %n", module, &number, &severity, &end) != 3 || !end)
        return;
    for (enum cms_message m = 0; m < MESSAGES; m++) {
        const struct cms_message_row *row = &cms_message_rows[m];
        if (row->number != number || row->severity != severity || (row->module && strcmp(row->module, module)) ||
            !is_of(row->text, at + end))
            continue;
        assert_true(givens < sizeof given / sizeof *given);
        strcpy(given[givens].module, module);
        given[givens++].message = m;
    }
}

static bool is_given(const char *module, enum cms_message message)
{
    for (unsigned i = 0; i < givens; i++)
        if (given[i].message == message && (!module || !strncmp(given[i].module, module, 3)))
            return true;
    return false;
}

/* False: it does not give its message. */
static bool take_step(const struct step *s)
{
    char whole[160];
    if (s->before)
        s->before();
    obey(s->line);
    const char *shown = fake_cms_shown();
    for (const char *at = shown; at; at = strstr(at, "\r\n"), at = at ? at + 2 : NULL)
        note_line(at);
    snprintf(whole, sizeof whole, "%s\r\n", s->text ? s->text : "");
    bool is_shown = !s->text || strstr(shown, whole);
    if (!is_shown)
        print_error("%s: expected \"%s\", it shows:\n%s\n", s->line, s->text, shown);
    return is_shown;
}

static void each_command_line_gives_its_message(void **state)
{
    bool all = true;
    (void)state;
    for (const struct step *s = steps; s < steps + sizeof steps / sizeof *steps; s++)
        all &= take_step(s);
    assert_true(all);
}

static bool is_excused(enum cms_message message)
{
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].message == message)
            return true;
    return false;
}

static void every_message_of_the_table_is_given(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++)
        if (is_given(NULL, others[i].message))
            fail_msg("%s is given: it is not %s", names[others[i].message], others[i].reason);
    for (enum cms_message m = 0; m < MESSAGES; m++) {
        if (!is_excused(m) && !is_given(NULL, m))
            fail_msg("no step gives %s", names[m]);
        if (sources_width(cms_message_rows[m].help) > 79)
            fail_msg("the help of %s is wider than a terminal", names[m]);
    }
}

static void every_module_gives_all_its_messages(void **state)
{
    static const char *const ends[] = {".c", NULL};
    regmatch_t found[3];
    regex_t way;
    unsigned pairs = 0, missing = 0;
    (void)state;
    sources_read_all("cms", true, "", ends, NULL);
    assert_int_equal(regcomp(&way, "cms_message\\(\"([A-Z]{3})\", MESSAGE_([A-Z_]+)[,)]", REG_EXTENDED), 0);
    for (const char *at = sources; !regexec(&way, at, 3, found, 0); at += found[0].rm_eo, pairs++) {
        size_t length = (size_t)(found[2].rm_eo - found[2].rm_so);
        enum cms_message m = 0;
        while (m < MESSAGES && (strncmp(names[m], at + found[2].rm_so, length) || names[m][length]))
            m++;
        if (m == MESSAGES || is_excused(m) || is_given(at + found[1].rm_so, m))
            continue;
        print_error("no step gives %.40s\n", at + found[0].rm_so);
        missing++;
    }
    regfree(&way);
    sources_forget(NULL);
    assert_int_equal(missing, 0);
    assert_true(pairs > 90);
}

static int start(void **state)
{
    (void)state;
    scene_begin();
    memset(&cms_settings, 0, sizeof cms_settings);
    attach(0x191, 'A', "ALI191");
    attach(0x192, 'B', "ALI192");
    assert_int_equal(obey("PIPE literal The end|literal   two|literal one|> ALPHA DATA A"), 0);
    assert_int_equal(obey("PIPE literal The end|literal   2|literal one|> OTHER DATA A"), 0);
    assert_int_equal(obey("PIPE literal one| > ALPHA EXEC A2"), 0);
    assert_int_equal(obey("PIPE literal abc| > BETA DATA B F 8"), 0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_command_line_gives_its_message, start, scene_end),
        cmocka_unit_test(every_message_of_the_table_is_given),
        cmocka_unit_test(every_module_gives_all_its_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
