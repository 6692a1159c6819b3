/* The terminal of programs: editing, modes, signals, who may, and that no key is lost between it and CMS. */
#include "cms/console/console.h"
#include "cms/tty/state.h"
#include "cms/tty/tty.h"
#include "tests/unit/vfs_scene.h"

static struct file *f;
static struct tty_kept kept;
static char line[8192];

int space_copy_in(struct space *s, void *to, uint64_t from, size_t bytes)
{
    (void)s;
    memcpy(to, (void *)(uintptr_t)from, bytes);
    return 0;
}

int space_copy_out(struct space *s, uint64_t to, const void *from, size_t bytes)
{
    (void)s;
    memcpy((void *)(uintptr_t)to, from, bytes);
    return 0;
}

static int setup(void **state)
{
    static bool started;
    (void)state;
    scene_begin();
    if (!started)
        tty_start();
    started = true;
    cms_console_start(NULL);
    cms_console_command_begins();
    tty_begin(&kept, 100, 100);
    f = tty_open();
    assert_non_null(f);
    fake_cms_forget();
    return 0;
}

static int teardown(void **state)
{
    char c[16];
    (void)state;
    file_let_go(f);
    tty_end(&kept);
    while (cms_console_take_key(true) >= 0)
        ;
    (void)c;
    return 0;
}

/* What a read gives after these keys. */
static const char *read_after(const char *keys)
{
    fake_cms_type(keys);
    int64_t n = get_bytes(f, line, sizeof line - 1);
    if (n < 0)
        return n == -EINTR ? "<EINTR>" : n == -EAGAIN ? "<EAGAIN>" : n == -EIO ? "<EIO>" : "<?>";
    line[n] = 0;
    return line;
}

static struct tty_termios settings(void)
{
    struct tty_termios t;
    assert_int_equal(tty_control(f, NULL, TTY_TCGETS, (uintptr_t)&t), 0);
    return t;
}

static void set(const struct tty_termios *t, unsigned request)
{
    assert_int_equal(tty_control(f, NULL, request, (uintptr_t)t), 0);
}

static void raw_mode(uint8_t min, uint8_t time)
{
    struct tty_termios t = settings();
    t.local &= ~(uint32_t)(L_ICANON | L_ECHO | L_ISIG | L_IEXTEN);
    t.input &= ~(uint32_t)(I_ICRNL | I_IXON);
    t.character[T_MIN] = min;
    t.character[T_TIME] = time;
    set(&t, TTY_TCSETS);
}

static void a_line_is_read_when_it_is_whole(void **state)
{
    (void)state;
    assert_string_equal(read_after("abc"), "<EINTR>");
    assert_string_equal(read_after("def\rnext"), "abcdef\n");
    assert_string_equal(fake_cms_shown(), "abcdef\r\nnext");
    assert_string_equal(read_after(" line\r"), "next line\n");
    assert_string_equal(read_after("one\rtwo\r"), "one\n");
    assert_string_equal(read_after(""), "two\n");
    fake_cms_type("0123456789\r");
    assert_int_equal(get_bytes(f, line, 4), 4);
    assert_memory_equal(line, "0123", 4);
    assert_string_equal(read_after(""), "456789\n");
    f->flags |= ABI_O_NONBLOCK;
    assert_string_equal(read_after(""), "<EAGAIN>");
}

static void a_line_is_edited_as_termios_says(void **state)
{
    (void)state;
    assert_string_equal(read_after("abx\177c\r"), "abc\n");
    assert_string_equal(fake_cms_shown(), "abx\b \bc\r\n");
    assert_string_equal(read_after("a\303\244\177b\r"), "ab\n");
    fake_cms_forget();
    assert_string_equal(read_after("\346\274\242\177x\r"), "x\n"); /* two columns wide */
    assert_string_equal(fake_cms_shown(), "\346\274\242\b \b\b \bx\r\n");
    assert_string_equal(read_after("one two  \027three\r"), "one three\n");
    assert_string_equal(read_after("gone\025here\r"), "here\n");
    fake_cms_forget();
    assert_string_equal(read_after("a\tb\177\177c\r"), "ac\n");
    assert_string_equal(fake_cms_shown(), "a\tb\b \b\b \b\b \b\b \b\b \b\b \b\b \b\b \bc\r\n");
    assert_string_equal(read_after("x\026\003y\r"), "x\003y\n");
    assert_string_equal(read_after("\001\177z\r"), "z\n");
    assert_string_equal(read_after("\177\177\025\027empty\r"), "empty\n");
}

static void end_of_file_ends_a_read(void **state)
{
    (void)state;
    assert_string_equal(read_after("\004"), "");
    assert_string_equal(read_after("partial\004"), "partial");
    assert_string_equal(read_after("line\r\004"), "line\n");
    assert_string_equal(read_after(""), "");
    assert_string_equal(read_after("on\r"), "on\n");
}

static void signals_go_to_the_foreground_group(void **state)
{
    (void)state;
    int group = 42;
    tty_control(f, NULL, TTY_TIOCSPGRP, (uintptr_t)&group);
    fake_caller_group = 42;
    assert_string_equal(read_after("typed\003"), "<EINTR>");
    assert_int_equal(fake_caller_group_signal, ABI_SIGINT);
    assert_int_equal(fake_caller_signalled_group, 42);
    assert_string_equal(fake_cms_shown(), "typed^C");
    assert_string_equal(read_after("\032"), "<EINTR>");
    assert_int_equal(fake_caller_group_signal, ABI_SIGTSTP);
    assert_string_equal(read_after("\034"), "<EINTR>");
    assert_int_equal(fake_caller_group_signal, ABI_SIGQUIT);
    assert_string_equal(read_after("x\r"), "x\n"); /* what was typed before is gone */
    assert_false(fake_caller_halted);
}

static void a_program_that_does_not_hear_is_ended_by_the_third(void **state)
{
    (void)state;
    fake_cms_type("\003\003");
    tty_input_arrived();
    assert_false(fake_caller_halted);
    fake_cms_type("\003");
    tty_input_arrived();
    assert_true(fake_caller_halted);
}

static void immediate_commands_are_taken_out_of_lines(void **state)
{
    (void)state;
    assert_string_equal(read_after("before\rhx\rbehind\r"), "before\n");
    assert_true(fake_caller_halted);
    assert_string_equal(read_after(""), "behind\n");
    fake_caller_halted = false;
    assert_string_equal(read_after("hxx\r"), "hxx\n");
    assert_false(fake_caller_halted);
    fake_cms_type("HT\r");
    tty_input_arrived();
    fake_cms_forget();
    put_text(f, "not shown");
    assert_string_equal(fake_cms_shown(), "");
    fake_cms_type(" rt \r");
    tty_input_arrived();
    fake_cms_forget();
    put_text(f, "shown");
    assert_string_equal(fake_cms_shown(), "shown");
}

static void in_raw_mode_an_unread_hx_ends_the_program(void **state)
{
    (void)state;
    raw_mode(1, 0);
    assert_string_equal(read_after("hx\r"), "hx\r"); /* an editor's own */
    tty_input_arrived();
    fake_wait_now += 5000000000;
    tty_input_arrived();
    assert_false(fake_caller_halted);
    fake_cms_type("look\rhx\r");
    tty_input_arrived();
    assert_false(fake_caller_halted);
    assert_int_equal(tty_deadline(), fake_wait_now + 1000000000);
    fake_wait_now += 1000000000;
    tty_input_arrived();
    assert_true(fake_caller_halted);
}

static int time_passes(void) { return fake_wait_now += 300000000, -ETIMEDOUT; }

static void raw_reads_wait_for_min_and_time(void **state)
{
    (void)state;
    raw_mode(1, 0);
    assert_string_equal(read_after("\003\033[A"), "\003\033[A");
    assert_string_equal(read_after(""), "<EINTR>");
    raw_mode(0, 0);
    assert_string_equal(read_after(""), "");
    assert_string_equal(read_after("k"), "k");
    raw_mode(0, 3);
    fake_wait = time_passes;
    assert_string_equal(read_after(""), "");
    assert_int_equal(fake_waits, 2);
    raw_mode(5, 3);
    assert_string_equal(read_after("abc"), "abc");
    raw_mode(3, 0);
    fake_wait = NULL;
    assert_string_equal(read_after("abc"), "abc");
    struct wait_queue *queue;
    fake_cms_type("12");
    assert_false(f->operations->poll(f, &queue) & ABI_POLLIN); /* a read would wait for a third */
    fake_cms_type("3");
    assert_true(f->operations->poll(f, &queue) & ABI_POLLIN);
    assert_string_equal(read_after(""), "123");
    raw_mode(3, 5);
    fake_cms_type("1");
    assert_true(f->operations->poll(f, &queue) & ABI_POLLIN);
    fake_wait = time_passes;
    assert_string_equal(read_after(""), "1");
    raw_mode(3, 0);
    fake_wait = NULL;
    f->flags |= ABI_O_NONBLOCK;
    assert_string_equal(read_after(""), "<EAGAIN>");
    assert_string_equal(fake_cms_shown(), "");
}

static void changing_the_mode_keeps_or_flushes_what_was_typed(void **state)
{
    (void)state;
    struct tty_termios cooked = settings(), t;
    fake_cms_type("half a line");
    tty_input_arrived();
    raw_mode(1, 0);
    assert_string_equal(read_after(""), "half a line");
    fake_cms_type("typed");
    tty_input_arrived();
    set(&cooked, TTY_TCSETSF);
    assert_string_equal(read_after("new\r"), "new\n");
    t = cooked;
    t.local &= ~(uint32_t)L_ECHO;
    set(&t, TTY_TCSETSW);
    fake_cms_forget();
    assert_string_equal(read_after("secret\r"), "secret\n");
    assert_string_equal(fake_cms_shown(), "");
}

static void output_is_processed_as_the_settings_say(void **state)
{
    (void)state;
    put_text(f, "a\nb\r\n");
    assert_string_equal(fake_cms_shown(), "a\r\nb\r\r\n");
    struct tty_termios t = settings();
    t.output |= O_TABS;
    set(&t, TTY_TCSETS);
    fake_cms_forget();
    put_text(f, "ab\tc");
    assert_string_equal(fake_cms_shown(), "ab      c");
    t.output = 0;
    set(&t, TTY_TCSETS);
    fake_cms_forget();
    put_text(f, "\tx\n");
    assert_string_equal(fake_cms_shown(), "\tx\n");
    fake_cms_type("\023");
    tty_input_arrived();
    assert_int_equal(put_text(f, "held"), -EINTR);
    fake_cms_type("\021");
    tty_input_arrived();
    assert_int_equal(put_text(f, "free"), 4);
}

static void the_background_may_not_read(void **state)
{
    (void)state;
    fake_caller_group = 55;
    assert_string_equal(read_after(""), "<EINTR>");
    assert_int_equal(fake_caller_group_signal, ABI_SIGTTIN);
    assert_int_equal(fake_caller_signalled_group, 55);
    assert_int_equal(put_text(f, "may write\n"), 10);
    fake_caller_orphaned = true;
    assert_string_equal(read_after(""), "<EIO>");
    fake_caller_orphaned = false;
    int group = 55;
    assert_int_equal(tty_control(f, NULL, TTY_TIOCSPGRP, (uintptr_t)&group), -EINTR);
    assert_int_equal(fake_caller_group_signal, ABI_SIGTTOU);
    fake_caller_ignores = true;
    assert_int_equal(tty_control(f, NULL, TTY_TIOCSPGRP, (uintptr_t)&group), 0);
    assert_string_equal(read_after("now\r"), "now\n");
    fake_caller_session_of_group = 0; /* the terminal is not given to nobody */
    assert_int_equal(tty_control(f, NULL, TTY_TIOCSPGRP, (uintptr_t)&group), -ESRCH);
    fake_caller_session_of_group = 77;
    assert_int_equal(tty_control(f, NULL, TTY_TIOCSPGRP, (uintptr_t)&group), -EPERM);
    group = -1;
    assert_int_equal(tty_control(f, NULL, TTY_TIOCSPGRP, (uintptr_t)&group), -EINVAL);
    assert_int_equal(tty_control(f, NULL, TTY_TIOCGPGRP, (uintptr_t)&group), 0);
    assert_int_equal(group, 55);
    fake_caller_session = 1;
    assert_int_equal(tty_control(f, NULL, TTY_TIOCGPGRP, (uintptr_t)&group), -ENOTTY);
    assert_int_equal(tty_control(f, NULL, TTY_TIOCSCTTY, 0), -EPERM); /* another session has it */
    assert_int_equal(tty_control(f, NULL, TTY_TIOCSPGRP, (uintptr_t)&group), -ENOTTY);
}

static void the_window_is_the_lines(void **state)
{
    struct tty_window w;
    (void)state;
    assert_int_equal(tty_control(f, NULL, TTY_TIOCGWINSZ, (uintptr_t)&w), 0);
    assert_int_equal(w.columns, 80);
    assert_int_equal(w.rows, 24);
    fake_cms_width = 132;
    fake_cms_height = 50;
    fake_wait_now += 10000000000;
    fake_cms_type("x");
    tty_input_arrived();
    assert_int_equal(fake_caller_group_signal, ABI_SIGWINCH);
    tty_control(f, NULL, TTY_TIOCGWINSZ, (uintptr_t)&w);
    assert_int_equal(w.columns, 132);
    assert_int_equal(w.rows, 50);
    fake_caller_group_signal = 0;
    fake_cms_height = 51;
    tty_input_arrived();
    assert_int_equal(fake_caller_group_signal, 0);
    fake_cms_rings = true; /* at once, without a key */
    tty_input_arrived();
    assert_int_equal(fake_caller_group_signal, ABI_SIGWINCH);
    fake_caller_group_signal = 0;
    fake_cms_rings = true; /* somebody came back: what reads lines has nothing to draw again */
    tty_input_arrived();
    assert_int_equal(fake_caller_group_signal, 0);
    raw_mode(1, 0);
    fake_cms_rings = true;
    tty_input_arrived();
    assert_int_equal(fake_caller_group_signal, ABI_SIGWINCH);
    w.columns = 90;
    assert_int_equal(tty_control(f, NULL, TTY_TIOCSWINSZ, (uintptr_t)&w), 0);
    tty_control(f, NULL, TTY_TIOCGWINSZ, (uintptr_t)&w);
    assert_int_equal(w.columns, 90);
}

static void a_long_line_is_cut_and_lines_wait(void **state)
{
    static char keys[12000];
    (void)state;
    memset(keys, 'x', 5000);
    keys[5000] = '\r';
    keys[5001] = 0;
    assert_int_equal(strlen(read_after(keys)), 4096);
    for (int i = 0; i < 1000; i++)
        memcpy(keys + i * 10, "line 9999\r", 10);
    keys[10000] = 0;
    fake_cms_type(keys);
    for (int i = 0; i < 1000; i++)
        assert_string_equal(read_after(""), "line 9999\n");
}

static void keys_typed_ahead_pass_to_and_fro(void **state)
{
    char command[LINE_TEXT_MAX + 1];
    (void)state;
    file_let_go(f);
    tty_end(&kept);
    fake_cms_type("first\rsecond\rthi");
    cms_console_attention(); /* CMS has them */
    fake_cms_type("rd\r");
    tty_begin(&kept, 100, 100);
    f = tty_open();
    assert_string_equal(read_after(""), "first\n");
    assert_string_equal(read_after("fourth\r"), "second\n");
    tty_input_arrived();
    tty_end(&kept);
    cms_console_command_ends();
    assert_int_equal(cms_console_read(command, sizeof command, CONSOLE_COMMAND), 5);
    assert_string_equal(command, "third");
    fake_cms_type("fifth\r");
    assert_int_equal(cms_console_read(command, sizeof command, CONSOLE_COMMAND), 6);
    assert_string_equal(command, "fourth");
    cms_console_read(command, sizeof command, CONSOLE_COMMAND);
    assert_string_equal(command, "fifth");
    tty_begin(&kept, 100, 100);
}

/* A command that an EXEC gives has the keys meanwhile; the next program gets what is left of them. */
static void a_line_typed_ahead_is_shown_once(void **state)
{
    char command[LINE_TEXT_MAX + 1];
    struct tty_kept outer;
    (void)state;
    fake_cms_type("first\rsecond\rhalf");
    tty_input_arrived();
    assert_string_equal(fake_cms_shown(), "first\r\nsecond\r\nhalf");
    for (int i = 0; i < 2; i++) {
        fake_cms_forget();
        tty_pause(&outer);
        tty_resume(&outer);
        tty_input_arrived();
        assert_string_equal(fake_cms_shown(), "half"); /* which can still be edited */
    }
    tty_pause(&outer);
    cms_console_read(command, sizeof command, CONSOLE_ANSWER);
    assert_string_equal(command, "first");
    tty_resume(&outer);
    fake_cms_forget();
    assert_string_equal(read_after(""), "second\n");
    assert_string_equal(read_after(" more\r"), "half more\n");
    assert_string_equal(fake_cms_shown(), "half more\r\n");
}

static void an_inner_program_leaves_the_outer_ones_settings(void **state)
{
    struct tty_kept outer;
    (void)state;
    raw_mode(1, 0);
    tty_begin(&outer, 200, 200);
    assert_true(settings().local & L_ICANON);
    fake_cms_type("unread\r");
    tty_input_arrived();
    tty_end(&outer);
    assert_false(settings().local & L_ICANON);
    assert_int_equal(tty.set.group, 100);
    assert_string_equal(read_after(""), "unread\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_line_is_read_when_it_is_whole),
        T(a_line_is_edited_as_termios_says),
        T(end_of_file_ends_a_read),
        T(signals_go_to_the_foreground_group),
        T(a_program_that_does_not_hear_is_ended_by_the_third),
        T(immediate_commands_are_taken_out_of_lines),
        T(in_raw_mode_an_unread_hx_ends_the_program),
        T(raw_reads_wait_for_min_and_time),
        T(changing_the_mode_keeps_or_flushes_what_was_typed),
        T(output_is_processed_as_the_settings_say),
        T(the_background_may_not_read),
        T(the_window_is_the_lines),
        T(a_long_line_is_cut_and_lines_wait),
        T(keys_typed_ahead_pass_to_and_fro),
        T(a_line_typed_ahead_is_shown_once),
        T(an_inner_program_leaves_the_outer_ones_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
