/* A session's input. In: typed bytes. Out: commands for CP, or bytes for the machine's console, none of them lost. */
#include <string.h>

#include "cp/command/command.h"
#include "cp/session/logon.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/time/work.h"

bool session_offer_held(struct session *s)
{
    struct attention *a = &s->attention;
    unsigned taken = machine_input(&s->vm->machine, 0, a->bytes, a->held);
    memmove(a->bytes, a->bytes + taken, a->held - taken);
    a->held -= taken;
    s->input_waits = a->held != 0;
    return !s->input_waits;
}

static void take_command(struct session *s)
{
    s->state = SESSION_COMMAND;
    editor_begin(&s->editor, false);
    session_echo(s, "#CP ", 4);
}

static bool take_for_machine(struct session *s, uint8_t byte)
{
    if (s->input_waits && !session_offer_held(s))
        return false;
    switch (attention_take(&s->attention, byte)) {
    case ATTENTION_HOLDING: break;
    case ATTENTION_RELEASE: session_offer_held(s); break;
    case ATTENTION_COMMAND: take_command(s); break;
    case ATTENTION_ENTER:
        session_echo(s, "#CP\n", 4);
        session_enter_cp(s);
        s->editor.skip_newline = byte == '\r';
        break;
    }
    return true;
}

static bool reads_commands(const struct session *s)
{
    return s->state == SESSION_LOGON || s->state == SESSION_READ || s->state == SESSION_RUN;
}

bool session_run_rest(struct session *s)
{
    for (unsigned done = 0; s->rest && !s->deed && reads_commands(s); done++) {
        if (done && work_over())
            return true;
        char *command = s->editor.text + s->rest - 1, *end = strchr(command, '#');
        s->rest = end ? (unsigned)(end - s->editor.text) + 2 : 0;
        if (end)
            *end = 0;
        command_run(s, &(struct response){.session = s}, command);
    }
    if (!s->rest && !s->deed && (s->state == SESSION_LOGON || s->state == SESSION_READ))
        session_prompt(s);
    return false;
}

static bool is_blank(const char *text)
{
    while (*text == ' ')
        text++;
    return !*text;
}

static void take_line(struct session *s)
{
    if (s->state == SESSION_PASSWORD) {
        logon_password(s, s->editor.text, s->editor.length);
        return;
    }
    if (s->state == SESSION_COMMAND) {
        s->state = SESSION_RUN;
        s->output.owes = true;
        if (is_blank(s->editor.text)) {
            session_enter_cp(s);
            return;
        }
    }
    s->rest = 1;
    if (session_run_rest(s))
        session_soon();
}

/* A null line wakes a sleeper; anything else typed is for later. */
static bool take_asleep(struct session *s, uint8_t byte)
{
    bool second_half = byte == '\n' && s->editor.skip_newline;
    s->editor.skip_newline = byte == '\r';
    if (byte != '\r' && byte != '\n')
        return false;
    s->timer_ended |= !second_half;
    session_wanted = true;
    return true;
}

void session_rest(struct session *s, enum session_state how, bool machine_asks)
{
    s->machine_asked = machine_asks;
    s->before_rest = s->state;
    s->state = how;
    s->timer_ended = false;
    s->machine_rests |= s->vm->state != VM_STOPPED;
    vm_stop(s->vm, VM_STOP_USER, 0);
}

/* What is noted by now stops the machine anyway, but for DISCONNECT. */
void session_wake(struct session *s)
{
    s->state = s->before_rest;
    s->output.owes = true;
    timer_cancel(&s->timer);
    if (s->machine_rests && (!s->deed || s->deed == DEED_DISCONNECT))
        vm_begin(s->vm);
    s->machine_rests = false;
    if (!s->machine_asked && session_run_rest(s)) /* else what is being typed goes on */
        session_soon();
}

/* The machine may be in the middle of a port access: commands for CP wait for the event loop. */
void session_vm_input_room(struct vm *vm, unsigned uart)
{
    struct session *s = vm->session;
    if (uart || !s || s->state != SESSION_RUN)
        return;
    if (s->input_waits && !session_offer_held(s))
        return;
    while (s->terminal && s->state == SESSION_RUN && !s->input_waits && terminal_poll(s->terminal, 1)) {}
}

bool session_take(struct session *s, uint8_t byte)
{
    if (s->deed || s->rest || session_closed)
        return false;
    switch (s->state) {
    case SESSION_QUIET: return true;
    case SESSION_RUN: return take_for_machine(s, byte);
    case SESSION_SLEEP: return take_asleep(s, byte);
    case SESSION_LOGON:
    case SESSION_PASSWORD:
    case SESSION_READ:
    case SESSION_COMMAND:
        session_refresh(s);
        if (editor_take(&s->editor, byte))
            take_line(s);
        return true;
    default: return false;
    }
}
