/* On the host build, in unit tests and fuzzers: what was brought up to date must be what it comes to when it is made
 * from nothing. If it is not, an input changed and nobody said so (nest/stale.h), and the program ends. Each thing is
 * made again where it is made, `if (NEST_RECOMPUTES)`; on the machine this is nothing. */
#pragma once
#include "nest/active.h"

#ifdef VMN_HOST
extern bool nest_recomputes; /* a test that counts what is done turns it off */
#define NEST_RECOMPUTES nest_recomputes
/* `kept` is what `made` from nothing is, in the fields of the set. */
void nest_must_equal(const char *what, const struct vmcs *kept, const struct vmcs *made, const struct vmcs_set *fields);
/* The fields of a set, all found to differ from what hardware holds, are in the other: hardware is to have them yet. */
void nest_must_be_within(const char *what, const struct vmcs_set *differ, const struct vmcs_set *stale);
void nest_must(const char *what, bool holds);
#else
#define NEST_RECOMPUTES false
static inline void nest_must_equal(const char *what, const struct vmcs *kept, const struct vmcs *made,
                                   const struct vmcs_set *fields)
{
    (void)what, (void)kept, (void)made, (void)fields;
}
static inline void nest_must_be_within(const char *what, const struct vmcs_set *differ, const struct vmcs_set *stale)
{
    (void)what, (void)differ, (void)stale;
}
static inline void nest_must(const char *what, bool holds)
{
    (void)what, (void)holds;
}
#endif
