/* SPOOL CLOSE TAG: a user's reader, printer and punch. */
#include <string.h>

#include "cp/command/families.h"
#include "cp/command/query.h"
#include "cp/command/spool_operands.h"
#include "cp/session/task.h"
#include "cp/time/timer.h"
#include "lib/format.h"

const char command_spool_help[] =
    "SPOOL {RDR | PRT | PUN} [CLASS c] [COPY n] [TO userid | OFF]\n"
    "SPOOL {RDR | PRT | PUN} [HOLD | NOHOLD] [KEEP | NOKEEP]\n"
    "SPOOL {PRT | PUN} [CONT | NOCONT] [FOR userid] [CLOSE | PURGE]\n"
    "Says what becomes of the files your printer or punch makes from now on: whose\n"
    "reader they go to (TO; OFF: they stay with the device, as FOR's, or yours),\n"
    "their class, copies, and whether they are held. CONT: CLOSE ends none, so that\n"
    "what is printed becomes one file, until NOCONT and CLOSE. RDR: the class it\n"
    "reads (* is any), and whether CLOSE leaves a file that was read. Operands may\n"
    "stand together, in any order; QUERY UR shows them. CLOSE and PURGE end the file\n"
    "that is open, as the command CLOSE does. Devices have numbers too: C, D and E\n"
    "are reader, punch and printer, for CLOSE and TAG as well.\n";
const char command_close_help[] =
    "CLOSE {PRT | PUN} [HOLD | NOHOLD] [PURGE] [TO userid] [NAME fn [ft]]\n"
    "CLOSE RDR [HOLD | KEEP | PURGE]\n"
    "Ends the file that is open on a device. One that was printed or punched goes\n"
    "where SPOOL, or TO, says, and is kept when CLOSE has answered; PURGE forgets\n"
    "it. One that was read is gone, unless SPOOL RDR, HOLD or KEEP says it stays.\n";
const char command_tag_help[] =
    "TAG {DEV {PRT | PUN} | FILE spoolid} [text]\n"
    "TAG QUERY {DEV {PRT | PUN} | FILE spoolid}\n"
    "Gives the files that a device makes from now on, or one there is, a text of up\n"
    "to 136 characters, or shows it.\n";

/* ---- SPOOL ------------------------------------------------------------------------------------------------------- */

/* Oneself needs no leave. */
static unsigned spool_for(struct call *c, struct spool_unit *unit)
{
    char text[3];
    word_upper(call_peek(c), text, sizeof text);
    if (strcmp(text, "*") && !word_is(call_peek(c), c->session->user->id, (unsigned)strlen(c->session->user->id)))
        return call_receiver(c, "CSP", unit->owner);
    *unit->owner = 0;
    return call_userid(c, "CSP", (char[DIRECTORY_NAME + 1]){0});
}

/* Whether the file that is open is to be ended, and how. */
enum ending { ENDING_NONE, ENDING_KEEP, ENDING_PURGE };

static unsigned spool_option(struct call *c, enum spool_queue queue, struct spool_unit *unit, enum ending *ending)
{
    char text[32];
    int hold = unit->hold, keep = unit->keep;
    struct word w;
    call_next(c, &w);
    word_upper(w, text, sizeof text);
    if (word_is(w, "CLASS", 2))
        return call_class(c, "CSP", queue == SPOOL_RDR, &unit->class);
    if (word_is(w, "COPY", 3) && queue != SPOOL_RDR)
        return call_copies(c, "CSP", &unit->copies);
    if (word_is(w, "TO", 2) && queue != SPOOL_RDR)
        return call_receiver(c, "CSP", unit->to);
    if (word_is(w, "FOR", 3) && queue != SPOOL_RDR)
        return spool_for(c, unit);
    if ((word_is(w, "CONT", 3) || word_is(w, "NOCONT", 5)) && queue != SPOOL_RDR)
        unit->cont = *text == 'C';
    else if (word_is(w, "OFF", 3) || word_is(w, "SYSTEM", 3))
        *unit->to = 0;
    else if ((word_is(w, "CLOSE", 2) || word_is(w, "PURGE", 3)) && queue != SPOOL_RDR)
        *ending = *text == 'C' ? ENDING_KEEP : ENDING_PURGE;
    else if (!spool_holds(w, &hold, &keep))
        return FAIL(c, "CSP", 2, text);
    unit->hold = (uint8_t)hold;
    unit->keep = (uint8_t)keep;
    return 0;
}

/* ---- CLOSE ------------------------------------------------------------------------------------------------------- */

struct closing {
    enum spool_queue queue;
    bool purge, keep;
    int hold; /* -1: as the device has it */
    char to[9], name[9], type[9];
    uint64_t ticket; /* of a reader's file */
};
_Static_assert(sizeof(struct closing) <= TASK_KEEPS, "kept till the file is");

static unsigned close_option(struct call *c, struct closing *k)
{
    char text[32];
    bool given;
    struct word w;
    call_next(c, &w);
    word_upper(w, text, sizeof text);
    if (word_is(w, "TO", 2) && k->queue != SPOOL_RDR)
        return call_receiver(c, "CSP", k->to);
    if (word_is(w, "NAME", 4) && k->queue != SPOOL_RDR) {
        unsigned failed = call_name(c, "CSP", k->name, &given);
        if (!failed && !given)
            failed = FAIL(c, "CSP", 29, "");
        if (!failed)
            failed = call_name(c, "CSP", k->type, &given);
        return failed ? failed : call_end(c, "CSP");
    }
    if (word_is(w, "PURGE", 3))
        k->purge = true;
    else if (word_is(w, "KEEP", 4) && k->queue == SPOOL_RDR)
        k->keep = true;
    else if (word_is(w, "HOLD", 3) || word_is(w, "NOHOLD", 3))
        k->hold = *text == 'H';
    else
        return FAIL(c, "CSP", 2, text);
    return 0;
}

static bool close_waits(struct session *s, struct response *response, unsigned *code)
{
    struct call c = {.session = s, .response = response, .unread = ""};
    const struct closing *k = task_kept(s);
    return spool_wait(&c, "CSP",
                      k->queue == SPOOL_RDR ? spool_outcome(k->ticket) : spool_closed(&s->spool, k->queue), code);
}

/* False: nothing is open, or nothing changes. */
static bool close_reader(const struct spool_user *user, struct closing *k)
{
    const struct spool_unit *unit = &user->unit[SPOOL_RDR];
    struct spool_file *f = spool_reader_close(user);
    bool stays = k->keep || (k->hold < 0 ? unit->hold || unit->keep : k->hold);
    if (!f || (stays && !k->purge && k->hold < 1))
        return false;
    f->hold |= k->hold == 1;
    k->ticket = stays && !k->purge ? spool_change(f) : spool_purge(f);
    return true;
}

static unsigned close_unit(struct call *c, struct closing *k)
{
    struct spool_user *user = &c->session->spool;
    unsigned failed = call_spool(c, "CSP");
    struct spool_close how = {.name = k->name, .type = k->type, .to = k->to, .hold = k->hold, .purge = k->purge,
                              .now = clock_unix_us() / 1000000};
    if (failed || (k->queue != SPOOL_RDR && user->unit[k->queue].cont && !k->purge) ||
        !(k->queue == SPOOL_RDR ? close_reader(user, k) : spool_close(user, k->queue, &how)))
        return failed;
    *(struct closing *)task_kept(c->session) = *k;
    return task_run(c->session, c->response, close_waits);
}

unsigned command_close(struct call *c)
{
    struct closing k = {.hold = -1};
    unsigned failed = call_unit(c, "CSP", &k.queue);
    while (!failed && call_peek(c).length)
        failed = close_option(c, &k);
    return failed ? failed : close_unit(c, &k);
}

unsigned command_spool(struct call *c)
{
    struct closing k = {.hold = -1};
    enum ending ending = ENDING_NONE;
    unsigned failed = call_unit(c, "CSP", &k.queue);
    if (failed)
        return failed;
    struct spool_unit *unit = &c->session->spool.unit[k.queue], wanted = *unit;
    while (!failed && call_peek(c).length)
        failed = spool_option(c, k.queue, &wanted, &ending);
    if (!failed)
        *unit = wanted;
    k.purge = ending == ENDING_PURGE;
    return failed || !ending ? failed : close_unit(c, &k);
}

/* ---- TAG --------------------------------------------------------------------------------------------------------- */

static bool tag_waits(struct session *s, struct response *response, unsigned *code)
{
    struct call c = {.session = s, .response = response, .unread = ""};
    return spool_wait(&c, "CST", spool_outcome(*(const uint64_t *)task_kept(s)), code);
}

static unsigned tag_file(struct call *c, struct spool_file **file)
{
    uint64_t spoolid;
    char text[8];
    struct word w;
    unsigned failed = call_spool(c, "CST");
    if (failed)
        return failed;
    call_next(c, &w);
    if (!word_number(w, SPOOL_ID_MAX, &spoolid) || !spoolid)
        return FAIL(c, "CST", 27, "");
    format_text(text, sizeof text, "%04u", (unsigned)spoolid);
    *file = spool_find(c->session->user->id, (unsigned)spoolid);
    return *file ? 0 : FAIL(c, "CST", 42, text);
}

/* Where the tag is: of a file, or, *file NULL, of a device. */
static unsigned tag_place(struct call *c, char **tag, struct spool_file **file)
{
    char text[32];
    enum spool_queue queue;
    struct word w;
    unsigned failed;
    call_next(c, &w);
    word_upper(w, text, sizeof text);
    *file = NULL;
    if (word_is(w, "FILE", 4)) {
        failed = tag_file(c, file);
        *tag = *file ? (*file)->tag : NULL;
    } else if (word_is(w, "DEV", 3)) {
        failed = call_unit(c, "CST", &queue);
        *tag = failed ? NULL : c->session->spool.unit[queue].tag;
    } else {
        failed = w.length ? FAIL(c, "CST", 2, text) : FAIL(c, "CST", 26, "");
    }
    return failed;
}

unsigned query_tag(struct call *c)
{
    struct spool_file *file;
    char *tag;
    unsigned failed = tag_place(c, &tag, &file);
    if (!failed && !(failed = call_end(c, "CST")))
        response_line(c->response, "%s", *tag ? tag : "(VOID)");
    return failed;
}

unsigned command_tag(struct call *c)
{
    struct word w = call_peek(c);
    struct spool_file *file;
    char *tag;
    if (word_is(w, "QUERY", 1)) {
        call_next(c, &w);
        return query_tag(c);
    }
    unsigned failed = tag_place(c, &tag, &file);
    if (failed)
        return failed;
    const char *text = call_remainder(c);
    memset(tag, 0, SPOOL_TAG + 1);
    for (unsigned i = 0; text[i] && i < SPOOL_TAG; i++)
        tag[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    if (!file)
        return 0;
    *(uint64_t *)task_kept(c->session) = spool_change(file);
    return task_run(c->session, c->response, tag_waits);
}
