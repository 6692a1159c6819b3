/* In: a program's wish for a machine, its end. Out: session->vm. */
#include "cp/session/stack.h"

#include <string.h>

#include "cp/ipl/nss.h"
#include "cp/ipl/system.h"
#include "cp/session/life.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "lib/format.h"

static void forget_loading(struct vm *vm)
{
    system_ipl_cancel(vm);
    nss_save_cancel(vm);
}

/* From the top one down to the first; NULL behind it. */
static struct vm *machine_at(const struct session *s, unsigned below)
{
    const struct stack *stack = &s->stack;
    return !below ? s->vm : below <= stack->waiting ? stack->row[stack->waiting - below].vm : NULL;
}

struct vm *stack_first(const struct session *s) { return machine_at(s, s->stack.waiting); }

bool stack_in_flight(const struct session *s)
{
    struct vm *vm;
    for (unsigned i = 0; (vm = machine_at(s, i)); i++)
        if (machine_in_flight(&vm->machine))
            return true;
    return false;
}

void stack_reset_devices(struct session *s)
{
    struct vm *vm;
    for (unsigned i = 0; (vm = machine_at(s, i)); i++)
        if (machine_in_flight(&vm->machine))
            machine_reset(&vm->machine);
}

uint64_t stack_room(const struct session *s)
{
    uint64_t most = s->own.machine.storage_maximum, used = 0;
    const struct vm *vm;
    for (unsigned i = 0; (vm = machine_at(s, i)); i++)
        used += vm->config.storage_bytes;
    uint64_t left = used < most ? most - used : 0;
    return s->stack.waiting < STACK_WAITING && left >= STACK_STORAGE_LEAST ? left : 0;
}

/* ---- noting ------------------------------------------------------------------------------------------------------ */

bool stack_note_begin(struct session *s, uint64_t at, uint64_t bytes, const char *line)
{
    struct stack_kernel *k = &s->stack.kernel;
    if (s->deed.noted)
        return false;
    k->at = at;
    k->bytes = bytes;
    format_text(k->line, sizeof k->line, "%s", line);
    deed_note(s, DEED_MACHINE_BEGIN);
    return true;
}

void stack_note_end(struct session *s, uint64_t code)
{
    s->stack.code = code;
    deed_note(s, DEED_MACHINE_END);
}

/* ---- doing ------------------------------------------------------------------------------------------------------- */

/* What messages call it: the line's first word. */
static void name_kernel(struct session *s)
{
    size_t n = 0;
    for (const char *at = s->stack.kernel.line; *at && *at != ' ' && n < sizeof s->deed.system - 1; at++)
        s->deed.system[n++] = *at;
    s->deed.system[n] = 0;
}

static struct vm *make(struct session *s)
{
    struct machine_config config = s->own.machine;
    config.storage_bytes = config.storage_maximum = stack_room(s);
    config.uarts = 1;
    config.nesting = s->nested;
    return config.storage_bytes ? vm_create_upon(&config, s->vm) : NULL;
}

const char *stack_begin(struct session *s)
{
    const struct stack_kernel *k = &s->stack.kernel;
    struct vm *under = s->vm, *vm = make(s);
    struct stack_row *row = &s->stack.row[s->stack.waiting];
    const char *reason = "";
    name_kernel(s);
    if (!vm)
        return "CP has no page frames for another machine";
    vm->session = s;
    row->vm = under;
    memcpy(row->system, s->system, sizeof row->system);
    s->stack.waiting++;
    s->stack.begins = true;
    s->vm = vm;
    const struct ipl_bytes image = {.storage = &under->storage, .at = k->at};
    const char *given = k->line + strcspn(k->line, " ");
    char line[STACK_LINE + 1];
    system_command_line(line, sizeof line, image, k->bytes, s->deed.system, given + (*given == ' '));
    return system_ipl_image(vm, image, k->bytes, line, NULL, 0, &reason) ? reason : NULL;
}

static void console_is_anothers(struct session *s)
{
    s->output.partial_length = 0;
    s->output.partial_cut = false;
}

void stack_begun(struct session *s)
{
    s->stack.begins = false;
    console_is_anothers(s);
    session_begin(s);
}

static void drop_top(struct session *s)
{
    struct vm *top = s->vm;
    const struct stack_row *row = &s->stack.row[--s->stack.waiting];
    s->vm = row->vm;
    memcpy(s->system, row->system, sizeof s->system);
    vm_hand_over(top, s->vm);
    top->session = NULL;
    forget_loading(top);
    vm_destroy(top);
}

static void answer(struct session *s)
{
    s->vm->vcpu.gpr[RAX] = DIAGNOSE_OK;
    s->vm->vcpu.gpr[RBX] = s->stack.code;
}

/* What was typed for the one that ended, and was not taken, is not for the other. */
void stack_end(struct session *s)
{
    drop_top(s);
    s->stack.begins = false;
    output_plain(&s->output, &s->output);
    console_is_anothers(s);
    if (s->typing.machine_full)
        typing_forget_held(s);
    if (s->vm->stop == VM_STOP_TAKEN || s->vm->gives_back) {
        response_error(&(struct response){.session = s}, "GIR", 9009, "", "");
        session_enter_cp(s);
        return;
    }
    answer(s);
    machine_ring(&s->vm->machine, 0); /* the terminal may have another size, and messages may have come */
    session_begin(s);
}

void stack_refuse(struct session *s, uint64_t code)
{
    if (s->stack.begins) { /* the machine is there, and its disks have to be quiet */
        stack_note_end(s, code);
        return;
    }
    s->stack.code = code;
    answer(s);
    session_begin(s);
}

void stack_drop(struct session *s)
{
    while (s->stack.waiting)
        drop_top(s);
    forget_loading(s->vm);
    vm_destroy(s->vm);
    s->vm = NULL;
}
