/* TRACE: what a machine's developer wants to be told of. */
#include "cp/command/families.h"
#include "cp/session/trace.h"

const char command_trace_help[] =
    "TRACE VMX {ON | OFF}\n"
    "Names, when your machine's program fails at a VMX instruction or a VM entry,\n"
    "the rule it broke and the VMCS field, on your console: at most eight a second,\n"
    "the others are counted.\n";

static unsigned refuse(struct call *c, struct word w)
{
    char text[32];
    word_upper(w, text, sizeof text);
    return w.length ? FAIL(c, "TRC", 2, text) : FAIL(c, "TRC", 26, "");
}

unsigned command_trace(struct call *c)
{
    struct word what = {0}, value = {0};
    call_next(c, &what);
    call_next(c, &value);
    if (!word_is(what, "VMX", 3))
        return refuse(c, what);
    bool on = word_is(value, "ON", 2);
    if (!on && !word_is(value, "OFF", 3))
        return refuse(c, value);
    unsigned failed = call_end(c, "TRC");
    if (failed)
        return failed;
    trace_flush(c->session);
    c->session->settings = (c->session->settings & ~SET_TRACE_VMX) | (on ? SET_TRACE_VMX : 0);
    return 0;
}
