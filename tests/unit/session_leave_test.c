/* Leaving a terminal, in every way and at every moment: nothing of who was there is in front of who comes. */
#define _GNU_SOURCE
#include "tests/unit/session_scene.h"

#include "cp/session/logon.h"
#include "cp/terminal/terminal.h"

static void carrier(unsigned line, bool there) { fake_line[line].line.carrier(&fake_line[line].line, there); }

static struct terminal *terminal_of(unsigned line) { return fake_line[line].line.owner; }

static unsigned output(const char *userid, const char *text)
{
    return vm_output(vm_of(userid), 0, (const uint8_t *)text, strlen(text));
}

static void after_seconds(double seconds)
{
    fake_clock_advance((uint64_t)(seconds * 1e9));
    turn();
}

/* ---- ways to leave ---------------------------------------------------------------------------------------------- */

static void log_off(void) { type(0, "\r#CP LOGOFF\r"); }
static void disconnect(void) { type(0, "\r#CP DISCONNECT\r"); }
static void be_forced(void) { type(2, "FORCE ALICE\r"); }

static void hang_up(void)
{
    carrier(0, false);
    turn();
    carrier(0, true);
    turn();
}

static void hang_up_as_another_comes(void)
{
    carrier(0, false);
    carrier(0, true);
    turn();
}

static void be_taken_from(void)
{
    type(1, "LOGON ALICE HERE\r");
    type(1, "vmn\r");
}

static void end_by_itself_and_be_forced(void)
{
    vm_stop(vm_of("ALICE"), VM_STOP_TRIPLE_FAULT, 0);
    turn();
    be_forced();
}

static void be_forced_asleep(void)
{
    type(0, "\r#CP SLEEP 9\r");
    be_forced();
}

struct way {
    void (*leave)(void);
    bool forgets; /* what was typed ahead, too: whose own command it is may have typed for the prompt */
};
static const struct way ways[] = {{log_off, false},          {disconnect, false},
                                  {be_forced, true},         {hang_up, true},
                                  {hang_up_as_another_comes, true}, {be_taken_from, true},
                                  {end_by_itself_and_be_forced, true}, {be_forced_asleep, true}};
enum { WAYS = sizeof ways / sizeof *ways };

/* Goes through what a terminal can show by keys and commands, as BOB and before. */
static void assert_nothing_of_it_shows(unsigned way)
{
    static const char *const keys[] = {"\x1b[A", "\x1b[A\x1b[A\x1b[B", "\x15\x1b[A\x1b[A\x1b[A", "P\r", "\r", "\x15",
                                       "BEGIN\r", "#CP\r", "IPL TEST\r", "#CP Q SET\r", "#CP MSG * x\r", "#CP"};
    shown(0);
    for (unsigned i = 0; i < 6; i++)
        type(0, keys[i]);
    logon(0, "BOB");
    assert_non_null(vm_of("BOB"));
    for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++)
        type(0, keys[i]);
    output("BOB", "bob's");
    turn();
    const char *text = shown(0);
    if (strcasestr(text, "secret"))
        fail_msg("way %u, the next user sees:\n%s", way, text);
    assert_null(strcasestr(((struct fake_vm *)vm_of("BOB"))->input, "secret"));
    assert_non_null(strstr(text, "bob's"));
    assert_true(session_find("BOB")->settings & SET_MSG);
}

static void each_way(void (*before)(void), bool typed_ahead)
{
    for (unsigned way = 0; way < WAYS; way++) {
        if (typed_ahead && !ways[way].forgets)
            continue;
        void *state = NULL;
        scene_reset(&state);
        logon(2, "OPERATOR");
        logon(0, "ALICE");
        before();
        ways[way].leave();
        assert_nothing_of_it_shows(way);
    }
}

static void an_unfinished_line(void)
{
    output("ALICE", "secret line\r\nsecret> ");
    type(0, "x");
}

static void a_long_unfinished_line(void)
{
    for (int i = 0; i < 100; i++)
        output("ALICE", "secret ");
}

static void a_history(void)
{
    type(0, "#CP Q TIME SECRET\r#CP MSG * SECRET\r");
    type(0, "#CP\rQ SECRET\rBEGIN\r");
}

static void a_half_typed_command(void) { type(0, "#CP MSG * secre"); }
static void a_half_typed_command_in_cp(void) { type(0, "#CP\rMSG * secret"); }

static void settings(void)
{
    type(0, "#CP SET MSG OFF\r#CP SET WNG OFF\r#CP SET EMSG CODE\r#CP SET RUN ON\r#CP TRACE VMX ON\r");
}

static void held_back_characters(void) { type(0, "#C"); }

static void typing_ahead(void)
{
    ((struct fake_vm *)vm_of("ALICE"))->fifo = 0;
    type(0, "secret one\rsecret two\rsec");
}

static void output_not_yet_shown(void)
{
    fake_line[0].stuck = true;
    output("ALICE", "secret line\r\nsecret> ");
    fake_line[0].stuck = false; /* and nobody says that there is room */
}

static void the_machines_unfinished_line_is_nobody_elses(void **state)
{
    (void)state;
    each_way(an_unfinished_line, false);
    each_way(a_long_unfinished_line, false);
}

static void nor_is_the_history(void **state) { (void)state, each_way(a_history, false); }

static void nor_a_command_begun(void **state)
{
    (void)state;
    each_way(a_half_typed_command, true); /* else its end is the beginning of the way */
    each_way(a_half_typed_command_in_cp, true);
}

static void nor_a_setting(void **state) { (void)state, each_way(settings, false); }

static void nor_what_was_held_back_or_typed_ahead_for_the_machine(void **state)
{
    (void)state;
    each_way(held_back_characters, true);
    each_way(typing_ahead, true);
}

/* By their own commands and by FORCE the words are on the way to a terminal at which the same person still sits. */
static void nor_words_on_the_way_when_the_line_is_another_persons(void **state)
{
    static void (*const leaves[])(void) = {hang_up, hang_up_as_another_comes};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        scene_reset(state);
        logon(0, "ALICE");
        output_not_yet_shown();
        leaves[i]();
        assert_nothing_of_it_shows(i);
    }
}

static void lines_typed_at_the_prompt_are_not_recalled_by_who_logs_on(void **state)
{
    (void)state;
    type(0, "LOGON SECRET\rsecret\r");
    after_seconds(20);
    type(0, "my secret\r");
    assert_nothing_of_it_shows(0);
}

/* ---- the structs ------------------------------------------------------------------------------------------------ */

/* Whatever is added to struct session: it is as in a new one, or named here. */
static void a_session_that_begins_anew_is_a_new_session_in_every_byte(void **state)
{
    struct session *used = session_create(), *fresh = session_create();
    struct ring queue = used->output.ring;
    uint16_t row = used->row;
    (void)state;
    used->output.terminal = terminal_of(0);
    for (uint8_t *at = (uint8_t *)used; at < (uint8_t *)(used + 1); at++)
        if ((at < (uint8_t *)&used->output.terminal || at >= (uint8_t *)(&used->output.terminal + 1)) &&
            (at < (uint8_t *)&used->timer || at >= (uint8_t *)(&used->timer + 1)) &&
            (at < (uint8_t *)&used->idle.timer || at >= (uint8_t *)(&used->idle.timer + 1)) &&
            (at < (uint8_t *)&used->typing.patience || at >= (uint8_t *)(&used->typing.patience + 1)))
            *at = 0xa5;
    used->output.ring = queue;
    used->row = row;
    used->output.in_line = true; /* tells where the cursor is */
    timer_arm(&used->timer, clock_now() + clock_hz);
    timer_arm(&used->typing.patience, clock_now() + clock_hz);
    timer_arm(&used->idle.timer, clock_now() + clock_hz);
    used->timer_ended = true;
    session_reset(used);
    assert_ptr_equal(used->output.terminal, terminal_of(0));
    assert_memory_equal(&used->output.ring, &queue, sizeof queue);
    assert_true(used->output.in_line);
    assert_false(used->timer.armed || used->typing.patience.armed || used->idle.timer.armed);
    used->output.terminal = NULL;
    used->output.in_line = false;
    used->output.ring = fresh->output.ring;
    assert_int_equal(used->row, row);
    used->row = fresh->row;
    used->typing.editor.context = fresh;
    used->typing.editor.keys.context = used->typing.editor.keys.line.context = &fresh->typing.editor;
    used->typing.editor.keys.line.text = fresh->typing.editor.text;
    used->sent.ring.bytes = fresh->sent.bytes;
    used->timer = fresh->timer;
    used->typing.patience = fresh->typing.patience;
    assert_memory_equal(used, fresh, sizeof *used);
    session_free(used);
    session_free(fresh);
}

static void assert_nowhere(const void *where, size_t bytes, const char *what)
{
    assert_null(memmem(where, bytes, what, strlen(what)));
}

static void a_password_is_nowhere_once_it_is_judged_or_given_up(void **state)
{
    static const char password[] = "Zh7-passphrase-q";
    struct session *s = terminal_of(0)->session;
    char line[32];
    (void)state;
    for (unsigned how = 0; how < 4; how++) {
        scene_reset(state);
        s = terminal_of(0)->session;
        type(0, "LOGON ALICE\r");
        snprintf(line, sizeof line, how == 2 ? "%s\x15" : how == 3 ? "%s" : "%s\r", password);
        fake_type(0, line);
        user_poll();
        if (how == 1 || how == 3)
            hang_up();
        else
            turn();
        assert_nowhere(s, sizeof *s, password);
        assert_nowhere(terminal_of(0), sizeof(struct terminal), password);
        assert_nowhere(terminal_of(0)->session, sizeof *s, password);
        type(0, "\r");
        after_seconds(20);
    }
}

/* ---- logging on ------------------------------------------------------------------------------------------------- */

static void a_logon_is_given_up_with_the_line_and_its_hash_stops(void **state)
{
    (void)state;
    for (unsigned polls = 1; polls < 160; polls += 7) {
        scene_reset(state);
        type(0, "LOGON ALICE\r");
        fake_type(0, "vmn\r");
        for (unsigned i = 0; i < polls; i++) {
            fake_clock_advance(1000);
            user_poll();
        }
        struct session *s = terminal_of(0)->session;
        if (s->state != SESSION_VERIFY)
            break;
        shown(0);
        hang_up_as_another_comes();
        assert_int_equal(s->state, SESSION_LOGON);
        assert_int_equal(s->crypt.rounds, 0);
        after_seconds(1);
        assert_null(session_find("ALICE"));
        assert_string_equal(shown(0), "\r\nVM/N ONLINE\r\n\r\nEnter LOGON userid, or HELP\r\nCP> ");
        assert_true(polls < 150);
    }
}

static void a_session_on_its_way_to_a_terminal_does_not_reach_who_comes_to_it(void **state)
{
    (void)state;
    logon(0, "ALICE");
    type(0, "#CP DISC\r");
    output("ALICE", "secret line\r\n");
    type(0, "LOGON ALICE\r");
    fake_line[0].stuck = true;
    type(0, "vmn\r");
    assert_int_equal(terminal_of(0)->session->state, SESSION_REJOIN);
    shown(0);
    fake_line[0].stuck = false;
    hang_up_as_another_comes();
    assert_null(session_find("ALICE")->output.terminal);
    assert_string_equal(shown(0), "\r\nVM/N ONLINE\r\n\r\nEnter LOGON userid, or HELP\r\nCP> ");
    logon(1, "ALICE");
    assert_shows(1, "secret line");
}

static void who_comes_waits_for_a_wrong_password_but_is_not_told_of_it(void **state)
{
    (void)state;
    type(0, "LOGON ALICE\r");
    type(0, "wrong\r");
    hang_up();
    shown(0);
    after_seconds(0.9);
    assert_string_equal(shown(0), "");
    after_seconds(0.2);
    assert_string_equal(shown(0), "\r\nVM/N ONLINE\r\n\r\nEnter LOGON userid, or HELP\r\nCP> ");
}

static void hanging_up_makes_up_for_no_wrong_password(void **state)
{
    (void)state;
    logon(0, "BOB"); /* who makes up for all before */
    type(0, "LOGOFF\r");
    for (unsigned i = 0; i < LOGON_TRIES; i++) {
        type(0, "LOGON NOBODY1\r");
        type(0, "wrong\r");
        hang_up();
        if (i < LOGON_TRIES - 1)
            after_seconds(20);
    }
    after_seconds(60); /* the wait for the fourth, then the minute: */
    type(0, "LOGON ALICE\rvmn\r");
    assert_null(session_find("ALICE"));
    after_seconds(20);
    logon(0, "ALICE");
    assert_non_null(session_find("ALICE"));
}

/* ---- the screen ------------------------------------------------------------------------------------------------- */

static void a_terminal_in_any_mode_is_plain_before_the_next_prompt(void **state)
{
    static const char *const modes[] = {"\x1b[8m", "\x1b]0;half a title", "\x0e", "\x1b", "\xc2\x9b" "?25l"};
    (void)state;
    for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++)
        for (unsigned way = 0; way < WAYS; way++) {
            scene_reset(state);
            logon(2, "OPERATOR");
            logon(0, "ALICE");
            output("ALICE", modes[i]);
            fake_line[0].length = fake_line[0].seen = 0;
            ways[way].leave();
            const char *text = shown(0), *plain = strstr(text, "\x18\x1b\\"), *soft = strstr(text, "\x1b[!p");
            const char *prompt = strstr(text, "Enter LOGON");
            assert_non_null(prompt);
            bool somebody_new = ways[way].leave == hang_up || ways[way].leave == hang_up_as_another_comes;
            assert_true(somebody_new || (plain && plain < soft && soft < prompt));
        }
}

static void plain_text_is_followed_by_no_control_sequence(void **state)
{
    (void)state;
    logon(0, "ALICE");
    output("ALICE", "Gr\xc3\xb6\xc3\xa4\tx\a\b \r\n");
    log_off();
    assert_null(strchr(shown(0), 0x1b));
}

#define TEST(name) cmocka_unit_test_setup(name, scene_reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_machines_unfinished_line_is_nobody_elses),
        TEST(nor_is_the_history),
        TEST(nor_a_command_begun),
        TEST(nor_a_setting),
        TEST(nor_what_was_held_back_or_typed_ahead_for_the_machine),
        TEST(nor_words_on_the_way_when_the_line_is_another_persons),
        TEST(lines_typed_at_the_prompt_are_not_recalled_by_who_logs_on),
        TEST(a_session_that_begins_anew_is_a_new_session_in_every_byte),
        TEST(a_password_is_nowhere_once_it_is_judged_or_given_up),
        TEST(a_logon_is_given_up_with_the_line_and_its_hash_stops),
        TEST(a_session_on_its_way_to_a_terminal_does_not_reach_who_comes_to_it),
        TEST(who_comes_waits_for_a_wrong_password_but_is_not_told_of_it),
        TEST(hanging_up_makes_up_for_no_wrong_password),
        TEST(a_terminal_in_any_mode_is_plain_before_the_next_prompt),
        TEST(plain_text_is_followed_by_no_control_sequence),
    };
    scene_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
