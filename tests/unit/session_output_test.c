/* What a user is shown, without a session: CP's words, a machine's bytes, and a terminal that is there or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cp/session/output.h"
#include "cp/session/turn.h"
#include "cp/storage/frame.h"
#include "cp/terminal/sitter.h"
#include "cp/terminal/terminal.h"
#include "cp/time/timer.h"
#include "tests/unit/fake/clock.h"

static bool leaves;
void sitter_wanted(void) {}
void sitter_room(struct session *s) { (void)s; }
bool sitter_leaves(const struct session *s) { return (void)s, leaves; }
bool sitter_take(struct session *s, uint8_t byte) { return (void)s, (void)byte, false; }

static void nothing(struct line *l) { (void)l; }
static const struct line_driver driver = {.send = nothing, .drain = nothing};
static struct line line = {.driver = &driver};
static struct terminal terminal = {.line = &line};
static uint8_t *queue;
static struct output output;

static int begin(void **state)
{
    (void)state;
    if (!queue)
        queue = malloc(OUTPUT_QUEUE);
    output_begin(&output, queue, OUTPUT_QUEUE);
    line.head = line.tail = 0;
    terminal.left = leaves = false;
    fake_clock_reset(1000000000);
    turn_wanted = true;
    turn_begins();
    return 0;
}

/* What is in the queue, or on the line. */
static const char *queued(void)
{
    static char text[OUTPUT_QUEUE + 1];
    uint32_t used = ring_used(&output.ring);
    for (uint32_t i = 0; i < used; i++)
        text[i] = (char)queue[(output.ring.tail + i) % OUTPUT_QUEUE];
    text[used] = 0;
    return text;
}

/* From two frames up, whatever part of the queue is where. */
static void a_queue_grows_as_it_is_needed_and_keeps_what_was_shown(void **state)
{
    static char arena[256 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
    uint64_t all;
    (void)state;
    frame_add(hpa((uint64_t)(uintptr_t)arena), sizeof arena);
    all = frame_available();
    for (uint32_t from = 1; from < 4 * OUTPUT_FIRST; from = from * 3 + 1) {
        output_begin(&output, frame_alloc_run(&frame_cp_account, OUTPUT_FIRST / PAGE_SIZE), OUTPUT_FIRST);
        output.ring.head = output.ring.tail = from - 1;
        for (uint32_t i = 0; i < OUTPUT_QUEUE - 1; i++)
            output_echo(&output, &"abcdefghijklmnopqrstuvwxyz\n"[i % 26], 1);
        assert_int_equal(output.ring.size, OUTPUT_QUEUE);
        assert_int_equal(ring_used(&output.ring), OUTPUT_QUEUE - 1);
        for (uint32_t i = 0; i < OUTPUT_QUEUE - 1; i++)
            assert_int_equal(ring_at(&output.ring, i), 'a' + i % 26);
        output_echo(&output, "x", 1);
        assert_int_equal(output.dropped, 1);
        frame_free_run(&frame_cp_account, output.ring.bytes, OUTPUT_QUEUE / PAGE_SIZE);
        assert_int_equal(frame_available(), all);
    }
}

static void machine(const char *text) { output_machine(&output, (const uint8_t *)text, (unsigned)strlen(text)); }

static void cps_words_begin_a_line_and_a_broken_one_is_owed(void **state)
{
    (void)state;
    machine("prompt> ");
    assert_false(output.owes);
    output_say(&output, "%u words", 2);
    assert_string_equal(queued(), "prompt> \r\n2 words\r\n");
    assert_true(output.owes && turn_wanted);
    assert_int_equal(output.partial_length, 8);
    assert_memory_equal(output.partial, "prompt> ", 8);
}

static void only_cps_words_are_cleaned(void **state)
{
    (void)state;
    machine("\033[1m");
    assert_true(output.styled);
    output_echo(&output, "\a", 1);
    output_write(&output, "\033[2J\n", 5);
    assert_string_equal(queued(), "\033[1m\a\r\n?[2J\r\n");
}

static void words_that_find_no_room_are_counted(void **state)
{
    char text[1000];
    (void)state;
    memset(text, 'x', sizeof text);
    for (unsigned i = 0; i < 140; i++)
        output_write(&output, text, sizeof text);
    assert_int_equal(ring_used(&output.ring), OUTPUT_QUEUE);
    assert_int_equal(output.dropped, 140 * 1000 + 139 * 2 - OUTPUT_QUEUE); /* each begins a line */
    output_say(&output, "lost with its end");
    output.ring.tail = output.ring.head; /* there is room again */
    output_say(&output, "kept");
    assert_string_equal(queued(), "\r\nkept\r\n");
}

static void an_echo_is_queued_whole_or_not_at_all(void **state)
{
    char text[OUTPUT_QUEUE - 5];
    (void)state;
    memset(text, 'x', sizeof text);
    output_write(&output, text, sizeof text);
    output_echo(&output, "\033[J", 3);
    assert_int_equal(ring_room(&output.ring), 5);
    assert_int_equal(output.dropped, 3);
    output_echo(&output, "\r\n", 2);
    assert_int_equal(ring_room(&output.ring), 3);
}

static void what_was_lost_is_told_as_soon_as_the_line_takes_half_a_queue(void **state)
{
    char text[OUTPUT_QUEUE];
    (void)state;
    memset(text, 'x', sizeof text);
    output_write(&output, text, sizeof text);
    output_write(&output, text, 1000);
    line.driver = NULL; /* takes nothing */
    output.terminal = &terminal;
    output.ring.tail += OUTPUT_QUEUE / 2 - 1;
    output_drain(&output);
    assert_null(strstr(queued(), "lost"));
    output.ring.tail++;
    output_drain(&output);
    assert_non_null(strstr(queued(), "xx\r\n1002 characters of CP's messages are lost\r\n"));
    assert_int_equal(output.dropped, 0);
    line.driver = &driver;
}

static void a_machine_has_its_share_with_a_terminal_and_a_larger_one_without(void **state)
{
    (void)state;
    assert_int_equal(output_machine_room(&output), OUTPUT_DISCONNECTED);
    machine("12345");
    assert_int_equal(output_machine_room(&output), OUTPUT_DISCONNECTED - 5);
    line.driver = NULL; /* takes nothing */
    output.terminal = &terminal;
    assert_int_equal(output_machine_room(&output), OUTPUT_CONNECTED - 5);
    line.driver = &driver;
}

static void a_machine_that_waits_is_told_once_when_half_of_its_share_is_free(void **state)
{
    char text[OUTPUT_CONNECTED];
    (void)state;
    memset(text, 'x', sizeof text);
    line.driver = NULL;
    output.terminal = &terminal;
    output_machine(&output, (uint8_t *)text, sizeof text);
    output.machine_waits = true;
    assert_false(output_machine_goes_on(&output));
    output.ring.tail += OUTPUT_CONNECTED / 2 - 1;
    assert_false(output_machine_goes_on(&output));
    output.ring.tail++;
    assert_true(output_machine_goes_on(&output));
    assert_false(output_machine_goes_on(&output));
    line.driver = &driver;
}

static void what_is_kept_goes_to_the_line_when_there_is_one(void **state)
{
    (void)state;
    output_say(&output, "kept");
    assert_string_equal(queued(), "kept\r\n");
    output.terminal = &terminal;
    output_drain(&output);
    assert_string_equal(queued(), "");
    assert_int_equal(line_queued(&line), 6);
    assert_memory_equal(line.output, "kept\r\n", 6);
}

static void a_terminal_that_was_left_is_shown_nothing_until_it_is_somebody_elses(void **state)
{
    (void)state;
    output.terminal = &terminal;
    terminal.left = leaves = true;
    output_say(&output, "for who left");
    assert_int_equal(line_queued(&line), 0);
    output_forget(&output);
    terminal.left = false;
    output_say(&output, "for who came");
    assert_int_equal(line_queued(&line), 14);
    assert_memory_equal(line.output, "for who came\r\n", 14);
}

static void a_renewed_one_keeps_terminal_and_queue_and_nothing_else(void **state)
{
    struct output fresh;
    (void)state;
    line.driver = NULL;
    output.terminal = &terminal;
    machine("\033[1mprompt> ");
    output_say(&output, "words");
    machine("more");
    output.dropped = 5, output.machine_waits = true;
    struct ring ring = output.ring;
    output_renew(&output);
    output_begin(&fresh, queue, OUTPUT_QUEUE);
    assert_memory_equal(&output.ring, &ring, sizeof ring);
    assert_ptr_equal(output.terminal, &terminal);
    assert_true(output.in_line);
    assert_int_equal(output.since, ring.head);
    output.terminal = NULL, output.in_line = false, output.ring = fresh.ring, output.since = 0;
    assert_memory_equal(&output, &fresh, sizeof fresh);
    line.driver = &driver;
}

/* What is remembered of the line under way does not depend on the pieces it came in. */
static void a_line_that_comes_in_pieces_is_followed_as_one_that_comes_whole(void **state)
{
    static const char *const texts[] = {"plain", "two\r\nlines", "ends\r\n", "\tat \x1b[1mbold", "\xc3\xa9", ""};
    char text[OUTPUT_PARTIAL + 40];
    (void)state;
    for (unsigned t = 0; t <= sizeof texts / sizeof *texts; t++) {
        memset(text, 'x', sizeof text - 1);
        text[sizeof text - 1] = 0;
        if (t < sizeof texts / sizeof *texts)
            strcpy(text, texts[t]);
        begin(NULL);
        for (const char *at = text; *at; at++)
            output_machine(&output, (const uint8_t *)at, 1);
        struct output apart = output;
        begin(NULL);
        machine(text);
        assert_int_equal(output.partial_length, apart.partial_length);
        assert_memory_equal(output.partial, apart.partial, output.partial_length);
        assert_int_equal(output.partial_cut, apart.partial_cut);
        assert_int_equal(output.in_line, apart.in_line);
        assert_int_equal(output.styled, apart.styled);
    }
}

static void who_comes_after_control_sequences_finds_a_plain_terminal(void **state)
{
    static uint8_t next_queue[OUTPUT_QUEUE];
    struct output next;
    (void)state;
    output_begin(&next, next_queue, OUTPUT_QUEUE);
    machine("plain\r\n");
    output_plain(&next, &output);
    assert_int_equal(ring_used(&next.ring), 0);
    machine("\033[7m");
    output_plain(&next, &output);
    assert_memory_equal(next_queue, "\x18\x1b\\", 3);
}

/* By number: what is off again. Then what has a sequence of its own. */
static void no_way_of_telling_keys_and_no_colour_outlives_who_asked_for_it(void **state)
{
    static const unsigned modes[] = {1, 5, 9, 69, 1000, 1002, 1003, 1004, 1006, 1015, 1016, 1047, 2004, 2026, 2031,
                                     2048, 9001};
    static const char *const others[] = {"\x1b[>4m", "\x1b[<99u", "\x1b>", "\x1b%G", "\x1b[?5W", "\x1b[0 q",
                                         "\x1b]104\x1b\\", "\x1b]110\x1b\\", "\x1b]111\x1b\\", "\x1b]112\x1b\\"};
    static uint8_t next_queue[OUTPUT_QUEUE];
    struct output next;
    bool off[10000] = {false};
    (void)state;
    output_begin(&next, next_queue, OUTPUT_QUEUE);
    machine("\x1b[>1u");
    output_plain(&next, &output);
    for (const char *at = (char *)next_queue, *end; (at = strstr(at, "\x1b[?")); at = end) {
        unsigned number[16], count = 0;
        at += 3;
        do
            number[count++] = (unsigned)strtoul(at, (char **)&end, 10), at = end + 1;
        while (*end == ';');
        for (unsigned i = 0; *end == 'l' && i < count; i++)
            off[number[i]] = true;
    }
    for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++)
        assert_true(off[modes[i]]);
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++)
        assert_non_null(strstr((char *)next_queue, others[i]));
}

/* As a shell asks for the cursor's place at its prompt: each time somebody's message broke the line the terminal would
 * answer again, and the answer be typed. */
static void a_line_that_is_shown_again_does_not_ask_again(void **state)
{
    (void)state;
    machine("\x1b[6n/ # ");
    output_say(&output, "MSG FROM BOB");
    assert_string_equal(queued(), "\x1b[6n/ # \r\nMSG FROM BOB\r\n");
    output_partial(&output);
    assert_string_equal(queued(), "\x1b[6n/ # \r\nMSG FROM BOB\r\n/ # ");
    output_say(&output, "MSG FROM EVE");
    output_partial(&output);
    assert_string_equal(queued(), "\x1b[6n/ # \r\nMSG FROM BOB\r\n/ # \r\nMSG FROM EVE\r\n/ # ");
}

/* Of what the terminal before had of the line nothing is asked again; the rest is asked for the first time. */
static void who_comes_back_is_asked_what_nobody_was_asked_yet(void **state)
{
    const char *line_text = "a\x1b[6nb\x1b[5nc";
    (void)state;
    for (size_t sent = 0; sent <= strlen(line_text); sent++) {
        begin(state);
        machine("\x1b[cwhole\r\n");
        machine(line_text);
        output.ring.tail = output.ring.head - (uint32_t)(strlen(line_text) - sent);
        output_resume(&output);
        if (!output.in_line)
            output_partial(&output);
        char expected[60] = "whole\r\na";
        strcat(strcat(expected, sent < 5 ? "\x1b[6n" : ""), "b");
        strcat(strcat(expected, sent < 10 ? "\x1b[5n" : ""), "c");
        assert_string_equal(queued(), expected);
        output.ring.tail = output.ring.head;
        output_resume(&output); /* once more */
        output_partial(&output);
        assert_string_equal(queued(), "whole\r\nabc");
    }
}

static void what_a_machine_writes_gathers_until_the_users_turn_which_comes_in_a_millisecond(void **state)
{
    (void)state;
    output.terminal = &terminal;
    machine("a byte");
    machine(" or a few");
    assert_int_equal(line_queued(&line), 0);
    assert_true(turn_wanted);
    assert_int_equal(timer_next(), clock_now() + clock_ticks(1000000));
    assert_true(turn_begins());
    assert_int_equal(timer_next(), UINT64_MAX);
    assert_false(turn_begins());
    output_drain(&output);
    assert_memory_equal(line.output, "a byte or a few", 15);
}

static void much_does_not_wait_for_it_and_neither_do_words_or_an_echo(void **state)
{
    char text[OUTPUT_GATHERED];
    (void)state;
    output.terminal = &terminal;
    memset(text, 'x', sizeof text);
    output_machine(&output, (uint8_t *)text, sizeof text - 1);
    assert_int_equal(line_queued(&line), 0);
    machine("y");
    assert_int_equal(line_queued(&line), sizeof text);
    assert_int_equal(line.output[sizeof text - 1], 'y');
    machine("z");
    output_echo(&output, "e", 1);
    assert_int_equal(line_queued(&line), sizeof text + 2);
    turn_begins();
}

static void nobody_waits_for_what_nobody_reads(void **state)
{
    (void)state;
    machine("disconnected");
    assert_false(turn_wanted);
    assert_int_equal(timer_next(), UINT64_MAX);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_queue_grows_as_it_is_needed_and_keeps_what_was_shown),
        TEST(cps_words_begin_a_line_and_a_broken_one_is_owed),
        TEST(only_cps_words_are_cleaned),
        TEST(words_that_find_no_room_are_counted),
        TEST(an_echo_is_queued_whole_or_not_at_all),
        TEST(what_was_lost_is_told_as_soon_as_the_line_takes_half_a_queue),
        TEST(a_machine_has_its_share_with_a_terminal_and_a_larger_one_without),
        TEST(a_machine_that_waits_is_told_once_when_half_of_its_share_is_free),
        TEST(what_a_machine_writes_gathers_until_the_users_turn_which_comes_in_a_millisecond),
        TEST(much_does_not_wait_for_it_and_neither_do_words_or_an_echo),
        TEST(nobody_waits_for_what_nobody_reads),
        TEST(what_is_kept_goes_to_the_line_when_there_is_one),
        TEST(a_terminal_that_was_left_is_shown_nothing_until_it_is_somebody_elses),
        TEST(a_renewed_one_keeps_terminal_and_queue_and_nothing_else),
        TEST(a_line_that_comes_in_pieces_is_followed_as_one_that_comes_whole),
        TEST(who_comes_after_control_sequences_finds_a_plain_terminal),
        TEST(no_way_of_telling_keys_and_no_colour_outlives_who_asked_for_it),
        TEST(a_line_that_is_shown_again_does_not_ask_again), TEST(who_comes_back_is_asked_what_nobody_was_asked_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
