/* In: typed bytes. Out: commands for CP, or bytes for the machine's console. */
#include "cp/session/typing.h"

#include <string.h>

#include "cp/session/life.h"
#include "cp/session/obey.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"
#include "cp/time/work.h"

static void echo(void *context, const char *text, unsigned length) { output_echo(context, text, length); }

void typing_begin(struct typing *t, struct output *output)
{
    t->editor.echo = echo;
    t->editor.context = output;
}

/* ---- for the machine --------------------------------------------------------------------------------------------- */

bool typing_offer_held(struct typing *t, struct machine *machine)
{
    struct attention *a = &t->attention;
    attention_handed_on(a, machine_input(machine, 0, a->bytes, a->held));
    t->machine_full = a->held != 0;
    return !t->machine_full;
}

static void begin_command(struct session *s)
{
    s->state = SESSION_COMMAND;
    editor_begin(&s->typing.editor, false);
    output_echo(&s->output, "#CP ", 4);
    turn_soon(); /* whoever reads its UART took it from what is typed ahead: the command is there, and nothing comes */
}

static bool take_for_machine(struct session *s, uint8_t byte)
{
    struct typing *t = &s->typing;
    struct machine *machine = &s->vm->machine;
    if (t->machine_full && !typing_offer_held(t, machine))
        return false;
    switch (attention_take(&t->attention, byte)) {
    case ATTENTION_HOLDING: break;
    case ATTENTION_RELEASE: typing_offer_held(t, machine); break;
    case ATTENTION_COMMAND: begin_command(s); break;
    case ATTENTION_ENTER:
        output_echo(&s->output, "#CP\n", 4);
        session_enter_cp(s);
        t->editor.skip_newline = byte == '\r';
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
    s->state = SESSION_RUN;
    s->output.owes = true;
    if (is_blank(s->typing.editor.text))
        session_enter_cp(s);
    else
        typing_commands(s);
}

/* A null line wakes a sleeper; anything else typed is for later. */
static bool take_asleep(struct session *s, uint8_t byte)
{
    struct editor *e = &s->typing.editor;
    bool second_half = byte == '\n' && e->skip_newline;
    e->skip_newline = byte == '\r';
    if (byte != '\r' && byte != '\n')
        return false;
    s->timer_ended |= !second_half;
    turn_wanted = true;
    return true;
}

static void take_for_cp(struct session *s, uint8_t byte)
{
    session_refresh(s);
    if (editor_take(&s->typing.editor, byte))
        session_states[s->state].follows(s);
}

bool typing_take(struct session *s, uint8_t byte)
{
    if (s->deed.noted || s->typing.next_command || session_closed)
        return false;
    switch (session_states[s->state].reads) {
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
