/* struct nest_host of a machine. */
#pragma once
#include "cp/vcpu/vm.h"
#include "nest/nest.h"

void nested_host_fill(struct nest_host *, struct vm *);
