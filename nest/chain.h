/* The chain: entries of a guest's guest carried out by the lowest CP alone (docs/nesting.md, "The chain").
 *
 *   nest[0], the root   its L1 is the machine's guest, a CP; its L2 runs on a page of that one's storage, P1
 *   nest[1]             its L1 is that L2; its L2 runs on a page P2 of *its* storage, which it entered by a call
 *   nest[2] ...         and so on inwards, each made where the page that its L1 runs on delegates (vmcs-shadow/page.h)
 *
 * Each is a struct nest like any other, and the nest before it is its host: what is storage to it is what the EPT of
 * that page maps, what vmcs01 is to it is the vmcs02 of that page. So an entry or exit of the innermost is the same
 * work at any depth, and none of the CPs in between runs for it.
 *
 * A chain is a cache of what those CPs would have done. nest_chain_stop() and nest_chain_return() end a run of the
 * innermost at any moment: its state is in its page or VMCS then, and its L1 stands at the call or VMX instruction that
 * entered it, not yet carried out. A CP that owns a page is then free to have any exit of its guest, or to carry that
 * out itself. */
#pragma once
#include "nest/nest.h"

struct nest_vmcs;

/* Whether what the guest that runs does with VMX is CP's to carry out: the page it runs on says so.
 * @pre nest_chain_may_delegate() */
bool nest_chain_delegates(const struct nest *root);
/* Its call, of privilege level 0, to enter the page at gpa. As nest_enter_page(), with NEST_OUTER for what its owner
 * must carry out: the exit is reported to it as it is, and nothing of the guest is kept here. */
enum nest_result nest_chain_enter(struct nest *root, uint64_t gpa, enum nest_page_error *error);
/* Its VMX instruction; the same. NEST_FAULT: root->fault. */
enum nest_result nest_chain_instruction(struct nest *root, const struct exit *exit);
/* An exit of the guest for a VMX instruction, or for a call that is not carried out here, goes to the owner: what is
 * kept here of the pages it entered is let go, and after one that invalidates translations so are those. */
void nest_chain_yield(struct nest *nest, unsigned basic_reason);

/* nest_instruction() of a nest that is no root: apart from that, as it is in the way of every entry. */
enum nest_result nest_instruction_above(struct nest *nest, const struct exit *exit);

/* As struct nest_hardware has link, for L1 of a nest that is no root. */
void nest_chain_link(struct nest *nest, void *region, bool closed);
/* What was delegated is this nest's own again. false: no frames. @pre nest->is_delegated */
bool nest_chain_own(struct nest *nest);

/* L2 of this nest runs from here on, or no more. */
void nest_chain_runs(struct nest *nest);
void nest_chain_left(struct nest *nest);
static inline void nest_runs(struct nest *nest)
{
    nest->in_guest = true;
    if (__builtin_expect(nest->chain != NULL, 0))
        nest_chain_runs(nest);
}
static inline void nest_left(struct nest *nest)
{
    nest->in_guest = false;
    if (__builtin_expect(nest->chain != NULL, 0))
        nest_chain_left(nest);
}
/* When the first of the timers that run is due; NEST_TIMER_FRESH as of struct nest. */
uint64_t nest_chain_deadline(const struct nest *root);
static inline uint64_t nest_deadline(const struct nest *root)
{
    return root->innermost == root ? root->timer_deadline : nest_chain_deadline(root);
}

/* What was to be read of the nest's L1 could not be: whatever came of that, the owner carries it out. */
static inline bool nest_chain_missed(const struct nest *nest)
{
    return nest->chain && nest->root->chain_missed;
}

/* nest_exit() of a nest that is no root. */
enum nest_result nest_chain_exit(struct nest *nest, const struct exit *exit);
/* After NEST_OUTER: the innermost stops with this event on its way to it (info 0: none), and its L1's owner has the
 * exit of the call that entered it. */
enum nest_result nest_chain_return(struct nest *root, const struct nest_event *event);
/* All but the root stop, so that the machine's guest can have an exit. @pre no event is on its way */
void nest_chain_stop(struct nest *root);
/* Images of all that run follow what is CP's own. false: no frames. */
bool nest_chain_follow(struct nest *root);

/* The owner's EPT is another: what was composed of it goes. eptp: of which; NEST_NO_ADDRESS: of any. */
void nest_chain_forget(struct nest *nest, uint64_t eptp);
/* EPT01 is: as nest_ept01_changed() for all above. */
void nest_chain_ept_flush(struct nest *nest);
bool nest_chain_shrink(struct nest *nest); /* nest_shrink() of all above */
/* All VMCSs and pages that are held for the guest of a virtual VMCS are in its storage. */
void nest_chain_let_go(struct nest_vmcs *vmcs);
void nest_chain_destroy(struct nest_vmcs *vmcs); /* what runs above a virtual VMCS that goes */
