/* In: typed bytes. Out: commands for CP, or bytes for the machine's console. */
#include "cp/session/typing.h"

#include <string.h>

#include "cp/session/dial.h"
#include "cp/session/life.h"
#include "cp/session/obey.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"
#include "cp/time/work.h"
#include "lib/format.h"

enum { CONTROL_C = 3, PATIENCE_SECONDS = 1 };

static void echo(void *context, const char *text, unsigned length)
{
    output_echo(&((struct session *)context)->output, text, length);
}

static void lose_patience(struct timer *timer)
{
    ((struct typing *)timer->owner)->stuck = true;
    turn_wanted = true;
}

void typing_begin(struct session *s)
{
    struct typing *t = &s->typing;
    t->patience.expire = lose_patience;
    t->patience.owner = t;
    t->editor.echo = echo;
    t->editor.complete = typing_complete;
    t->editor.context = s;
    editor_begin(&t->editor, 0, 0, false);
}

/* ---- for the machine --------------------------------------------------------------------------------------------- */

bool typing_offer_held(struct session *s)
{
    struct typing *t = &s->typing;
    struct attention *a = &t->attention;
    unsigned uart;
    struct machine *machine = dial_reader(s, &uart);
    unsigned taken = machine_input(machine, uart, a->bytes, a->held);
    attention_handed_on(a, taken);
    t->machine_full = a->held != 0;
    if (taken || !t->machine_full) {
        timer_cancel(&t->patience);
        t->stuck = false;
    }
    if (t->machine_full && !t->stuck && !t->patience.armed)
        timer_arm(&t->patience, clock_now() + PATIENCE_SECONDS * clock_hz);
    return !t->machine_full;
}

/* The state in which the machine reads. */
static enum session_state reading(const struct session *s) { return s->user ? SESSION_RUN : SESSION_DIALED; }

static void begin_command(struct session *s)
{
    s->state = s->user ? SESSION_COMMAND : SESSION_DIALED_COMMAND;
    session_begin_line(s);
    output_echo(&s->output, "#CP ", 4);
    turn_soon(); /* whoever reads its UART took it from what is typed ahead: the command is there, and nothing comes */
}

/* Who dialed has nothing to stop: they enter a command. */
static void enter_cp(struct session *s, uint8_t end)
{
    if (s->user) {
        output_echo(&s->output, "#CP\n", 4);
        session_enter_cp(s);
    } else {
        begin_command(s);
    }
    s->typing.editor.keys.after_return = end == '\r';
}

static bool take_for_machine(struct session *s, uint8_t byte)
{
    struct typing *t = &s->typing;
    if (t->machine_full && !typing_offer_held(s))
        return false;
    switch (attention_take(&t->attention, byte)) {
    case ATTENTION_HOLDING: break;
    case ATTENTION_RELEASE: typing_offer_held(s); break;
    case ATTENTION_COMMAND: begin_command(s); break;
    case ATTENTION_ENTER:
        enter_cp(s, byte);
        break;
    }
    return true;
}

/* ---- for CP ------------------------------------------------------------------------------------------------------ */

static bool has_next(const struct session *s) { return s->typing.next_command && !s->deed.noted && !session_rests(s); }

bool typing_go_on(struct session *s)
{
    struct typing *t = &s->typing;
    for (unsigned done = 0; has_next(s); done++) {
        if (done && work_over())
            return true;
        char *command = t->editor.text + t->next_command - 1, *end = strchr(command, '#');
        t->next_command = end ? (unsigned)(end - t->editor.text) + 2 : 0;
        if (end)
            *end = 0;
        command_run(s, &(struct response){.session = s}, command);
    }
    if (!t->next_command && !s->deed.noted && session_states[s->state].reads == READS_LINES)
        session_prompt(s);
    return false;
}

void typing_commands(struct session *s)
{
    s->typing.next_command = 1;
    if (typing_go_on(s))
        turn_soon();
}

static bool is_blank(const char *text)
{
    while (*text == ' ')
        text++;
    return !*text;
}

void typing_one_command(struct session *s)
{
    bool blank = is_blank(s->typing.editor.text);
    s->state = reading(s);
    s->output.owes = true;
    if (!blank)
        typing_commands(s);
    else if (s->user)
        session_enter_cp(s);
}

static bool is_enter(uint8_t byte) { return byte == '\r' || byte == '\n'; }

/* What is typed while somebody sleeps is for later; but ^C behind it wakes them, and Enter where no time was said. */
static bool wakes(const struct session *s)
{
    const struct ring *ahead = s->output.terminal ? &s->output.terminal->input : &s->sent.ring;
    uint8_t newest = ring_at(ahead, ring_used(ahead) - 1);
    return newest == CONTROL_C || (is_enter(newest) && !s->timer.armed);
}

/* A null line or ^C wakes a sleeper. @pre the byte is the oldest of the terminal, or of SEND, or comes in its place */
static bool take_asleep(struct session *s, uint8_t byte)
{
    struct keys *k = &s->typing.editor.keys;
    bool second_half = byte == '\n' && k->after_return, is_key = is_enter(byte) || byte == CONTROL_C;
    k->after_return = byte == '\r';
    if (is_key ? second_half : !wakes(s))
        return is_key;
    s->timer_ended = true;
    turn_wanted = true;
    return is_key;
}

/* What was typed of a line counts for nothing. */
static void abandon(struct session *s)
{
    switch (session_states[s->state].reads) {
    case READS_COMMAND:
        s->state = reading(s);
        s->output.owes = true;
        turn_wanted = true;
        break;
    case READS_SECRET:
        editor_forget(&s->typing.editor);
        logon_abandon(s);
        break;
    default: session_prompt(s);
    }
}

static void refuse_line(struct session *s)
{
    const struct edited_line *l = &s->typing.editor.keys.line;
    char typed[24], limit[12];
    format_text(typed, sizeof typed, "%zu", l->length + l->excess);
    format_text(limit, sizeof limit, "%u", EDITOR_LINE);
    response_error(&(struct response){.session = s}, "CFC", 9045, typed, limit);
    abandon(s);
}

static void take_for_cp(struct session *s, uint8_t byte)
{
    const struct edited_line *l = &s->typing.editor.keys.line;
    session_refresh(s);
    s->typing.tabbed &= byte == '\t';
    enum keys_event event = editor_take(&s->typing.editor, byte);
    s->output.below = event == KEYS_GO_ON ? l->last - l->row : 0;
    switch (event) {
    case KEYS_GO_ON: break;
    case KEYS_LINE: session_states[s->state].follows(s); break;
    case KEYS_TOO_LONG: refuse_line(s); break;
    case KEYS_ABANDONED: abandon(s); break;
    }
}

void typing_take_over(struct session *s)
{
    struct typing *t = &s->typing;
    struct attention *a = &t->attention;
    if (t->machine_full) /* what is held was for it */
        return;
    for (unsigned i = 0; i < a->held; i++)
        take_for_cp(s, a->bytes[i]);
    a->held = 0;
}

void typing_forget_held(struct session *s)
{
    struct typing *t = &s->typing;
    t->attention = (struct attention){0};
    t->machine_full = t->stuck = false;
    timer_cancel(&t->patience);
}

void typing_begin_line(struct session *s)
{
    struct typing *t = &s->typing;
    t->attention.typed = 0;
    if (!t->machine_full)
        t->attention.held = 0;
    if (session_states[s->state].prompt && !t->next_command)
        session_prompt(s);
}

/* The machine goes on, now or after a rest. */
static bool machine_goes_on(const struct session *s)
{
    enum session_state state = session_rests(s) ? s->rest.then : s->state;
    return !s->deed.noted && state == reading(s);
}

void typing_heed_attention(struct session *s)
{
    enum { NAME = 4 }; /* "#CP" and what ends it */
    struct terminal *t = s->output.terminal;
    uint8_t line[EDITOR_LINE + 2 * NAME];
    uint32_t start = 0, length = 0;
    if (!t || !s->typing.stuck || !attention_find(&s->typing.attention, &t->input, &start, &length))
        return;
    terminal_take_out(t, start, length, line, sizeof line);
    if (length == NAME)
        enter_cp(s, line[NAME - 1]);
    else
        begin_command(s);
    for (uint32_t i = NAME; i < length; i++) /* of one that is longer only its length counts */
        take_for_cp(s, i + 1 == length ? '\r' : i < sizeof line ? line[i] : 'x');
    if (!machine_goes_on(s) && ring_used(&t->input) >= start)
        terminal_drop(t, start);
}

bool typing_take(struct session *s, uint8_t byte)
{
    enum session_reads reads = session_states[s->state].reads;
    if (s->deed.noted || session_closed || (s->typing.next_command && reads != READS_ENTER))
        return false;
    switch (reads) {
    case READS_NOTHING: return false;
    case READS_AWAY: return true;
    case READS_LINES:
    case READS_COMMAND:
    case READS_SECRET: take_for_cp(s, byte); return true;
    case READS_ENTER: return take_asleep(s, byte);
    case READS_MACHINE: return take_for_machine(s, byte);
    }
    return false;
}
