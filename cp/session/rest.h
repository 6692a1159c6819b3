/* A terminal and its machine rest: for a time (SLEEP), or while CP works on what a command of theirs asked for
 * (task.h). Afterwards both go on as before, unless what was noted meanwhile (deed.h) says otherwise. */
#pragma once
#include <stdbool.h>

#include "cp/session/state.h"

struct rest {
    enum session_state then; /* the state after it */
    bool machine_asked;      /* for it, by DIAGNOSE, not somebody at the terminal */
    bool machine_stopped;    /* by it */
};

/* @pre the row of `how` has the machine rest; somebody is logged on */
void rest_begin(struct session *, enum session_state how, bool machine_asks);
/* One step of what it is for. After the last, the commands behind the one that asked, if any, and rest_end, unless one
 * of them has both rest again. @pre the state is CHECK or TASK */
void rest_go_on(struct session *);
void rest_end(struct session *); /* the session is awake, whatever it rested for */
