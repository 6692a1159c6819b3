/* What the operator is told. In: who did what. Out: a line on OPERATOR's console, if OPERATOR is there. */
#include "cp/session/operator.h"

#include "cp/session/response.h"
#include "cp/session/session.h"
#include "cp/terminal/terminal.h"
#include "cp/time/clock_text.h"
#include "cp/vcpu/machine_check.h"
#include "lib/format.h"

static void tell(const struct session *about, const char *deed, unsigned users, const char *by)
{
    struct session *told = session_find("OPERATOR");
    char now[CLOCK_TEXT], name[9], line[96];
    if (!told || told == about)
        return;
    size_t length = format_text(line, sizeof line, "%s %-5s %-10s AS %-8s USERS = %u%s%s",
                                clock_text_time(now, clock_unix_us()), session_name(about, name), deed, about->user->id,
                                users, by ? "  BY " : "", by ? by : "");
    if (!told->output.terminal && ring_used(&told->output.ring) >= OUTPUT_DISCONNECTED / 2)
        told->output.dropped += (uint32_t)length; /* or who comes and goes would stop OPERATOR's machine */
    else
        output_say(&told->output, "%s", line);
}

void operator_tell(const struct session *about, const char *deed, const char *by)
{
    tell(about, deed, session_users(), by);
}

void operator_tell_logoff(const struct session *about, const char *by)
{
    tell(about, by ? "FORCED" : "LOGOFF", session_users() - 1, by);
}

void operator_tell_machine_check(const struct machine_check *check, const char *outcome)
{
    struct session *told = session_find("OPERATOR");
    const struct terminal *first = terminal_next(NULL);
    char what[80];

    if (!told && first)
        told = first->session;
    if (!told)
        return;
    machine_check_text(check, what, sizeof what);
    response_error(&(struct response){.session = told}, "MCK", 9050, what, outcome);
}
