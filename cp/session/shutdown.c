/* In: the wish to shut down. Out: nobody logged on, nothing in flight, everything written. */
#include "cp/session/shutdown.h"

#include "cp/audit/log.h"
#include "cp/minidisk/link.h"
#include "cp/session/life.h"
#include "cp/session/seat.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"
#include "cp/spool/unit.h"
#include "cp/time/work.h"

bool shutdown_done;

static enum { FLUSH_NOT_YET, FLUSH_UNDER_WAY, FLUSH_DONE } flush;

static void flushed(struct disk_request *request, int status)
{
    (void)request, (void)status; /* a medium that fails now cannot be helped */
    flush = FLUSH_DONE;
}

static void start_flush(void)
{
    static struct disk_request request = {.op = DISK_FLUSH, .done = flushed};
    flush = FLUSH_UNDER_WAY;
    if (!link_volume || link_volume->submit(link_volume, &request))
        flush = FLUSH_DONE;
}

static bool patience_lost;

static void lose_patience(struct timer *timer)
{
    (void)timer;
    patience_lost = true;
    turn_wanted = true;
}

static bool nothing_in_flight(void)
{
    for (struct session *s = NULL; (s = session_next(s));)
        if (s->vm && stack_in_flight(s))
            return false;
    return spool_units_idle() && spool_idle();
}

/* Who does not read their terminal keeps nobody waiting for long. */
static bool words_are_out(void)
{
    enum { PATIENCE_SECONDS = 5 };
    static struct timer patience = {.expire = lose_patience};
    if (!patience.armed && !patience_lost)
        timer_arm(&patience, clock_now() + PATIENCE_SECONDS * clock_hz);
    return patience_lost || seat_words_are_out();
}

/* Its disks end what they do, and take no more. */
static void log_off(struct session *s)
{
    if (stack_in_flight(s))
        stack_reset_devices(s);
    else
        session_logoff(s, NULL);
}

/* At least one a turn, or a slice that the looking takes would be the end of it. */
static bool all_logged_off(void)
{
    bool one = false;

    for (struct session *s = NULL; (s = session_next(s));)
        if (s->user && !s->ended) {
            if (one && work_over())
                return false;
            log_off(s);
            one = true;
        }
    return true;
}

void shutdown_go_on(void)
{
    if (!all_logged_off()) {
        turn_soon();
        return;
    }
    if (flush == FLUSH_NOT_YET && nothing_in_flight() && audit_settled())
        start_flush();
    if (flush == FLUSH_DONE && words_are_out())
        shutdown_done = true;
}

void shutdown_begin(void)
{
    session_closed = true;
    for (struct session *s = NULL; (s = session_next(s));)
        if (s->vm && s->vm->state != VM_STOPPED)
            vm_stop(s->vm, VM_STOP_USER, 0);
    turn_soon();
}
