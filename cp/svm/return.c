/* In: what a guest was entered with and where it is now. Out: whether NMIs are blocked, and IRET exits. */
#include "cp/svm/return.h"

enum { BLOCKED_NMI = 8, EVENT_TYPE = 7 << 8, EVENT_EXCEPTION = 3 << 8 };

static void change(struct svm_state *s, bool returning)
{
    s->returning = returning;
    s->controls_stale = true;
}

/* RF is left as it is, and is 1 if a breakpoint on it was met before the exit. In QEMU an IRET that begins with 1 ends
 * with 0, whatever it loaded. */
void svm_return_begin(struct svm_state *s)
{
    s->returning_rip = s->vmcb->rip;
    change(s, true);
}

/* An exception is the IRET's own fault, and unblocks them; any other event comes before the IRET. */
static bool comes_before(const struct vmcb *vmcb)
{
    return (vmcb->event_injection & VMCB_EVENT_VALID) && (vmcb->event_injection & EVENT_TYPE) != EVENT_EXCEPTION;
}

void svm_return_prepare(struct svm_state *s)
{
    if (s->returning && (s->vmcb->rip != s->returning_rip || comes_before(s->vmcb) ||
                         !(s->image.guest_interruptibility & BLOCKED_NMI)))
        change(s, false);
}

bool svm_return_look(struct svm_state *s)
{
    if (!s->returning || s->vmcb->rip == s->returning_rip)
        return false;
    s->image.guest_interruptibility &= ~(uint32_t)BLOCKED_NMI;
    change(s, false);
    return true;
}
