/* Between the entries of trap.c and user.c. */
#pragma once
#include "cms/cpu/trap.h"

/* A program's exception, or the end of an interrupt that came while one ran. */
void user_take_exception(struct trap_frame *);
void user_take_interrupt(struct trap_frame *);
