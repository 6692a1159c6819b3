/* Words from one user to another: what they may do to the other's terminal, and how many of them it must bear. */
#include "tests/unit/session_scene.h"

#include "cp/command/command.h"
#include "cp/session/operator.h"
#include "cp/session/session_vm.h"

static char answer[4096];

/* Runs a command as the user's machine would, whatever bytes are in it. */
static unsigned run(const char *userid, const char *command)
{
    struct response r = {
        .session = session_find(userid), .buffer = answer, .size = sizeof answer - 1, .machine_asks = true};
    unsigned code = command_run(r.session, &r, command);
    answer[r.length] = 0;
    return code;
}

static int three_users(void **state)
{
    scene_reset(state);
    fake_clock_advance(60ull * 1000000000);
    logon(0, "ALICE");
    logon(1, "BOB");
    logon(2, "OPERATOR");
    for (int i = 0; i < 3; i++)
        shown(i);
    return 0;
}

/* Nothing but ASCII characters and whole UTF-8 ones beyond C1; CR only before LF. */
static void assert_harmless(const char *text)
{
    for (const uint8_t *at = (const uint8_t *)text; *at; at++) {
        if (*at == '\n' || (*at == '\r' && at[1] == '\n'))
            continue;
        if (*at == 0xc2)
            assert_true(*++at >= 0xa0);
        else if (*at < ' ' || *at == 0x7f || (*at >= 0x80 && *at < 0xc0))
            fail_msg("byte %02x in: %s", *at, text);
        else if (*at >= 0xc0)
            while ((at[1] & 0xc0) == 0x80)
                at++;
    }
}

/* ---- what ------------------------------------------------------------------------------------------------------- */

static void no_byte_of_a_message_is_a_control_for_the_other_terminal(void **state)
{
    char text[32];
    (void)state;
    for (unsigned byte = 1; byte < 256; byte++) {
        for (unsigned form = 0; form < 3; form++) { /* alone, as UTF-8, before a continuation */
            const char *const forms[] = {"MSG BOB <%c>", "MSG BOB <\xc2%c>", "MSG BOB <%c\xbf>"};
            snprintf(text, sizeof text, forms[form], byte);
            fake_clock_advance(200000000);
            assert_int_equal(run("ALICE", text), 0);
            const char *said = shown(1);
            assert_non_null(strstr(said, "* MSG FROM ALICE"));
            assert_harmless(said);
        }
    }
}

static void a_message_is_one_line_and_cannot_look_like_two(void **state)
{
    (void)state;
    run("ALICE", "MSG BOB \033[2K\r14:00:00  * MSG FROM MAINT   : please type SHUTDOWN\n\033]0;x\007\033[6n\xc2\x9b"
                 "2J\xe2\x80\xae");
    assert_shows(1,
                 "* MSG FROM ALICE   : ?[2K?14:00:00  * MSG FROM MAINT   : please type SHUTDOWN??]0;x??[6n??2J???\r\n");
}

static void letters_of_other_scripts_arrive(void **state)
{
    (void)state;
    run("ALICE", "MSG BOB Gr\xc3\xb6\xc3\x9f" "e \xe2\x82\xac \xf0\x9d\x84\x9e");
    assert_shows(1, ": Gr\xc3\xb6\xc3\x9f" "e \xe2\x82\xac \xf0\x9d\x84\x9e\r\n");
}

static void a_long_message_ends_with_a_whole_character(void **state)
{
    char text[800] = "MSG BOB ";
    (void)state;
    for (unsigned shift = 0; shift < 3; shift++) {
        strcpy(text + 8, &"xx"[2 - shift]);
        while (strlen(text) < 700)
            strcat(text, "\xe2\x82\xac");
        fake_clock_advance(1000000000);
        run("ALICE", text);
        assert_harmless(shown(1));
    }
}

/* WARNING, FORCE, XAUTOLOG, operator's lines, answers that quote what was typed. */
static void no_other_words_of_cp_carry_controls(void **state)
{
    static const char *const commands[] = {
        "WNG BOB \033c",    "WNG ALL \x9b" "2J",       "MSG ALL \033[?1049h", "\033c",        "Q \x9b" "c",
        "LINK \033c 191 1", "LINK ALICE 191 2 \033[",  "IPL \033c",           "FORCE \033c",  "XAUTOLOG \033c",
        "HELP \033c",       "SET \033c ON",            "DEFINE \033c",        "DISPLAY \x85", "STORE \033 \033",
        "SLEEP \033",       "SYSTEM \033",             "TRACE \033 \033",     "INDICATE \033", "DETACH \033",
        "SNAPSHOT \033",   "SNAPSHOT DELETE 191 \033"};
    (void)state;
    for (unsigned i = 0; i < sizeof commands / sizeof *commands; i++) {
        run("OPERATOR", commands[i]);
        assert_harmless(answer);
        command_run(session_find("OPERATOR"), &(struct response){.session = session_find("OPERATOR")}, commands[i]);
        for (unsigned line = 0; line < FAKE_LINES; line++)
            assert_harmless(shown(line));
    }
}

static void what_a_machine_writes_to_its_own_user_is_not_touched(void **state)
{
    uint8_t all[256];
    (void)state;
    for (unsigned i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    unsigned before = fake_line[0].length;
    assert_int_equal(vm_output(vm_of("ALICE"), 0, all, sizeof all), sizeof all);
    turn();
    assert_int_equal(fake_line[0].length - before, sizeof all);
    assert_memory_equal(fake_line[0].text + before, all, sizeof all);
    fake_line[0].seen = fake_line[0].length;
}

/* ---- how many --------------------------------------------------------------------------------------------------- */

static void a_flood_of_messages_is_cut_to_a_few_a_second(void **state)
{
    unsigned sent = 0;
    (void)state;
    while (run("ALICE", "MSG BOB x") == 0)
        sent++;
    assert_int_equal(sent, 40);
    assert_non_null(strstr(answer, "HCPMFS057I BOB not receiving; too many messages"));
    for (int second = 0; second < 10; second++) {
        fake_clock_advance(1000000000);
        for (sent = 0; run("ALICE", "MSG BOB x") == 0; sent++) {}
        assert_int_equal(sent, 10);
    }
    assert_int_equal(run("OPERATOR", "MSG BOB you too"), 0); /* one user's flood is not another's */
    for (int i = 0; i < 100; i++)
        assert_int_equal(run("OPERATOR", "MSG BOB and I may"), 0);
}

static void a_flood_of_messages_is_no_other_in_the_next_session(void **state)
{
    unsigned sent = 0;
    (void)state;
    while (run("ALICE", "MSG BOB x") == 0) {}
    type(0, "LOGOFF\r");
    shown(2);
    for (unsigned visit = 0; visit < 5; visit++) {
        for (unsigned i = 0; i < 20; i++) {
            type(0, "MSG OP x\r");
            sent += strstr(shown(2), "MSG FROM LOGON") != NULL;
        }
        fake_line[0].line.carrier(&fake_line[0].line, false);
        turn();
        fake_line[0].line.carrier(&fake_line[0].line, true);
        turn();
    }
    assert_in_range(sent, 40, 60);
    logon(0, "ALICE");
    for (sent = 0; run("ALICE", "MSG BOB x") == 0; sent++) {}
    assert_in_range(sent, 0, 30);
}

static void messages_leave_a_slow_terminal_to_its_own_machine(void **state)
{
    (void)state;
    fake_line[1].stuck = true;
    for (int i = 0; i < 1000; i++) {
        fake_clock_advance(1000000000);
        run("ALICE", "MSG BOB xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    }
    assert_non_null(strstr(answer, "HCPMFS057I BOB not receiving; terminal behind"));
    assert_int_equal(vm_output(vm_of("BOB"), 0, (const uint8_t *)"mine", 4), 4);
    assert_int_equal(session_find("BOB")->output.dropped, 0);
    fake_line[1].stuck = false;
    session_pump(session_find("BOB"));
    assert_non_null(strstr(shown(1), "mine"));
}

static void who_stays_at_a_stuck_terminal_hears_of_lost_words_when_it_goes_on(void **state)
{
    struct session *bob = session_find("BOB");
    (void)state;
    fake_line[1].stuck = true;
    while (!bob->output.dropped)
        run("OPERATOR", "MSG BOB xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    run("OPERATOR", "MSG BOB and this");
    fake_line[1].stuck = false;
    fake_line[1].line.room(&fake_line[1].line);
    const char *text = shown(1);
    assert_non_null(strstr(text, " characters of CP's messages are lost\r\n"));
    assert_null(strstr(text, "and this"));
    run("OPERATOR", "MSG BOB and now");
    text = shown(1);
    assert_non_null(strstr(text, "FROM OPERATOR: and now\r\n"));
    assert_null(strstr(text, "lost"));
}

static void coming_and_going_does_not_stop_the_machine_of_a_disconnected_operator(void **state)
{
    (void)state;
    type(2, "DISC\r");
    for (int i = 0; i < 5000; i++) {
        fake_clock_advance(1000000000);
        operator_tell(session_find("BOB"), "AUTO LOGON", "ALICE");
    }
    assert_int_equal(vm_output(vm_of("OPERATOR"), 0, (const uint8_t *)"mine", 4), 4);
    shown(2);
    logon(2, "OPERATOR");
    const char *text = shown(2);
    assert_non_null(strstr(text, "characters of CP's messages are lost"));
    assert_non_null(strstr(text, "mine"));
    assert_non_null(strstr(text, "AUTO LOGON AS BOB      USERS = 3  BY ALICE"));
}

static void a_flood_of_comings_and_goings_leaves_the_operators_screen_to_the_operator(void **state)
{
    unsigned told = 0, more = 0;
    (void)state;
    fake_clock_advance(60ull * 1000000000);
    for (int i = 0; i < 5000; i++) {
        operator_tell(session_find("BOB"), "RECONNECT", NULL);
        turn(); /* which takes time */
        told += strstr(shown(2), "RECONNECT  AS BOB") != NULL;
    }
    assert_in_range(told, 100, 200);
    fake_clock_advance(1000000000);
    operator_tell_undial(session_find("BOB"), "ALICE");
    const char *text = shown(2);
    assert_int_equal(sscanf(text, "%u MORE CAME, LEFT OR DIALED", &more), 1);
    assert_in_range(more, 1, 5000);
    assert_non_null(strstr(text, "DROPPED    FROM ALICE"));
    operator_tell_undial(session_find("BOB"), "ALICE");
    assert_null(strstr(shown(2), "MORE CAME"));
}

static void comings_and_goings_leave_a_slow_terminal_to_the_operators_machine(void **state)
{
    (void)state;
    fake_line[2].stuck = true;
    for (int i = 0; i < 5000; i++) {
        fake_clock_advance(1000000000);
        operator_tell(session_find("BOB"), "RECONNECT", NULL);
    }
    assert_int_equal(vm_output(vm_of("OPERATOR"), 0, (const uint8_t *)"mine", 4), 4);
    fake_line[2].stuck = false;
    session_pump(session_find("OPERATOR"));
    const char *text = shown(2);
    assert_non_null(strstr(text, "mine"));
    assert_non_null(strstr(text, "characters of CP's messages are lost"));
}

static void before_logon_only_the_operator_can_be_reached(void **state)
{
    static const char *const ids[] = {"ALICE", "MAINT", "NOBODY"};
    char said[3][256];
    (void)state;
    type(1, "LOGOFF\r#CP LOGOFF\r");
    shown(1);
    for (int i = 0; i < 3; i++) {
        char text[32];
        snprintf(text, sizeof text, "MSG %s hi\r", ids[i]);
        type(1, text);
        snprintf(said[i], sizeof said[i], "%s", strchr(shown(1), '\n'));
    }
    assert_non_null(strstr(said[0], "HCPMFS015E Command not valid before LOGON: MSG"));
    assert_string_equal(said[0], said[1]);
    assert_string_equal(said[0], said[2]);
    assert_null(strstr(shown(0), "MSG FROM"));
    type(1, "MSG OPERATOR help\r");
    assert_shows(2, "* MSG FROM LOGON   : help");
}

/* ---- a terminal that somebody works at --------------------------------------------------------------------------- */

static void a_message_into_a_half_typed_command_leaves_it_whole(void **state)
{
    (void)state;
    type(0, "#CP QUERY US");
    shown(0);
    run("BOB", "MSG ALICE \033[Hmind this");
    turn();
    assert_shows(0, ": ?[Hmind this\r\n#CP QUERY US");
    type(0, "ERID\r");
    assert_shows(0, "ALICE    AT ");
}

static void nobody_can_write_to_a_terminal_that_asks_for_a_password(void **state)
{
    (void)state;
    type(1, "#CP LOGOFF\r");
    type(1, "LOGON BOB\r");
    shown(1);
    run("OPERATOR", "MSG ALL x");
    run("OPERATOR", "WNG ALL x");
    assert_int_equal(run("OPERATOR", "MSG BOB x"), 45);
    turn();
    assert_string_equal(shown(1), "");
    type(1, "vmn\r");
    assert_non_null(vm_of("BOB"));
}

#define TEST(name) cmocka_unit_test_setup(name, three_users)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_byte_of_a_message_is_a_control_for_the_other_terminal),
        TEST(a_message_is_one_line_and_cannot_look_like_two),
        TEST(letters_of_other_scripts_arrive),
        TEST(a_long_message_ends_with_a_whole_character),
        TEST(no_other_words_of_cp_carry_controls),
        TEST(what_a_machine_writes_to_its_own_user_is_not_touched),
        TEST(a_flood_of_messages_is_cut_to_a_few_a_second),
        TEST(a_flood_of_messages_is_no_other_in_the_next_session),
        TEST(messages_leave_a_slow_terminal_to_its_own_machine),
        TEST(who_stays_at_a_stuck_terminal_hears_of_lost_words_when_it_goes_on),
        TEST(coming_and_going_does_not_stop_the_machine_of_a_disconnected_operator),
        TEST(a_flood_of_comings_and_goings_leaves_the_operators_screen_to_the_operator),
        TEST(comings_and_goings_leave_a_slow_terminal_to_the_operators_machine),
        TEST(before_logon_only_the_operator_can_be_reached),
        TEST(a_message_into_a_half_typed_command_leaves_it_whole),
        TEST(nobody_can_write_to_a_terminal_that_asks_for_a_password),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
