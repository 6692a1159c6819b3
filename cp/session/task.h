/* What a command does that takes long: a little at a time, so that nobody else waits for it, while the terminal and the
 * machine that asked rest (rest.h). LOGOFF, FORCE and whatever else is noted for the session end it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cp/diagnose.h"

struct response;
struct session;

/* A step. True: it was the last, *code is what the command returns. The one that follows it may be another, which it
 * puts into task.step. */
typedef bool task_step(struct session *, struct response *, unsigned *code);

enum { TASK_KEEPS = 24 + DIAGNOSE_COMMAND_MAX + 1 }; /* bytes: some numbers, and the rest of a command line */

struct task {
    task_step *step;
    bool waits;    /* for news of the spool */
    uint64_t news; /* that it knows */
    _Alignas(8) uint8_t kept[TASK_KEEPS]; /* the command's own, a struct that fits, from step to step */
};

void *task_kept(struct session *); /* those bytes */

/* The command goes on with `step`, with what it keeps, when it is its turn again. */
void task_begin(struct session *, task_step *, bool machine_asks);
/* The first step now, the others as above. What the command returns, unless it is not done. */
unsigned task_run(struct session *, struct response *, task_step *);
/* Asked for in a step that is not the last: the next one comes when the spool has news (cp/spool/spool.h). */
void task_wait(struct session *);
bool task_waits(const struct session *);
/* The same with a step that comes when it is known whether `password` is the setting's:
 * sha512_crypt_matches(&s->crypt). @pre the setting is a sha512-crypt string */
void task_begin_hashed(struct session *, task_step *, bool machine_asks, const char *setting, const char *password,
                       size_t length);
