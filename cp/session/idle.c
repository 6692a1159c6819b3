/* In: whether something was typed, and time. Out: warnings; users who are disconnected, visitors who are hung up on. */
#include "cp/session/idle.h"

#include "cp/session/life.h"
#include "cp/session/record.h"
#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"
#include "cp/terminal/terminal.h"
#include "lib/format.h"

/* Where a visit is without a LOGON. What a wrong password costs is waited for first. */
static const enum { NOT_COUNTED, COUNTED, WAITED_FOR } at_prompt[SESSION_STATES] = {
    [SESSION_LOGON] = COUNTED,      [SESSION_PASSWORD] = COUNTED, [SESSION_VERIFY] = WAITED_FOR,
    [SESSION_PENALTY] = WAITED_FOR, [SESSION_QUIET] = WAITED_FOR,
};

/* Seconds; 0: none. */
static uint64_t limit(const struct terminal *t)
{
    const struct session *s = t->session;
    if (s->user)
        return 60ull * s->user->idle;
    return (t->dialled || t->line->called) && at_prompt[s->state] ? IDLE_VISIT_SECONDS : 0;
}

static void fall_due(struct timer *timer)
{
    ((struct idle *)timer->owner)->due = true;
    turn_wanted = true;
}

static void arm(struct idle *i, uint64_t seconds) /* after `since` */
{
    i->timer.owner = i;
    i->timer.expire = fall_due;
    timer_arm(&i->timer, i->since + seconds * clock_hz);
}

void idle_forget(struct idle *i)
{
    timer_cancel(&i->timer);
    i->since = 0;
    i->due = i->warned = false;
}

static void tell(struct session *s, unsigned number, uint64_t seconds)
{
    char time[24];
    unsigned minutes = (unsigned)(seconds / 60);
    format_text(time, sizeof time, "%u minute%s", minutes, minutes == 1 ? "" : "s");
    response_error(&(struct response){.session = s}, "TMO", number, time);
}

static void end_visit(struct session *s, uint64_t seconds)
{
    if (at_prompt[s->state] == WAITED_FOR)
        return;
    tell(s, 9092, seconds);
    record_vain(s, "VISIT ENDED WITHOUT A LOGON");
    session_reset(s);
    session_leave(s, false);
}

static void end_stay(struct session *s, uint64_t seconds)
{
    tell(s, 9091, seconds);
    output_drain(&s->output);
    idle_forget(&s->idle);
    session_disconnect(s, false); /* or it is measured anew, and tried again */
}

static void look(struct session *s, uint64_t seconds)
{
    struct idle *i = &s->idle;
    uint64_t passed = (clock_now() - i->since) / clock_hz, warning = s->user ? seconds - IDLE_WARNING_SECONDS : seconds;
    if (passed >= seconds) {
        (s->user ? end_stay : end_visit)(s, seconds);
        return;
    }
    i->due = false;
    if (passed >= warning && !i->warned) {
        tell(s, 9090, seconds - IDLE_WARNING_SECONDS);
        i->warned = true;
    }
    arm(i, i->warned ? seconds : warning);
}

void idle_follow(struct terminal *t)
{
    struct session *s = t->session;
    struct idle *i = &s->idle;
    uint64_t seconds = limit(t);
    bool typed = t->typed && s->user;
    t->typed = false;
    if (!seconds) {
        idle_forget(i);
    } else if (!i->since || typed) {
        i->since = clock_now();
        i->warned = false;
        if (!i->timer.armed)
            arm(i, 0); /* the look finds out when to look again: keys need not */
    } else if (i->due) {
        look(s, seconds);
    }
}
