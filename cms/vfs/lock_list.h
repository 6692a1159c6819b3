/* The locks on one file, as a list of ranges: who has what, what stands in the way of whom, and how ranges are split
 * and joined when their owner changes a part. Knows no files, and nothing here sleeps. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum lock_kind {
    LOCK_OF_PROCESS, /* fcntl(2), F_SETLK */
    LOCK_OF_OPENING, /* F_OFD_SETLK: of an open file, and in the way of those of processes, as they are in its */
    LOCK_OF_WHOLE,   /* flock(2): also of an open file, but sees only its like */
};
enum lock_type { LOCK_SHARED, LOCK_EXCLUSIVE, LOCK_NONE }; /* F_RDLCK, F_WRLCK, F_UNLCK */

static const uint64_t LOCK_TO_END = INT64_MAX; /* as `last`: however long the file becomes */

struct lock {
    struct lock *next;
    enum lock_kind kind;
    enum lock_type type;
    const void *owner;
    int process;          /* that took it: F_GETLK */
    uint64_t first, last; /* bytes, both locked; at most LOCK_TO_END */
};

enum { LOCKS_MAX = 8192 }; /* of all files */
unsigned lock_list_count(void); /* of all files */

/* The first, by its place in the file, that keeps the owner of `want` from what it wants; NULL: it can have it. */
const struct lock *lock_list_conflict(const struct lock *list, const struct lock *want);
/* Some lock of that kind and owner; NULL: it has none. */
const struct lock *lock_list_of(const struct lock *list, enum lock_kind, const void *owner);
/* Makes the range what `want` says, for its owner alone: other types there give way, the same type that overlaps or
 * touches becomes one with it. 0; or -ENOLCK, and nothing has changed. @pre nothing conflicts */
int lock_list_set(struct lock **list, const struct lock *want);
/* Takes away all of that kind and owner, which needs no storage; whether there were any. */
bool lock_list_drop(struct lock **list, enum lock_kind, const void *owner);
void lock_list_forget(void); /* the storage of all lists is gone */
