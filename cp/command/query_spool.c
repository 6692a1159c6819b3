/* QUERY RDR PRT PUN FILES: what is in a user's reader, printer and punch. */
#include <string.h>

#include "cp/command/query.h"
#include "cp/command/spool_operands.h"
#include "cp/session/spool_tell.h"
#include "cp/session/task.h"
#include "cp/time/clock_text.h"
#include "cp/time/work.h"

struct listing {
    enum spool_queue queue;
    bool all, any;
    char class;       /* 0: any */
    uint16_t spoolid; /* 0: any */
    int64_t order;
};
_Static_assert(sizeof(struct listing) <= TASK_KEEPS, "kept from step to step");

static void show(struct call *c, struct listing *l, const struct spool_file *f)
{
    char date[CLOCK_TEXT], time[CLOCK_TEXT];
    if (!l->any)
        response_line(c->response, "ORIGINID FILE CLASS RECORDS  CPY HOLD %s",
                      l->all ? "DATE  TIME     NAME     TYPE     DIST" : "KEEP");
    l->any = true;
    if (l->all)
        response_line(c->response, "%-8s %04u %c %s %08u %03u %s %.5s %s %-8s %-8s %s", f->origin, f->spoolid, f->class,
                      spool_queue_names[f->device], (unsigned)f->records, f->copies, f->hold ? "USER" : "NONE",
                      clock_text_date(date, f->created * 1000000), clock_text_time(time, f->created * 1000000),
                      f->name, f->type, f->dist);
    else
        response_line(c->response, "%-8s %04u %c %s %08u %03u %s %s", f->origin, f->spoolid, f->class,
                      spool_queue_names[f->device], (unsigned)f->records, f->copies, f->hold ? "USER" : "NONE",
                      f->keep ? "ON" : "OFF");
}

static bool show_on(struct session *s, struct response *response, unsigned *code)
{
    struct call c = {.session = s, .response = response, .unread = ""};
    struct listing *l = task_kept(s);
    for (struct spool_file *f; (f = spool_next(s->user->id, NULL, l->queue, l->order));) {
        l->order = f->order;
        if ((!l->class || l->class == f->class) && (!l->spoolid || l->spoolid == f->spoolid))
            show(&c, l, f);
        if (work_over())
            return false;
    }
    if (!l->any)
        response_line(response, "NO %s FILES", spool_queue_names[l->queue]);
    *code = 0;
    return true;
}

static unsigned query_queue(struct call *c, enum spool_queue queue)
{
    struct listing l = {.queue = queue, .order = INT64_MIN};
    struct word w = call_peek(c);
    uint64_t id = 0;
    unsigned failed = 0;
    if (word_is(w, "ALL", 3) || word_is(w, "CLASS", 2) || word_number(w, SPOOL_ID_MAX, &id))
        call_next(c, &w);
    else
        w.length = 0;
    if (word_is(w, "ALL", 3))
        l.all = true;
    else if (word_is(w, "CLASS", 2))
        failed = call_class(c, "CQS", false, &l.class);
    else if (w.length)
        l.spoolid = (uint16_t)id, l.all = true;
    if (failed || (failed = call_end(c, "CQS")) || (failed = call_spool(c, "CQS")))
        return failed;
    *(struct listing *)task_kept(c->session) = l;
    return task_run(c->session, c->response, show_on);
}

unsigned query_rdr(struct call *c) { return query_queue(c, SPOOL_RDR); }
unsigned query_prt(struct call *c) { return query_queue(c, SPOOL_PRT); }
unsigned query_pun(struct call *c) { return query_queue(c, SPOOL_PUN); }

unsigned query_files(struct call *c)
{
    char text[SPOOL_COUNTS];
    unsigned failed = call_end(c, "CQS");
    if (failed || (failed = call_spool(c, "CQS")))
        return failed;
    response_line(c->response, "FILES: %s", spool_counts(text, c->session->user->id));
    return 0;
}
