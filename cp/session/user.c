/* CP's users: the start, and the event loop's turn. In: lines, a disk. Out: sessions. */
#include "cp/session/user.h"

#include <string.h>

#include "cp/audit/log.h"
#include "cp/directory/load.h"
#include "cp/dispatch/account.h"
#include "cp/ipl/nss_store.h"
#include "cp/ipl/system.h"
#include "cp/message/level.h"
#include "cp/minidisk/area.h"
#include "cp/minidisk/link.h"
#include "cp/network/uplink.h"
#include "cp/session/dial.h"
#include "cp/session/last.h"
#include "cp/session/life.h"
#include "cp/session/operator.h"
#include "cp/session/power_off.h"
#include "cp/session/response.h"
#include "cp/session/seat.h"
#include "cp/session/session.h"
#include "cp/session/session_vm.h"
#include "cp/session/shutdown.h"
#include "cp/session/snapshot_tell.h"
#include "cp/session/spool_tell.h"
#include "cp/session/turn.h"
#include "cp/session/verify.h"
#include "cp/snapshot/snapshot.h"
#include "cp/spool/spool.h"
#include "cp/terminal/terminal.h"
#include "cp/time/work.h"
#include "cp/vcpu/machine_check.h"
#include "lib/format.h"

enum { BYTES_A_TURN = 256 }; /* of one terminal's input, so that a flood leaves time for others */

uint64_t user_started_us, user_started_ticks;

static void begin(void)
{
    user_started_us = clock_unix_us();
    user_started_ticks = clock_now();
    vm_stopped = session_vm_stopped;
    vm_output = session_vm_output;
    vm_input_room = session_vm_input_room;
    vm_size = session_vm_size;
    vm_hung_up = dial_hung_up;
    vm_traced = trace_vmx;
    vm_diagnose = diagnose;
    vm_called = diagnose_called;
    machine_check_told = operator_tell_machine_check;
}

/* ---- starting --------------------------------------------------------------------------------------------------- */

void user_tell_all(const char *module, unsigned number, const char *a, const char *b)
{
    for (struct session *s = NULL; (s = session_next(s));)
        response_error(&(struct response){.session = s}, module, number, a, b);
}

static void tell_of_directory(void *context, unsigned number, const char *a, const char *b)
{
    (void)context;
    user_tell_all("DIR", number, a, b);
}

static char console_user[DIRECTORY_NAME + 1];

void user_console_logon(const char *id, unsigned length)
{
    if (length > DIRECTORY_NAME)
        length = 0; /* nobody has such a name */
    memcpy(console_user, id, length);
    console_user[length] = 0;
}

static void console_logon(void)
{
    const struct terminal *first = terminal_next(NULL);
    struct session *s = first ? first->session : NULL;
    const struct user *user = *console_user ? directory_find(&directory, console_user) : NULL;

    if (!s || !*console_user)
        return;
    if (!user)
        output_say(&s->output, "logon=%s: no such user", console_user);
    else
        logon_complete(s, user);
}

static void welcome(void)
{
    for (struct session *s = NULL; (s = session_next(s));)
        if (s->state == SESSION_LOADING)
            session_welcome(s);
}

void user_start(struct disk *system_disk, struct line *lines[], unsigned count)
{
    begin();
    for (unsigned i = 0; i < count; i++) {
        struct session *s = seat_add(lines[i]);
        if (s)
            s->state = SESSION_LOADING;
    }
    link_volume = system_disk;
    directory_load(system_disk, tell_of_directory, NULL, turn_soon);
}

/* ---- one machine ------------------------------------------------------------------------------------------------ */

/* A status of CP's own is none that a machine can write; but a CP in it may pass one on. */
static unsigned single_status(const struct vm *vm)
{
    if (vm->stop == VM_STOP_POWER_OFF || vm->stop == VM_STOP_RESET)
        return 0;
    if (vm->stop != VM_STOP_TEST_EXIT || vm->stop_detail == CP_EXIT_OTHER_BELOW)
        return CP_EXIT_OTHER;
    return vm->stop_detail < CP_EXIT_MACHINE_MAX ? vm->stop_detail : CP_EXIT_MACHINE_MAX;
}

static void single_ended(struct session *s)
{
    cp_exit_status(single_status(s->vm));
    shutdown_begin();
}

/* Nobody else is there who would have to wait. */
static bool load_single(struct vm *vm, const struct user_single *what, const char **reason)
{
    int result = system_ipl_image(vm, (struct ipl_bytes){.data = what->image}, what->image_bytes, what->command_line,
                                  what->module, what->modules, reason);
    if (!result)
        while ((result = system_ipl_go_on(vm, reason)) == SYSTEM_IPL_MORE) {}
    return !result;
}

/* Its NIC, if it has one, has the address of the real machine's, so that it is the same at every level of a tower. */
static void single_network(struct user *user)
{
    static const char its[] = "SYSTEM HOST";
    struct machine_config *machine = &user->machine;
    const struct port *uplink = uplink_port(0);
    directory.lan[0] = (struct directory_lan){.name = "HOST", .uplink = true};
    directory.lans = 1;
    user->nic_lans[0] = its;
    user->nic_lans_bytes[0] = sizeof its;
    if (uplink)
        memcpy(machine->nic[0].mac, uplink->mac, sizeof machine->nic[0].mac);
}

void user_start_single(struct line *line, const struct user_single *what)
{
    static const struct user single = {.id = "VM",
                                       .password = "NOLOG",
                                       .classes = CLASS('G'),
                                       .parm = "",
                                       .xautolog = ""};
    const char *reason = "CP has no storage for it";
    begin();
    struct user *user = directory_add(&directory);
    *user = single;
    user->machine = what->machine;
    directory_machine(user);
    single_network(user);
    user->machine.rank = FRAME_OPERATOR; /* nobody else is there */
    directory_enter(&directory, 0);
    directory_begin();
    struct session *s = seat_add(line);
    if (!s)
        return;
    s->ended = single_ended;
    bool there = session_logon(s, user);
    if (there && load_single(s->vm, what, &reason)) {
        session_begin(s);
        return;
    }
    response_error(&(struct response){.session = s}, "VMI", 9011, "The image", reason);
    cp_exit_status(CP_EXIT_OTHER);
    shutdown_begin();
}

/* ---- the event loop's turn -------------------------------------------------------------------------------------- */

/* True: there is more to do at once. */
static bool poll_session(struct session *s)
{
    bool more = session_follow(s);
    if (s->state == SESSION_FREE) /* its terminal went to another one */
        return true;
    if (s->deed.noted) {
        deed_carry_out(s);
        turn_wanted |= s->deed.noted != DEED_NONE; /* it waits for a disk */
        return !s->deed.noted || s->deed.noted == DEED_LOAD || s->deed.noted == DEED_IPL;
    }
    if (s->typing.next_command)
        more |= typing_go_on(s);
    sent_hand_on(s);
    if (s->typing.machine_full && session_states[s->state].reads == READS_MACHINE &&
        !typing_offer_held(s))
        typing_heed_attention(s);
    session_refresh(s);
    session_pump(s);
    return more;
}

/* True: that was not all. */
static bool read_terminal(struct terminal *t)
{
    for (unsigned n = 1; terminal_poll(t, 1); n++)
        if (n == BYTES_A_TURN || work_over())
            return true;
    return false;
}

/* One terminal after another, from where the turn before had no more time; one at least. Sessions likewise. True: there
 * is more to do at once. */
static bool input_end_waits; /* for what has to happen before it counts: the next turn looks again */

static bool poll_terminals(void)
{
    static struct terminal *last;
    bool more = last;
    struct terminal *t = terminal_next(last);
    input_end_waits &= last != NULL;
    for (; t; t = terminal_next(t)) {
        seat_follow(t);
        more |= read_terminal(t);
        input_end_waits |= last_follow(t);
        last = t;
        if (work_over())
            return true;
    }
    last = NULL;
    return more;
}

static bool poll_sessions(void)
{
    static struct session *last;
    bool more = last; /* those before it have not been asked again */
    struct session *s = session_next_stirred(last);
    for (; s; s = session_next_stirred(s)) {
        enum session_state before = s->state;
        more |= poll_session(s);
        session_settle(s);
        if (s->state != before)
            terminal_look();
        more |= s->state != before; /* it may take now what was typed ahead */
        last = s;
        if (work_over())
            return true;
    }
    last = NULL;
    return more;
}

bool user_poll(void)
{
    static bool spool_awaited, opened; /* opened: in the turn before this, which had much to do */
    if (!turn_begins())
        return false;
    work_slice();
    if (directory_load_poll(work_over)) {
        if (link_volume)
            operator_watch_disk(link_volume);
        audit_begin(area_open(AREA_AUDIT), operator_tell_audit);
        audit_note("-", "-", "STARTED %s", CP_LEVEL);
        nss_start(area_open(AREA_NSS), operator_tell_nss);
        snapshot_lost = snapshot_tell_lost;
        spool_start(area_open(AREA_SPOOL), spool_tell_news, spool_tell_arrival);
        spool_awaited = true;
        turn_soon();
        return true;
    }
    if (spool_awaited && !spool_starts()) { /* its commands would say that there is none */
        spool_awaited = false;
        welcome();
        console_logon();
        turn_soon();
        opened = true;
        return true;
    }
    if (opened)
        account_begin();
    opened = false;
    bool more = poll_terminals();
    terminal_look();
    verify_poll();
    work_slice();
    more |= poll_sessions();
    turn_wanted |= session_closed || input_end_waits || seat_input_waits();
    if (session_closed)
        shutdown_go_on();
    else if (more)
        turn_soon();
    return true;
}
