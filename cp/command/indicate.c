/* INDICATE: how busy the machine is, and what a user takes of it. */
#include "cp/command/families.h"
#include "cp/directory/rows.h"
#include "cp/dispatch/account.h"
#include "cp/session/task.h"
#include "cp/session/user.h"
#include "cp/storage/frame.h"
#include "cp/time/clock_text.h"
#include "cp/time/timer.h"
#include "cp/time/work.h"
#include "lib/format.h"
#include "nest/nest.h"

const char command_indicate_help[] =
    "INDICATE [LOAD | USER [userid | *] | NEST [userid | *] | LONGEST]\n"
    "LOAD: share of the processor used since CP was started and of the page frames\n"
    "in use now; ticks of its clock in which it worked and in which nothing ran.\n"
    "USER: storage, time and exits of your machine; of another's for class E. STEAL:\n"
    "time in which it could have run and others did. NEST: its exits by reason: of\n"
    "its own program, VMX instructions apart; of guests that program runs, dealt\n"
    "with by CP, or given to the program. LONGEST: the most ticks for which each\n"
    "kind of exit, and each of CP's own doings, kept interrupts waiting.\n";

static unsigned percent(uint64_t part, uint64_t whole) { return whole >= 100 ? part / (whole / 100) : 0; }

static unsigned show_load(struct call *c)
{
    uint64_t used = 0, lived = clock_now() - user_started_ticks;
    unsigned runnable = 0;
    for (struct vm *vm = vm_list; vm; vm = vm->next) {
        if (vm->session && vm->session->vm != vm) /* what it had, the one upon it has */
            continue;
        used += vm_total_ticks(vm);
        runnable += vm->state == VM_RUNNABLE;
    }
    response_line(c->response, "AVGPROC-%03u%% 01", percent(used, lived));
    response_line(c->response, "STORAGE-%03u%% FRAMES-%u FREE-%u CP-%u",
                  percent((frame_total() - frame_available()) * 100, frame_total() * 100), (unsigned)frame_total(),
                  (unsigned)frame_available(), (unsigned)(frame_cp_account.frames + directory_account.frames));
    response_line(c->response, "USERS-%u RUNNABLE-%u", session_users(), runnable);
    response_line(c->response, "TICKS: BUSY=%llu IDLE=%llu EXITS=%llu",
                  (unsigned long long)(clock_now() - dispatch_account.idle_ticks),
                  (unsigned long long)dispatch_account.idle_ticks,
                  (unsigned long long)dispatch_account.entries);
    return 0;
}

struct longest {
    unsigned next; /* row of account_stretch_next */
};
_Static_assert(sizeof(struct longest) <= TASK_KEEPS, "kept from step to step");

static bool longest_on(struct session *s, struct response *response, unsigned *code)
{
    const char *what;
    uint64_t ticks;
    *code = 0;
    struct longest *l = task_kept(s);
    while (account_stretch_next(&l->next, &what, &ticks)) {
        response_line(response, "%-19s %13llu", what, (unsigned long long)ticks);
        if (work_over())
            return false;
    }
    return true;
}

static unsigned show_longest(struct call *c)
{
    *(struct longest *)task_kept(c->session) = (struct longest){0};
    return task_run(c->session, c->response, longest_on);
}

static uint64_t exits_of(const struct vm *vm)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < EXIT_REASONS; i++)
        sum += vm->exits[i] + vm->nested_handled[i] + vm->nested_reflected[i];
    return sum;
}

static unsigned show_user(struct call *c, const struct session *s)
{
    const struct vm *vm = s->vm;
    char span[CLOCK_TEXT], mine[CLOCK_TEXT], total[CLOCK_TEXT];
    response_line(c->response, "USERID=%-8s MACH=X64 STOR=%04uM VIRT=V XSTORE=NONE", s->user->id,
                  (unsigned)(vm->config.storage_bytes >> 20));
    response_line(c->response, "IPLSYS=%-8s DEVNUM=%05u", *s->system ? s->system : "NONE", vm->config.uarts);
    response_line(c->response, "PAGES: RES=%06u PRIVATE=%06u LIMIT=%06u",
                  (unsigned)(vm->storage.resident + vm->storage.shared),
                  (unsigned)(vm->storage.account.frames - vm->storage.account.dying),
                  (unsigned)vm->storage.account.limit);
    response_line(c->response, "CPU 00: CTIME=%s VTIME=%s TTIME=%s EXITS=%llu",
                  clock_text_span(span, clock_unix_us() - s->logon_us), clock_text_cpu(mine, vm->virtual_ticks),
                  clock_text_cpu(total, vm_total_ticks(vm)), (unsigned long long)exits_of(vm));
    response_line(c->response, "TICKS: VIRTUAL=%llu TOTAL=%llu STEAL=%llu", (unsigned long long)vm->virtual_ticks,
                  (unsigned long long)vm_total_ticks(vm), (unsigned long long)vm->steal_ticks);
    return 0;
}

/* ---- NEST ------------------------------------------------------------------------------------------------------- */

struct nest_table {
    unsigned next; /* exit reason */
    char about[DIRECTORY_NAME + 1];
};
_Static_assert(sizeof(struct nest_table) <= TASK_KEEPS, "kept from step to step");

struct nest_row {
    uint64_t own, vmx, handled, reflected;
};

static bool is_empty(const struct nest_row *r) { return !(r->own | r->vmx | r->handled | r->reflected); }

static void show_nest_row(struct response *response, const char *name, const struct nest_row *r)
{
    response_line(response, "%-19s %13llu %13llu %13llu %13llu", name, (unsigned long long)r->own,
                  (unsigned long long)r->vmx, (unsigned long long)r->handled, (unsigned long long)r->reflected);
}

static struct nest_row nest_row_of(const struct vm *vm, unsigned reason)
{
    uint64_t vmx = nest_is_instruction(reason) ? vm->exits[reason] : reason == EXIT_VMCALL ? vm->nested_calls : 0;
    return (struct nest_row){vm->exits[reason] - vmx, vmx, vm->nested_handled[reason], vm->nested_reflected[reason]};
}

static struct nest_row nest_total(const struct vm *vm)
{
    struct nest_row sum = {0};
    for (unsigned i = 0; i < EXIT_REASONS; i++) {
        struct nest_row row = nest_row_of(vm, i);
        sum.own += row.own, sum.vmx += row.vmx, sum.handled += row.handled, sum.reflected += row.reflected;
    }
    return sum;
}

/* The next rows. False: there are more, and no time for them now. Who it is about may log off meanwhile. */
static bool nest_on(struct session *s, struct response *response, unsigned *code)
{
    struct nest_table *t = task_kept(s);
    const struct session *about = session_find(t->about);
    struct nest_row row;
    *code = 0;
    while (about && t->next < EXIT_REASONS) {
        unsigned reason = t->next++;
        row = nest_row_of(about->vm, reason);
        if (!is_empty(&row))
            show_nest_row(response, exit_reason_name(reason), &row);
        if (work_over())
            return false;
    }
    row = about ? nest_total(about->vm) : (struct nest_row){0};
    if (about)
        show_nest_row(response, "TOTAL", &row);
    return true;
}

static unsigned show_nest(struct call *c, const struct session *about)
{
    struct nest_table *t = task_kept(c->session);
    response_line(c->response, "%-19s %13s %13s %13s %13s", "EXIT REASON", "L1 OWN", "L1 VMX", "L2 BY CP", "L2 TO L1");
    format_text(t->about, sizeof t->about, "%s", about->user->id);
    t->next = 0;
    return task_run(c->session, c->response, nest_on);
}

/* ----------------------------------------------------------------------------------------------------------------- */

static unsigned find_user(struct call *c, struct session **found)
{
    return call_session(c, "IDU", CLASS('E'), "INDICATE for another user", found);
}

unsigned command_indicate(struct call *c)
{
    struct word w;
    struct session *s;
    unsigned failed;
    if (!call_next(c, &w) || word_is(w, "LOAD", 1))
        return (failed = call_end(c, "IDL")) ? failed : show_load(c);
    if (word_is(w, "USER", 1))
        return (failed = find_user(c, &s)) || (failed = call_end(c, "IDU")) ? failed : show_user(c, s);
    if (word_is(w, "NEST", 4))
        return (failed = find_user(c, &s)) || (failed = call_end(c, "IDU")) ? failed : show_nest(c, s);
    if (word_is(w, "LONGEST", 4))
        return (failed = call_end(c, "IDL")) ? failed : show_longest(c);
    char text[32];
    word_upper(w, text, sizeof text);
    return FAIL(c, "IDL", 2, text);
}
