/* Owns what the event loop counts of itself. In: the loop's increments. Out: the sums, to INDICATE and to the
 * launcher. */
#include "cp/dispatch/account.h"

struct dispatch_account dispatch_account;
