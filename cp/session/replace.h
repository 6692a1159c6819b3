/* A new directory instead of the one in force, while everybody works. It is gathered a piece at a time, judged as at
 * the start, and held against what is in use: who is logged on stays in it, and so do minidisks that are linked and
 * areas, where they are. Then it goes to the volume, and is in force. A user who is logged on goes on with what they
 * logged on with, but for the password and for what others may do with them; who logs on or links meanwhile waits for
 * the end.
 *
 * Somebody may leave in the midst of it: it is finished all the same. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct response;
struct session;

enum replace_put {
    REPLACE_TAKEN,
    REPLACE_BUSY,     /* one is being judged or written, or CP has no storage for it now */
    REPLACE_MISPLACED, /* what came before is gone: another began meanwhile, or it is in force */
    REPLACE_TOO_LONG,
};

/* The next bytes of a new directory, `at` many came before; at 0 it begins, and another user's is forgotten. */
enum replace_put replace_put(const struct session *, uint64_t at, const void *bytes, uint32_t count);

/* Judges what was put, and unless it is only to be checked puts it in force. The code of a command: 0, which is not the
 * end of it, as replace_step says. */
unsigned replace_begin(const struct session *, struct response *, bool only_check);
/* A task_step: tells what came of it. */
bool replace_step(struct session *, struct response *, unsigned *code);

/* From before anybody is looked for until the new one is in force or is not to be: nobody logs on or links. */
bool replace_holds(void);
