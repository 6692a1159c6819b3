#include "cp/session/record.h"

#include <stdarg.h>

#include "cp/audit/log.h"
#include "cp/session/session.h"
#include "cp/time/clock_text.h"
#include "lib/format.h"

enum {
    AT_ONCE = 100, EACH_SECONDS = 20, /* of a user, and of all whom nobody knows */
    VAIN = AT_ONCE / 2,               /* of these, of what changed nothing */
    DONE = AT_ONCE - 10,             /* of these, beside coming and going */
    OPERANDS = 160,                   /* bytes of a command's: what came of it still finds room */
};

static bool may(struct user_kept *k, unsigned most)
{
    uint64_t now = clock_now(), each = EACH_SECONDS * clock_hz;
    if (k->records_due < now)
        k->records_due = now;
    if (k->records_due - now >= most * each) {
        *(most == VAIN ? &k->vain_left_out : &k->records_left_out) += 1;
        return false;
    }
    k->records_due += each;
    return true;
}

static void note(const struct session *s, unsigned most, const char *format, va_list args)
{
    static struct user_kept nobodys;
    struct user_kept *k = s->user ? s->user->kept : &nobodys;
    const char *who = s->user ? s->user->id : "-";
    char where[9];
    if (!may(k, most))
        return;
    session_name(s, where);
    if (k->vain_left_out)
        audit_note(where, who, "%u MORE THAT CAME TO NOTHING", k->vain_left_out);
    if (k->records_left_out)
        audit_note(where, who, "%u RECORDS LEFT OUT", k->records_left_out);
    k->vain_left_out = k->records_left_out = 0;
    audit_note_v(where, who, format, args);
}

#define RECORD(name, most)                                                                                             \
    void name(const struct session *s, const char *format, ...)                                                        \
    {                                                                                                                  \
        va_list args;                                                                                                  \
        va_start(args, format);                                                                                        \
        note(s, most, format, args);                                                                                   \
        va_end(args);                                                                                                  \
    }
RECORD(record, DONE)
RECORD(record_vain, VAIN)
RECORD(record_presence, AT_ONCE)

void record_command(const struct session *s, const char *name, const char *operands, size_t length, bool vain,
                    unsigned code)
{
    char outcome[16] = "";
    if (code)
        format_text(outcome, sizeof outcome, " REFUSED %03u", code);
    (code || vain ? record_vain : record)(s, "%s%.*s%s", name, (int)(length < OPERANDS ? length : OPERANDS), operands,
                                          outcome);
}

void record_account(const struct session *s, const char *by)
{
    char span[CLOCK_TEXT], virtual[CLOCK_TEXT], total[CLOCK_TEXT], steal[CLOCK_TEXT];
    record_presence(s, "%s%s CONNECT=%s VIRTCPU=%s TOTCPU=%s STEAL=%s", by ? "FORCED BY " : "LOGOFF", by ? by : "",
           clock_text_span(span, clock_unix_us() - s->logon_us), clock_text_cpu(virtual, s->vm->virtual_ticks),
           clock_text_cpu(total, vm_total_ticks(s->vm)), clock_text_cpu(steal, s->vm->steal_ticks));
}
