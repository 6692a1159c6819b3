/* What a machine may ask of its disks. Each returns RAX. */
#pragma once
#include "cp/vcpu/vm.h"

uint64_t diagnose_device(struct vm *);
uint64_t diagnose_block_io(struct vm *); /* has the machine held, unless it fails at once */
