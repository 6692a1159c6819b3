/* What a machine may ask of its spooled devices. Each returns RAX.
 * @pre a user is logged on to the machine's session */
#pragma once
#include "cp/vcpu/vm.h"

uint64_t diagnose_spool_write(struct vm *);
uint64_t diagnose_spool_read(struct vm *);
uint64_t diagnose_spool_file(struct vm *);
