/* PURGE CHANGE TRANSFER ORDER: files that are in a reader, printer or punch. */
#include <string.h>

#include "cp/command/families.h"
#include "cp/command/nss.h"
#include "cp/command/spool_operands.h"
#include "cp/directory/load.h"
#include "cp/session/record.h"
#include "cp/session/task.h"
#include "cp/time/work.h"
#include "lib/format.h"

const char command_purge_help[] =
    "PURGE {RDR | PRT | PUN} {ALL | CLASS c | spoolid ...}\n"
    "PURGE ALL\n"
    "PURGE NSS name\n"
    "Takes files away from your reader, printer or punch, or (ALL alone) from all of\n"
    "them. Nothing brings them back.\n"
    "Class D may name a user before the device, as with CHANGE, ORDER and TRANSFER:\n"
    "that one's files then, which is recorded.\n"
    "NSS (class E): what DEFSYS defined, else the saved system of that name; who has\n"
    "it in their machine keeps it till they let it go.\n";
const char command_change_help[] =
    "CHANGE {RDR | PRT | PUN} {ALL | CLASS c | spoolid} [TOCLASS c] [COPY n]\n"
    "CHANGE {RDR | PRT | PUN} {ALL | CLASS c | spoolid} [HOLD | NOHOLD] [NAME fn ft]\n"
    "CHANGE {RDR | PRT | PUN} {ALL | CLASS c | spoolid} [KEEP | NOKEEP]\n"
    "Changes files of yours. HOLD keeps the reader from a file. Operands may stand\n"
    "together, and there may be several spoolids. CLASS c behind the files is\n"
    "TOCLASS c.\n";
const char command_transfer_help[] =
    "TRANSFER [RDR | PRT | PUN] {ALL | CLASS c | spoolid} {TO | FROM} userid [dev]\n"
    "  dev: RDR | PRT | PUN\n"
    "Gives files of yours to another user, or takes back those you sent. They go to\n"
    "the end of that queue; RDR, where none is named. There may be several spoolids.\n";
const char command_order_help[] =
    "ORDER {RDR | PRT | PUN} spoolid ...\n"
    "Puts files at the head of their queue, in the order given.\n";

enum { IDS = 32 };
static const char *const names[] = {"PURGE", "CHANGE", "TRANSFER", "ORDER"};

struct wanted {
    bool copies_given, class_given, name_given;
    int hold, keep; /* -1: as it is */
    uint8_t copies;
    char class, name[9], type[9];
};

/* What a command goes through, a file at a time. */
struct walk {
    enum verb { PURGE, CHANGE, TRANSFER, ORDER } verb;
    enum spool_queue queue, to_queue;
    bool every;      /* the queues from this one on */
    bool others;     /* the owner's, who is not the caller */
    bool from;       /* TRANSFER FROM: files of `owner` that the caller has made */
    uint8_t ids, at; /* ids 0: all, or all of a class */
    char class;      /* 0: any */
    char owner[9], to[9];
    uint16_t id[IDS];
    uint16_t count, missing; /* files treated; the number of a message about one that was not */
    int64_t order;
    uint64_t ticket;
    struct wanted wanted;
};
_Static_assert(sizeof(struct walk) <= TASK_KEEPS, "kept from step to step");

/* ---- which files ------------------------------------------------------------------------------------------------- */

static unsigned read_files(struct call *c, struct walk *w)
{
    uint64_t id;
    struct word word = call_peek(c);
    if (word_is(word, "ALL", 3) && w->verb != ORDER) {
        call_next(c, &word);
        return 0;
    }
    if (word_is(word, "CLASS", 2) && w->verb != ORDER) {
        call_next(c, &word);
        return call_class(c, "CSU", false, &w->class);
    }
    for (; word_number(word, SPOOL_ID_MAX, &id) && id && w->ids < IDS; word = call_peek(c)) {
        w->id[w->ids++] = (uint16_t)id;
        call_next(c, &word);
    }
    return w->ids ? 0 : FAIL(c, "CSU", 27, "");
}

static bool matches(const struct session *s, const struct walk *w, const struct spool_file *f)
{
    return f->queue == w->queue && (!w->class || f->class == w->class) &&
           (!w->from || !strcmp(f->origin, s->user->id));
}

/* NULL: no more. *missing: the spoolid that was asked for and is not there, or cannot be had. */
static struct spool_file *next_file(struct call *c, struct walk *w, unsigned *code)
{
    char number[8];
    while (w->ids && w->at < w->ids) {
        unsigned id = w->id[w->verb == ORDER ? w->ids - 1 - w->at : w->at];
        struct spool_file *f = spool_find(w->owner, id);
        format_text(number, sizeof number, "%04u", id);
        w->at++;
        if (!f || !matches(c->session, w, f))
            *code = FAIL(c, "CSU", 42, number);
        else if (spool_in_use(f) && w->verb != CHANGE)
            *code = FAIL(c, "CSU", 9085, number);
        else
            return f;
    }
    if (w->ids)
        return NULL;
    do {
        for (struct spool_file *f; (f = spool_next(w->owner, NULL, w->queue, w->order));) {
            w->order = f->order;
            if (matches(c->session, w, f) && !(spool_in_use(f) && w->verb != CHANGE))
                return f;
        }
        w->order = INT64_MIN;
    } while (w->every && ++w->queue < SPOOL_QUEUES);
    return NULL;
}

/* ---- what becomes of them ---------------------------------------------------------------------------------------- */

static uint64_t change(struct spool_file *f, const struct wanted *w)
{
    f->hold = w->hold < 0 ? f->hold : (uint8_t)w->hold;
    f->keep = w->keep < 0 ? f->keep : (uint8_t)w->keep;
    f->copies = w->copies_given ? w->copies : f->copies;
    f->class = w->class_given ? w->class : f->class;
    if (w->name_given) {
        memcpy(f->name, w->name, sizeof f->name);
        memcpy(f->type, w->type, sizeof f->type);
    }
    return spool_change(f);
}

/* The last one first: each goes before all others. */
static uint64_t order(struct spool_file *f)
{
    f->order = spool_first_order();
    return spool_change(f);
}

static uint64_t treat(struct spool_file *f, struct walk *w)
{
    switch (w->verb) {
    case PURGE: return spool_purge(f);
    case CHANGE: return change(f, &w->wanted);
    case TRANSFER: return spool_transfer(f, w->to, w->to_queue);
    default: return order(f);
    }
}

static void tell_count(struct call *c, const struct walk *w)
{
    static const char *const done[] = {"PURGED", "CHANGED", "TRANSFERRED", "ORDERED"};
    char number[8];
    format_text(number, sizeof number, w->count ? "%04u" : "NO", w->count);
    if (c->session->settings & SET_IMSG)
        response_line(c->response, "%s FILE%s %s", number, w->count == 1 ? "" : "S", done[w->verb]);
}

/* What every file that is wanted has been through is waited for at the end. */
static bool walk_waits(struct session *s, struct response *response, unsigned *code)
{
    struct call c = {.session = s, .response = response, .unread = ""};
    struct walk *w = task_kept(s);
    if (!spool_wait(&c, "CSU", spool_outcome(w->ticket), code))
        return false;
    tell_count(&c, w);
    if (w->missing && !*code)
        *code = w->missing;
    if (w->others && *code)
        record_vain(s, "%s %s: %u FILES, REFUSED %03u", names[w->verb], w->owner, w->count, *code);
    return true;
}

static bool walk_on(struct session *s, struct response *response, unsigned *code)
{
    struct call c = {.session = s, .response = response, .unread = ""};
    struct walk *w = task_kept(s);
    unsigned missing = 0;
    for (struct spool_file *f; (f = next_file(&c, w, &missing)); w->count++) {
        w->ticket = treat(f, w);
        if (work_over()) {
            w->missing = missing ? (uint16_t)missing : w->missing;
            w->count++;
            return false;
        }
    }
    w->missing = missing ? (uint16_t)missing : w->missing;
    s->task.step = walk_waits;
    return walk_waits(s, response, code);
}

/* ---- the commands ------------------------------------------------------------------------------------------------ */

static unsigned change_option(struct call *c, struct wanted *w)
{
    char text[32];
    bool given;
    struct word word;
    call_next(c, &word);
    word_upper(word, text, sizeof text);
    if (word_is(word, "TOCLASS", 3) || word_is(word, "CLASS", 2)) {
        w->class_given = true;
        return call_class(c, "CSU", false, &w->class);
    }
    if (word_is(word, "COPY", 3)) {
        w->copies_given = true;
        return call_copies(c, "CSU", &w->copies);
    }
    if (word_is(word, "NAME", 4)) {
        unsigned failed = call_name(c, "CSU", w->name, &w->name_given);
        if (!failed && w->name_given)
            failed = call_name(c, "CSU", w->type, &given);
        return failed ? failed : w->name_given ? 0 : FAIL(c, "CSU", 29, "");
    }
    return spool_holds(word, &w->hold, &w->keep) ? 0 : FAIL(c, "CSU", 2, text);
}

static unsigned read_change(struct call *c, struct walk *w)
{
    unsigned failed = call_peek(c).length ? 0 : FAIL(c, "CSU", 26, "");
    while (!failed && call_peek(c).length)
        failed = change_option(c, &w->wanted);
    return failed;
}

/* TO somebody, FROM somebody; and into which queue. */
static unsigned read_transfer(struct call *c, struct walk *w)
{
    char id[DIRECTORY_NAME + 1];
    struct word word = call_peek(c);
    unsigned failed;
    w->from = word_is(word, "FROM", 2) && !w->others;
    if (w->from || word_is(word, "TO", 2))
        call_next(c, &word);
    failed = w->from ? call_userid(c, "CSU", id) : call_receiver(c, "CSU", id);
    if (failed)
        return failed;
    if (w->from && !directory_find(&directory, id))
        return FAIL(c, "CSU", 53, id);
    if (w->from)
        memcpy(w->owner, id, sizeof w->owner);
    memcpy(w->to, w->from ? c->session->user->id : id, sizeof w->to);
    if (call_peek(c).length)
        failed = call_device(c, "CSU", &w->to_queue);
    if (!failed && !strcmp(w->owner, w->to) && w->to_queue == w->queue)
        failed = FAIL(c, "CSU", 20, ""); /* to where they are */
    return failed;
}

/* What stands behind a device. */
static bool is_files(struct word w)
{
    uint64_t id;
    return word_is(w, "ALL", 3) || word_is(w, "CLASS", 2) || word_number(w, SPOOL_ID_MAX, &id);
}

/* The owner, where it may be another's, and the device, where it may be left out. */
static unsigned read_queue(struct call *c, struct walk *w)
{
    bool may_lack = w->verb == TRANSFER || (w->verb == PURGE && word_is(call_peek(c), "ALL", 3));
    bool own = spool_device(call_peek(c), &w->queue) || (may_lack && is_files(call_peek(c)));
    unsigned failed = call_owner(c, "CSU", own, w->owner);
    w->others = !failed && strcmp(w->owner, c->session->user->id);
    may_lack = w->verb == TRANSFER || (w->verb == PURGE && word_is(call_peek(c), "ALL", 3));
    w->queue = SPOOL_RDR;
    w->every = w->verb == PURGE && word_is(call_peek(c), "ALL", 3);
    return failed || (may_lack && is_files(call_peek(c))) ? failed : call_device(c, "CSU", &w->queue);
}

static unsigned begin(struct call *c, enum verb verb)
{
    struct walk w = {.verb = verb, .order = INT64_MIN, .to_queue = SPOOL_RDR, .wanted = {.hold = -1, .keep = -1}};
    const char *operands = c->unread;
    unsigned failed = read_queue(c, &w);
    if (failed || (failed = read_files(c, &w)))
        return failed;
    failed = verb == CHANGE ? read_change(c, &w) : verb == TRANSFER ? read_transfer(c, &w) : 0;
    if (failed || (failed = call_end(c, "CSU")) || (failed = call_spool(c, "CSU")))
        return failed;
    if (w.others)
        (w.every || spool_count(w.owner, w.queue) ? record : record_vain)(c->session, "%s%s", names[verb], operands);
    *(struct walk *)task_kept(c->session) = w;
    return task_run(c->session, c->response, walk_on);
}

unsigned command_purge(struct call *c)
{
    struct word w;
    if (!word_is(call_peek(c), "NSS", 3))
        return begin(c, PURGE);
    call_next(c, &w);
    return command_purge_nss(c);
}

unsigned command_change(struct call *c) { return begin(c, CHANGE); }
unsigned command_transfer(struct call *c) { return begin(c, TRANSFER); }
unsigned command_order(struct call *c) { return begin(c, ORDER); }
