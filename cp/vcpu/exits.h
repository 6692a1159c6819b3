/* An exit is handled to its end: handler, and what its answer asks for. */
#pragma once
#include "cp/vcpu/vm.h"

/* Exits that nothing the machine did has caused: CP's timer, a real interrupt. */
extern uint64_t exits_asynchronous;

void exit_dispatch(struct vm *); /* vcpu.exit was captured */
/* The same of an L2 that L1 steps by its monitor trap flag. */
void exit_dispatch_stepped(struct vm *);
