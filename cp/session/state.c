#include "cp/session/state.h"

#include <string.h>

#include "cp/session/logon.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"
#include "cp/terminal/terminal.h"

const struct session_row session_states[SESSION_STATES] = {
    /*                   reads          machine        prompt  awaits         and then */
    [SESSION_FREE]     = {READS_NOTHING, MACHINE_NONE,  NULL,   AWAITS_LINE,   NULL},
    [SESSION_LOADING]  = {READS_NOTHING, MACHINE_NONE,  NULL,   AWAITS_LINE,   NULL},
    [SESSION_LOGON]    = {READS_LINES,   MACHINE_NONE,  "CP> ", AWAITS_LINE,   typing_commands},
    [SESSION_PASSWORD] = {READS_SECRET,  MACHINE_NONE,  NULL,   AWAITS_LINE,   logon_password},
    [SESSION_VERIFY]   = {READS_NOTHING, MACHINE_NONE,  NULL,   AWAITS_HASH,   logon_verified},
    [SESSION_HELD]     = {READS_NOTHING, MACHINE_NONE,  NULL,   AWAITS_TURN,   logon_held},
    [SESSION_PENALTY]  = {READS_NOTHING, MACHINE_NONE,  NULL,   AWAITS_TIME,   logon_end_penalty},
    [SESSION_REJOIN]   = {READS_NOTHING, MACHINE_NONE,  NULL,   AWAITS_OUTPUT, logon_rejoin},
    [SESSION_QUIET]    = {READS_AWAY,    MACHINE_NONE,  NULL,   AWAITS_TIME,   logon_end_quiet},
    [SESSION_READ]     = {READS_LINES,   MACHINE_STOPS, "CP> ", AWAITS_LINE,   typing_commands},
    [SESSION_RUN]      = {READS_MACHINE, MACHINE_RUNS,  NULL,   AWAITS_LINE,   NULL},
    [SESSION_COMMAND]  = {READS_COMMAND, MACHINE_RUNS,  "#CP ", AWAITS_LINE,   typing_one_command},
    [SESSION_DIALED]   = {READS_MACHINE, MACHINE_NONE,  NULL,   AWAITS_LINE,   NULL},
    [SESSION_DIALED_COMMAND] = {READS_COMMAND, MACHINE_NONE, "#CP ", AWAITS_LINE, typing_one_command},
    [SESSION_SLEEP]    = {READS_ENTER,   MACHINE_RESTS, NULL,   AWAITS_TIME,   rest_end},
    [SESSION_CHECK]    = {READS_NOTHING, MACHINE_RESTS, NULL,   AWAITS_HASH,   rest_go_on},
    [SESSION_TASK]     = {READS_NOTHING, MACHINE_RESTS, NULL,   AWAITS_TURN,   rest_go_on},
};

bool session_rests(const struct session *s) { return session_states[s->state].machine == MACHINE_RESTS; }

void session_enter(struct session *s, enum session_state state)
{
    s->state = state;
    session_stir(s);
    s->rest.machine_stopped &= session_rests(s); /* whoever ends a rest otherwise says what the machine does */
    switch (session_states[state].machine) {
    case MACHINE_NONE: break;
    case MACHINE_STOPS:
        if (s->vm->state != VM_STOPPED && !(s->settings & SET_RUN))
            vm_stop(s->vm, VM_STOP_USER, 0);
        break;
    case MACHINE_RUNS:
        if (s->vm->state == VM_STOPPED)
            vm_begin(s->vm);
        break;
    case MACHINE_RESTS: vm_stop(s->vm, VM_STOP_USER, 0); break;
    }
}

bool session_follow(struct session *s)
{
    const struct session_row *row = &session_states[s->state];
    bool turn = row->awaits == AWAITS_TURN && !s->deed.noted && !task_waits(s);
    bool time = row->awaits == AWAITS_TIME && s->timer_ended;
    if (turn || time || (row->awaits == AWAITS_OUTPUT && !ring_used(&s->output.ring)))
        row->follows(s);
    return turn;
}

unsigned session_columns(const struct session *s)
{
    return s->line_size ? s->line_size : s->output.terminal ? s->output.terminal->columns : 0;
}

unsigned session_rows(const struct session *s)
{
    return s->page_length ? s->page_length : s->output.terminal ? s->output.terminal->rows : 0;
}

unsigned session_line_size(const struct session *s)
{
    unsigned size = session_columns(s);
    return size < EDIT_WIDTH_LEAST ? EDIT_WIDTH : size;
}

void session_begin_line(struct session *s)
{
    const struct session_row *row = &session_states[s->state];
    unsigned indent = row->prompt ? (unsigned)strlen(row->prompt) : 0;
    editor_begin(&s->typing.editor, session_columns(s), indent, row->reads == READS_SECRET);
}

void session_prompt_again(struct session *s)
{
    s->output.owes = true;
    turn_wanted = true;
}

void session_prompt(struct session *s)
{
    session_begin_line(s);
    session_prompt_again(s);
}

void session_refresh(struct session *s)
{
    struct output *o = &s->output;
    const struct session_row *row = &session_states[s->state];
    if (!o->owes || s->typing.next_command || s->deed.noted || o->in_line || session_closed)
        return;
    o->owes = false;
    if (row->prompt) {
        output_echo(o, row->prompt, strlen(row->prompt));
        editor_show(&s->typing.editor, session_columns(s));
        o->below = s->typing.editor.keys.line.last - s->typing.editor.keys.line.row;
    } else if (row->reads == READS_MACHINE && !o->partial_cut) {
        output_partial(o);
    }
}
