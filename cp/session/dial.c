/* In: calls from terminals, DTR of machines. Out: carriers of machines, terminals that are back at their prompts. */
#include "cp/session/dial.h"

#include <string.h>

#include "cp/session/life.h"
#include "cp/session/operator.h"
#include "cp/session/session.h"
#include "cp/terminal/terminal.h"

enum dial_found dial_find(const char *userid, unsigned port, struct session **to, unsigned *uart)
{
    struct session *s = *to = session_find(userid);
    enum dial_found found = DIAL_NONE;
    for (unsigned n = 1; s && n < stack_first(s)->config.uarts; n++) {
        if ((port && port != machine_uarts[n].port) || !uart_takes_calls(&stack_first(s)->machine.uart[n]))
            continue;
        *uart = n;
        if (!s->dial.caller[n])
            return DIAL_FREE;
        if (port)
            found = DIAL_BUSY;
    }
    return found;
}

void dial_begin(struct session *caller, struct session *to, unsigned uart)
{
    caller->dial.to = to;
    memcpy(caller->dial.user, to->user->id, sizeof caller->dial.user);
    caller->dial.uart = (uint8_t)uart;
    to->dial.caller[uart] = caller;
    caller->typing.next_command = 0;
    output_say(&caller->output, "DIALED TO %s %04X", to->user->id, machine_uarts[uart].port);
    session_enter(caller, SESSION_DIALED);
    machine_carrier(&stack_first(to)->machine, uart, true);
    operator_tell_dial(caller, to->user->id, machine_uarts[uart].port);
}

/* Nothing comes through any more, either way. */
static void disconnect(struct session *caller)
{
    struct session *to = caller->dial.to;
    caller->dial.to = NULL;
    to->dial.caller[caller->dial.uart] = NULL;
    machine_carrier(&stack_first(to)->machine, caller->dial.uart, false);
}

void dial_forsake(struct session *caller)
{
    const struct dial was = caller->dial;
    if (!was.to)
        return;
    disconnect(caller);
    operator_tell_undial(caller, was.user);
}

void dial_let_go(struct session *whose, unsigned uart)
{
    struct session *caller = whose->dial.caller[uart];
    if (!caller)
        return;
    disconnect(caller);
    deed_note(caller, DEED_DROP);
}

void dial_let_all_go(struct session *whose)
{
    for (unsigned n = 1; n < MACHINE_UARTS; n++)
        dial_let_go(whose, n);
}

void dial_hung_up(struct vm *vm, unsigned uart)
{
    if (vm->session)
        dial_let_go(vm->session, uart);
}

/* What is typed ahead was meant for the machine, unless they said themselves that this is the end. */
void dial_drop(struct session *caller)
{
    const struct dial was = caller->dial;
    struct output *o = &caller->output;
    if (was.to)
        disconnect(caller);
    else
        terminal_forget(o->terminal);
    output_plain(o, o);
    output_say(o, "DROPPED FROM %s %04X", was.user, machine_uarts[was.uart].port);
    operator_tell_undial(caller, was.user);
    session_reset(caller);
    session_welcome(caller);
}

unsigned dial_count(void)
{
    unsigned count = 0;
    for (struct session *s = NULL; (s = session_next(s));)
        count += s->dial.to != NULL;
    return count;
}

struct machine *dial_reader(const struct session *s, unsigned *uart)
{
    *uart = s->dial.to ? s->dial.uart : 0;
    if (s->dial.to)
        return &stack_first(s->dial.to)->machine;
    return s->vm ? &s->vm->machine : NULL;
}

/* What the machine writes before it knows of another caller is for the one before. */
struct session *dial_shown_to(const struct vm *vm, unsigned uart)
{
    struct session *s = vm->session;
    if (!uart || !s)
        return s && s->vm == vm ? s : NULL;
    return uart_must_look(&vm->machine.uart[uart]) ? NULL : s->dial.caller[uart];
}

void dial_tell_size(const struct session *s)
{
    unsigned uart;
    struct machine *machine = dial_reader(s, &uart);
    if (machine)
        machine_ring(machine, uart);
}

const struct session *dial_there(const struct vm *vm, uint64_t port)
{
    for (unsigned n = 0; vm->session && n < vm->config.uarts; n++)
        if (machine_uarts[n].port == port)
            return n ? vm->session->dial.caller[n] : vm->session;
    return NULL;
}
