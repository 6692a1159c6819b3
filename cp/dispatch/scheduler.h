/* Which machine runs next: the runnable one that has had the least time by its share (cp/device/share.h), so that time
 * is shared as said whatever its guests do. Who waited comes first, for as long as their credit lasts. */
#pragma once
#include "cp/dispatch/vm.h"

enum { SCHEDULER_SLICE_US = 5000,
       SCHEDULER_CREDIT_US = 10000 /* of the time it slept a machine may still claim so much */ };

void scheduler_add(struct vm *);    /* became runnable */
void scheduler_remove(struct vm *); /* no longer */
struct vm *scheduler_pick(void);    /* NULL: none; it stays listed */
bool scheduler_contended(void);     /* more than one runs */
void scheduler_charge(struct vm *, uint64_t ticks);
/* Charges what CP did for it outside of its turns. True: it has had no more than who runs next, so that more may be
 * done. */
bool scheduler_settle(struct vm *);
void scheduler_share(struct vm *, struct share); /* from now on */
