#include "cp/session/turn.h"

#include "cp/time/timer.h"
#include "cp/time/work.h"

enum { LATER_US = 1000 };

bool turn_wanted;

/* The users' turn comes each time the event loop does: that it comes round was all. */
static void come_round(struct work *work) { (void)work; }
static void end_turn(struct timer *timer) { (void)timer; }

static struct timer later = {.expire = end_turn};

void turn_soon(void)
{
    static struct work soon = {.step = come_round};
    turn_wanted = true;
    work_begin(&soon);
}

void turn_later(void)
{
    turn_wanted = true;
    if (!later.armed)
        timer_arm(&later, clock_now() + clock_ticks(LATER_US * 1000ull));
}

bool turn_begins(void)
{
    bool wanted = turn_wanted;
    turn_wanted = false;
    if (wanted)
        timer_cancel(&later);
    return wanted;
}
