/* QUERY RDR PRT PUN FILES: what is in a user's reader, printer and punch. */
#include <string.h>

#include "cp/command/query.h"
#include "cp/command/spool_operands.h"
#include "cp/session/record.h"
#include "cp/session/spool_tell.h"
#include "cp/session/task.h"
#include "cp/time/clock_text.h"
#include "cp/time/work.h"
#include "lib/format.h"

struct listing {
    enum spool_queue queue;
    bool all, any, system;
    int hold;         /* -1: whether or not */
    char owner[DIRECTORY_NAME + 1];
    char class;       /* 0: any */
    uint16_t spoolid; /* 0: any */
    int64_t order;
};
_Static_assert(sizeof(struct listing) <= TASK_KEEPS, "kept from step to step");

static void show(struct call *c, struct listing *l, const struct spool_file *f)
{
    char date[CLOCK_TEXT], time[CLOCK_TEXT], owner[10];
    if (!l->any)
        response_line(c->response, "%sORIGINID FILE CLASS RECORDS  CPY HOLD %s",
                      l->system ? "OWNERID  " : "", l->all ? "DATE  TIME     NAME     TYPE     DIST" : "KEEP");
    l->any = true;
    format_text(owner, sizeof owner, "%-9s", f->owner);
    *owner = l->system ? *owner : 0;
    if (l->all)
        response_line(c->response, "%s%-8s %04u %c %s %08u %03u %s %.5s %s %-8s %-8s %s", owner, f->origin,
                      f->spoolid, f->class, spool_queue_names[f->device], (unsigned)f->records, f->copies,
                      f->hold ? "USER" : "NONE",
                      clock_text_date(date, f->created * 1000000), clock_text_time(time, f->created * 1000000),
                      f->name, f->type, f->dist);
    else
        response_line(c->response, "%s%-8s %04u %c %s %08u %03u %s %s", owner, f->origin, f->spoolid, f->class,
                      spool_queue_names[f->device], (unsigned)f->records, f->copies, f->hold ? "USER" : "NONE",
                      f->keep ? "ON" : "OFF");
}

static bool show_on(struct session *s, struct response *response, unsigned *code)
{
    struct call c = {.session = s, .response = response, .unread = ""};
    struct listing *l = task_kept(s);
    for (struct spool_file *f; (f = spool_next(l->system ? NULL : l->owner, NULL, l->queue, l->order));) {
        l->order = f->order;
        if ((!l->class || l->class == f->class) && (!l->spoolid || l->spoolid == f->spoolid) &&
            (l->hold < 0 || l->hold == f->hold))
            show(&c, l, f);
        if (work_over())
            return false;
    }
    if (!l->any)
        response_line(response, "NO %s FILES", spool_queue_names[l->queue]);
    *code = 0;
    return true;
}

static bool is_own(struct word w)
{
    uint64_t id;
    return word_is(w, "ALL", 3) || word_is(w, "CLASS", 2) || word_is(w, "HOLD", 4) || word_is(w, "NOHOLD", 6) ||
           word_is(w, "SYSTEM", 6) || word_number(w, SPOOL_ID_MAX, &id);
}

static unsigned read_option(struct call *c, struct listing *l)
{
    char text[32];
    uint64_t id;
    struct word w;
    call_next(c, &w);
    word_upper(w, text, sizeof text);
    if (word_is(w, "CLASS", 2))
        return call_class(c, "CQS", false, &l->class);
    if (word_is(w, "ALL", 3))
        l->all = true;
    else if (word_is(w, "HOLD", 4) || word_is(w, "NOHOLD", 6))
        l->hold = *text == 'H';
    else if (word_is(w, "SYSTEM", 6) && (c->session->user->classes & CLASS('D')))
        l->system = true;
    else if (word_number(w, SPOOL_ID_MAX, &id) && !l->spoolid)
        l->spoolid = (uint16_t)id, l->all = true;
    else
        return FAIL(c, "CQS", 3, text);
    return 0;
}

static unsigned query_queue(struct call *c, enum spool_queue queue)
{
    struct listing l = {.queue = queue, .order = INT64_MIN, .hold = -1};
    const char *operands = c->unread;
    unsigned failed = call_owner(c, "CQS", is_own(call_peek(c)), l.owner);
    while (!failed && call_peek(c).length)
        failed = read_option(c, &l);
    if (failed || (failed = call_spool(c, "CQS")))
        return failed;
    if (l.system || strcmp(l.owner, c->session->user->id))
        record_vain(c->session, "QUERY %s%s", spool_queue_names[queue], operands);
    *(struct listing *)task_kept(c->session) = l;
    return task_run(c->session, c->response, show_on);
}

unsigned query_rdr(struct call *c) { return query_queue(c, SPOOL_RDR); }
unsigned query_prt(struct call *c) { return query_queue(c, SPOOL_PRT); }
unsigned query_pun(struct call *c) { return query_queue(c, SPOOL_PUN); }

unsigned query_files(struct call *c)
{
    char text[SPOOL_COUNTS], owner[DIRECTORY_NAME + 1];
    unsigned failed = call_owner(c, "CQS", false, owner);
    if (failed || (failed = call_end(c, "CQS")) || (failed = call_spool(c, "CQS")))
        return failed;
    response_line(c->response, "FILES: %s", spool_counts(text, owner));
    return 0;
}

/* ---- the devices themselves -------------------------------------------------------------------------------------- */

static const struct {
    enum spool_queue queue;
    unsigned vdev;
} devices[] = {{SPOOL_RDR, 0xc}, {SPOOL_PUN, 0xd}, {SPOOL_PRT, 0xe}};

static void show_device(struct call *c, enum spool_queue queue, unsigned vdev)
{
    const struct user *user = c->session->user;
    const struct spool_unit *u = &c->session->spool.unit[queue];
    const char *name = spool_queue_names[queue];
    const char *hold = u->hold ? "HOLD" : "NOHOLD", *keep = u->keep ? "KEEP" : "NOKEEP";
    if (queue == SPOOL_RDR) {
        response_line(c->response, "%s  %04X CL %c NOCONT %-6s %s", name, vdev, u->class, hold, keep);
        return;
    }
    response_line(c->response, "%s  %04X CL %c %-6s %-6s %-6s COPY %03u", name, vdev, u->class,
                  u->cont ? "CONT" : "NOCONT", hold, keep, u->copies);
    response_line(c->response, "     %04X TO  %-8s %s FOR %s", vdev, *u->to ? u->to : *u->owner ? u->owner : user->id,
                  *u->to ? "RDR" : name, *u->owner ? u->owner : user->id);
}

unsigned query_ur(struct call *c)
{
    for (unsigned i = 0; i < sizeof devices / sizeof *devices; i++)
        show_device(c, devices[i].queue, devices[i].vdev);
    return 0;
}

bool query_ur_device(struct call *c, unsigned vdev)
{
    for (unsigned i = 0; i < sizeof devices / sizeof *devices; i++)
        if (devices[i].vdev == vdev) {
            show_device(c, devices[i].queue, vdev);
            return true;
        }
    return false;
}
