#include "cp/session/record.h"

#include <stdarg.h>

#include "cp/audit/log.h"
#include "cp/session/session.h"
#include "cp/time/clock_text.h"
#include "lib/format.h"

enum {
    AT_ONCE = 100, EACH_SECONDS = 20, /* of a user, and of all whom nobody knows */
    OPERANDS = 160,                   /* bytes of a command's: what came of it still finds room */
};

static bool may(struct user_kept *k)
{
    uint64_t now = clock_now(), each = EACH_SECONDS * clock_hz;
    if (k->records_due < now)
        k->records_due = now;
    if (k->records_due - now >= AT_ONCE * each) {
        k->records_left_out++;
        return false;
    }
    k->records_due += each;
    return true;
}

void record(const struct session *s, const char *format, ...)
{
    static struct user_kept nobodys;
    struct user_kept *k = s->user ? s->user->kept : &nobodys;
    const char *who = s->user ? s->user->id : "-";
    char where[9];
    va_list args;
    if (!may(k))
        return;
    session_name(s, where);
    if (k->records_left_out)
        audit_note(where, who, "%u RECORDS LEFT OUT", k->records_left_out);
    k->records_left_out = 0;
    va_start(args, format);
    audit_note_v(where, who, format, args);
    va_end(args);
}

void record_command(const struct session *s, const char *name, const char *operands, size_t length, unsigned code)
{
    char outcome[16] = "";
    if (code)
        format_text(outcome, sizeof outcome, " REFUSED %03u", code);
    record(s, "%s%.*s%s", name, (int)(length < OPERANDS ? length : OPERANDS), operands, outcome);
}

void record_account(const struct session *s, const char *by)
{
    char span[CLOCK_TEXT], virtual[CLOCK_TEXT], total[CLOCK_TEXT], steal[CLOCK_TEXT];
    record(s, "%s%s CONNECT=%s VIRTCPU=%s TOTCPU=%s STEAL=%s", by ? "FORCED BY " : "LOGOFF", by ? by : "",
           clock_text_span(span, clock_unix_us() - s->logon_us), clock_text_cpu(virtual, s->vm->virtual_ticks),
           clock_text_cpu(total, vm_total_ticks(s->vm)), clock_text_cpu(steal, s->vm->steal_ticks));
}
