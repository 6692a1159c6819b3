/* TRACE VMX. In: failures of a machine's program at VMX, as many as it likes. Out: messages on its user's console, a
 * few a second. */
#include "cp/session/trace.h"

#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/time/timer.h"
#include "lib/format.h"
#include "nest/nest.h"

enum { A_SECOND = 8 };

void trace_flush(struct session *s)
{
    char number[12];
    if (!s->trace.lost)
        return;
    format_text(number, sizeof number, "%u", s->trace.lost);
    s->trace.lost = 0;
    response_error(&(struct response){.session = s}, "VMX", 9041, number);
}

static bool room_for_one(struct session *s)
{
    uint64_t now = clock_now();
    if (now >= s->trace.until) {
        s->trace.until = now + clock_ticks(1000000000);
        s->trace.shown = 0;
        trace_flush(s);
    }
    s->trace.lost += s->trace.shown == A_SECOND;
    return s->trace.shown < A_SECOND && ++s->trace.shown;
}

void trace_vmx(struct vm *vm, const char *rule, uint32_t field)
{
    struct session *s = vm->session;
    char where[48];
    if (!s || !(s->settings & SET_TRACE_VMX) || !room_for_one(s))
        return;
    if (field == NEST_NO_FIELD)
        format_text(where, sizeof where, "none");
    else
        format_text(where, sizeof where, "%04X %s", field, vmcs_field_name(field));
    response_error(&(struct response){.session = s}, "VMX", 9040, rule, where);
}
