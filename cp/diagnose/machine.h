/* What a machine may ask of CP about another one upon it (cp/session/stack.h). */
#pragma once
#include "cp/vcpu/vm.h"

uint64_t diagnose_machine(struct vm *); /* RAX; the machine stops till that one ended, unless it fails at once */
