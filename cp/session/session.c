/* The table of sessions: who is there. */
#include "cp/session/session.h"

#include <string.h>

#include "cp/session/internal.h"
#include "cp/storage/frame.h"
#include "cp/time/work.h"
#include "lib/format.h"

bool session_wanted;

static struct session table[SESSIONS];

static void expire(struct timer *timer)
{
    struct session *s = timer->owner;
    s->timer_ended = true;
    session_wanted = true;
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

static void echo(void *context, const char *text, unsigned length) { session_echo(context, text, length); }

void output_begin(struct output *o, uint8_t *queue)
{
    *o = (struct output){.ring = {.bytes = queue, .size = SESSION_OUTPUT}};
}

void session_reset(struct session *s)
{
    struct terminal *terminal = s->terminal;
    struct output queued = {.ring = s->output.ring, .in_line = s->output.in_line};
    timer_cancel(&s->timer);
    memset(s, 0, sizeof *s);
    s->terminal = terminal;
    s->output = queued;
    s->state = SESSION_LOGON;
    s->editor.echo = echo;
    s->editor.context = s;
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
        if (!queue && !(queue = frame_alloc_run(&frame_cp_account, SESSION_OUTPUT / PAGE_SIZE)))
            return NULL;
        output_begin(&s->output, queue);
        session_reset(s);
        return s;
    }
    return NULL;
}

void session_free(struct session *s)
{
    s->terminal = NULL;
    session_reset(s);
    s->state = SESSION_FREE;
}

const char *session_name(const struct session *s, char name[9])
{
    if (s->terminal)
        format_text(name, 9, "L%04u", s->terminal->number);
    else
        format_text(name, 9, "DSC");
    return name;
}

static void come_round(struct work *work) { (void)work; /* the users' turn comes each time the event loop does */ }

void session_soon(void)
{
    static struct work soon = {.step = come_round};
    session_wanted = true;
    work_begin(&soon);
}

void session_wait(struct session *s, uint64_t seconds)
{
    s->timer_ended = false;
    timer_arm(&s->timer, clock_now() + seconds * clock_hz);
}
