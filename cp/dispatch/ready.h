/* The machines that are ready, the one that has had least first. As many as there may be, finding it takes no time, and
 * one that comes, goes or has had more as many steps as their number has binary digits: a leftist heap (Crane), whose
 * links are in the machines themselves. */
#pragma once
#include "cp/vcpu/vm.h"

/* Whose vruntime is least; of those who have had the same, who came last. NULL: nobody is ready. */
struct vm *ready_first(void);
bool ready_several(void); /* more than one */
/* @pre it is not among them. Its vruntime stays as it is while it is. */
void ready_add(struct vm *);
void ready_remove(struct vm *); /* @pre it is among them */
/* The same for one that stays among them, and came when it did: its vruntime is that now. */
void ready_had(struct vm *, uint64_t vruntime);
