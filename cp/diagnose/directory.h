/* What a machine may ask of the directory. Returns RAX.
 * @pre a user is logged on to the machine's session */
#pragma once
#include "cp/vcpu/vm.h"

uint64_t diagnose_directory(struct vm *);
