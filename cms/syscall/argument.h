/* Short ways to and from the calling program's storage, and the structures of time it has there. */
#pragma once
#include <errno.h>

#include "cms/process/process.h"
#include "cms/space/space.h"

static inline int user_in(void *to, uint64_t from, size_t bytes)
{
    return space_copy_in(process_space(process_current()), to, from, bytes);
}

static inline int user_out(uint64_t to, const void *from, size_t bytes)
{
    return space_copy_out(process_space(process_current()), to, from, bytes);
}

enum { USER_NS = 1000000000, USER_US = 1000000, USER_NS_OF_US = 1000 };

struct user_timespec {
    int64_t seconds, nanoseconds;
};
struct user_timeval {
    int64_t seconds, microseconds;
};

static inline struct user_timespec user_timespec_of(uint64_t ns)
{
    return (struct user_timespec){(int64_t)(ns / USER_NS), (int64_t)(ns % USER_NS)};
}

static inline struct user_timeval user_timeval_of(uint64_t ns)
{
    return (struct user_timeval){(int64_t)(ns / USER_NS), (int64_t)(ns % USER_NS / USER_NS_OF_US)};
}

/* In nanoseconds, at most what is as good as for ever; -EINVAL, -EFAULT. */
int user_timespec_in(uint64_t from, uint64_t *ns);
int user_timeval_in(uint64_t from, uint64_t *ns);
/* What a wait for `ns` from now is for cms_wait(). */
uint64_t user_deadline(uint64_t ns);
