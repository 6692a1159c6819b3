/* An exit is handled to its end: handler, and what its answer asks for. */
#pragma once
#include "cp/vcpu/vm.h"

void exit_dispatch(struct vm *); /* vcpu.exit was captured */
