/* The table of sessions: who is there. */
#include "cp/session/session.h"

#include <string.h>

#include "cp/session/turn.h"
#include "cp/storage/frame.h"
#include "lib/format.h"

bool session_closed;

/* Rows are made when they are first wanted, and stay. */
static struct session *table[SESSIONS];
static unsigned rows;
static bool settled[SESSIONS]; /* apart, so that a turn of thousands does not touch each */
enum { ROW_PAGES = (sizeof(struct session) + PAGE_MASK) / PAGE_SIZE, QUEUE_PAGES = OUTPUT_FIRST / PAGE_SIZE };

static void expire(struct timer *timer)
{
    struct session *s = timer->owner;
    s->timer_ended = true;
    turn_wanted = true;
}

struct session *session_next(struct session *at)
{
    for (unsigned row = at ? at->row + 1 : 0; row < rows; row++)
        if (table[row]->state != SESSION_FREE)
            return table[row];
    return NULL;
}

struct session *session_next_stirred(struct session *at)
{
    for (unsigned row = at ? at->row + 1 : 0; row < rows; row++)
        if (!settled[row] && table[row]->state != SESSION_FREE)
            return table[row];
    return NULL;
}

void session_stir(const struct session *s) { settled[s->row] = false; }

void session_settle(const struct session *s)
{
    settled[s->row] = !s->output.terminal && s->state == SESSION_RUN && !s->deed.noted && !s->typing.next_command &&
                      !sent_waits(s);
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
    uint16_t row = s->row;
    timer_cancel(&s->timer);
    timer_cancel(&s->typing.patience);
    timer_cancel(&s->idle.timer);
    memset(s, 0, sizeof *s);
    s->output = output;
    s->row = row;
    output_renew(&s->output);
    typing_begin(s);
    sent_begin(s);
    s->state = SESSION_LOGON;
    s->timer.owner = s;
    s->timer.expire = expire;
    s->settings = SET_MSG | SET_WNG | SET_IMSG | SET_EMSG_CODE | SET_EMSG_TEXT;
}

static struct session *row_make(void)
{
    struct session *s = rows < SESSIONS ? frame_alloc_run(&frame_cp_account, ROW_PAGES) : NULL;
    uint8_t *queue = s ? frame_alloc_run(&frame_cp_account, QUEUE_PAGES) : NULL;
    if (!queue) {
        frame_free_run(&frame_cp_account, s, ROW_PAGES);
        return NULL;
    }
    s->row = (uint16_t)rows;
    s->output.ring = (struct ring){.bytes = queue, .size = OUTPUT_FIRST};
    return table[rows++] = s;
}

static struct session *free_row(void)
{
    for (unsigned row = 0; row < rows; row++)
        if (table[row]->state == SESSION_FREE)
            return table[row];
    return row_make();
}

struct session *session_create(void)
{
    struct session *s = free_row();
    if (!s)
        return NULL;
    output_begin(&s->output, s->output.ring.bytes, s->output.ring.size);
    session_reset(s);
    session_stir(s);
    return s;
}

void session_free(struct session *s)
{
    s->output.terminal = NULL;
    session_reset(s);
    output_shrink(&s->output);
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
