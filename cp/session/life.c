/* A session's life: LOGON to LOGOFF, in and out of CP, and what commands asked to be done afterwards. */
#include <errno.h>
#include <string.h>

#include "cp/directory/load.h"
#include "cp/ipl/system.h"
#include "cp/message/level.h"
#include "cp/minidisk/link.h"
#include "cp/session/internal.h"
#include "cp/session/link_tell.h"
#include "cp/session/operator.h"
#include "cp/session/response.h"
#include "cp/terminal/terminal.h"
#include "cp/time/clock_text.h"
#include "cp/time/work.h"
#include "lib/format.h"

static unsigned error(struct session *s, const char *module, unsigned number, const char *a, const char *b)
{
    return response_error(&(struct response){.session = s}, module, number, a, b);
}

/* ---- prompts ---------------------------------------------------------------------------------------------------- */

bool session_closed;

void session_prompt(struct session *s)
{
    editor_begin(&s->editor, s->state == SESSION_PASSWORD);
    s->output.owes = true;
    session_wanted = true;
}

void session_welcome(struct session *s)
{
    s->state = SESSION_LOGON;
    if (session_closed)
        return;
    if (s->terminal)
        s->terminal->unwelcomed = s->terminal->away;
    session_write(s, "\nVM/N ONLINE\n\n", 14);
    session_say(s, "Enter LOGON userid, or HELP");
    session_prompt(s);
}

void session_enter_cp(struct session *s)
{
    if (s->vm && s->vm->state != VM_STOPPED && !(s->settings & SET_RUN))
        vm_stop(s->vm, VM_STOP_USER, 0);
    s->state = SESSION_READ;
    session_prompt(s);
}

void session_begin(struct session *s)
{
    s->state = SESSION_RUN;
    s->attention.typed = 0;
    s->output.owes = true;
    session_wanted = true;
    if (s->vm->state == VM_STOPPED)
        vm_begin(s->vm);
}

/* ---- logging on and off ----------------------------------------------------------------------------------------- */

static void give_disk(struct session *s, const struct directory_disk *disk, unsigned vdev, enum link_mode mode)
{
    char number[5];
    const char *owner = directory.user[disk->user].id;
    format_text(number, sizeof number, "%04X", vdev);
    switch (link_make(s->user, &s->vm->machine, disk, vdev, mode)) {
    case LINK_OK: break;
    case LINK_FORCED_READ: link_tell_forced(&(struct response){.session = s}, disk, s->user, vdev); break;
    case LINK_REFUSED: link_tell_refused(&(struct response){.session = s}, disk); break;
    case LINK_NO_VOLUME: error(s, "LNM", 108, owner, number); break;
    default: error(s, "LNM", 9010, owner, number);
    }
}

static void give_disks(struct session *s)
{
    for (unsigned i = 0; i < directory.disks; i++)
        if (&directory.user[directory.disk[i].user] == s->user)
            give_disk(s, &directory.disk[i], directory.disk[i].vdev, directory.disk[i].mode);
    for (unsigned i = 0; i < directory.links; i++)
        if (&directory.user[directory.link[i].user] == s->user)
            give_disk(s, &directory.disk[directory.link[i].disk], directory.link[i].vdev, directory.link[i].mode);
}

static struct vm *make_machine(const struct session *s, const struct user *user)
{
    uint64_t bytes = (uint64_t)user->storage_mib << 20, most = (uint64_t)user->maximum_mib << 20;
    struct vm_config config = {
        .storage_bytes = bytes,
        .frame_limit =
            most / PAGE_SIZE + most / PAGE_SIZE / 256 + 1024, /* its storage, the tables that map it, the machine, its nest */
        .rank = s->ended || user->classes & CLASS('A') ? FRAME_OPERATOR : FRAME_USER,
        .uarts = user->lines,
        .debug_exit = user->debug_exit,
        .no_diagnose = user->no_diagnose,
        .nested = user->nesting,
    };
    memcpy(config.userid, user->id, sizeof config.userid);
    return vm_create(&config);
}

bool session_logon(struct session *s, const struct user *user)
{
    s->vm = make_machine(s, user);
    if (!s->vm)
        return false;
    s->vm->session = s;
    s->user = user;
    s->state = SESSION_READ;
    s->logon_us = clock_unix_us();
    s->nested = user->nesting;
    s->editor.history = s->history;
    give_disks(s);
    return true;
}

static void drop_machine(struct session *s)
{
    system_ipl_cancel(s->vm);
    vm_destroy(s->vm);
    link_forget(s->user);
    s->vm = NULL;
    s->user = NULL;
}

static void say_accounts(struct session *s)
{
    char span[CLOCK_TEXT], mine[CLOCK_TEXT], total[CLOCK_TEXT];
    session_say(s, "CONNECT= %s VIRTCPU= %s TOTCPU= %s", clock_text_span(span, clock_unix_us() - s->logon_us),
                clock_text_cpu(mine, s->vm->virtual_ticks), clock_text_cpu(total, vm_total_ticks(s->vm)));
}

void session_logoff(struct session *s, const char *by)
{
    char now[CLOCK_TEXT];
    output_plain(s, s);
    say_accounts(s);
    session_say(s, "LOGOFF AT %s%s%s", clock_text_full(now, clock_unix_us()), by ? " BY " : "", by ? by : "");
    operator_tell_logoff(s, by);
    if (s->ended) { /* this machine is all there is: CP ends with it */
        s->ended(s);
        return;
    }
    drop_machine(s);
    if (!s->terminal) {
        session_free(s);
        return;
    }
    if (by)
        terminal_forget(s->terminal); /* it was not meant for the prompt */
    session_reset(s);
    session_welcome(s);
}

bool session_disconnect(struct session *s)
{
    struct terminal *terminal = s->terminal;
    struct session *next = terminal ? session_create() : NULL;
    char now[CLOCK_TEXT];
    if (!next)
        return !terminal;
    s->terminal = NULL; /* what is queued by now is replayed at the reconnect */
    next->terminal = terminal;
    terminal->session = next;
    output_plain(next, s);
    session_say(next, "DISCONNECT AT %s", clock_text_full(now, clock_unix_us()));
    operator_tell(s, "DISCONNECT", NULL);
    session_welcome(next);
    if (s->state == SESSION_COMMAND)
        s->state = SESSION_RUN;
    if (s->state == SESSION_READ && s->vm->state == VM_STOPPED && s->vm->stop == VM_STOP_USER && *s->system &&
        !s->deed)
        session_begin(s);
    return true;
}

void session_reconnect(struct session *s, struct session *from)
{
    s->terminal = from->terminal;
    s->terminal->session = s;
    from->terminal = NULL;
    session_free(from);
    if (s->output.dropped)
        session_say(s, "%u characters of CP's messages are lost", s->output.dropped);
    s->output.dropped = 0;
    s->output.owes = true;
    operator_tell(s, "RECONNECT", NULL);
    session_pump(s);
}

/* ---- starting systems ------------------------------------------------------------------------------------------- */

void session_ipl(struct session *s, const char *system, const char *parm)
{
    format_text(s->deed_system, sizeof s->deed_system, "%s", system);
    format_text(s->deed_parm, sizeof s->deed_parm, "%s", parm);
    session_note(s, DEED_IPL);
}

static void tell_no_ipl(struct session *s, int failed, const char *reason)
{
    error(s, failed == -ENOENT ? "NSS" : "VMI", failed == -ENOENT ? 9014 : 9011, s->deed_system, reason);
    session_enter_cp(s);
}

/* Goes on loading, as far as the slice goes. */
static void load(struct session *s)
{
    const char *reason = "";
    int result;
    do
        result = system_ipl_go_on(s->vm, &reason);
    while (result == SYSTEM_IPL_MORE && !work_over());
    if (result == SYSTEM_IPL_MORE) {
        s->deed = DEED_LOAD;
    } else if (result) {
        tell_no_ipl(s, result, reason);
    } else {
        format_text(s->system, sizeof s->system, "%s", s->deed_system);
        s->output.partial_length = 0;
        session_begin(s);
    }
}

static void ipl(struct session *s)
{
    const char *reason = "";
    s->vm->config.nested = s->nested;
    int failed = system_ipl(s->vm, s->deed_system, s->deed_parm, &reason);
    if (failed == -EAGAIN)
        s->deed = DEED_IPL;
    else if (failed)
        tell_no_ipl(s, failed, reason);
    else
        s->deed = DEED_LOAD;
}

static void restart(struct session *s)
{
    format_text(s->deed_system, sizeof s->deed_system, "%s", s->system);
    *s->deed_parm = 0;
    ipl(s);
}

static void clear_storage(struct session *s, uint64_t bytes, bool tell_size)
{
    char size[24];
    format_text(size, sizeof size, "%uM", (unsigned)(bytes >> 20));
    if (vm_define_storage(s->vm, bytes)) {
        error(s, "DST", 9012, size, NULL);
        return;
    }
    if (tell_size)
        session_say(s, "STORAGE = %s", size);
    session_say(s, "Storage cleared - system reset.");
}

static void redefine(struct session *s)
{
    clear_storage(s, s->deed_storage, true);
    session_enter_cp(s);
}

static void reset(struct session *s, bool clear)
{
    s->vm->config.nested = s->nested;
    if (clear) {
        clear_storage(s, s->vm->config.storage_bytes, false);
    } else {
        vm_reset(s->vm);
        session_say(s, "System reset.");
    }
    session_enter_cp(s);
}

bool session_logon_noted(const struct user *user)
{
    for (struct session *s = NULL; (s = session_next(s));)
        if (s->deed == DEED_AUTOLOG && s->deed_user == user)
            return true;
    return false;
}

bool session_logon_note(const struct user *user, const char *by)
{
    struct session *s = session_create();
    if (!s)
        return false;
    s->deed_user = user;
    s->deed_by = by;
    session_note(s, DEED_AUTOLOG);
    return true;
}

/* They may have come by themselves meanwhile, and who asked may have left. */
static void autolog(struct session *s)
{
    const struct user *user = s->deed_user;
    const char *by = s->deed_by;
    struct session *asker = session_find(by);
    unsigned failed = session_find(user->id) ? 9023 : session_closed || !session_logon(s, user) ? 9022 : 0;
    if (failed) {
        session_free(s);
        if (asker)
            error(asker, "XAL", failed, user->id, NULL);
        return;
    }
    if (asker)
        session_say(asker, "AUTO LOGON  ***  %-8s USERS = %u", user->id, session_users());
    operator_tell(s, "AUTO LOGON", by);
    if (user->ipl)
        session_ipl(s, user->ipl, user->parm);
}

/* Who is being logged off does nothing else before. */
void session_note(struct session *s, enum session_deed deed)
{
    if (s->deed != DEED_LOGOFF)
        s->deed = deed;
    if (s->vm && s->vm->state != VM_STOPPED && deed != DEED_DISCONNECT)
        vm_stop(s->vm, VM_STOP_USER, 0);
    session_soon();
}

/* Disks may still write into the machine's storage: it must not go under them. */
static bool must_wait(const struct session *s)
{
    return s->deed != DEED_DISCONNECT && s->deed != DEED_READ && s->vm && machine_in_flight(&s->vm->machine);
}

void session_settle(struct session *s)
{
    enum session_deed deed = s->deed;
    if (must_wait(s)) {
        if (deed == DEED_LOGOFF)
            machine_reset(&s->vm->machine); /* nothing more is begun: what a disk reads may be the ring it goes on with */
        return;
    }
    s->deed = DEED_NONE;
    if (deed != DEED_LOAD && s->vm)
        system_ipl_cancel(s->vm);
    switch (deed) {
    case DEED_LOGOFF: session_logoff(s, s->deed_by); return;
    case DEED_AUTOLOG: autolog(s); return;
    case DEED_DISCONNECT: session_disconnect(s); break;
    case DEED_IPL: ipl(s); break;
    case DEED_LOAD: load(s); break;
    case DEED_SYSTEM_RESTART: restart(s); break;
    case DEED_SYSTEM_RESET:
    case DEED_SYSTEM_CLEAR: reset(s, deed == DEED_SYSTEM_CLEAR); break;
    case DEED_DEFINE_STORAGE: redefine(s); break;
    case DEED_READ: session_enter_cp(s); break;
    case DEED_NONE: return;
    }
    if (session_run_rest(s))
        session_soon();
}

/* ---- when a machine stops by itself ----------------------------------------------------------------------------- */

void session_vm_stopped(struct vm *vm)
{
    static const unsigned number[] = {
        [VM_STOP_POWER_OFF] = 2629,  [VM_STOP_TRIPLE_FAULT] = 453, [VM_STOP_DISABLED_WAIT] = 450,
        [VM_STOP_NO_STORAGE] = 9001, [VM_STOP_NO_FRAMES] = 9002,   [VM_STOP_BAD_ENTRY] = 451,
        [VM_STOP_EMULATION] = 9003,  [VM_STOP_TEST_EXIT] = 9004,   [VM_STOP_VMX_ABORT] = 9005,
        [VM_STOP_UNSOUND] = 9008,    [VM_STOP_TAKEN] = 9009,
        [VM_STOP_RESET] = 9006,      [VM_STOP_MACHINE_CHECK] = 9007};
    struct session *s = vm->session;
    char rip[20], detail[12];
    if (!s || s->deed || vm->stop == VM_STOP_USER || vm->stop == VM_STOP_NONE)
        return;
    format_text(rip, sizeof rip, "%016llX", (unsigned long long)vcpu_read(&vm->vcpu, VMCS_GUEST_RIP));
    format_text(detail, sizeof detail, "%u", vm->stop_detail);
    bool ordinary = vm->stop == VM_STOP_POWER_OFF || vm->stop == VM_STOP_TEST_EXIT || vm->stop == VM_STOP_RESET;
    if (!s->ended || !ordinary)
        error(s, "GIR", number[vm->stop], rip, detail);
    if (s->ended)
        s->ended(s);
    else if (vm->stop == VM_STOP_RESET && *s->system)
        session_note(s, DEED_SYSTEM_RESTART);
    else if (s->state != SESSION_READ)
        session_enter_cp(s);
}
