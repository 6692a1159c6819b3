/* REXX programs that are stages of a pipeline: the seam cms_pipe_programs.
 *
 * A stage's program is a process of its own, which waits in /dev/cms whenever the dispatcher has the turn. Several are
 * there at a time, and end in any order; they are finished in the reverse of that in which they were begun. */
#include <string.h>

#include "cms/command/messages.h"
#include "cms/console/console.h"
#include "cms/eel/eel.h"
#include "cms/exec/exec.h"
#include "cms/kernel/heap.h"
#include "cms/pipe/programs.h"
#include "cms/program/program.h"

static const char interpreter[] = "/usr/bin/cms-rexx";

struct staged {
    struct staged *outer; /* begun before */
    struct program_run *run;
    struct program_result result;
    struct conversation *asks; /* which waits for an answer */
    struct scan asked;
    bool forgotten; /* nobody wants it any more: it goes when those begun behind it have gone */
};

static struct staged *newest; /* of all */
static struct staged *turn;   /* whose program runs */

static bool find_file(const char *name, struct file_found *found)
{
    struct file_search search = {.id = {.type = "REXX", .letter = '*'}};
    size_t length = strlen(name);
    if (length > EDF_NAME_MAX || !edf_name_valid(name))
        return false;
    memcpy(search.id.name, name, length + 1);
    return cms_file_next(&search, found);
}

static bool find(const char *name)
{
    struct file_found found;
    return find_file(name, &found);
}

static int begin(const char *name, const char *argument, size_t length, void **program)
{
    char path[PROGRAM_PATH], fileid[FILE_ID_MAX];
    struct file_found found;
    if (cms_eel_forbids("REXX"))
        return cms_message("EEL", MESSAGE_EEL_FORBIDDEN, "REXX");
    char *text = cms_heap_allocate(length + 1);
    struct staged *s = cms_heap_allocate(sizeof *s);
    if (!text || !s || !find_file(name, &found)) {
        cms_heap_free(text);
        cms_heap_free(s);
        return cms_message("PIP", MESSAGE_VIRTUAL_STORAGE);
    }
    memcpy(text, argument, length);
    text[length] = 0;
    *s = (struct staged){.outer = newest};
    cms_program_path(&found, path);
    cms_file_found_text(&found, fileid);
    const char *const words[] = {"cms-rexx", path, fileid, length ? text : NULL, NULL};
    int rc = program_run_begin(interpreter, words, "CMS_STAGE=1", &s->run);
    cms_heap_free(text);
    if (rc) {
        cms_heap_free(s);
        return rc;
    }
    newest = s;
    *program = s;
    return 0;
}

/* ---- turns ------------------------------------------------------------------------------------------------------- */

/* ^C ends the newest one, whichever is at work; HX all. */
static bool turn_is_over(void *context)
{
    const struct staged *s = context;
    return s->asks || program_run_ended(s->run) || cms_console_halted() ||
           (!newest->forgotten && newest != s && program_run_ended(newest->run));
}

static bool go_on(void *program, struct scan *asked)
{
    struct staged *s = program, *before = turn;
    turn = s;
    program_result_begin(&s->result);
    process_lend(turn_is_over, s);
    const struct program_result kept = s->result;
    program_result_end(&s->result);
    s->result = kept;
    turn = before;
    if (s->asks)
        *asked = s->asked;
    return s->asks;
}

bool program_stage_asks(struct conversation *c, const char *line, size_t length)
{
    if (!turn || turn->asks)
        return false;
    turn->asks = c;
    turn->asked = (struct scan){line, line + length};
    return true;
}

void *program_stage_pause(void)
{
    struct staged *was = turn;
    turn = NULL;
    return was;
}

void program_stage_resume(void *was) { turn = was; }

static void answer(void *program, int return_code)
{
    struct staged *s = program;
    struct conversation *c = s->asks;
    s->asks = NULL;
    program_answer(c, return_code);
}

static enum cms_variable_status set(void *program, const char *name, const void *value, size_t length)
{
    return program_set(((struct staged *)program)->asks, name, value, length);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static int finish(struct staged *s)
{
    newest = s->outer;
    int rc = program_run_finish(s->run, interpreter);
    rc = rc >= 0 && s->result.given ? s->result.return_code : rc;
    if (s->asks) /* its conversation ends with it */
        answer(s, 0);
    cms_heap_free(s);
    return rc;
}

static int end(void *program)
{
    struct staged *s = program;
    int rc = s->result.given ? s->result.return_code : 0;
    s->forgotten = true;
    if (s == newest)
        rc = finish(s);
    while (newest && newest->forgotten)
        finish(newest);
    return cms_console_halted() ? COMMAND_HALTED : rc;
}

const struct pipe_programs cms_pipe_programs = {find, begin, go_on, answer, set, end};
