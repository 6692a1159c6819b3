/* QUERY AUDIT: records of the audit log, and whether their chain is whole. */
#include "cp/command/audit.h"

#include "cp/audit/log.h"
#include "cp/session/task.h"
#include "cp/time/work.h"
#include "lib/format.h"

enum { USUAL = 20, MOST = 1000000000, RECORDS_A_PAGE = AUDIT_TEXT / AUDIT_LINE /* at least */ };

struct shown {
    struct audit_walk walk;
    uint64_t first; /* the first record that was looked at; 0: none yet */
    uint64_t from;  /* the first record to show */
    uint64_t last;  /* the page that grew when it was asked */
    bool broken;
};
_Static_assert(sizeof(struct shown) <= TASK_KEEPS, "kept from step to step");

/* `behind`: the record before, if it is known. */
static void tell_break(struct shown *shown, struct response *response, uint64_t behind)
{
    char number[24] = "?";
    if (behind)
        format_text(number, sizeof number, "%llu", (unsigned long long)behind);
    response_error(response, "AUD", 9072, number);
    shown->broken = true;
}

/* What was read last, if the walk knows; else nothing is known of what comes. */
static uint64_t read_last(const struct shown *shown) { return shown->walk.begun ? shown->walk.record - 1 : 0; }

/* The page that comes next, while there is one and it is sound. False: it has to be waited for. */
static bool find(struct shown *shown, struct response *response, const struct audit_page **page)
{
    bool failed;
    uint64_t oldest = audit_oldest();
    if (shown->walk.page < oldest) /* others had to give way meanwhile */
        shown->walk = (struct audit_walk){.page = oldest};
    *page = audit_last();
    if (shown->walk.page == (*page)->number)
        return true;
    *page = audit_read(shown->walk.page, &failed);
    if (!*page && !failed)
        return false;
    if (*page && audit_page_sound(*page))
        return true;
    *page = NULL;
    tell_break(shown, response, read_last(shown));
    audit_walk_over(&shown->walk);
    return true;
}

static void step(struct shown *shown, struct response *response, const struct audit_page **page)
{
    const char *line;
    size_t length;
    uint64_t before = read_last(shown);
    switch (audit_walk_on(&shown->walk, *page, &line, &length)) {
    case AUDIT_BROKEN: tell_break(shown, response, before); *page = NULL; break;
    case AUDIT_TURN: *page = NULL; break;
    case AUDIT_RECORD:
        if (!shown->first)
            shown->first = read_last(shown);
        if (read_last(shown) >= shown->from)
            response_line(response, "%.*s", (int)length, line);
    }
}

static void show_end(const struct shown *shown, struct response *response)
{
    uint64_t chain = 0;
    for (unsigned i = 0; i < sizeof chain; i++)
        chain = chain << 8 | shown->walk.chain[i];
    response_line(response, "RECORDS %010llu TO %010llu, CHAIN %016llX", (unsigned long long)shown->first,
                  (unsigned long long)read_last(shown), (unsigned long long)chain);
}

static bool show_on(struct session *s, struct response *response, unsigned *code)
{
    struct shown *shown = task_kept(s);
    const struct audit_page *page = NULL;
    while (shown->walk.page <= shown->last) {
        if (!page && !find(shown, response, &page))
            return false;
        if (page)
            step(shown, response, &page);
        if (work_over())
            return false;
    }
    show_end(shown, response);
    *code = shown->broken ? 9072 : 0;
    return true;
}

static unsigned read_count(struct call *c, uint64_t *count)
{
    struct word w;
    char text[32];
    *count = USUAL;
    if (!call_next(c, &w))
        return 0;
    if (word_is(w, "ALL", 3))
        *count = MOST;
    else if (!word_number(w, MOST, count) || !*count) {
        word_upper(w, text, sizeof text);
        return FAIL(c, "AUD", 2, text);
    }
    return call_end(c, "AUD");
}

unsigned command_query_audit(struct call *c)
{
    uint64_t count;
    if (!(c->session->user->classes & CLASS('C')))
        return FAIL(c, "AUD", 9016, "QUERY AUDIT", "C");
    unsigned failed = read_count(c, &count);
    if (failed)
        return failed;
    if (!audit_kept())
        return FAIL(c, "AUD", 9073, "");
    const struct audit_page *last = audit_last();
    uint64_t records = last->first + last->records, pages = 1 + count / RECORDS_A_PAGE, oldest = audit_oldest();
    struct shown *shown = task_kept(c->session);
    *shown = (struct shown){.from = records > count ? records - count : 1, .last = last->number};
    shown->walk.page = last->number > oldest + pages ? last->number - pages : oldest;
    return task_run(c->session, c->response, show_on);
}
