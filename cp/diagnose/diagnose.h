/* The CP side of cp/diagnose.h. */
#pragma once
#include "cp/vcpu/vm.h"

/* vm.h's vm_diagnose: obeys the call in the virtual CPU's registers, returns what goes to RAX. */
uint64_t diagnose(struct vm *);

/* The command that a call waits for (session.asked) can be finished: the rest of the call, and its results. @pre the
 * machine rests */
void diagnose_go_on(struct session *);
