/* CP's event loop: lets what came in, does what is due, runs the machine whose turn it is, or sleeps. */
#pragma once
#include "cp/dispatch/vm.h"

/* Work of other rooms that the loop does when their interrupt came, and once a turn. */
typedef void run_handler(void *context);
typedef bool run_turn(void *context); /* false: there was nothing to do, and it took no time */
void run_on_interrupt(unsigned vector, run_handler *, void *context); /* up to 16 */
void run_each_turn(run_turn *, void *context);                        /* up to 4 */

__attribute__((noreturn)) void run_loop(void);
