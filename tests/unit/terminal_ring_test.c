/* A terminal by itself: a line at one end, somebody at the other who takes what is typed when they like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cp/terminal/sitter.h"
#include "cp/terminal/terminal.h"

/* Who sits there. */
struct session {
    char took[64];
    unsigned length;
    unsigned most; /* takes so many bytes and no more */
    bool stays;    /* also when they have left the terminal */
    unsigned rooms;
};

static unsigned wanted;

void sitter_wanted(void) { wanted++; }
void sitter_room(struct session *s) { s->rooms++; }
bool sitter_leaves(const struct session *s) { return !s->stays; }
bool sitter_take(struct session *s, uint8_t byte)
{
    if (s->length >= s->most)
        return false;
    s->took[s->length++ % sizeof s->took] = (char)byte;
    return true;
}

static unsigned resumed;
static void nothing(struct line *l) { (void)l; }
static void resume(struct line *l) { resumed++, l->held = false; }

static const struct line_driver driver = {.send = nothing, .drain = nothing, .resume = resume};
static struct line line;
static struct session alice;
static struct terminal *terminal;

static int sit_down(void **state)
{
    (void)state;
    if (!terminal)
        terminal = terminal_add(&line, &alice);
    line.driver = &driver;
    terminal_forget(terminal);
    terminal->away = terminal->left = false;
    memset(&alice, 0, sizeof alice);
    alice.most = UINT32_MAX;
    wanted = resumed = 0;
    return 0;
}

static void type(const char *text)
{
    for (; *text; text++)
        line.input(&line, (uint8_t)*text);
}

static void what_is_typed_is_taken_in_order_and_as_far_as_is_liked(void **state)
{
    (void)state;
    alice.most = 3;
    type("abcdef");
    assert_int_equal(wanted, 6);
    assert_false(terminal_poll(terminal, 100));
    assert_memory_equal(alice.took, "abc", 3);
    assert_int_equal(alice.length, 3);
    alice.most = 6;
    assert_true(terminal_poll(terminal, 2)); /* no more than that at a time */
    assert_int_equal(alice.length, 5);
    assert_false(terminal_poll(terminal, 100));
    assert_memory_equal(alice.took, "abcdef", 6);
}

static void nothing_taken_or_forgotten_stays_in_memory(void **state)
{
    (void)state;
    alice.most = 3;
    type("secret");
    terminal_poll(terminal, 100);
    for (unsigned i = 0; i < TERMINAL_INPUT - 1; i++)
        assert_false(terminal->bytes[i] == 's' || terminal->bytes[i] == 'c');
    terminal_forget(terminal);
    for (unsigned i = 0; i < TERMINAL_INPUT; i++)
        assert_int_equal(terminal->bytes[i], 0);
    alice.most = 100;
    terminal_poll(terminal, 100);
    assert_int_equal(alice.length, 3);
}

static void more_than_there_is_room_for_does_not_overwrite_what_waits(void **state)
{
    (void)state;
    alice.most = 0;
    for (unsigned i = 0; i < TERMINAL_INPUT; i++)
        line.input(&line, i ? 'x' : 'f');
    assert_int_equal(line.ready(&line), 0);
    type("late");
    alice.most = UINT32_MAX;
    terminal_poll(terminal, 1);
    assert_int_equal(alice.took[0], 'f');
    while (terminal_poll(terminal, 1000)) {}
    assert_int_equal(alice.length, TERMINAL_INPUT);
    assert_null(memchr(alice.took, 'l', sizeof alice.took));
}

static void a_line_that_holds_input_goes_on_when_half_of_the_room_is_there(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TERMINAL_INPUT; i++)
        type("x");
    line.held = true;
    terminal_poll(terminal, TERMINAL_INPUT / 2 - 1);
    assert_int_equal(resumed, 0);
    terminal_poll(terminal, 1);
    assert_int_equal(resumed, 1);
    terminal_poll(terminal, 1);
    assert_int_equal(resumed, 1);
}

static void what_who_left_typed_reaches_nobody(void **state)
{
    (void)state;
    alice.most = 0;
    type("left");
    line.carrier(&line, false);
    assert_true(terminal->away && terminal_is_left(terminal));
    line.carrier(&line, true);
    type("new");
    assert_true(terminal_is_left(terminal)); /* till what follows from it is done */
    alice.most = 100;
    assert_false(terminal_poll(terminal, 100));
    assert_int_equal(alice.length, 0);
    terminal->left = false;
    terminal_poll(terminal, 100);
    assert_int_equal(alice.length, 3);
    assert_memory_equal(alice.took, "new", 3);
}

static void who_stays_when_they_leave_the_terminal_is_still_at_it(void **state)
{
    (void)state;
    alice.stays = true;
    line.carrier(&line, false);
    line.carrier(&line, true);
    assert_false(terminal_is_left(terminal));
    type("on");
    terminal_poll(terminal, 100);
    assert_memory_equal(alice.took, "on", 2);
}

static void room_on_the_line_is_told(void **state)
{
    (void)state;
    line.room(&line);
    assert_int_equal(alice.rooms, 1);
    assert_int_equal(wanted, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, sit_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_typed_is_taken_in_order_and_as_far_as_is_liked),
        TEST(nothing_taken_or_forgotten_stays_in_memory),
        TEST(more_than_there_is_room_for_does_not_overwrite_what_waits),
        TEST(a_line_that_holds_input_goes_on_when_half_of_the_room_is_there),
        TEST(what_who_left_typed_reaches_nobody),
        TEST(who_stays_when_they_leave_the_terminal_is_still_at_it),
        TEST(room_on_the_line_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
