/* In: a machine's output, its wish for input, its end. Out: what its user is shown, and the state of the session. */
#include "cp/session/session_vm.h"

#include "cp/ipl/nss.h"
#include "cp/ipl/system.h"
#include "cp/session/dial.h"
#include "cp/session/life.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"
#include "cp/terminal/terminal.h"
#include "lib/format.h"

/* ---- its console, UART 0, and lines that are dialed -------------------------------------------------------------- */

/* The machine's words break a line that is being typed to CP, which is shown again when theirs has ended. */
static void make_way(struct session *s)
{
    bool typing = session_states[s->state].prompt;
    if (!typing)
        session_refresh(s);
    else if (!s->output.owes)
        output_break(&s->output);
    turn_wanted |= typing;
}

unsigned session_vm_output(struct vm *vm, unsigned uart, const uint8_t *bytes, unsigned count)
{
    struct session *s = dial_shown_to(vm, uart);
    if (!s)
        return count;
    struct output *o = &s->output;
    unsigned room = output_machine_room(o), taken = count < room ? count : room;
    if (taken)
        make_way(s);
    output_machine(o, bytes, taken);
    o->machine_waits |= taken < count;
    return taken;
}

void session_pump(struct session *s)
{
    unsigned uart;
    struct machine *machine = dial_reader(s, &uart);
    output_drain(&s->output);
    if (machine && output_machine_goes_on(&s->output))
        machine_output_ready(machine, uart);
}

/* The machine may be in the middle of a port access: commands for CP wait for the event loop. */
void session_vm_size(struct vm *vm, unsigned *columns, unsigned *rows)
{
    const struct session *s = vm->session;
    *columns = s ? session_columns(s) : 0;
    *rows = s ? session_rows(s) : 0;
}

void session_vm_input_room(struct vm *vm, unsigned uart)
{
    struct session *s = dial_shown_to(vm, uart);
    if (!s || session_states[s->state].reads != READS_MACHINE)
        return;
    struct typing *t = &s->typing;
    turn_wanted |= sent_waits(s);
    if (t->machine_full && !typing_offer_held(s))
        return;
    while (s->output.terminal && session_states[s->state].reads == READS_MACHINE && !t->machine_full &&
           terminal_poll(s->output.terminal, 1)) {}
}

/* ---- when it stops by itself ------------------------------------------------------------------------------------- */

/* Its storage is no more what is saved of it, or is loaded into it: others, who wait for that, are not to wait for
 * ever. */
static void give_up_storage(struct session *s)
{
    system_ipl_cancel(s->vm);
    nss_save_cancel(s->vm);
    if (s->deed.noted == DEED_LOAD)
        s->deed.noted = DEED_NONE;
}

void session_vm_stopped(struct vm *vm)
{
    static const unsigned number[VM_STOPS] = {
        [VM_STOP_POWER_OFF] = 2629,  [VM_STOP_TRIPLE_FAULT] = 453, [VM_STOP_DISABLED_WAIT] = 450,
        [VM_STOP_NO_STORAGE] = 9001, [VM_STOP_NO_FRAMES] = 9002,   [VM_STOP_BAD_ENTRY] = 451,
        [VM_STOP_EMULATION] = 9003,  [VM_STOP_TEST_EXIT] = 9004,   [VM_STOP_VMX_ABORT] = 9005,
        [VM_STOP_UNSOUND] = 9008,    [VM_STOP_TAKEN] = 9009,
        [VM_STOP_RESET] = 9006,      [VM_STOP_MACHINE_CHECK] = 9007};
    struct session *s = vm->session;
    char rip[20], detail[12];
    if (s && vm != s->vm) /* it waits for the end of another, and its user hears of it then */
        return;
    if (s && vm->stop == VM_STOP_TAKEN)
        give_up_storage(s);
    if (!s || s->deed.noted || vm->state != VM_STOPPED || vm->stop == VM_STOP_USER || vm->stop == VM_STOP_NONE)
        return;
    if (!s->stack.waiting)
        dial_let_all_go(s);
    format_text(rip, sizeof rip, "%016llX", (unsigned long long)vcpu_read(&vm->vcpu, VMCS_GUEST_RIP));
    format_text(detail, sizeof detail, "%u", vm->stop_detail);
    bool ordinary = vm->stop == VM_STOP_POWER_OFF || vm->stop == VM_STOP_TEST_EXIT || vm->stop == VM_STOP_RESET;
    if (!ordinary || (!s->ended && !s->stack.waiting))
        response_error(&(struct response){.session = s}, "GIR", number[vm->stop], rip, detail);
    if (!ordinary && s->stack.waiting)
        response_error(&(struct response){.session = s}, "GIR", 9042, "", "");
    if (s->stack.waiting)
        stack_note_end(s, !ordinary ? number[vm->stop] : vm->stop == VM_STOP_TEST_EXIT ? vm->stop_detail : 0);
    else if (s->ended)
        s->ended(s);
    else if (vm->stop == VM_STOP_RESET && *s->system)
        deed_note(s, DEED_SYSTEM_RESTART);
    else if (s->state != SESSION_READ)
        session_enter_cp(s);
}
