/* Programs of Linux as CMS commands: the commands that run them, and the device by which they reach CMS.
 *
 * In: a program's path and words. Out: a return code, and messages about one that did not end well. The seams of
 * cms/eel and cms/exec are provided here. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "cms/process/process.h"

/* Connects the rooms beneath, once, before the first program or file of theirs is asked for. */
void program_begin(void);

enum { PROGRAM_SIGNALLED = 128 };
/* How the last program ended that was killed by a signal; NULL: none was. */
const struct process_end *program_last_end(void);

/* Registers /dev/cms. */
void program_device_start(void);
/* An EXEC begins and ends: what it leaves through the device is its return code. */
struct program_result {
    bool given;
    int return_code;
    struct program_result *outer;
};
void program_result_begin(struct program_result *);
void program_result_end(const struct program_result *);
