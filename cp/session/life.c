/* In: users who are who they say, and who leave. Out: machines with their disks, terminals that are somebody else's. */
#include "cp/session/life.h"

#include <string.h>

#include "cp/directory/load.h"
#include "cp/minidisk/link.h"
#include "cp/session/carrier.h"
#include "cp/session/dial.h"
#include "cp/session/link_tell.h"
#include "cp/session/nic.h"
#include "cp/session/operator.h"
#include "cp/session/record.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/session/session_vm.h"
#include "cp/session/spool_tell.h"
#include "cp/session/turn.h"
#include "cp/spool/unit.h"
#include "cp/terminal/terminal.h"
#include "cp/time/clock_text.h"
#include "lib/format.h"

/* ---- in and out of CP -------------------------------------------------------------------------------------------- */

void session_welcome(struct session *s)
{
    struct terminal *t = s->output.terminal;
    session_enter(s, SESSION_LOGON);
    if (session_closed)
        return;
    if (t)
        t->unwelcomed = t->away;
    output_write(&s->output, "\nVM/N ONLINE\n\n", 14);
    output_say(&s->output, "Enter LOGON userid, or HELP");
    session_prompt(s);
}

void session_enter_cp(struct session *s)
{
    bool begun = s->state == SESSION_COMMAND;
    session_enter(s, SESSION_READ);
    if (begun)
        session_prompt_again(s);
    else
        session_prompt(s);
    typing_take_over(s);
}

void session_begin(struct session *s)
{
    s->typing.attention.typed = 0;
    s->output.owes = true;
    turn_wanted = true;
    session_enter(s, s->state == SESSION_COMMAND ? SESSION_COMMAND : SESSION_RUN);
}

/* ---- logging on and off ----------------------------------------------------------------------------------------- */

static void give_disk(struct session *s, const struct directory_disk *disk, unsigned vdev, enum link_mode mode)
{
    struct response response = {.session = s};
    char number[5];
    const char *owner = directory_user(&directory, disk->user)->id;
    format_text(number, sizeof number, "%04X", vdev);
    switch (link_make(s->user, &s->vm->machine, disk, vdev, mode)) {
    case LINK_OK: break;
    case LINK_FORCED_READ: link_tell_forced(&response, disk, s->user, vdev); break;
    case LINK_REFUSED: link_tell_refused(&response, disk); break;
    case LINK_NO_VOLUME: response_error(&response, "LNM", 108, owner, number); break;
    default: response_error(&response, "LNM", 9010, owner, number);
    }
}

static void give_disks(struct session *s, const struct user *user)
{
    const struct directory_disk *disk = directory.disk + user->disk;
    const struct directory_link *link = directory.link + user->link;
    for (unsigned i = 0; i < user->disks; i++)
        give_disk(s, &disk[i], disk[i].vdev, disk[i].mode);
    for (unsigned i = 0; i < user->links; i++)
        give_disk(s, &directory.disk[link[i].disk], link[i].vdev, link[i].mode);
}

/* A user, at a terminal if there is one. */
static void sit_down(struct session *s)
{
    struct terminal *t = s->output.terminal;
    if (t && t->dialled && !t->served)
        carrier_served(t->number);
    if (t)
        t->served = true;
    idle_forget(&s->idle);
}

bool session_logon(struct session *s, const struct user *user)
{
    if (session_users() == USERS_AT_ONCE)
        return false;
    directory_take(&s->own, user);
    s->vm = vm_create(&s->own.machine);
    terminal_look(); /* it takes half of what a UART's sixteen bytes do */
    if (!s->vm)
        return false;
    s->vm->session = s;
    s->user = &s->own;
    s->state = SESSION_READ;
    s->logon_us = clock_unix_us();
    output_is_new(&s->output);
    sit_down(s);
    s->nested = user->machine.nesting;
    s->typing.editor.history = s->typing.history;
    spool_units_reset(&s->spool, user->id);
    spool_tell_files(s);
    give_disks(s, user);
    nic_logon(s);
    return true;
}

static void drop_machine(struct session *s)
{
    dial_let_all_go(s);
    nic_logoff(s);
    spool_units_close(&s->spool);
    stack_drop(s);
    link_forget(s->user);
    s->user = NULL;
}

static void say_accounts(struct session *s)
{
    char span[CLOCK_TEXT], mine[CLOCK_TEXT], total[CLOCK_TEXT];
    output_say(&s->output, "CONNECT= %s VIRTCPU= %s TOTCPU= %s", clock_text_span(span, clock_unix_us() - s->logon_us),
                clock_text_cpu(mine, s->vm->virtual_ticks), clock_text_cpu(total, vm_total_ticks(s->vm)));
}

void session_leave(struct session *s, bool hold)
{
    struct terminal *t = s->output.terminal;
    bool carried = t->dialled;
    output_drain(&s->output); /* before the line knows that it was all */
    if (hold || !terminal_hang_up(t)) {
        session_welcome(s);
        return;
    }
    session_enter(s, SESSION_LOGON);
    s->output.owes = false;
    if (carried)
        carrier_hang_up(t->number, !t->served);
}

void session_logoff(struct session *s, const char *by)
{
    char now[CLOCK_TEXT];
    bool hold = s->deed.hold;
    output_plain(&s->output, &s->output);
    say_accounts(s);
    output_say(&s->output, "LOGOFF AT %s%s%s", clock_text_full(now, clock_unix_us()), by ? " BY " : "", by ? by : "");
    record_account(s, by);
    operator_tell_logoff(s, by);
    terminal_look(); /* what was said and recorded, and the end of a machine, take longer than a UART's sixteen bytes */
    if (s->ended) { /* this machine is all there is: CP ends with it */
        s->ended(s);
        return;
    }
    drop_machine(s);
    if (!s->output.terminal) {
        session_free(s);
        return;
    }
    if (by)
        terminal_forget(s->output.terminal); /* it was not meant for the prompt */
    session_reset(s);
    session_leave(s, hold);
}

/* Nobody is at its prompt any more: its machine runs on, and so do both that rest, after it. */
static void leave_running(struct session *s)
{
    bool rests = session_rests(s);
    enum session_state *at = rests ? &s->rest.then : &s->state;
    if (*at == SESSION_COMMAND)
        *at = SESSION_RUN;
    if (*at != SESSION_READ || s->vm->state != VM_STOPPED || s->vm->stop != VM_STOP_USER || !*s->system ||
        s->deed.noted)
        return;
    if (!rests) {
        session_begin(s);
        return;
    }
    s->rest.then = SESSION_RUN;
    s->rest.machine_stopped = true;
}

bool session_disconnect(struct session *s, bool hold)
{
    struct terminal *terminal = s->output.terminal;
    struct session *next = terminal ? session_create() : NULL;
    char now[CLOCK_TEXT];
    if (!next)
        return !terminal;
    s->output.terminal = NULL; /* what is queued by now is replayed at the reconnect */
    next->output.terminal = terminal;
    terminal->session = next;
    output_plain(&next->output, &s->output);
    output_say(&next->output, "DISCONNECT AT %s", clock_text_full(now, clock_unix_us()));
    operator_tell(s, "DISCONNECT", NULL);
    session_leave(next, hold);
    leave_running(s);
    return true;
}

void session_reconnect(struct session *s, struct session *from)
{
    s->output.terminal = from->output.terminal;
    s->output.terminal->session = s;
    session_stir(s);
    sent_begin(s); /* who is there types for themselves */
    from->output.terminal = NULL;
    session_free(from);
    dial_tell_size(s);
    sit_down(s);
    output_resume(&s->output);
    output_drain(&s->output); /* or there is no room for what follows either */
    operator_tell(s, "RECONNECT", NULL);
    session_pump(s);
}
