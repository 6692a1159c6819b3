/* Owns what the event loop counts of itself. In: the loop's increments. Out: the sums, to INDICATE and to the
 * launcher. */
#include "cp/dispatch/account.h"

#include <string.h>

struct dispatch_account dispatch_account;

static const char *const stretch_names[STRETCHES] = {
    [STRETCH_INTERRUPT] = "INTERRUPT", [STRETCH_TIMER] = "TIMER", [STRETCH_USERS] = "USERS", [STRETCH_WORK] = "WORK"};

void account_begin(void)
{
    memset(dispatch_account.stretch, 0, sizeof dispatch_account.stretch);
}

static void raise(uint64_t *most, uint64_t ticks)
{
    if (*most < ticks)
        *most = ticks;
}

void account_stretch(enum stretch what, uint64_t ticks) { raise(&dispatch_account.stretch[what], ticks); }

void account_exit_stretch(unsigned reason, uint64_t ticks)
{
    raise(&dispatch_account.exit_stretch[reason < EXIT_REASONS ? reason : 0], ticks);
}

bool account_stretch_next(unsigned *at, const char **what, uint64_t *ticks)
{
    for (*ticks = 0; !*ticks && *at < STRETCHES + EXIT_REASONS; ++*at) {
        bool own = *at < STRETCHES;
        *what = own ? stretch_names[*at] : exit_reason_name(*at - STRETCHES);
        *ticks = own ? dispatch_account.stretch[*at] : dispatch_account.exit_stretch[*at - STRETCHES];
    }
    return *ticks;
}
