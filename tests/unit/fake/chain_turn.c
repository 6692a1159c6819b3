/* Who runs next in the tower: CP0's part of an exit, as cp/nested/exit.c has it; CP1's, which is the same over pages;
 * and V2, which stands at its call as long as nobody carried it out. */
#include "tests/unit/fake/chain_tower.h"

#include "nest/chain.h"
#include "nest/enter.h"

enum { RAX = 0, RDX = 2, RBX = 3, TIMER_RATE = 5, MOST_TURNS = 64, NO_INDEX = 1 << 22, NO_BASE = 1 << 27 };
enum { REGISTER_RBX = 1 << 10 | RBX << 3, FLAGS = 0x8D5 };
enum { ADDRESS_64 = 2 << 7, SEGMENT_DS = 3 << 15, REGISTER2_RDX = 2 << 28 };
#define EVENT_VALID (1u << 31)

static void must(struct tower *t, bool holds, const char *what)
{
    if (!holds)
        fake_vmx_complain(&t->m, what);
}

static struct nest_event interrupted(const struct exit *exit)
{
    if (!(exit->idt_vectoring_info & EVENT_VALID))
        return (struct nest_event){0};
    return (struct nest_event){exit->idt_vectoring_info, exit->idt_vectoring_error, exit->instruction_length};
}

static void skip(struct tower *t, const struct nest_host *host, const struct exit *exit)
{
    uint64_t rip = host->get(host->context, VMCS_GUEST_RIP);
    host->set(host->context, VMCS_GUEST_RIP, rip + exit->instruction_length);
    t->done = true;
}

/* An instruction that a CP does in its guest's place. */
static void emulate(struct tower *t, const struct nest_host *host, const struct exit *exit)
{
    switch (exit->reason & 0xFFFF) {
    case EXIT_EXTERNAL_INTERRUPT:
    case EXIT_PREEMPTION_TIMER:
    case EXIT_INTERRUPT_WINDOW:
        return;
    case EXIT_EXCEPTION_NMI: /* back to who raised it */
        t->done = true;
        return;
    default:
        t->m.gpr[RAX] = 0x1234 + exit->reason;
        skip(t, host, exit);
    }
}

/* ---- CP0 --------------------------------------------------------------------------------------- */

static void load0(struct tower *t)
{
    must(t, fake_vmx_load(&t->m), "CP0 cannot enter");
    if (nest_deadline(&t->m.nest) == NEST_TIMER_FRESH)
        nest_timer_start(&t->m.nest, t->m.tsc);
}

static void h2_has_exit(struct tower *t)
{
    t->h2_exits++;
    t->in_l3 = false;
}

/* As cp/nested/exit.c has it. */
static bool delegated(struct tower *t, const struct exit *exit)
{
    unsigned reason = exit->reason & 0xFFFF;
    struct nest *root = &t->m.nest;
    enum nest_page_error error = NEST_PAGE_NOT_OFFERED;
    if (!nest_chain_delegates(root)) {
        nest_chain_yield(root->innermost, reason);
        return false;
    }
    unsigned limit = t->m.frames_limit;
    if (t->frames_spare >= 0)
        t->m.frames_limit = t->m.frames_held + (unsigned)t->frames_spare;
    enum nest_result result = reason == EXIT_VMCALL ? nest_chain_enter(root, t->m.gpr[RBX], &error)
                                                    : nest_chain_instruction(root, exit);
    t->m.frames_limit = limit;
    if (reason == EXIT_VMCALL)
        *(result == NEST_OUTER ? &t->outer : &t->delegated) += 1;
    if (result == NEST_OUTER)
        return false;
    t->event0 = result == NEST_ENTERED ? root->event : (struct nest_event){0};
    if (result == NEST_ENTERED)
        t->in_l3 = true;
    else if (result == NEST_REFLECTED)
        h2_has_exit(t);
    else if (result == NEST_SKIP) {
        if (reason == EXIT_VMCALL)
            t->m.gpr[RAX] = TOWER_ENTRY_FAILED + error;
        skip(t, root->host, exit);
    } else if (result == NEST_FAULT)
        t->done = true;
    else
        must(t, false, "CP0 cannot carry a call out");
    return true;
}

static bool is_vmx(const struct tower *t, unsigned reason)
{
    return reason == EXIT_VMCALL ? t->m.gpr[RAX] == TOWER_CALL : nest_is_instruction(reason);
}

static void give_back(struct tower *t)
{
    must(t, nest_chain_return(&t->m.nest, &t->event0) == NEST_REFLECTED, "CP1 does not get its guest back");
    t->event0 = (struct nest_event){0};
}

static void exit_of_guest(struct tower *t, const struct exit *exit)
{
    struct nest *root = &t->m.nest;
    bool chained = root->innermost != root;
    t->event0 = interrupted(exit);
    if (is_vmx(t, exit->reason & 0xFFFF) && delegated(t, exit))
        return;
    switch (nest_exit(root, exit)) {
    case NEST_REFLECTED:
        t->event0 = (struct nest_event){0};
        t->carried_exits += chained && root->in_guest;
        if (chained && root->in_guest)
            h2_has_exit(t);
        break;
    case NEST_CP:
        emulate(t, root->host, exit);
        break;
    case NEST_OUTER:
        give_back(t);
        break;
    case NEST_RESUME:
        break;
    default:
        must(t, false, "CP0 has an answer to an exit that cannot be");
    }
}

/* ---- CP1 --------------------------------------------------------------------------------------- */

static void window_set(struct tower *t)
{
    struct vmcs_page *page = t->first.page;
    uint32_t controls = page->fields.processor_controls & ~(uint32_t)CPU_INTERRUPT_WINDOW_EXITING;
    if (t->vector1 >= 0)
        controls |= CPU_INTERRUPT_WINDOW_EXITING;
    vmcs_page_write(page, VMCS_INDEX_PROCESSOR_CONTROLS, controls);
}

static uint64_t load1(struct tower *t)
{
    struct nest_entry entry;
    t->active = &t->first;
    if (!t->nest.in_guest)
        return NEST_NO_TIMER;
    must(t, nest_load(&t->nest, &entry) == NEST_RESUME, "CP1 cannot enter");
    t->active = entry.region;
    vmcs_page_write_set(t->active->page, entry.image, entry.write);
    vmcs_set_clear(entry.write);
    if (t->vector1 >= 0 && t->event1.info)
        return t->m.tsc; /* the event, and then the interrupt */
    return entry.deadline == NEST_TIMER_FRESH ? nest_timer_start(&t->nest, t->m.tsc) : entry.deadline;
}

/* An interrupt for V2 takes L3 out if V2 wants it. */
static bool interrupt_takes_out(struct tower *t)
{
    bool acknowledge;
    struct exit exit = {.reason = EXIT_EXTERNAL_INTERRUPT};
    if (!t->nest.in_guest || t->vector1 < 0 || t->event1.info ||
        nest_interrupt_arrives(&t->nest, &acknowledge) != NEST_ARRIVAL_EXIT)
        return false;
    if (acknowledge)
        exit.interruption_info = EVENT_VALID | (uint32_t)t->vector1;
    t->vector1 = -1;
    exit.rip = t->active->page->fields.guest_rip;
    must(t, nest_reflect(&t->nest, &exit) == NEST_REFLECTED, "V2 does not get an interrupt");
    h2_has_exit(t);
    return true;
}

static void note_event(struct vmcs_page *page, const struct nest_event *event)
{
    vmcs_page_write(page, VMCS_INDEX_ENTRY_INTERRUPTION_INFO, event->info);
    vmcs_page_write(page, VMCS_INDEX_ENTRY_EXCEPTION_ERROR_CODE, event->error);
    vmcs_page_write(page, VMCS_INDEX_ENTRY_INSTRUCTION_LENGTH, event->length);
}

static void enter1(struct tower *t)
{
    enum nest_page_error error;
    if (t->between)
        t->between(t);
    uint64_t deadline = load1(t);
    if (interrupt_takes_out(t))
        deadline = load1(t);
    window_set(t);
    if (t->deadline1 < deadline)
        deadline = t->deadline1;
    struct vmcs_page *page = t->active->page;
    uint64_t left = deadline > t->m.tsc ? (deadline - t->m.tsc) >> TIMER_RATE : 0;
    vmcs_page_write(page, VMCS_INDEX_PREEMPTION_TIMER, left < ~0u ? left : ~0u);
    note_event(page, &t->event1);
    page->delegation.state = 0;
    if (page == t->first.page && (!t->delegates || t->delegates(t)))
        nest_delegate(&t->nest, &page->delegation);
    page->rax = t->m.gpr[RAX], page->rbx = t->m.gpr[RBX];
    t->m.gpr[RAX] = TOWER_CALL, t->m.gpr[RBX] = (uint64_t)(uintptr_t)page;
    t->m.versions += !!t->m.versions;
    must(t, nest_enter_page(&t->m.nest, t->m.gpr[RBX], &error) == NEST_ENTERED, "CP1's call is not carried out");
    t->event0 = t->m.nest.event;
}

static void conclude1(struct tower *t, const struct exit *exit, enum nest_result result, enum nest_page_error error)
{
    switch (result) {
    case NEST_ENTERED:
        t->event1 = t->nest.event;
        t->in_l3 = true;
        break;
    case NEST_REFLECTED:
        h2_has_exit(t);
        break;
    case NEST_SKIP:
        if ((exit->reason & 0xFFFF) == EXIT_VMCALL)
            t->m.gpr[RAX] = TOWER_ENTRY_FAILED + error;
        skip(t, &t->host, exit);
        break;
    case NEST_FAULT:
        t->done = true;
        break;
    default:
        must(t, false, "CP1 cannot carry a call out");
    }
}

static void exit_of_v2(struct tower *t, const struct exit *exit)
{
    unsigned reason = exit->reason & 0xFFFF;
    if (reason == EXIT_VMCALL && t->m.gpr[RAX] == TOWER_CALL) {
        enum nest_page_error error;
        enum nest_result result = nest_enter_page(&t->nest, t->m.gpr[RBX], &error);
        conclude1(t, exit, result, error);
        return;
    }
    if (t->seen)
        t->seen(t, exit);
    if (nest_is_instruction(reason))
        conclude1(t, exit, nest_instruction(&t->nest, exit), NEST_PAGE_FAILED);
    else if (reason == EXIT_EPT_VIOLATION)
        tower_v2(t, exit->guest_physical);
    else
        emulate(t, &t->host, exit);
}

static void exit_of_l3(struct tower *t, const struct exit *exit)
{
    t->event1 = interrupted(exit);
    switch (nest_exit(&t->nest, exit)) {
    case NEST_REFLECTED:
        t->event1 = (struct nest_event){0};
        h2_has_exit(t);
        break;
    case NEST_CP:
        emulate(t, &t->host, exit);
        break;
    case NEST_RESUME:
        break;
    default:
        must(t, false, "CP1 has an answer to an exit that cannot be");
    }
}

static void exit1(struct tower *t)
{
    const struct vmcs *v = &t->active->page->fields;
    struct exit exit = {
        .reason = v->exit_reason, .qualification = v->exit_qualification, .rip = v->guest_rip,
        .instruction_length = v->exit_instruction_length, .instruction_info = v->exit_instruction_info,
        .guest_physical = v->guest_physical_address, .guest_linear = v->guest_linear_address,
        .interruption_info = v->exit_interruption_info, .interruption_error = v->exit_interruption_error_code,
        .idt_vectoring_info = v->idt_vectoring_info, .idt_vectoring_error = v->idt_vectoring_error_code,
    };
    if (t->active->page->delegation.state)
        nest_delegated(&t->nest, &t->active->page->delegation);
    t->event1 = (struct nest_event){0};
    if (t->deadline1 <= t->m.tsc)
        t->deadline1 = NEST_NO_TIMER;
    if (t->nest.in_guest)
        exit_of_l3(t, &exit);
    else
        exit_of_v2(t, &exit);
}

/* ---- turns --------------------------------------------------------------------------------------- */

void tower_run(struct tower *t)
{
    if (!t->m.nest.in_guest)
        enter1(t);
    load0(t);
}

/* CP1 has an exit, if it is not V2 or L3 that goes on. */
static void go_on(struct tower *t)
{
    if (!t->m.nest.in_guest)
        exit1(t);
    tower_run(t);
}

void tower_exit(struct tower *t, struct exit *exit)
{
    exit->rip = t->m.loaded->held.guest_rip;
    t->m.loaded->held.exit_instruction_length = exit->instruction_length;
    t->m.loaded->held.entry_interruption_info &= ~EVENT_VALID;
    exit_of_guest(t, exit);
    go_on(t);
}

void tower_interrupt(struct tower *t)
{
    struct exit exit = {.reason = EXIT_EXTERNAL_INTERRUPT};
    if (t->event0.info)
        return;
    nest_chain_stop(&t->m.nest);
    exit.rip = t->m.host.get(t->m.host.context, VMCS_GUEST_RIP);
    must(t, nest_reflect(&t->m.nest, &exit) == NEST_REFLECTED, "CP1 does not get an interrupt");
    go_on(t);
}

void tower_give_back(struct tower *t)
{
    give_back(t);
    go_on(t);
}

bool tower_chained(const struct tower *t)
{
    return t->m.nest.innermost != &t->m.nest;
}

bool tower_l3_runs(const struct tower *t)
{
    return tower_chained(t) || t->nest.in_guest;
}

void tower_settle(struct tower *t)
{
    for (unsigned i = 0; t->in_l3 && !tower_l3_runs(t); i++) {
        struct exit call = t->entry;
        must(t, call.reason != EXIT_VMCALL || t->m.gpr[RAX] == TOWER_CALL, "V2 does not stand at its call");
        must(t, i < MOST_TURNS, "V2's call is never carried out");
        if (t->m.complaint)
            return;
        tower_exit(t, &call);
    }
}

/* ---- V2 -------------------------------------------------------------------------------------------- */

void tower_v2_executes(struct tower *t, enum exit_reason reason)
{
    struct exit exit = {.reason = reason, .instruction_length = 3};
    tower_exit(t, &exit);
}

void tower_v2_operand(struct tower *t, enum exit_reason reason, uint64_t first, uint64_t second, uint64_t type)
{
    uint64_t *descriptor = tower_v2(t, TOWER_V2_OPERAND);
    struct exit exit = {.reason = reason, .instruction_length = 4, .qualification = TOWER_V2_OPERAND,
                        .instruction_info = ADDRESS_64 | SEGMENT_DS | NO_INDEX | NO_BASE | REGISTER2_RDX};
    descriptor[0] = first, descriptor[1] = second;
    t->m.gpr[RDX] = type;
    tower_exit(t, &exit);
}

void tower_v2_call(struct tower *t, uint64_t gpa2)
{
    t->m.gpr[RAX] = TOWER_CALL, t->m.gpr[RBX] = gpa2;
    tower_v2_enters(t, EXIT_VMCALL);
}

void tower_v2_enters(struct tower *t, enum exit_reason reason)
{
    struct exit call = t->entry = (struct exit){.reason = reason, .instruction_length = 3};
    tower_exit(t, &call);
    tower_settle(t);
}

/* Where hardware has the field; NULL: it exits. */
static struct vmcs *linked(struct tower *t, bool write, enum vmcs_field field)
{
    struct vmcs *held = &t->m.loaded->held;
    struct fake_region *region = (struct fake_region *)(uintptr_t)held->vmcs_link_pointer;
    if (!(held->secondary_controls & CPU2_VMCS_SHADOWING) || held->vmcs_link_pointer == NEST_NO_ADDRESS)
        return NULL;
    const uint8_t *bitmap = (const uint8_t *)(uintptr_t)(write ? held->vmwrite_bitmap : held->vmread_bitmap);
    must(t, region->used && region->shadow, "what V2 is linked to is no shadow VMCS");
    if (vmcs_bitmap_exits(bitmap, field))
        return NULL;
    held->guest_rflags &= ~(uint64_t)FLAGS;
    held->guest_rip += 3;
    return region->active ? &region->held : &region->memory;
}

static void field_exits(struct tower *t, enum exit_reason reason, enum vmcs_field field)
{
    struct exit exit = {.reason = reason, .instruction_length = 3, .instruction_info = REGISTER2_RDX | REGISTER_RBX};
    t->m.gpr[RDX] = field;
    tower_exit(t, &exit);
}

uint64_t tower_v2_read(struct tower *t, enum vmcs_field field)
{
    const struct vmcs *by_hardware = linked(t, false, field);
    t->m.gpr[RDX] = field;
    if (by_hardware)
        t->m.gpr[RBX] = vmcs_field_read(by_hardware, field, true);
    else
        field_exits(t, EXIT_VMREAD, field);
    return t->m.gpr[RBX];
}

void tower_v2_write(struct tower *t, enum vmcs_field field, uint64_t value)
{
    struct vmcs *by_hardware = linked(t, true, field);
    t->m.gpr[RBX] = value, t->m.gpr[RDX] = field;
    if (by_hardware)
        vmcs_field_write(by_hardware, field, value, true);
    else
        field_exits(t, EXIT_VMWRITE, field);
}
