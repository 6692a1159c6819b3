/* What SET and QUERY say of shares of the processor (cp/device/share.h). */
#pragma once
#include "cp/command/command.h"

unsigned command_set_share(struct call *);   /* what follows SHARE: for class A */
unsigned command_query_share(struct call *); /* a user; none: one's own */
