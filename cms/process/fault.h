/* Exceptions and interrupts that came in user mode: seams of cms/cpu/user.h. */
#pragma once
#include "cms/cpu/user.h"

void fault_exception(struct trap_frame *);
void fault_interrupted(struct trap_frame *);
