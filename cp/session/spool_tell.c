/* In: what has become of spool files. Out: lines for those whose they are. */
#include "cp/session/spool_tell.h"

#include <string.h>

#include "cp/session/operator.h"
#include "cp/session/session.h"
#include "cp/session/turn.h"
#include "cp/spool/spool.h"
#include "lib/format.h"

const char *const spool_queue_names[] = {[SPOOL_RDR] = "RDR", [SPOOL_PRT] = "PRT", [SPOOL_PUN] = "PUN"};

/* More of its queue than this is not read: whoever sends files by the hundred does not fill it. */
enum { BEHIND = 1024 };

void spool_tell_news(void)
{
    static bool told;
    turn_wanted = true;
    if (told || spool_obstacle())
        return;
    told = true;
    if (spool_damaged())
        operator_tell_spool(spool_damaged());
}

static void tell(const char *userid, const struct spool_file *f, const char *queue, unsigned spoolid, const char *way,
                 const char *other, const char *there, const char *as, unsigned number)
{
    struct session *s = session_find(userid);
    if (!s || !(s->settings & SET_IMSG) || ring_used(&s->output.ring) >= BEHIND)
        return;
    output_say(&s->output, "%s FILE %04u SENT %-4s %-8s %s %-3s %04u RECS %04u CPY  %03u %c %s %s", queue, spoolid, way,
               other, there, as, number, (unsigned)f->records, f->copies, f->class, f->hold ? "HOLD" : "NOHOLD",
               f->keep ? "KEEP" : "NOKEEP");
    turn_wanted = true;
}

void spool_tell_arrival(const struct spool_file *f, const struct spool_journey *j)
{
    const char *here = spool_queue_names[f->queue], *there = spool_queue_names[j->queue];
    bool own = !strcmp(f->owner, j->from);
    tell(f->owner, f, here, f->spoolid, "FROM", j->from, there, "WAS", j->was);
    if (!own)
        tell(j->from, f, there, j->was, "TO", f->owner, here, "AS", f->spoolid);
}

const char *spool_counts(char text[SPOOL_COUNTS], const char *userid)
{
    size_t at = 0;
    for (enum spool_queue q = 0; q < SPOOL_QUEUES; q++) {
        unsigned count = spool_count(userid, q);
        char number[8];
        format_text(number, sizeof number, count ? "%04u" : "  NO", count);
        at += format_text(text + at, SPOOL_COUNTS - at, "%s%s %s", q ? ", " : "", number, spool_queue_names[q]);
    }
    return text;
}

void spool_tell_files(struct session *s)
{
    char text[SPOOL_COUNTS];
    unsigned count = 0;
    for (enum spool_queue q = 0; q < SPOOL_QUEUES; q++)
        count += spool_count(s->user->id, q);
    if (count)
        output_say(&s->output, "FILES: %s", spool_counts(text, s->user->id));
}
