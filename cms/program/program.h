/* Programs of Linux as CMS commands: the commands that run them, and the device by which they reach CMS.
 *
 * In: a program's path and words. Out: a return code, and messages about one that did not end well. The seams of
 * cms/eel and cms/exec are provided here. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cms/kernel/variables.h"
#include "cms/process/process.h"

/* Connects the rooms beneath, once, before the first program or file of theirs is asked for. */
void program_begin(void);

/* The first `size` bytes of a file, as programs see it: how many there are, or a negative errno. */
int64_t program_read(const char *path, void *bytes, size_t size);

enum { PROGRAM_SIGNALLED = 128 };
/* How the last program ended that was killed by a signal; NULL: none was. */
const struct process_end *program_last_end(void);

/* ---- programs that are stages of a pipeline (stage.c) ---- */

struct conversation;
/* The program whose turn it is, asks for `line`, which is its conversation's until it has the answer. False: it is no
 * stage, or obeys a command of CMS by now. */
bool program_stage_asks(struct conversation *, const char *line, size_t length);
/* No program that runs meanwhile is the stage. Returns what stage_resume() wants. */
void *program_stage_pause(void);
void program_stage_resume(void *);
void program_answer(struct conversation *, int return_code); /* it is let go */
enum cms_variable_status program_set(struct conversation *, const char *name, const void *value, size_t length);

/* Runs as cms_program_start() does, in parts. */
struct program_run;
int program_run_begin(const char *path, const char *const arguments[], const char *setting, struct program_run **);
bool program_run_ended(const struct program_run *);
int program_run_finish(struct program_run *, const char *path); /* its return code, or that of a message */

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
