#include "cms/console/console.h"

#include <string.h>

#include "cms/console/output.h"
#include "cms/console/stack.h"
#include "cms/console/terminal.h"
#include "lib/format.h"

enum { AHEAD = 2 * LINE_TEXT_MAX, TEXT_MAX = 512, IMMEDIATE_MAX = 80, CONTROL_C = 3, GIVEN_BACK = 4096 };

static struct line_editor editor;

/* logical lines not yet read, of the last line typed */
static char rest[LINE_TEXT_MAX + 1];
static bool has_rest;
static char line_end = '#';

/* typed ahead, raw, from ahead_from on: whole lines up to ahead_lines, and behind them what is still being typed */
static char ahead[AHEAD];
static size_t ahead_from, ahead_used, ahead_lines;
static bool ahead_after_return; /* a newline right behind is no second line */
static size_t ahead_shown;      /* of what waits from ahead_from on: lines that a program was given, and showed, once */
static bool taken_shown;

static bool running, halted, halted_all, typing = true;
static struct output_sink sink;

void cms_console_start(line_completer complete) { editor.completion.names = complete; }

/* ---- immediate commands -------------------------------------------------------------------------------------- */

static void halt_execution(void)
{
    halted = true;
    has_rest = false;
    cms_stack_clear();
}

static void halt_typing(void) { typing = false; }
static void resume_typing(void) { typing = true; }

static const struct {
    char name[3];
    void (*act)(void);
} immediates[] = {
    {"HX", halt_execution},
    {"HT", halt_typing},
    {"RT", resume_typing},
    {"HI", halt_execution}, /* halts the interpreter; a command of ours is the whole interpretation */
};

static bool act_on_immediate(const char *line, size_t length)
{
    while (length && *line == ' ')
        line++, length--;
    while (length && line[length - 1] == ' ')
        length--;
    for (size_t i = 0; i < sizeof immediates / sizeof *immediates; i++)
        if (length == 2 && (line[0] & ~0x20) == immediates[i].name[0] && (line[1] & ~0x20) == immediates[i].name[1]) {
            immediates[i].act();
            return true;
        }
    return false;
}

static void show_nothing(void *context, const char *bytes, size_t count)
{
    (void)context;
    (void)bytes;
    (void)count;
}

/* What stands for a line recalled or a word completed: no immediate command. */
static const char *recall_other(void *context, size_t back)
{
    (void)context;
    (void)back;
    return "?";
}

static void complete_other(void *context)
{
    struct keys *k = context;
    edit_insert(&k->line, "?", 1);
}

/* A line typed ahead stays as its keys until it is read; they are only looked at for what they make. */
static void ahead_line_ends(void)
{
    char text[IMMEDIATE_MAX + 1];
    enum keys_event event = KEYS_GO_ON;
    struct keys keys = {.recall = recall_other, .complete = complete_other, .context = &keys};
    keys.line = (struct edited_line){.text = text, .limit = IMMEDIATE_MAX, .show = show_nothing};
    keys_begin(&keys, 0, false);
    for (size_t i = ahead_lines; i < ahead_used; i++)
        event = keys_take(&keys, (uint8_t)ahead[i]);
    if (event == KEYS_LINE && act_on_immediate(text, keys.line.length))
        ahead_used = ahead_lines;
    else
        ahead_lines = ahead_used;
}

/* ^C is HX, and what was being typed when it came counts for nothing. */
static void ahead_byte(char c)
{
    bool second_half = c == '\n' && ahead_after_return;
    ahead_after_return = c == '\r';
    if (second_half)
        return;
    if (c == CONTROL_C) {
        ahead_used = ahead_lines;
        halt_execution();
        return;
    }
    ahead[ahead_used++] = c;
    if (c == '\r' || c == '\n')
        ahead_line_ends();
}

/* A full buffer is left alone, and so the terminal driver's fills and the line waits: nothing is lost. */
void cms_console_attention(void)
{
    int c;
    if (running && ahead_from) {
        memmove(ahead, ahead + ahead_from, ahead_used - ahead_from);
        ahead_used -= ahead_from;
        ahead_lines -= ahead_from;
        ahead_from = 0;
    }
    while (running && ahead_used < AHEAD && (c = cms_terminal_read()) >= 0)
        ahead_byte((char)c);
}

static int next_byte(void)
{
    int c;
    taken_shown = ahead_shown;
    if (ahead_from < ahead_used) {
        c = (unsigned char)ahead[ahead_from++];
        ahead_shown -= taken_shown;
        if (ahead_lines < ahead_from)
            ahead_lines = ahead_from;
        if (ahead_from == ahead_used)
            ahead_from = ahead_used = ahead_lines = 0;
        return c;
    }
    while ((c = cms_terminal_read()) < 0)
        cms_terminal_wait();
    return c;
}

/* Without room what is typed waits here, where a ^C is found. */
int cms_console_take_key(bool room)
{
    int c;
    if (room && ahead_from < ahead_used)
        return next_byte();
    taken_shown = false;
    if (room)
        return cms_terminal_read();
    while (ahead_used < AHEAD - GIVEN_BACK && (c = cms_terminal_read()) >= 0) {
        if (c == CONTROL_C) {
            ahead_from = ahead_used = ahead_lines = ahead_shown = 0;
            return c;
        }
        ahead[ahead_used++] = (char)c;
    }
    return -1;
}

bool cms_console_key_shown(void) { return taken_shown; }

void cms_console_give_back(const char *bytes, size_t count)
{
    size_t waiting = ahead_used - ahead_from;
    memmove(ahead + count, ahead + ahead_from, waiting);
    memcpy(ahead, bytes, count);
    ahead_from = ahead_lines = 0;
    ahead_used = count + waiting;
    size_t shown = count + ahead_shown;
    ahead_shown = 0;
    for (size_t i = 0; i < ahead_used; i++)
        if (ahead[i] == '\r' || ahead[i] == '\n') {
            ahead_lines = i + 1;
            if (i < shown)
                ahead_shown = i + 1;
        }
}

void cms_console_command_begins(void)
{
    running = true;
    halted = halted_all = false;
    ahead_after_return = false;
}

void cms_console_command_ends(void)
{
    running = false;
    typing = true;
}

bool cms_console_halted(void)
{
    cms_console_attention();
    return halted;
}

void cms_console_halt(void) { halt_execution(); }

void cms_console_halt_all(void)
{
    halt_execution();
    halted_all = true;
}

void cms_console_go_on(void)
{
    halted = halted_all;
    typing = true;
}

void cms_console_set_typing(bool on) { typing = on; }

void cms_console_recover(void)
{
    sink = (struct output_sink){0};
    has_rest = false;
    cms_console_command_ends();
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

void cms_console_set_line_end(char c) { line_end = c; }

char cms_console_line_end(void) { return line_end; }

/* Cuts the first logical line off `rest`; the logical escape keeps a line end, "# is a plain #. */
static int cut_logical_line(char *line)
{
    size_t in = 0, out = 0;

    while (rest[in] && (!line_end || rest[in] != line_end)) {
        if (rest[in] == CONSOLE_ESCAPE && line_end && rest[in + 1] == line_end)
            in++;
        line[out++] = rest[in++];
    }
    line[out] = 0;
    has_rest = rest[in];
    if (has_rest)
        memmove(rest, rest + in + 1, strlen(rest + in + 1) + 1);
    return (int)out;
}

/* The next line as it was typed; 0, or what cms_console_read returns instead of it. */
static int read_physical_line(enum console_read_kind kind)
{
    line_completer complete = editor.completion.names;
    enum keys_event event = KEYS_ABANDONED;

    if (kind == CONSOLE_ANSWER)
        editor.completion.names = NULL;
    while (event == KEYS_ABANDONED && !(kind == CONSOLE_ANSWER && halted)) {
        cms_line_begin(&editor);
        while ((event = cms_line_key(&editor, (unsigned char)next_byte())) == KEYS_GO_ON)
            ;
        if (event == KEYS_ABANDONED && kind == CONSOLE_ANSWER)
            halt_execution();
    }
    editor.completion.names = complete;
    if (event != KEYS_LINE)
        return event == KEYS_TOO_LONG ? CONSOLE_TOO_LONG : CONSOLE_HALTED;
    memcpy(rest, editor.text, editor.keys.line.length + 1);
    if (kind == CONSOLE_COMMAND)
        cms_history_add(&editor.history, editor.text);
    return 0;
}

/* A line of the program stack is one line, whatever is in it. A NUL would end it early. */
static int read_stacked_line(char *line)
{
    int length = cms_stack_pull(line, LINE_TEXT_MAX);
    if (length < 0)
        return length;
    length = length < LINE_TEXT_MAX ? length : LINE_TEXT_MAX;
    line[length] = 0;
    return (int)strlen(line);
}

size_t cms_console_typed(void) { return editor.keys.line.length + editor.keys.line.excess; }

int cms_console_read(char *line, size_t size, enum console_read_kind kind)
{
    if (size <= LINE_TEXT_MAX || (kind == CONSOLE_ANSWER && cms_console_halted()))
        return CONSOLE_HALTED;
    int length = has_rest ? -1 : read_stacked_line(line);
    if (length >= 0)
        return length;
    int failed = has_rest ? 0 : read_physical_line(kind);
    if (failed)
        return failed;
    length = cut_logical_line(line);
    if (kind == CONSOLE_ANSWER && act_on_immediate(line, (size_t)length) && halted)
        return CONSOLE_HALTED;
    return length;
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

void cms_console_line(const char *data, size_t length)
{
    cms_terminal_write(data, length);
    cms_terminal_write("\r\n", 2);
}

void cms_line(const char *data, size_t length)
{
    cms_console_attention();
    if (sink.line)
        sink.line(sink.context, data, length);
    else if (typing && !halted)
        cms_console_line(data, length);
}

void cms_text(const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, format);
    size_t length = format_text_v(text, sizeof text, format, args);
    va_end(args);
    cms_line(text, length < sizeof text ? length : sizeof text - 1);
}

bool cms_output_shows(void) { return !sink.line || sink.shows; }

bool cms_console_types(void) { return typing && !halted; }

const struct output_sink cms_output_none = {.line = show_nothing};

struct output_sink cms_redirect(struct output_sink new_sink)
{
    struct output_sink old = sink;
    sink = new_sink;
    return old;
}
