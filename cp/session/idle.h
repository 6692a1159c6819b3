/* Terminals where nothing is done. A user at whose terminal nothing has been typed for as long as the directory allows
 * (`idle`) is disconnected; a visitor who can be hung up on is, when nobody has logged on for so long. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cp/time/timer.h"

struct terminal;

enum {
    IDLE_WARNING_SECONDS = 60,  /* before the end a user is warned */
    IDLE_VISIT_SECONDS = 300,   /* a visit without a LOGON that succeeds */
};

struct idle {
    struct timer timer; /* until it has to be looked at again */
    uint64_t since;     /* host TSC: when something was typed last, or they came; 0: nobody measures it */
    bool due, warned;
};

void idle_forget(struct idle *); /* it is measured anew from the next look on, if it is to be */
void idle_follow(struct terminal *); /* a look: the terminal may have another session afterwards */
