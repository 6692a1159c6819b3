/* In: what commands noted. Out: machines that are loaded, reset or gone, sessions that begin and end. */
#include "cp/session/deed.h"

#include <errno.h>
#include <string.h>

#include "cp/ipl/nss.h"
#include "cp/directory/load.h"
#include "cp/ipl/system.h"
#include "cp/session/dial.h"
#include "cp/session/life.h"
#include "cp/session/operator.h"
#include "cp/session/replace.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/session/session_vm.h"
#include "cp/session/turn.h"
#include "cp/terminal/terminal.h"
#include "cp/time/work.h"
#include "lib/format.h"

static unsigned error(struct session *s, const char *module, unsigned number, const char *a, const char *b)
{
    return response_error(&(struct response){.session = s}, module, number, a, b);
}

/* What was typed for the program that has ended, and was not taken, is not for the next. */
static void forget_unread(struct session *s)
{
    if (s->typing.machine_full)
        typing_forget_held(s);
}

/* ---- starting systems ------------------------------------------------------------------------------------------- */

static void tell_no_ipl(struct session *s, int failed, const char *reason)
{
    unsigned number = failed == -ENOENT ? 9014 : 9011;
    error(s, failed == -ENOENT ? "NSS" : "VMI", number, s->deed.system, reason);
    if (s->stack.begins)
        stack_refuse(s, number);
    else
        session_enter_cp(s);
}

/* Goes on loading, as far as the slice goes. */
static void load(struct session *s)
{
    const char *reason = "";
    int result;
    do {
        result = system_ipl_go_on(s->vm, &reason);
        terminal_look();
    } while (result == SYSTEM_IPL_MORE && !work_over());
    if (result == SYSTEM_IPL_MORE) {
        s->deed.noted = DEED_LOAD;
    } else if (result) {
        tell_no_ipl(s, result, reason);
    } else {
        format_text(s->system, sizeof s->system, "%s", s->deed.system);
        if (s->stack.begins) {
            stack_begun(s);
            return;
        }
        s->output.partial_length = s->output.partial_unsent = 0;
        forget_unread(s);
        session_begin(s);
    }
}

static void ipl(struct session *s)
{
    const char *reason = "";
    s->vm->config.nesting = s->nested;
    int failed = system_ipl(s->vm, s->deed.system, s->deed.parm, &reason);
    if (failed == -EAGAIN)
        s->deed.noted = DEED_IPL;
    else if (failed)
        tell_no_ipl(s, failed, reason);
    else
        s->deed.noted = DEED_LOAD;
}

static void restart(struct session *s)
{
    format_text(s->deed.system, sizeof s->deed.system, "%s", s->system);
    *s->deed.parm = 0;
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
    forget_unread(s);
    if (tell_size)
        output_say(&s->output, "STORAGE = %s", size);
    output_say(&s->output, "Storage cleared - system reset.");
}

static void redefine(struct session *s)
{
    clear_storage(s, s->deed.storage, true);
    session_enter_cp(s);
}

static void clear(struct session *s)
{
    s->vm->config.nesting = s->nested;
    clear_storage(s, s->vm->config.storage_bytes, false);
    session_enter_cp(s);
}

static void reset(struct session *s)
{
    s->vm->config.nesting = s->nested;
    vm_reset(s->vm);
    forget_unread(s);
    output_say(&s->output, "System reset.");
    session_enter_cp(s);
}

/* ---- a machine upon another ------------------------------------------------------------------------------------- */

static void begin_machine(struct session *s)
{
    if (system_ipl_is_busy()) {
        s->deed.noted = DEED_MACHINE_BEGIN;
        return;
    }
    const char *why = stack_begin(s);
    if (!why) {
        s->deed.noted = DEED_LOAD;
        return;
    }
    error(s, "VMI", 9011, s->deed.system, why);
    stack_refuse(s, 9011);
}

static void end_machine(struct session *s) { stack_end(s); }

/* ---- coming and going -------------------------------------------------------------------------------------------- */

/* They may have come by themselves meanwhile, and who asked may have left. */
static void autolog(struct session *s)
{
    const struct deed deed = s->deed;
    const char *by = deed.by;
    const struct user *user = directory_find(&directory, deed.user);
    struct session *asker = session_find(by);
    unsigned failed = !user                                             ? 53
                      : session_find(user->id)                          ? 9023
                      : session_closed || !session_logon(s, user) ? 9022
                                                                        : 0;
    if (failed) {
        session_free(s);
        if (asker)
            error(asker, "XAL", failed, deed.user, NULL);
        return;
    }
    if (asker)
        output_say(&asker->output, "AUTO LOGON  ***  %-8s USERS = %u", user->id, session_users());
    operator_tell(s, "AUTO LOGON", by);
    if (user->ipl)
        deed_note_ipl(s, user->ipl, user->parm);
}

static void log_off(struct session *s) { session_logoff(s, *s->deed.by ? s->deed.by : NULL); }
static void disconnect(struct session *s) { session_disconnect(s, s->deed.hold); }

/* ---- noting and doing -------------------------------------------------------------------------------------------- */

static const struct {
    void (*carry_out)(struct session *);
    bool waits; /* for the machine's disks, which may still write into the storage that it clears or takes */
    bool stays; /* the session, with the commands left on its line */
} deeds[DEEDS] = {
    [DEED_LOGOFF] = {log_off, .waits = true},
    [DEED_AUTOLOG] = {autolog, .waits = true},
    [DEED_DISCONNECT] = {disconnect, .stays = true},
    [DEED_DROP] = {dial_drop},
    [DEED_READ] = {session_enter_cp, .stays = true},
    [DEED_MACHINE_BEGIN] = {begin_machine, .stays = true},
    [DEED_MACHINE_END] = {end_machine, .waits = true, .stays = true},
    [DEED_IPL] = {ipl, .waits = true, .stays = true},
    [DEED_LOAD] = {load, .waits = true, .stays = true},
    [DEED_SYSTEM_RESET] = {reset, .waits = true, .stays = true},
    [DEED_SYSTEM_CLEAR] = {clear, .waits = true, .stays = true},
    [DEED_SYSTEM_RESTART] = {restart, .waits = true, .stays = true},
    [DEED_DEFINE_STORAGE] = {redefine, .waits = true, .stays = true},
};

/* Who is being logged off does nothing else before. */
void deed_note(struct session *s, enum deed_kind kind)
{
    if (s->deed.noted != DEED_LOGOFF)
        s->deed.noted = kind;
    session_stir(s);
    if (s->vm && s->vm->state != VM_STOPPED && kind != DEED_DISCONNECT)
        vm_stop(s->vm, VM_STOP_USER, 0);
    turn_soon();
}

void deed_note_ipl(struct session *s, const char *system, const char *parm)
{
    format_text(s->deed.system, sizeof s->deed.system, "%s", system);
    format_text(s->deed.parm, sizeof s->deed.parm, "%s", parm);
    deed_note(s, DEED_IPL);
}

void deed_note_logoff(struct session *s, const char *by, bool hold)
{
    format_text(s->deed.by, sizeof s->deed.by, "%s", by ? by : "");
    s->deed.hold = hold;
    deed_note(s, DEED_LOGOFF);
}

void deed_note_disconnect(struct session *s, bool hold)
{
    s->deed.hold = hold;
    deed_note(s, DEED_DISCONNECT);
}

bool deed_note_autolog(const char *user, const char *by)
{
    struct session *s = session_create();
    if (!s)
        return false;
    format_text(s->deed.user, sizeof s->deed.user, "%s", user);
    format_text(s->deed.by, sizeof s->deed.by, "%s", by);
    deed_note(s, DEED_AUTOLOG);
    return true;
}

bool deed_autolog_noted(const char *user)
{
    for (struct session *s = NULL; (s = session_next(s));)
        if (s->deed.noted == DEED_AUTOLOG && !strcmp(s->deed.user, user))
            return true;
    return false;
}

static bool in_flight(const struct session *s, enum deed_kind kind)
{
    return kind == DEED_LOGOFF ? stack_in_flight(s) : machine_in_flight(&s->vm->machine);
}

void deed_carry_out(struct session *s)
{
    enum deed_kind kind = s->deed.noted;
    if (kind == DEED_AUTOLOG && replace_holds())
        return;
    if (deeds[kind].waits && s->vm && in_flight(s, kind)) {
        if (kind == DEED_LOGOFF)
            stack_reset_devices(s); /* or what a disk reads may be the ring it goes on with, for ever */
        return;
    }
    s->deed.noted = DEED_NONE;
    if (kind != DEED_LOAD && s->vm)
        system_ipl_cancel(s->vm);
    if (kind != DEED_DISCONNECT && s->vm)
        nss_save_cancel(s->vm);
    deeds[kind].carry_out(s);
    if (kind == DEED_DISCONNECT && s->vm && s->stack.waiting) /* the machine may have ended meanwhile */
        session_vm_stopped(s->vm);
    if (deeds[kind].stays && typing_go_on(s))
        turn_soon();
}
