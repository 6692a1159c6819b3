/* Whose exit is it: CP's, or one that a hypervisor above asked for?  Pure but for the bitmaps, which are read where
 * L1 has them. */
#pragma once
#include "nest/nest.h"

/* What a question about an exit needs besides the VMCS. */
struct nest_route_state {
    const struct nest_host *host;
    bool timer_expired;     /* the inner's preemption timer has run out */
    bool virtual_nmi;       /* an NMI CP made up for the inner's guest, not one of the machine */
};

/* Exits CP keeps whatever the VMCSs above say: interrupts and faults of the real machine, its own memory and timer. */
bool nest_cp_wants(const struct nest_route_state *state, const struct vmcs *cp, const struct vmcs *inner,
                   const struct exit *exit);
/* Whether the VMCS asked for this exit. */
bool nest_inner_wants(const struct nest_route_state *state, const struct vmcs *inner, const struct exit *exit);

/* Reasons that are the innermost list member's whatever the VMCSs hold: nest_route() need not be asked. */
bool nest_route_is_innermost(unsigned basic_reason);

/* The fold: who gets the exit.  list[0] is the outermost VMCS above CP's, list[length-1] ran when it happened.
 * -1: CP; else an index: the innermost that asked for it, since it is for it that the instruction faulted first. */
int nest_route(const struct nest_route_state *state, const struct vmcs *cp, const struct vmcs *const *list,
               unsigned length, const struct exit *exit);
