/* The table of sessions: who is there. */
#include "cp/session/session.h"

#include <string.h>

#include "cp/session/turn.h"
#include "cp/storage/frame.h"
#include "lib/format.h"

bool session_closed;

static struct session table[SESSIONS];

static void expire(struct timer *timer)
{
    struct session *s = timer->owner;
    s->timer_ended = true;
    turn_wanted = true;
}

struct session *session_next(struct session *at)
{
    for (at = at ? at + 1 : table; at < table + SESSIONS; at++)
        if (at->state != SESSION_FREE)
            return at;
    return NULL;
}

struct session *session_find(const char *userid)
{
    for (struct session *s = NULL; (s = session_next(s));)
        if (s->user && !strcmp(s->user->id, userid))
            return s;
    return NULL;
}

unsigned session_users(void)
{
    unsigned users = 0;
    for (struct session *s = NULL; (s = session_next(s));)
        users += s->user != NULL;
    return users;
}

void session_reset(struct session *s)
{
    struct output output = s->output;
    timer_cancel(&s->timer);
    timer_cancel(&s->typing.patience);
    timer_cancel(&s->idle.timer);
    memset(s, 0, sizeof *s);
    s->output = output;
    output_renew(&s->output);
    typing_begin(s);
    s->state = SESSION_LOGON;
    s->timer.owner = s;
    s->timer.expire = expire;
    s->settings = SET_MSG | SET_WNG | SET_IMSG | SET_EMSG_CODE | SET_EMSG_TEXT;
}

struct session *session_create(void)
{
    for (struct session *s = table; s < table + SESSIONS; s++) {
        if (s->state != SESSION_FREE)
            continue;
        uint8_t *queue = s->output.ring.bytes; /* a row keeps what it once got */
        if (!queue && !(queue = frame_alloc_run(&frame_cp_account, OUTPUT_QUEUE / PAGE_SIZE)))
            return NULL;
        output_begin(&s->output, queue);
        session_reset(s);
        return s;
    }
    return NULL;
}

void session_free(struct session *s)
{
    s->output.terminal = NULL;
    session_reset(s);
    s->state = SESSION_FREE;
}

const char *session_name(const struct session *s, char name[9])
{
    if (s->output.terminal)
        format_text(name, 9, "L%04u", s->output.terminal->number);
    else
        format_text(name, 9, "DSC");
    return name;
}

void session_wait(struct session *s, uint64_t seconds)
{
    s->timer_ended = false;
    timer_arm(&s->timer, clock_now() + seconds * clock_hz);
}
