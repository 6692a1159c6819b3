#include "cp/session/turn.h"

#include "cp/time/work.h"

bool turn_wanted;

static void come_round(struct work *work) { (void)work; /* the users' turn comes each time the event loop does */ }

void turn_soon(void)
{
    static struct work soon = {.step = come_round};
    turn_wanted = true;
    work_begin(&soon);
}
